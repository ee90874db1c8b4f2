"""What the index measurements share: tables, goals, versions; latencies, memory, and processes to measure them in."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

ROUNDS = 3
"""Times that latencies are taken, in turns; the spread is that of the rounds' p95."""
_SAMPLE_S = 0.02
_PACKAGES = ("lookalike", "faiss-cpu", "numpy", "simsimd", "annoy", "hnswlib", "usearch", "voyager", "autofaiss")


@dataclass
class Report:
    """`rows`: lines of one table, each with the same words. `goals`: what was to be shown, and whether it was."""

    title: str
    rows: list[dict[str, Any]] = field(default_factory=list)
    goals: dict[str, bool] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add(self, **figures: Any) -> None:
        self.rows.append(figures)
        print("  ".join(f"{name} {told(value)}" for name, value in figures.items()), flush=True)

    def show(self, out: Path | None) -> None:
        """Print the goals; write everything to `out` as JSON."""
        print(f"\n{self.title}")
        for name, kept in self.goals.items():
            print(f"  {'yes' if kept else 'NO '}  {name}")
        for note in self.notes:
            print(f"  {note}")
        if out is not None:
            out.parent.mkdir(parents=True, exist_ok=True)
            whole = {"title": self.title, "rows": self.rows, "goals": self.goals, "notes": self.notes}
            out.write_text(json.dumps({**whole, "machine": machine()}, indent=1) + "\n", encoding="utf-8")


def told(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.3g}" if abs(value) < 1000 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def machine() -> dict[str, Any]:
    """Where it was measured, and with what."""
    return {
        "system": platform.platform(),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load": os.getloadavg() if hasattr(os, "getloadavg") else None,
        "packages": versions(),
        "at": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
    }


def versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def milliseconds(call: Callable[[Any], Any], queries: Sequence[Any]) -> Any:
    """float64 (q,): how long each query takes, one after another."""
    times = np.empty(len(queries))
    for position, query in enumerate(queries):
        started = time.perf_counter()
        call(query)
        times[position] = 1000 * (time.perf_counter() - started)
    return times


def in_turns(
    calls: Mapping[str, Callable[[Any], Any]],
    queries: Sequence[Any],
    rounds: int = ROUNDS,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, Any]:
    """Latencies of each call, milliseconds (rounds, q): the calls take turns, after a round to warm.

    At each turn every call has a query of its own: asked the same, the later ones would find in the processor's caches
    what the first one brought there (HNSW over 100,000 x 256: 0.40 ms instead of 0.64).
    """
    times = {name: np.empty((rounds, len(queries))) for name in calls}
    apart = len(queries) // len(calls)
    for number in range(-1, rounds):
        for turn in range(len(queries)):
            for place, (name, call) in enumerate(calls.items()):
                position = (turn + place * apart) % len(queries)
                started = clock()
                call(queries[position])
                if number >= 0:
                    times[name][number, position] = 1000 * (clock() - started)
    return times


def percentiles(times: Any) -> dict[str, Any]:
    """Of latencies (rounds, q): p50, p95 and p99 of all, and the least and largest p95 of a round."""
    times = np.atleast_2d(times)
    p50, p95, p99 = np.percentile(times, (50, 95, 99)).tolist()
    each = np.percentile(times, 95, axis=1)
    spread = [round(float(each.min()), 3), round(float(each.max()), 3)]
    return {
        "p50_ms": round(p50, 4),
        "p95_ms": round(p95, 4),
        "p99_ms": round(p99, 4),
        "p95_of_rounds": spread,
        "n": int(times.size),
    }


def anonymous_bytes() -> int:
    """Memory of this process that belongs to no file (RssAnon); 0 where no /proc tells."""
    return _status("RssAnon")


def resident_peak_bytes() -> int:
    """Largest resident memory of this process so far, pages of mapped files included (VmHWM)."""
    return _status("VmHWM")


def resident_bytes() -> int:
    return _status("VmRSS")


@contextmanager
def anonymous_peak() -> Iterator[list[int]]:
    """A list whose one entry becomes the largest anonymous memory seen while the block runs."""
    peak, ended = [anonymous_bytes()], threading.Event()

    def watch() -> None:
        while not ended.wait(_SAMPLE_S):
            peak[0] = max(peak[0], anonymous_bytes())

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield peak
    finally:
        ended.set()
        watcher.join()
        peak[0] = max(peak[0], anonymous_bytes())


def _status(word: str) -> int:
    path = Path("/proc/self/status")
    if path.exists():
        for line in path.read_text().splitlines():
            if line.startswith(word + ":"):
                return 1024 * int(line.split()[1])
    return 0


def in_child(module: str, function: str, *, threads: int | None = None, **arguments: Any) -> Any:
    """What `module.function(**arguments)` gives in a process of its own; all of it JSON. Its memory is its own."""
    call = f"import sys, json; sys.path.insert(0, {str(Path(__file__).parent)!r}); import {module} as it;"
    call += f"print('\\n' + json.dumps(it.{function}(**json.loads(sys.argv[1]))))"
    return run_child([sys.executable, "-c", call, json.dumps(arguments)], threads)


def run_child(command: Sequence[str], threads: int | None = None) -> Any:
    """The JSON of the last line that a process printed; it ends the measurement when the process fails."""
    env = dict(os.environ) if threads is None else {**os.environ, "OMP_NUM_THREADS": str(threads)}
    ended = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if ended.returncode:
        raise SystemExit(f"{' '.join(command[:3])} failed with {ended.returncode}:\n{ended.stderr.decode()[-3000:]}")
    return json.loads(ended.stdout.decode().strip().rpartition("\n")[2])
