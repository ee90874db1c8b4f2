"""What `speed` runs in a process of its own for each candidate: open it, ask it, tell the figures as JSON."""

from __future__ import annotations

import json
import sys
import threading
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lookalike.core.memory import resident_memory
from lookalike.engine.plan import K_MEASURED
from lookalike.engine.questions import Questions, recalls, without
from lookalike.index.exact import ExactIndex
from lookalike.index.kinds import OperatingPoint
from lookalike.index.manifest import read_manifest
from lookalike.index.opening import open_index

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from lookalike.core.arrays import Rows, Scores, Vectors

    Search = Callable[[Vectors, int], tuple[Rows, Scores]]

QUERIES = 1000
"""Single queries timed: the 99th percentile then stands on ten of them."""
LEAST_QUERIES = 20
LONGEST_S = 2.0
"""Seconds for the latency, and again for the throughput of all threads."""


def run(job: dict[str, Any]) -> None:
    """Do the job and write the figures to standard output."""
    import numpy as np

    where = job["rows"]
    rows = np.memmap(where["file"], "<f2", "r", where["offset"], tuple(where["shape"]))
    with np.load(job["questions"]) as kept:
        questions = Questions(kept["vectors"], kept["own"], kept["truth"])
    search = _opened(job, rows)
    times = _latencies(search, questions.vectors)
    figures = {
        "p50_ms": round(float(np.median(times)), 4),
        "p95_ms": round(float(np.quantile(times, 0.95)), 4),
        "p99_ms": round(float(np.quantile(times, 0.99)), 4),
        "qps": round(1000 / float(np.mean(times)), 1),
        "qps_threads": round(_throughput(search, questions.vectors, job["threads"]), 1),
        "rss_bytes": resident_memory(),
        **_recall(search, questions),
    }
    json.dump(figures, sys.stdout)


def _opened(job: dict[str, Any], rows: Any) -> Search:
    """The search of the candidate at its operating point, or of the exact scan."""
    if job["index"] is None:
        return ExactIndex(rows).search
    path, point = Path(job["index"]), OperatingPoint.from_dict(job["point"])
    return open_index(path, rows, identity=read_manifest(path).identity, point=point).search


def _latencies(search: Search, vectors: Vectors) -> NDArray[Any]:
    """Milliseconds of single queries; the first three are for warming up."""
    import numpy as np

    times: list[float] = []
    order = np.resize(np.random.default_rng(0).permutation(len(vectors)), QUERIES + 3).tolist()
    until = time.perf_counter() + LONGEST_S
    for position in order:
        started = time.perf_counter()
        if started > until and len(times) >= LEAST_QUERIES:
            break
        search(vectors[position : position + 1], K_MEASURED)
        times.append(1000 * (time.perf_counter() - started))
    return np.asarray(times[3:])


def _throughput(search: Search, vectors: Vectors, threads: int) -> float:
    """Single queries a second that so many threads get answered together."""
    done = [0] * threads
    started = time.perf_counter()

    def ask(number: int) -> None:
        while done[number] < QUERIES and time.perf_counter() - started < LONGEST_S:
            position = (number * 31 + done[number]) % len(vectors)
            search(vectors[position : position + 1], K_MEASURED)
            done[number] += 1

    askers = [threading.Thread(target=partial(ask, number)) for number in range(threads)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    return sum(done) / (time.perf_counter() - started)


def _recall(search: Search, questions: Questions) -> dict[str, float | None]:
    """ann_recall@10: the lower one of pictures and words, and both; None for what was not asked."""
    rows, scores = search(questions.vectors, K_MEASURED + 1)
    found = recalls(questions, without(questions.own, rows, scores))
    words = questions.is_words
    parts = [float(part.mean()) if len(part) else None for part in (found[~words], found[words])]
    lowest = min((part for part in parts if part is not None), default=1.0)
    pictures, words_recall = (None if part is None else round(part, 4) for part in parts)
    return {"recall": round(lowest, 4), "recall_pictures": pictures, "recall_words": words_recall}
