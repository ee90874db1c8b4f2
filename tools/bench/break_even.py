"""What the planner knows of machines: the constants of `lookalike/engine/plan.py`, measured.

`python tools/bench/break_even.py [--rows 100000] [--dim 512]` prints one JSON object. Times are of the processor, not
of the clock, and of one thread: a busy machine changes them little. Each is the median of many calls. The vectors
are a mixture of clusters: times hardly depend on what they are, recalls do and are measured elsewhere.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy as np

from lookalike.index.building import build
from lookalike.index.exact import ExactIndex
from lookalike.index.kinds import OperatingPoint, default_spec
from lookalike.index.manifest import Identity
from lookalike.index.opening import open_index

EFFORT, FETCH, EF = 64, 200, 112
CALLS = 60
SHARES = (0.5, 0.1, 0.02)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--dim", type=int, default=512)
    asked = parser.parse_args()
    rows, queries = mixture(asked.rows, asked.dim)
    figures = {"rows": asked.rows, "dim": asked.dim, **exact_figures(rows, queries)}
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("ivf-rabitq", "hnsw"):
            figures[kind] = index_figures(kind, rows, queries, Path(folder))
    print(json.dumps(figures, indent=1))


def mixture(count: int, dim: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    centres = random.standard_normal((max(count // 200, 1), dim), dtype=np.float32)
    rows = np.empty((count + CALLS, dim), np.float16)
    for start in range(0, len(rows), 20_000):
        size = len(rows[start : start + 20_000])
        some = centres[random.integers(0, len(centres), size)] + random.standard_normal((size, dim), dtype=np.float32)
        rows[start : start + size] = some / np.linalg.norm(some, axis=1, keepdims=True)
    return rows[:count], rows[count:].astype(np.float32)


def cpu_ms(call) -> float:
    times = []
    for number in range(CALLS):
        started = time.thread_time()
        call(number)
        times.append(1000 * (time.thread_time() - started))
    return float(np.median(times))


def masks(count: int) -> dict[float, np.ndarray]:
    random = np.random.default_rng(1)
    kept = {share: random.random(count) < share for share in SHARES}
    for mask in kept.values():
        mask.flags.writeable = False
    return kept


def exact_figures(rows: np.ndarray, queries: np.ndarray) -> dict[str, float]:
    """`exact_ns` of a component; `gather_factor`: how much longer a row takes when it is one of few."""
    exact = ExactIndex(rows)
    whole = cpu_ms(lambda number: exact.search(queries[number : number + 1], 10))
    figures = {"exact_ms": whole, "exact_ns": 1e6 * whole / rows.size}
    for share, mask in masks(len(rows)).items():
        took = cpu_ms(lambda number, mask=mask: exact.search(queries[number : number + 1], 10, allowed=mask))
        figures[f"gather_factor_{share}"] = took / whole / share
    return figures


def index_figures(kind: str, rows: np.ndarray, queries: np.ndarray, folder: Path) -> dict[str, float]:
    """`masked_factor`: what skipping a row costs, in comparisons, when the effort grows by 1 / share."""
    spec, identity = default_spec(kind, *rows.shape), Identity("bench", rows.shape[1], 0, 0)
    started = time.process_time()
    build(spec, rows, folder / kind, identity=identity, threads=1)
    figures = {"build_cpu_s": time.process_time() - started, "bytes": (folder / kind).stat().st_size}
    effort = EF if kind == "hnsw" else EFFORT
    index = open_index(folder / kind, rows, identity=identity, point=OperatingPoint(effort, FETCH))
    figures["ms"] = whole = cpu_ms(lambda number: index.search(queries[number : number + 1], 10))
    for share, mask in masks(len(rows)).items():

        def masked(number: int, mask=mask, share=share) -> None:
            index.search(queries[number : number + 1], 10, allowed=mask, effort=round(effort / share))

        figures[f"masked_factor_{share}"] = (cpu_ms(masked) / whole - 1) / (1 / share - 1)
    return figures


if __name__ == "__main__":
    main()
