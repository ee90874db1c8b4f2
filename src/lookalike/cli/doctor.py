"""`lookalike doctor`: what is installed, where things lie, what is wrong and what to do about it."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
import tempfile
from importlib import import_module, metadata
from typing import TYPE_CHECKING, Any

import click

from lookalike.cli import printing
from lookalike.cli.options import collection_option, command, json_option
from lookalike.cli.outcome import Failed
from lookalike.cli.settings import collection_path
from lookalike.core.errors import LookalikeError

if TYPE_CHECKING:
    from pathlib import Path

MODULES = {"pillow": "PIL", "pi-heif": "pi_heif", "faiss-cpu": "faiss", "huggingface-hub": "huggingface_hub"}
"""Modules that are not named like what installs them."""
LOW_DISK_BYTES = 500_000_000
"""Below this a collection of some 100,000 pictures may not fit."""


@command
@collection_option
@json_option
def doctor(*, collection: str | None, as_json: bool) -> None:
    """What is installed, where things lie and what to do."""
    problems: list[str] = []
    findings = {
        "lookalike": metadata.version("lookalike"),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "parts": _parts(problems),
        "extras": _extras(),
        "devices": _devices(problems),
        "encoder": _encoder(problems),
        "collection": _collection(collection_path(collection), problems),
        "models": _models(),
    }
    if as_json:
        printing.out_json({"ok": not problems, **findings, "problems": problems})
    else:
        _show(findings, problems)
    if problems:
        raise Failed


def _requirements() -> list[tuple[str, str | None]]:
    """What this installation asks for: (name, extra or None), as its own metadata say."""
    found = []
    for line in metadata.requires("lookalike") or []:
        name = re.match(r"[\w.-]+", line)
        extra = re.search(r"""extra\s*==\s*['"]([\w-]+)['"]""", line)
        if name:
            found.append((name.group(), extra.group(1) if extra else None))
    return found


def _parts(problems: list[str]) -> dict[str, str | None]:
    """Versions of all that lookalike needs; None for what is missing or does not load."""
    parts: dict[str, str | None] = {}
    for name, extra in _requirements():
        if extra is None:
            try:
                import_module(MODULES.get(name, name))
                parts[name] = metadata.version(name)
            except Exception as error:  # a broken binary package fails in any way it likes
                parts[name] = None
                problems.append(f"{name} does not load ({error}): pip install --force-reinstall {name}")
    return parts


def _extras() -> dict[str, bool]:
    """Whether all that an extra brings is installed."""
    extras: dict[str, bool] = {}
    for name, extra in _requirements():
        if extra is not None:
            extras[extra] = extras.get(extra, True) and _installed(name)
    return extras


def _installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def _devices(problems: list[str]) -> list[str]:
    from lookalike.encoders.providers import DEVICES, choose_provider

    there = []
    try:
        for device in DEVICES:
            missing: list[str] = []
            choose_provider(device, missing.append)
            if not missing and device != "auto":
                there.append(device)
    except ImportError as error:
        problems.append(f"ONNX Runtime does not load: {error}")
    return there


def _encoder(problems: list[str]) -> dict[str, Any]:
    """The built-in encoder, tried with a few words."""
    from lookalike.encoders.load import load_encoder

    try:
        encoder = load_encoder("builtin")
        encoder.encode_texts(["a dog in the snow"])
    except LookalikeError as error:
        problems.append(f"the built-in encoder does not work: {error}. {error.hint}".rstrip())
        return {"builtin": None, "works": False}
    return {"builtin": encoder.id, "works": True}


def _collection(path: Path, problems: list[str]) -> dict[str, Any]:
    from lookalike.engine.opening import open

    place = _nearest_folder(path)
    free_bytes = shutil.disk_usage(place).free
    found: dict[str, Any] = {"path": str(path), "exists": path.exists(), "free_bytes": free_bytes}
    found["writable"] = _writable(place)
    if not found["writable"]:
        problems.append(f"{place} cannot be written: choose another place with --collection, or ask for the right to")
    if free_bytes < LOW_DISK_BYTES:
        problems.append(f"only {printing.size(free_bytes)} are free at {place}: make room, or use another disk")
    if path.exists():
        try:
            with open(path, create=False) as opened:
                state = opened.status()
                found |= {key: state[key] for key in ("pictures", "offline", "failures", "encoder", "bytes_on_disk")}
                if state["pictures"]:
                    opened.encoder.modalities  # noqa: B018 loads it: its files, or those it is made of, may be gone
        except LookalikeError as error:
            problems.append(f"{error}. {error.hint}".rstrip())
    return found


def _models() -> dict[str, Any]:
    from lookalike.encoders.catalogue import catalogue
    from lookalike.encoders.load import default_models_dir

    folder = default_models_dir()
    return {"path": str(folder), "installed": [entry.name for entry in catalogue() if entry.installed(folder)]}


def _nearest_folder(path: Path) -> Path:
    return next(place for place in (path, *path.parents) if place.is_dir())


def _writable(folder: Path) -> bool:
    """Found by writing: permission bits do not tell of read-only disks and network shares."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _show(findings: dict[str, Any], problems: list[str]) -> None:
    collection, extras = findings["collection"], findings["extras"]
    missing = [extra for extra, there in extras.items() if not there]
    holds = f"{collection['pictures']:,} pictures" if "pictures" in collection else "none yet"
    rows = [
        ("lookalike", f"{findings['lookalike']} in {os.path.dirname(os.path.dirname(__file__))}"),
        ("python", f"{findings['python']} ({sys.executable})"),
        ("system", findings["system"]),
        ("parts", ", ".join(f"{name} {version or 'MISSING'}" for name, version in findings["parts"].items())),
        ("extras", ", ".join(extra for extra, there in extras.items() if there) or "none"),
        ("devices", ", ".join(findings["devices"])),
        ("built-in", findings["encoder"]["builtin"] or "does not work"),
        (
            "encoders",
            f"{findings['models']['path']} ({', '.join(findings['models']['installed']) or 'none downloaded'})",
        ),
        ("collection", f"{printing.printable(collection['path'])} ({holds})"),
        ("free there", printing.size(collection["free_bytes"])),
    ]
    rows += [("problem", printing.printable(problem)) for problem in problems]
    for name, value in rows:
        lines = click.wrap_text(value, printing.columns() or printing.WIDTH, f"{name:<12}", " " * 12)
        printing.out(lines)
    for extra in missing:
        printing.note(f'extra [{extra}] is not installed: pip install "lookalike[{extra}]"')
    if not problems:
        printing.note(_next_step(collection))


def _next_step(collection: dict[str, Any]) -> str:
    if collection.get("pictures"):
        return 'All is well. Next: lookalike search "a dog in the snow"'
    return "All is well. Next: lookalike index ~/Pictures"
