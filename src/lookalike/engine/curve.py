"""What an index gives for its time: recall against latency, point by point, and the point that is best.

Found by measuring: up a ladder of efforts until the target is reached for pictures and for words alike, then between
its last two rungs, then with fewer candidates as long as the target holds. Where all effort is not enough, the
candidates are doubled instead. The climb ends early where more effort finds no more, or takes longer than it may.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from lookalike.engine.calibrate import FETCH_AT_MOST, recall_at, surely
from lookalike.engine.plan import K_MEASURED
from lookalike.index.kinds import OperatingPoint, default_point, efforts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lookalike.core.arrays import Vectors
    from lookalike.engine.calibrate import Questions
    from lookalike.index.exact import ExactIndex
    from lookalike.index.kinds import IndexSpec
    from lookalike.index.rescored import RescoredIndex

SATURATED = 0.002
"""More recall than this is what twice the effort has to bring, once half of the answers are found."""
TIMED_S = 1.0
"""Seconds spent on timing one point at most."""
TIMED_QUERIES = 100
_TIMED_LEAST = 5
_WARM = 3


@dataclass(frozen=True, slots=True)
class Measured:
    """One operating point: mean ann_recall@10 of pictures and of words (None: not asked), latency of single queries.

    `surely`: the lower of both, two standard errors below its mean. `ms`: median; `p95_ms`: 95th percentile.
    """

    effort: int
    fetch: int
    recall_pictures: float
    recall_words: float | None
    surely: float
    ms: float
    p95_ms: float

    @property
    def recall(self) -> float:
        """The lower one of pictures and words."""
        return min(self.recall_pictures, 1.0 if self.recall_words is None else self.recall_words)

    @property
    def point(self) -> OperatingPoint:
        return OperatingPoint(self.effort, self.fetch)

    def standing(self, target: float, budget_ms: float | None = None) -> tuple[float, ...]:
        """A key to sort points by, the best first: who reaches the target in time, then who comes nearest to that."""
        reaches = self.surely >= target
        if budget_ms is None or self.p95_ms <= budget_ms:
            return (0, self.ms) if reaches else (1, -self.surely, self.ms)
        return (2 if reaches else 3, self.p95_ms)

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {name: round(value, 4) if isinstance(value, float) else value for name, value in asdict(self).items()}


def trace(
    index: RescoredIndex,
    spec: IndexSpec,
    questions: Questions,
    target: float,
    *,
    give_up_ms: float = float("inf"),
    between: Callable[[], None] = lambda: None,
) -> list[Measured]:
    """Points of an index on its way to `target`, in the order in which they were measured.

    `give_up_ms`: an index this slow gets no more effort. `between` is called before each point and may raise.
    """
    points: dict[OperatingPoint, Measured] = {}

    def at(effort: int, fetch: int) -> Measured:
        point = OperatingPoint(effort, fetch)
        if point not in points:
            between()
            points[point] = measure(index, questions, point)
        return points[point]

    ladder, usual = efforts(spec, index.count), default_point(spec).fetch
    fetch = usual
    while True:
        reached = _climb(ladder, lambda effort: at(effort, fetch), target, give_up_ms)  # noqa: B023 used at once
        if reached is not None or fetch >= min(FETCH_AT_MOST * usual, index.count):
            break
        fetch = min(2 * fetch, index.count)
    if reached is not None:
        while fetch // 2 > K_MEASURED and at(reached, fetch // 2).surely >= target:
            fetch //= 2
        beyond = next((effort for effort in ladder if effort > reached), None)
        if beyond is not None:
            at(beyond, fetch)
    return list(points.values())


def _climb(ladder: tuple[int, ...], at: Callable[[int], Measured], target: float, give_up_ms: float) -> int | None:
    """The least effort that reaches the target, to about a quarter; None when none does."""
    low, before = 0, -1.0
    for effort in ladder:
        found = at(effort)
        if found.surely >= target:
            break
        if found.ms > give_up_ms or (before > 0.5 and found.recall - before < SATURATED):
            return None
        low, before = effort, found.recall
    else:
        return None
    while low and effort - low > max(low // 4, 1):
        middle = (low + effort) // 2
        low, effort = (low, middle) if at(middle).surely >= target else (middle, effort)
    return effort


def best_of(points: Iterable[Measured], target: float, budget_ms: float | None = None) -> Measured:
    """The fastest point that reaches the target; where none does within the budget, the most recall within it."""
    return min(points, key=lambda point: point.standing(target, budget_ms))


def measure(index: RescoredIndex, questions: Questions, point: OperatingPoint) -> Measured:
    """Recall over all questions, and the latency of some of them asked one by one."""
    found = recall_at(index, questions, point)
    pictures, words = found[~questions.is_words], found[questions.is_words]
    ms, p95_ms = _latency(
        lambda query: index.search(query, K_MEASURED, effort=point.effort, fetch=point.fetch), questions.vectors
    )
    return Measured(
        point.effort,
        point.fetch,
        float(pictures.mean()) if len(pictures) else 1.0,
        float(words.mean()) if len(words) else None,
        min(surely(pictures), surely(words)),
        ms,
        p95_ms,
    )


def measure_exact(index: ExactIndex, questions: Questions) -> Measured:
    """The exact scan, which finds everything by definition."""
    ms, p95_ms = _latency(lambda query: index.search(query, K_MEASURED), questions.vectors)
    return Measured(1, 1, 1.0, 1.0 if questions.is_words.any() else None, 1.0, ms, p95_ms)


def _latency(search: Callable[[Vectors], object], vectors: Vectors) -> tuple[float, float]:
    """Median and 95th percentile of single queries, in milliseconds, of pictures and words in equal parts."""
    import numpy as np

    order = np.linspace(0, len(vectors) - 1, min(TIMED_QUERIES, len(vectors))).astype(int).tolist()
    for position in order[:_WARM]:
        search(vectors[position : position + 1])
    times: list[float] = []
    began = time.perf_counter()
    for position in np.random.default_rng(0).permutation(order).tolist():
        if len(times) >= _TIMED_LEAST and time.perf_counter() - began > TIMED_S:
            break
        started = time.perf_counter()
        search(vectors[position : position + 1])
        times.append(1000 * (time.perf_counter() - started))
    return float(np.median(times)), float(np.quantile(times, 0.95))
