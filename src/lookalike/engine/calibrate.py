"""How hard an index must be searched: measured on the collection itself at the end of each build.

Questions are rows of the collection (each its own answer left out) and, where the encoder understands words, the
captions of `questions.txt`: words lie elsewhere in the space than pictures do and need more effort. The answers of the
exact index are the truth. The least effort wins whose recall is at the target with a margin for chance.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lookalike.engine.plan import EXACT_NS, K_MEASURED
from lookalike.index.exact import ExactIndex
from lookalike.index.kinds import OperatingPoint, default_point, efforts

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from lookalike.core.arrays import HalfVectors, Rows, Scores, Vectors
    from lookalike.core.protocols import Encoder
    from lookalike.index.kinds import IndexSpec
    from lookalike.index.rescored import RescoredIndex

PICTURES = 200
"""Rows asked for: a recall of 0.96 is known to 0.01 then."""
MARGIN = 2.0
"""Standard errors that the mean recall must lie above the target."""
TIE = 1e-6
"""Scores so near to the last right one are as right: copies of a picture are no misses."""
FETCH_AT_MOST = 8
"""Times the usual candidates, when more effort alone does not reach the target."""
PLATEAU = 0.003
"""Gain of a doubled effort that is none."""
NEAR = 0.1
"""What more candidates can win at an effort, at most: lower rungs of the ladder are not tried again with them."""
_TIMED = 64
_TIMED_ROWS = 50_000


@dataclass(frozen=True, slots=True)
class Questions:
    """Held-out queries with the true answers of the exact index: scores (q, k) of the best.

    `own`: int64 (q,): the row that asked, -1 for words.
    """

    vectors: Vectors
    own: Rows
    truth: Scores

    @property
    def is_words(self) -> NDArray[np.bool_]:
        answer: NDArray[np.bool_] = self.own < 0
        return answer


@dataclass(frozen=True, slots=True)
class Calibration:
    """Where an index is searched from now on. `reached`: whether the target is met there."""

    point: OperatingPoint
    reached: bool
    measured: dict[str, Any] = field(default_factory=dict)

    @property
    def lowest_recall(self) -> float:
        """Of pictures and words."""
        recalls = (self.measured.get("recall_pictures"), self.measured.get("recall_words"))
        return min(float(each) for each in recalls if each is not None)


def caption_vectors(encoder: Encoder) -> Vectors | None:
    """The captions that ship with lookalike, encoded: float32 (t, dim); None for an encoder without words."""
    from importlib.resources import files

    if "text" not in encoder.modalities:
        return None
    lines = files("lookalike.engine").joinpath("questions.txt").read_text(encoding="utf-8").splitlines()
    return encoder.encode_texts(lines)


def ask(rows: HalfVectors, words: Vectors | None, *, seed: int = 0, pictures: int = PICTURES) -> Questions:
    """Questions to `rows`, float16 (n, dim), and their true answers, by one exact pass over all rows."""
    import numpy as np

    from lookalike.index.building import unit_block

    own = np.random.default_rng(seed).permutation(len(rows))[:pictures].astype(np.int64)
    vectors = unit_block(np.asarray(rows[np.sort(own)]))
    own = np.sort(own)[vectors.any(axis=1)]
    vectors = vectors[vectors.any(axis=1)]
    if words is not None:
        vectors = np.concatenate([vectors, words.astype(np.float32)])
        own = np.concatenate([own, np.full(len(words), -1, dtype=np.int64)])
    found, scores = ExactIndex(rows).search(vectors, K_MEASURED + 1)
    return Questions(vectors, own, without(own, found, scores))


def without(own: Rows, rows: Rows, scores: Scores) -> Scores:
    """Scores (q, k) of k + 1 answers each, the row that asked left out, or else the last."""
    drop = (rows == own[:, None]) & (own[:, None] >= 0)
    drop[~drop.any(axis=1), -1] = True
    kept: Scores = scores[~drop].reshape(len(scores), -1)
    return kept


def recalls(questions: Questions, scores: Scores) -> NDArray[np.float64]:
    """ann_recall@k of each question, float64 (q,): `scores` (q, k) of what was found, ties fair."""
    import numpy as np

    there = np.isfinite(questions.truth).sum(axis=1)
    last = np.where(there > 0, questions.truth[np.arange(len(there)), np.maximum(there - 1, 0)], np.inf)
    right = np.minimum((scores >= last[:, None] - TIE).sum(axis=1), there)
    return np.where(there > 0, right / np.maximum(there, 1), 1.0)


def recall_at(index: RescoredIndex, questions: Questions, point: OperatingPoint) -> NDArray[np.float64]:
    """ann_recall@10 of each question at an operating point."""
    rows, scores = index.search(questions.vectors, K_MEASURED + 1, effort=point.effort, fetch=point.fetch)
    return recalls(questions, without(questions.own, rows, scores))


def calibrate(
    index: RescoredIndex, rows: HalfVectors, spec: IndexSpec, questions: Questions, target: float
) -> Calibration:
    """The least effort with which `index`, over `rows`, reaches `target` recall for pictures and for words alike.

    Where more effort alone gains nothing, more candidates are fetched.
    """
    curve: dict[OperatingPoint, tuple[float, float | None]] = {}

    def recall(point: OperatingPoint) -> float:
        found = recall_at(index, questions, point)
        curve[point] = _means(found, questions)
        return min(surely(part) for part in (found[~questions.is_words], found[questions.is_words]))

    ladder, least_fetch = efforts(spec, index.count), default_point(spec).fetch
    point, reached = default_point(spec), False
    for times in (1, 2, 4, FETCH_AT_MOST):
        fetch = min(least_fetch * times, index.count)
        tried = _climb(ladder, lambda effort: recall(OperatingPoint(effort, fetch)), target)  # noqa: B023 used at once
        enough = [effort for effort in tried if tried[effort] >= target]
        reached = bool(enough)
        point = OperatingPoint(min(enough, default=max(tried, key=lambda effort: tried[effort])), fetch)
        if reached or fetch == index.count:
            break
        ladder = tuple(effort for effort in ladder if tried.get(effort, 1.0) >= target - NEAR) or ladder[-1:]
    figures = {"target_recall": target, **_figures(index, questions, point), "exact_ns": _exact_ns(rows, questions)}
    pictures, words = curve[point]
    figures |= {"recall_pictures": round(pictures, 4), "recall_words": None if words is None else round(words, 4)}
    figures["curve"] = [[at.effort, at.fetch, *recall] for at, recall in curve.items()]
    return Calibration(point, reached, figures)


def _climb(ladder: tuple[int, ...], recall: Callable[[int], float], target: float) -> dict[int, float]:
    """The recall at some efforts: up the ladder until it is enough or stays where it is, then between the last two."""
    tried: dict[int, float] = {}
    low, high = 0, 0
    for effort in ladder:
        tried[effort] = recall(effort)
        if tried[effort] >= target:
            high = effort
            break
        if low and tried[effort] < tried[low] + PLATEAU:
            return tried
        low = effort
    while low and high and high - low > max(low // 4, 1):
        middle = (low + high) // 2
        tried[middle] = recall(middle)
        low, high = (low, middle) if tried[middle] >= target else (middle, high)
    return tried


def surely(recall: NDArray[np.float64]) -> float:
    """What a mean recall surely is, or 1 where nothing was asked."""
    if not len(recall):
        return 1.0
    return float(recall.mean() - MARGIN * recall.std() / len(recall) ** 0.5)


def _means(recall: NDArray[np.float64], questions: Questions) -> tuple[float, float | None]:
    words = questions.is_words
    return float(recall[~words].mean()), float(recall[words].mean()) if words.any() else None


def _figures(index: RescoredIndex, questions: Questions, point: OperatingPoint) -> dict[str, Any]:
    """How long single queries take at the point, and how many were asked."""
    import numpy as np

    times, vectors = [], questions.vectors
    for position in np.linspace(0, len(vectors) - 1, min(_TIMED, len(vectors))).astype(int).tolist():
        started = time.perf_counter()
        index.search(vectors[position : position + 1], K_MEASURED, effort=point.effort, fetch=point.fetch)
        times.append(1000 * (time.perf_counter() - started))
    return {
        "k": K_MEASURED,
        "questions": [int((~questions.is_words).sum()), int(questions.is_words.sum())],
        "ms": round(float(np.median(times)), 4),
        "p95_ms": round(float(np.quantile(times, 0.95)), 4),
    }


def _exact_ns(rows: HalfVectors, questions: Questions) -> float:
    """Nanoseconds a component that an exact search takes on this machine: the best of three."""
    some = ExactIndex(rows[:_TIMED_ROWS])
    best = EXACT_NS * some.count * some.dim / 1e9
    for position in range(min(3, len(questions.vectors))):
        started = time.perf_counter()
        some.search(questions.vectors[position : position + 1], K_MEASURED)
        took = time.perf_counter() - started
        best = took if position == 0 else min(best, took)
    return round(1e9 * best / max(some.count * some.dim, 1), 4)
