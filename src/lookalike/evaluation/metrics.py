"""Ranking metrics with exact definitions, and bootstrap intervals. numpy only, no pictures, no encoders.

Queries come in batches as a matrix of scores (queries, items) with a matrix of gains of the same shape: a gain of 0
is an item that does not answer the query, a larger gain a better answer. `judge` ranks, a metric reads the ranking:

    hit@k        1 if one of the first k answers is relevant, else 0
    precision@k  relevant among the first k, over k (also where fewer than k items exist)
    recall@k     relevant among the first k, over all relevant items
    map@k        sum over ranks i <= k of precision@i * relevant(i), over min(k, number relevant)
    mrr@k        1 over the rank of the first relevant answer, 0 where none is among the first k
    ndcg@k       sum over ranks i <= k of gain(i) / log2(i + 1), over the same sum for the best possible order;
                 linear gain, as Järvelin and Kekäläinen (2002) define it, not 2^gain - 1

All are values of single queries; their mean over queries is the figure to report. Promised: equal scores rank by the
lower row; a query without any relevant item has no value (NaN), and is left out and counted by whoever takes the mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    _Gains: TypeAlias = NDArray[np.float64]
    _Counts: TypeAlias = NDArray[np.int64]

METRICS = ("hit@1", "hit@5", "hit@10", "precision@5", "precision@10", "recall@5", "map@10", "mrr@10", "ndcg@10")
"""The metrics of a report, in its order."""

RESAMPLES = 1000  # of the bootstrap; percentiles then differ by less than a tenth of the interval between seeds
CONFIDENCE = 0.95
_CELLS = 4_000_000  # elements of the largest scratch array: 32 MB of int64


@dataclass(frozen=True, slots=True)
class Judged:
    """What the first `depth` answers of each query were worth.

    `gains`, `ideal`: float64 (queries, depth), the gain at each rank, and at each rank of the best possible order; 0
    where there is no answer. `relevant`: int64 (queries,), how many items have a gain above 0. `first`: int64
    (queries,), the rank of the first relevant item among all, 0 where there is none; `best`: int64 (queries,), its row,
    -1 then. `rows`: int64 (queries, depth), the answers, -1 where they run out.
    """

    gains: NDArray[np.float64]
    ideal: NDArray[np.float64]
    relevant: NDArray[np.int64]
    first: NDArray[np.int64]
    best: NDArray[np.int64]
    rows: NDArray[np.int64]


def top_rows(scores: NDArray[Any], k: int) -> NDArray[np.int64]:
    """The `k` best rows of each query, best first, equal scores by lower row: int64 (queries, k).

    `scores`: float (queries, items); -inf bars an item from being an answer. -1 where answers run out. Time is linear
    in the number of items. Raises ValueError for NaN.
    """
    if np.isnan(scores).any():
        raise ValueError("a score is not a number; it has no place in a ranking")
    queries, items = scores.shape
    found = min(k, items)
    rows = np.full((queries, k), -1, dtype=np.int64)
    if not found or not queries:
        return rows
    limit = np.partition(scores, items - found, axis=1)[:, items - found, None]
    above, level = scores > limit, scores == limit
    room = found - above.sum(axis=1, keepdims=True)
    taken = above | (level & (np.cumsum(level, axis=1, dtype=np.int32) <= room))
    best = np.nonzero(taken)[1].reshape(queries, found)
    best_scores = np.take_along_axis(scores, best, axis=1)
    order = np.argsort(-best_scores, axis=1, kind="stable")
    best = np.where(np.isneginf(best_scores), -1, best)
    rows[:, :found] = np.take_along_axis(best, order, axis=1)
    return rows


def judge(scores: NDArray[Any], gains: NDArray[Any], depth: int, *, own: NDArray[np.int64] | None = None) -> Judged:
    """Rank the items of each query by score and look up what the first `depth` are worth.

    `scores`: float (queries, items). `gains`: bool or non-negative numbers of the same shape. `own`: for each query the
    row of the item that is the query itself, -1 for none; it is no answer and not counted as relevant. Inputs stay as
    they are. Raises ValueError for shapes that differ, a negative gain or a NaN.
    """
    if scores.shape != gains.shape:
        raise ValueError(f"scores have shape {scores.shape}, gains {gains.shape}")
    worth = gains.astype(np.float64)
    if not (worth >= 0).all():
        raise ValueError("a gain is negative or not a number")
    if own is not None:
        scores = scores.astype(np.result_type(scores.dtype, np.float32))
        queries = np.flatnonzero(own >= 0)
        scores[queries, own[queries]] = -np.inf
        worth[queries, own[queries]] = 0.0
    rows = top_rows(scores, depth)
    first, best = _first_relevant(scores, worth > 0)
    relevant = (worth > 0).sum(axis=1, dtype=np.int64)
    found = np.take_along_axis(worth, np.maximum(rows, 0), axis=1) if worth.shape[1] else np.zeros(rows.shape)
    return Judged(
        gains=np.where(rows >= 0, found, 0.0),
        ideal=_alike(relevant, depth) if gains.dtype == np.bool_ else _best_order(worth, depth),
        relevant=relevant,
        first=first,
        best=best,
        rows=rows,
    )


def _first_relevant(scores: NDArray[Any], relevant: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rank and row of each query's best relevant item in the order of `top_rows`, 0 and -1 where there is none."""
    queries, items = scores.shape
    if not queries or not items:
        return np.zeros(queries, dtype=np.int64), np.full(queries, -1, dtype=np.int64)
    among = np.where(relevant, scores, -np.inf)
    row = among.argmax(axis=1)[:, None]
    best = np.take_along_axis(among, row, axis=1)
    ahead = (scores > best) | ((scores == best) & (np.arange(items) < row))
    none = np.isneginf(best[:, 0])
    return np.where(none, 0, 1 + ahead.sum(axis=1, dtype=np.int64)), np.where(none, -1, row[:, 0])


def _alike(relevant: NDArray[np.int64], depth: int) -> NDArray[np.float64]:
    """`_best_order` where all relevant items have a gain of 1: nothing needs to be looked for."""
    return (np.arange(depth) < relevant[:, None]).astype(np.float64)


def _best_order(worth: NDArray[np.float64], depth: int) -> NDArray[np.float64]:
    """The `depth` largest gains of each query, descending, padded with 0."""
    queries, items = worth.shape
    found = min(depth, items)
    ideal = np.zeros((queries, depth))
    if found:
        largest = np.partition(worth, items - found, axis=1)[:, items - found :]
        ideal[:, :found] = -np.sort(-largest, axis=1)
    return ideal


def per_query(judged: Judged, metric: str) -> NDArray[np.float64]:
    """The value of `metric` ("map@10") for each query: float64 (queries,), NaN where a query has no relevant item.

    Raises ValueError for an unknown metric, or a k beyond the depth that was judged.
    """
    name, k = _name_and_k(metric)
    if k > judged.gains.shape[1]:
        raise ValueError(f"{metric} needs {k} ranks, {judged.gains.shape[1]} were judged")
    return _of_gains(judged.gains[:, :k], judged, name)


def ceiling(judged: Judged, metric: str) -> NDArray[np.float64]:
    """The value of `metric` for the best possible order: float64 (queries,), NaN as in `per_query`.

    Below 1 where the metric cannot reach it: recall@5 of a query with ten relevant items is at most 0.5.
    """
    name, k = _name_and_k(metric)
    return _of_gains(judged.ideal[:, :k], judged, name)


def _of_gains(gains: NDArray[np.float64], judged: Judged, name: str) -> NDArray[np.float64]:
    """The metric `name` at k = width of `gains`."""
    answerable = judged.relevant > 0
    values = np.full(len(judged.relevant), np.nan)
    ideal = judged.ideal[answerable, : gains.shape[1]]
    values[answerable] = _FORMULAS[name](gains[answerable], ideal, judged.relevant[answerable])
    return values


def _found(gains: _Gains) -> _Gains:
    """How many of the answers are relevant."""
    found: _Gains = (gains > 0).sum(axis=1, dtype=np.float64)
    return found


def _hit(gains: _Gains, _: _Gains, __: _Counts) -> _Gains:
    return np.minimum(_found(gains), 1.0)


def _precision(gains: _Gains, _: _Gains, __: _Counts) -> _Gains:
    shares: _Gains = _found(gains) / gains.shape[1]
    return shares


def _recall(gains: _Gains, _: _Gains, relevant: _Counts) -> _Gains:
    return _found(gains) / relevant


def _average_precision(gains: _Gains, _: _Gains, relevant: _Counts) -> _Gains:
    right, k = gains > 0, gains.shape[1]
    precision = np.cumsum(right, axis=1) / np.arange(1, k + 1)
    summed: _Gains = (precision * right).sum(axis=1)
    return summed / np.minimum(k, relevant)


def _reciprocal_rank(gains: _Gains, _: _Gains, __: _Counts) -> _Gains:
    right = gains > 0
    return np.where(right.any(axis=1), 1 / (1 + right.argmax(axis=1)), 0.0)


def _ndcg(gains: _Gains, ideal: _Gains, _: _Counts) -> _Gains:
    discount = 1 / np.log2(np.arange(2, gains.shape[1] + 2))
    reached: _Gains = gains @ discount
    return reached / (ideal @ discount)


_FORMULAS: dict[str, Callable[[_Gains, _Gains, _Counts], _Gains]] = {
    "hit": _hit,
    "precision": _precision,
    "recall": _recall,
    "map": _average_precision,
    "mrr": _reciprocal_rank,
    "ndcg": _ndcg,
}
"""From the gains reached and the best ones, each (queries, k), and how many items are relevant."""


def depth_of(metrics: tuple[str, ...]) -> int:
    """How many ranks must be judged for all of `metrics`. Raises ValueError for an unknown metric."""
    return max(_name_and_k(metric)[1] for metric in metrics)


def _name_and_k(metric: str) -> tuple[str, int]:
    name, _, digits = metric.partition("@")
    if name not in _FORMULAS or not digits.isdecimal() or int(digits) < 1:
        known = ", ".join(f"{each}@k" for each in _FORMULAS)
        raise ValueError(f"there is no metric {metric!r}; there are {known}")
    return name, int(digits)


def bootstrap_interval(
    values: NDArray[np.float64], seed: int, n: int = RESAMPLES, *, groups: NDArray[np.int64] | None = None
) -> tuple[float, float]:
    """The 95 % interval of the mean of `values` (queries,), by `n` resamples of the queries (percentile bootstrap).

    Give the differences of two systems over the same queries for a paired comparison: an interval that leaves out 0
    is a difference. `groups` (queries,): what is drawn instead of single queries where these belong together, such as
    the class of a picture. Equal arguments give equal intervals. Raises ValueError when there are no values or one is
    NaN.
    """
    if not len(values) or np.isnan(values).any():
        raise ValueError("an interval needs at least one value, and every value a number")
    _, member = np.unique(np.arange(len(values)) if groups is None else groups, return_inverse=True)
    sums, sizes = np.bincount(member, values), np.bincount(member)
    draw = np.random.default_rng(seed)
    block = max(1, _CELLS // len(sums))
    means = []
    for start in range(0, n, block):
        drawn = draw.integers(len(sums), size=(min(block, n - start), len(sums)))
        means.append(sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1))
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(np.concatenate(means), [tail, 1 - tail])
    return float(low), float(high)
