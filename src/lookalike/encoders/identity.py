"""Which encoder made these vectors: an id that changes when anything does that could change a vector.

An id is the encoder's name and twelve hex digits of a SHA-256 over the files of its folder: weights, preprocessing,
tokeniser and configuration. Hashing gigabytes at every start would cost seconds, so what was hashed is remembered in
`known.json` beside the models, by size and time of change; the same file answers "where is the encoder of this id". The
digest alone is looked for there: a folder that was given another name still holds the encoder it held.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lookalike.core.errors import EncoderBroken
from lookalike.encoders.narrowed import split_width

_KNOWN = "known.json"
_DIGITS = 12


@dataclass(frozen=True, slots=True)
class KnownFolder:
    """A folder, the name its encoder had, and the digest in that one's id."""

    folder: Path
    name: str
    digest: str


def identify(folder: Path, name: str, models_dir: Path) -> str:
    """The id of the encoder in `folder`: NAME-12hex. Reads the files only when size or time of one has changed.

    Raises EncoderBroken when a file cannot be read.
    """
    files = _stamps(folder)
    key = str(folder.absolute())
    known = _read_known(models_dir)
    remembered = known.get(key, {})
    if remembered.get("files") != files or not isinstance(remembered.get("digest"), str):
        remembered = {"files": files, "digest": _digest(folder, files)}
    if known.get(key) != (remembered := remembered | {"name": name}):
        _write_known(models_dir, _read_known(models_dir) | {key: remembered})
    return f"{name}-{remembered['digest'][:_DIGITS]}"


def known_folders(models_dir: Path) -> list[KnownFolder]:
    """Every folder that was used as an encoder, as it was then; some may be gone, or hold another encoder by now."""
    return [
        KnownFolder(Path(key), str(entry.get("name")), str(entry.get("digest"))[:_DIGITS])
        for key, entry in _read_known(models_dir).items()
    ]


def readings(encoder_id: str) -> list[tuple[str, int | None]]:
    """What an id may mean: an encoder of that very id, or one of that name without its width."""
    name, _, digest = encoder_id.rpartition("-")
    whole, width = split_width(name)
    return [(encoder_id, None)] + ([(f"{whole}-{digest}", width)] if width else [])


def same_vectors(one_id: str, other_id: str) -> bool:
    """Whether two ids are of one encoder, whose folder may have been given another name in between."""
    (one, one_width), (other, other_width) = readings(one_id)[-1], readings(other_id)[-1]
    return (one.rpartition("-")[2], one_width) == (other.rpartition("-")[2], other_width)


def encoder_files(folder: Path) -> list[str]:
    """The files that make the encoder in `folder`, as relative paths with "/": its own, not a reader's notes."""
    parts = [path for part in ("visual", "textual") for path in (folder / part).glob("*") if path.is_file()]
    found = [path.relative_to(folder).as_posix() for path in parts if not path.name.startswith(".")]
    return sorted(["config.json", *found])


def _stamps(folder: Path) -> dict[str, list[int]]:
    try:
        stats = {name: (folder / name).stat() for name in encoder_files(folder)}
    except OSError as error:
        why = f"{folder} is not an encoder: it has no config.json"
        if not isinstance(error, FileNotFoundError):
            why = f"{folder} cannot be read: {error}"
        raise EncoderBroken(why, hint="give the folder that holds one; lookalike encoders lists the names") from error
    return {name: [stat.st_size, stat.st_mtime_ns] for name, stat in stats.items()}


def _digest(folder: Path, files: dict[str, list[int]]) -> str:
    whole = hashlib.sha256()
    try:
        for name in files:
            with (folder / name).open("rb") as stream:
                whole.update(f"{name}\0{hashlib.file_digest(stream, 'sha256').hexdigest()}\n".encode())
    except OSError as error:
        raise EncoderBroken(f"{folder} cannot be read: {error}") from error
    return whole.hexdigest()


def _read_known(models_dir: Path) -> dict[str, dict[str, Any]]:
    try:
        known = json.loads((models_dir / _KNOWN).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {key: entry for key, entry in known.items() if isinstance(entry, dict)} if isinstance(known, dict) else {}


def _write_known(models_dir: Path, known: dict[str, dict[str, Any]]) -> None:
    """Replace `known.json` as a whole. What cannot be remembered is hashed again next time: not an error."""
    temporary = models_dir / f"{_KNOWN}.{uuid.uuid4().hex[:8]}"
    with contextlib.suppress(OSError):
        models_dir.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_text(json.dumps(known, indent=1), encoding="utf-8")
            os.replace(temporary, models_dir / _KNOWN)
        finally:
            temporary.unlink(missing_ok=True)
