"""Every kind of index on the user's own collection, side by side: what it costs to build, to hold and to search.

Each candidate is built as it usually is and searched with the least effort that reaches the target recall; the index
that serves the collection is measured as it is laid out and searched now. Every one is searched in a process of its
own, so that memory is its own and nothing is warm from another. All kinds get the same questions: pictures of the
collection, each without itself, and captions where the encoder understands words.

Promises: the exact scan is always among them; the collection stays as it is, and what was built is removed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lookalike.core.cores import usable_cores
from lookalike.core.errors import LookalikeError
from lookalike.engine.curve import best_of, trace
from lookalike.engine.plan import TARGET_RECALL
from lookalike.engine.trials import EXACT, Trials, Trying, kinds_to_try
from lookalike.index.building_process import RowsFile
from lookalike.index.kinds import IndexSpec, OperatingPoint, default_spec

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lookalike.engine.trials import Candidate
    from lookalike.index.building import BuildProgress

_QUESTIONS = "questions.npz"
_BOOTSTRAP = (
    "import json, sys; job = json.loads(sys.stdin.readline()); sys.path[:] = job['path'];"
    "from lookalike.evaluation.speed_process import run; run(job)"
)


@dataclass(frozen=True, slots=True)
class Speed:
    """One candidate. `bytes`: of the index file, of the rows themselves for the exact scan; `rss_bytes`: of a process
    that has answered questions with it. `qps`: of one thread, `qps_threads`: of one for each core.
    """

    name: str
    spec: IndexSpec | None
    point: OperatingPoint | None
    recall: float
    recall_pictures: float | None
    recall_words: float | None
    p50_ms: float
    p95_ms: float
    p99_ms: float
    qps: float
    qps_threads: float
    build_s: float
    bytes: int
    rss_bytes: int
    chosen: bool

    def as_dict(self) -> dict[str, Any]:
        """One entry of what `bench --json` prints."""
        return {
            "name": self.name,
            "ann_recall@10": self.recall,
            "recall_pictures": self.recall_pictures,
            "recall_words": self.recall_words,
            "p50_ms": self.p50_ms,
            "p95_ms": self.p95_ms,
            "p99_ms": self.p99_ms,
            "qps": self.qps,
            "qps_threads": self.qps_threads,
            "build_s": round(self.build_s, 3),
            "bytes": self.bytes,
            "rss_bytes": self.rss_bytes,
            "chosen": self.chosen,
            "spec": {} if self.spec is None else self.spec.as_dict(),
            "effort": None if self.point is None else self.point.effort,
            "fetch": None if self.point is None else self.point.fetch,
        }


@dataclass(frozen=True, slots=True)
class SpeedReport:
    """All candidates, `exact` first. `questions`: pictures and words; `threads`: of `qps_threads`."""

    candidates: tuple[Speed, ...]
    pictures: int
    dim: int
    questions: tuple[int, int]
    threads: int
    target_recall: float

    def as_dict(self) -> dict[str, Any]:
        """The object that `bench --json` prints."""
        return {
            "candidates": [each.as_dict() for each in self.candidates],
            "pictures": self.pictures,
            "dim": self.dim,
            "questions": {"pictures": self.questions[0], "words": self.questions[1]},
            "threads": self.threads,
            "target_recall": self.target_recall,
        }


def bench(
    made: Trials,
    *,
    kinds: Sequence[str] | None = None,
    target_recall: float = TARGET_RECALL,
    told: Callable[[Trying], None] = lambda _trying: None,
) -> SpeedReport:
    """Measure `kinds`, or all that make sense, inside `Collection.trials()`.

    Raises MissingExtra, OutOfSpace, ValueError for a kind that does not exist, LookalikeError when a process that
    measures is ended from outside.
    """
    import numpy as np

    started, threads = time.monotonic(), usable_cores()
    names = [EXACT, *kinds_to_try(kinds, len(made.rows))]
    questions = made.questions
    np.savez(made.folder / _QUESTIONS, vectors=questions.vectors, own=questions.own, truth=questions.truth)
    found = []
    for number, name in enumerate(names, start=1):

        def tell(doing: str, share: float, name: str = name, number: int = number) -> None:
            told(Trying(name, doing, number, len(names), share, time.monotonic() - started))

        found.append(_speed(made, name, target_recall, threads, tell))
    return SpeedReport(tuple(found), len(made.rows), made.space.dim, made.asked, threads, target_recall)


def _speed(made: Trials, name: str, target_recall: float, threads: int, tell: Callable[[str, float], None]) -> Speed:
    """Build, search and remove one candidate."""
    serving = made.serving
    if name == EXACT:
        tell("searching", 0.0)
        figures = _measured(made, None, None, threads)
        return Speed(EXACT, None, None, build_s=0.0, bytes=made.rows.nbytes, chosen=serving is None, **figures)

    def told(progress: BuildProgress) -> None:
        tell("building", progress.done / max(progress.total, 1))

    is_own = serving is not None and serving[0].get("kind") == name
    spec = IndexSpec.from_dict(serving[0]) if is_own and serving else default_spec(name, *made.rows.shape)
    tell("building", 0.0)
    candidate = made.build(spec, told=told)
    assert candidate is not None, "a build without a limit ends"
    tell("searching", 0.0)
    if is_own and serving:
        point = OperatingPoint.from_dict(serving[1])
    else:
        point = best_of(trace(made.open(candidate), spec, made.questions, target_recall), target_recall).point
    figures = _measured(made, candidate, point, threads)
    made.drop(candidate)
    return Speed(name, spec, point, build_s=candidate.build_s, bytes=candidate.manifest.bytes, chosen=is_own, **figures)


def _measured(made: Trials, candidate: Candidate | None, point: OperatingPoint | None, threads: int) -> dict[str, Any]:
    """Recall, latency, throughput and memory of a candidate, or of the exact scan, in a process of its own."""
    where = RowsFile.of(made.rows)
    job = {
        "path": sys.path,
        "rows": {"file": str(where.path), "offset": where.offset, "shape": list(made.rows.shape)},
        "questions": str(made.folder / _QUESTIONS),
        "threads": threads,
        "index": None if candidate is None else str(candidate.path),
        "point": None if point is None else point.as_dict(),
    }
    group: dict[str, Any] = {"process_group": 0} if os.name == "posix" else {}  # Ctrl-C is answered here
    with subprocess.Popen(
        [sys.executable, "-P", "-W", "ignore", "-c", _BOOTSTRAP],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **group,
    ) as process:
        try:
            answer, said = process.communicate(json.dumps(job).encode() + b"\n")
        finally:
            process.kill()
    if process.returncode != 0:
        last = said.decode(errors="replace").strip().rpartition("\n")[2]
        raise LookalikeError(
            f"the process that measured an index ended with {process.returncode} {last}".strip(),
            hint="the collection is as it was; when it was compacted meanwhile, the same command works again",
        )
    figures: dict[str, Any] = json.loads(answer)
    return figures
