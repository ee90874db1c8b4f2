"""Vectors ranked against vectors, and what came of it query by query. No pictures, no encoders, no files.

`evaluate_vectors` is the one place where a ranking is measured: `lookalike evaluate` calls it with what it embedded, a
training with what it cached. Every query ranks all items, exactly, by cosine; ties go to the lower row. A query to
which no item is right is left out and counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lookalike.evaluation.comparison import compare, compare_all
from lookalike.evaluation.metrics import METRICS, bootstrap_interval, ceiling, depth_of, judge, per_query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    from lookalike.core.arrays import Vectors
    from lookalike.evaluation.comparison import Difference
    from lookalike.evaluation.metrics import Judged

COSINES = ("cosine_right", "cosine_wrong")
"""Measured beside the metrics: the mean cosine of a query with what is right, and with what is not."""
SHOWN = 10  # answers kept for each query at least: a page of results
_SCORES_AT_ONCE = 4_000_000  # queries x items ranked together: 16 MB of scores


@dataclass(frozen=True, slots=True)
class Measured:
    """One kind of query, measured. All arrays are of the queries that have a right answer, in the order given.

    `values`: each metric and each of `COSINES`, float64 (queries,); NaN where a query has no such value, as the cosine
    with what is wrong where nothing is: such a query is left out of that figure, and a figure without queries is none.
    `asked`: int64 (queries,), the position of each among the queries given. `left_out`: how many had no right
    answer. `ceilings`: the best mean each metric could have.
    `first`: int64 (queries,), the rank of the first right answer; `best`: int64 (queries,), its row. `relevant`: int64
    (queries,), how many are right. `answers`: int64 (queries, depth), the best items' rows, -1 where they run out;
    `scores` float32, their cosines, `gains` float64, what they are worth.
    """

    values: Mapping[str, NDArray[np.float64]]
    asked: NDArray[np.int64]
    left_out: int
    ceilings: Mapping[str, float]
    first: NDArray[np.int64]
    best: NDArray[np.int64]
    relevant: NDArray[np.int64]
    answers: NDArray[np.int64]
    scores: NDArray[np.float32]
    gains: NDArray[np.float64]

    @property
    def queries(self) -> int:
        return len(self.asked)

    def means(self) -> dict[str, float] | None:
        """The figures to report; None when there was no query to measure."""
        return {name: float(values.mean()) for name, values in self._told()} if self.queries else None

    def intervals(self, seed: int) -> dict[str, list[float]] | None:
        """[low, high] of each mean."""
        if not self.queries:
            return None
        return {name: list(bootstrap_interval(values, seed)) for name, values in self._told()}

    def against(self, before: Measured, seed: int = 0) -> dict[str, Difference]:
        """How much better these values are than those of `before` for the same queries, metric by metric.

        Raises ValueError when other queries were measured.
        """
        if not np.array_equal(self.asked, before.asked):
            raise ValueError("the two were measured with different queries; their values cannot be paired")
        if not self.queries:
            return {}
        both = {
            name: ~np.isnan(before.values[name] + self.values[name]) for name in self.values if name in before.values
        }
        found = compare_all(before.values, {name: self.values[name] for name in both if both[name].all()}, seed)
        for name, known in both.items():
            if name not in found and known.any():
                found[name] = compare(before.values[name][known], self.values[name][known], seed)
        return {name: found[name] for name in both if name in found}

    def _told(self) -> Iterator[tuple[str, NDArray[np.float64]]]:
        """The values there are of each figure."""
        for name, values in self.values.items():
            known = values[~np.isnan(values)]
            if len(known):
                yield name, known


def evaluate_vectors(
    queries: Vectors,
    items: Vectors,
    right: Callable[[slice], NDArray[np.bool_] | NDArray[np.float64]],
    metrics: tuple[str, ...] = METRICS,
    own: NDArray[np.int64] | None = None,
) -> Measured:
    """Rank `items` (n, dim) for all `queries` (q, dim) and measure.

    `right` gives for a slice of the queries which items are right, bool (rows, n), or how right, as gains from 0 up.
    `own`: int64 (q,), the row of the item that is the query itself and no answer to it, -1 for none. Raises ValueError
    for an unknown metric.
    """
    depth = max(SHOWN, depth_of(metrics))
    step = max(1, _SCORES_AT_ONCE // max(len(items), 1))
    parts = []
    for start in range(0, max(len(queries), 1), step):
        rows = slice(start, start + step)
        scores, gains = queries[rows] @ items.T, right(rows)
        mine = None if own is None else own[rows]
        judged = judge(scores, gains, depth, own=mine)
        kept = judged.relevant > 0
        values = {metric: per_query(judged, metric)[kept] for metric in metrics}
        best = {metric: ceiling(judged, metric)[kept] for metric in metrics}
        cosines = _mean_cosines(scores[kept], gains[kept], None if mine is None else mine[kept])
        parts.append(_Part(judged, kept, values | cosines, best, _scores_of(scores, judged)))
    return _joined(parts)


@dataclass(frozen=True, slots=True)
class _Part:
    """What came of one slice of the queries; `values` and `best` hold only those `kept`, the others hold all."""

    judged: Judged
    kept: NDArray[np.bool_]
    values: dict[str, NDArray[np.float64]]
    best: dict[str, NDArray[np.float64]]
    scores: NDArray[np.float32]


def _mean_cosines(
    scores: NDArray[np.float32], gains: NDArray[np.bool_] | NDArray[np.float64], own: NDArray[np.int64] | None
) -> dict[str, NDArray[np.float64]]:
    """The values of `COSINES`; where nothing is wrong, the cosine with what is wrong is NaN."""
    good = gains > 0
    others = np.ones(scores.shape, dtype=np.bool_)
    if own is not None:
        queries = np.flatnonzero(own >= 0)
        others[queries, own[queries]] = False
    found = {}
    for name, which in zip(COSINES, (good & others, ~good & others), strict=True):
        total, count = np.einsum("ij,ij->i", scores, which, dtype=np.float64), which.sum(axis=1)
        found[name] = np.where(count, total / np.maximum(count, 1), np.nan)
    return found


def _scores_of(scores: NDArray[np.float32], judged: Judged) -> NDArray[np.float32]:
    """The cosines of the answers, -inf where there is none."""
    if not scores.shape[1]:
        return np.full(judged.rows.shape, -np.inf, dtype=np.float32)
    found = np.take_along_axis(scores, np.maximum(judged.rows, 0), axis=1)
    return np.where(judged.rows < 0, np.float32(-np.inf), found)


def _joined(parts: list[_Part]) -> Measured:
    kept = np.concatenate([part.kept for part in parts])
    best = {name: np.concatenate([part.best[name] for part in parts]) for name in parts[0].best}
    return Measured(
        values={name: np.concatenate([part.values[name] for part in parts]) for name in parts[0].values},
        asked=np.flatnonzero(kept),
        left_out=int((~kept).sum()),
        ceilings={name: float(values.mean()) for name, values in best.items() if len(values)},
        first=np.concatenate([part.judged.first for part in parts])[kept],
        best=np.concatenate([part.judged.best for part in parts])[kept],
        relevant=np.concatenate([part.judged.relevant for part in parts])[kept],
        answers=np.concatenate([part.judged.rows for part in parts])[kept],
        scores=np.concatenate([part.scores for part in parts])[kept],
        gains=np.concatenate([part.judged.gains for part in parts])[kept],
    )
