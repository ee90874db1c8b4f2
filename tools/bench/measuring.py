"""What the measurements share: processes timed in turns, memory of process trees, tables and JSON.

Machines are noisy. Whatever is compared runs in turns within one run, medians are compared, and a figure is a ratio
wherever it can be.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import threading
import time
from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LOOKALIKE = str(Path(sys.executable).with_name("lookalike"))
"""The command that is installed beside the running Python."""
_SAMPLE_EVERY_S = 0.05


def arguments(doc: str | None, *, photos: int = 0) -> ArgumentParser:
    """A parser with `--out`, and where `photos` are needed, `--photos`."""
    parser = ArgumentParser(description=(doc or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, help="where to write the figures as JSON")
    if photos:
        parser.add_argument("--photos", type=Path, required=True, help=f"a folder with at least {photos:,} photos")
    return parser


def clean_environment(home: Path, **more: str) -> dict[str, str]:
    """The environment with user folders of its own below `home`, so that no measurement sees another's leavings."""
    own = {"XDG_DATA_HOME": "data", "XDG_CACHE_HOME": "cache", "XDG_CONFIG_HOME": "config"}
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LOOKALIKE_", "RCLIP_"))}
    return {**kept, **{name: str(home / folder) for name, folder in own.items()}, **more}


def link_photos(photos: Path, count: int, folder: Path) -> Path:
    """`folder` with the first `count` photos of `photos`, as hard links, or copies on another disk."""
    found = sorted(path for path in photos.rglob("*") if path.suffix.lower() in {".jpg", ".jpeg"})[:count]
    if len(found) < count:
        sys.exit(f"{photos} holds {len(found):,} photos, {count:,} are needed")
    folder.mkdir(parents=True)
    for number, path in enumerate(found):
        target = folder / f"{number:06d}.jpg"
        try:
            os.link(path, target)
        except OSError:
            shutil.copyfile(path, target)
    return folder


def seconds_of(command: list[str], *, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> float:
    """The time a process takes from start to end; stops the measurement when it fails."""
    started = time.perf_counter()
    ended = subprocess.run(command, env=env, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    took = time.perf_counter() - started
    if ended.returncode:
        sys.exit(f"{' '.join(command)} failed with {ended.returncode}:\n{ended.stderr.decode(errors='replace')}")
    return took


def in_turns(measurements: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Each measurement `rounds` times, taking turns, so that a noisy minute falls on all of them."""
    values: dict[str, list[float]] = {name: [] for name in measurements}
    for _ in range(rounds):
        for name, measure in measurements.items():
            values[name].append(measure())
    return values


def medians(values: Mapping[str, list[float]]) -> dict[str, float]:
    return {name: statistics.median(each) for name, each in values.items()}


@dataclass(frozen=True)
class Peaks:
    """Largest resident memory in bytes: of the process itself, and of it and all its descendants at one moment.

    Pages that processes share count once for each, so `tree` is an upper bound.
    """

    parent: int
    tree: int


def peaks_of(command: list[str], *, env: Mapping[str, str] | None = None) -> Peaks:
    """Run a process and watch its memory through /proc (Linux)."""
    if not Path("/proc/self/statm").exists():
        sys.exit("memory is measured through /proc, which only Linux has")
    process = subprocess.Popen(
        command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    parent = tree = 0
    ended = threading.Event()

    def watch() -> None:
        nonlocal parent, tree
        while not ended.wait(_SAMPLE_EVERY_S):
            resident = [_resident(pid) for pid in _family(process.pid)]
            parent, tree = max(parent, resident[0]), max(tree, sum(resident))

    watcher = threading.Thread(target=watch)
    watcher.start()
    _, said = process.communicate()
    ended.set()
    watcher.join()
    if process.returncode:
        sys.exit(f"{' '.join(command)} failed with {process.returncode}:\n{said.decode(errors='replace')}")
    return Peaks(parent, tree)


def _family(pid: int) -> list[int]:
    """A process and its descendants. One that ends meanwhile has none."""
    found = [pid]
    for one in found:
        for children in Path(f"/proc/{one}/task").glob("*/children"):
            try:
                found.extend(map(int, children.read_text().split()))
            except OSError:
                continue
    return found


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def megabytes(count: float) -> float:
    return round(count / 1e6, 1)


def show(title: str, figures: Mapping[str, Any], goals: Mapping[str, bool], out: Path | None) -> None:
    """Print a table of figures and of goals kept or missed; write both, and the machine, to `out` as JSON."""
    print(title)
    width = max(map(len, [*figures, *goals]))
    for name, value in figures.items():
        print(f"  {name:<{width}}  {_told(value)}")
    for name, kept in goals.items():
        print(f"  {name:<{width}}  {'yes' if kept else 'NO'}")
    if out:
        machine = {"python": platform.python_version(), "system": platform.platform(), "cores": os.cpu_count()}
        text = json.dumps({"title": title, "figures": figures, "goals": goals, "machine": machine}, indent=2)
        out.write_text(text + "\n", encoding="utf-8")


def _told(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.3g}" if abs(value) < 100 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
