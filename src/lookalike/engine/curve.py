"""What an index gives for its time: recall against latency, point by point, and the point that is best.

Found by measuring, at the end of each build and when a collection is tuned. From the least effort on, twice the effort
and twice the candidates are tried, and the step is taken that brings more recall for its time, until pictures and words
alike surely reach the target or nothing brings more. Then less is tried as long as the target holds. So codes that
confuse near rows are helped by more candidates, and lists that hide some by more effort.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from lookalike.engine.plan import K_MEASURED
from lookalike.engine.questions import recall_at, surely
from lookalike.index.exact import ExactIndex
from lookalike.index.kinds import OperatingPoint, default_point, efforts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lookalike.core.arrays import HalfVectors, Vectors
    from lookalike.engine.questions import Questions
    from lookalike.index.kinds import IndexSpec
    from lookalike.index.rescored import RescoredIndex

SATURATED = 0.002
"""More recall than this is what a step has to bring, once half of the answers are found."""
FETCH_AT_MOST = 8
"""Times the usual candidates."""
EXACT_ROWS = 50_000
"""Rows by which the exact scan is timed: read from memory, not from caches."""
TIMED_S = 0.3
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


@dataclass(frozen=True, slots=True)
class Calibration:
    """Where an index is searched from now on, and what a record keeps of how that was found."""

    best: Measured
    reached: bool
    measured: dict[str, Any]

    @property
    def point(self) -> OperatingPoint:
        return self.best.point


def calibrate(
    index: RescoredIndex,
    rows: HalfVectors,
    spec: IndexSpec,
    questions: Questions,
    target: float,
    *,
    between: Callable[[], None] = lambda: None,
) -> Calibration:
    """The fastest point at which `index`, over `rows`, surely reaches `target` for pictures and for words alike.

    Where none does, the one that comes nearest. `between` is called before each point and may raise.
    """
    curve = trace(index, spec, questions, target, between=between)
    best = best_of(curve, target)
    some = ExactIndex(rows[:EXACT_ROWS])
    exact_ns = 1e6 * measure_exact(some, questions).ms / max(some.count * some.dim, 1)
    return Calibration(best, best.surely >= target, figures(curve, best, questions, target, exact_ns))


def figures(
    curve: Iterable[Measured], best: Measured, questions: Questions, target: float, exact_ns: float
) -> dict[str, Any]:
    """What a record keeps of a measurement, JSON-ready. `exact_ns`: of a component when all rows are compared."""
    words = int(questions.is_words.sum())
    return {
        "k": K_MEASURED,
        "questions": [len(questions.vectors) - words, words],
        "target_recall": target,
        "recall_pictures": round(best.recall_pictures, 4),
        "recall_words": None if best.recall_words is None else round(best.recall_words, 4),
        "ms": round(best.ms, 4),
        "p95_ms": round(best.p95_ms, 4),
        "exact_ns": round(exact_ns, 4),
        "curve": [[each.effort, each.fetch, each.recall_pictures, each.recall_words] for each in curve],
    }


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

    `give_up_ms`: an index this slow is not asked to look any further. `between` is called before each point and may
    raise.
    """
    points: dict[OperatingPoint, Measured] = {}

    def at(effort: int, fetch: int) -> Measured:
        point = OperatingPoint(effort, fetch)
        if point not in points:
            between()
            points[point] = measure(index, questions, point)
        return points[point]

    ladder, usual = efforts(spec, index.count), default_point(spec).fetch
    most = min(FETCH_AT_MOST * usual, index.count)
    here = at(ladder[0], min(usual, most))
    while here.surely < target and here.ms <= give_up_ms:
        next_efforts = [effort for effort in ladder if effort > here.effort][:1]
        steps = [at(effort, here.fetch) for effort in next_efforts]
        if here.fetch < most:
            steps.append(at(here.effort, min(2 * here.fetch, most)))
        gaining = [step for step in steps if step.surely > here.surely + SATURATED]
        if not gaining and (not steps or here.recall > 0.5):
            break
        here = max(gaining or steps, key=lambda step: (step.surely - here.surely) / step.ms)
    if here.surely >= target:
        _trim(here, ladder, at, target)
    return list(points.values())


def _trim(here: Measured, ladder: tuple[int, ...], at: Callable[[int, int], Measured], target: float) -> None:
    """From a point that reaches the target: with less effort, to about a quarter, and with fewer candidates."""
    effort, fetch = here.effort, here.fetch
    low = max((each for each in ladder if each < effort), default=0)
    while low and effort - low > max(low // 4, 1):
        middle = (low + effort) // 2
        low, effort = (low, middle) if at(middle, fetch).surely >= target else (middle, effort)
    while fetch // 2 > K_MEASURED and at(effort, fetch // 2).surely >= target:
        fetch //= 2
    for beyond in [each for each in ladder if each > effort][:1]:
        at(beyond, fetch)


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
