"""Ranking metrics with exact definitions, and bootstrap intervals. numpy only, no pictures, no encoders.

Queries come in batches as a matrix of scores (queries, items) with a matrix of gains of the same shape: a gain of 0
is an item that does not answer the query, a larger gain a better answer. `judge` ranks, a metric reads the ranking:

    hit@k        1 if one of the first k answers is relevant, else 0
    precision@k  relevant among the first k, over k (also where fewer than k items exist)
    recall@k     relevant among the first k, over all relevant items
    map@k        sum over ranks i <= k of precision@i * relevant(i), over min(k, number relevant)
    ndcg@k       sum over ranks i <= k of gain(i) / log2(i + 1), over the same sum for the best possible order;
                 linear gain, as Järvelin and Kekäläinen (2002) define it, not 2^gain - 1

All are values of single queries; their mean over queries is the figure to report. Promised: equal scores rank by the
lower row; a query without any relevant item has no value (NaN), and is left out and counted by whoever takes the mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

METRICS = ("hit@1", "hit@5", "hit@10", "precision@5", "precision@10", "recall@5", "map@10", "ndcg@10")
"""The metrics of a report, in its order."""

RESAMPLES = 1000  # of the bootstrap; percentiles then differ by less than a tenth of the interval between seeds
CONFIDENCE = 0.95
_CELLS = 4_000_000  # elements of the largest scratch array: 32 MB of int64


@dataclass(frozen=True, slots=True)
class Judged:
    """What the first `depth` answers of each query were worth.

    `gains`, `ideal`: float64 (queries, depth), the gain at each rank, and at each rank of the best possible order; 0
    where there is no answer. `relevant`: int64 (queries,), how many items have a gain above 0.
    """

    gains: NDArray[np.float64]
    ideal: NDArray[np.float64]
    relevant: NDArray[np.int64]


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
    found = np.take_along_axis(worth, np.maximum(rows, 0), axis=1) if worth.shape[1] else np.zeros(rows.shape)
    return Judged(
        gains=np.where(rows >= 0, found, 0.0),
        ideal=_best_order(worth, depth),
        relevant=(worth > 0).sum(axis=1, dtype=np.int64),
    )


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
    answerable = judged.relevant > 0
    values = np.full(len(judged.relevant), np.nan)
    values[answerable] = _FORMULAS[name](
        Judged(judged.gains[answerable], judged.ideal[answerable], judged.relevant[answerable]), k
    )
    return values


def _found(judged: Judged, k: int) -> NDArray[np.float64]:
    """How many of the first `k` answers are relevant."""
    return np.cumsum(judged.gains > 0, axis=1, dtype=np.float64)[:, k - 1]


def _hit(judged: Judged, k: int) -> NDArray[np.float64]:
    return np.minimum(_found(judged, k), 1.0)


def _precision(judged: Judged, k: int) -> NDArray[np.float64]:
    return _found(judged, k) / k


def _recall(judged: Judged, k: int) -> NDArray[np.float64]:
    return _found(judged, k) / judged.relevant


def _average_precision(judged: Judged, k: int) -> NDArray[np.float64]:
    relevant = judged.gains[:, :k] > 0
    precision = np.cumsum(relevant, axis=1) / np.arange(1, k + 1)
    summed: NDArray[np.float64] = (precision * relevant).sum(axis=1)
    return summed / np.minimum(k, judged.relevant)


def _ndcg(judged: Judged, k: int) -> NDArray[np.float64]:
    discount = 1 / np.log2(np.arange(2, k + 2))
    reached: NDArray[np.float64] = judged.gains[:, :k] @ discount
    return reached / (judged.ideal[:, :k] @ discount)


_FORMULAS: dict[str, Callable[[Judged, int], NDArray[np.float64]]] = {
    "hit": _hit,
    "precision": _precision,
    "recall": _recall,
    "map": _average_precision,
    "ndcg": _ndcg,
}


def depth_of(metrics: tuple[str, ...]) -> int:
    """How many ranks must be judged for all of `metrics`. Raises ValueError for an unknown metric."""
    return max(_name_and_k(metric)[1] for metric in metrics)


def _name_and_k(metric: str) -> tuple[str, int]:
    name, _, digits = metric.partition("@")
    if name not in _FORMULAS or not digits.isdecimal() or int(digits) < 1:
        known = ", ".join(f"{each}@k" for each in _FORMULAS)
        raise ValueError(f"there is no metric {metric!r}; there are {known}")
    return name, int(digits)


def bootstrap_interval(values: NDArray[np.float64], seed: int, n: int = RESAMPLES) -> tuple[float, float]:
    """The 95 % interval of the mean of `values` (queries,), by `n` resamples of the queries (percentile bootstrap).

    Give the differences of two systems over the same queries for a paired comparison: an interval that leaves out 0
    is a difference. Equal arguments give equal intervals. Raises ValueError when there are no values or one is NaN.
    """
    if not len(values) or np.isnan(values).any():
        raise ValueError("an interval needs at least one value, and every value a number")
    draw = np.random.default_rng(seed)
    block = max(1, _CELLS // len(values))
    means = [
        values[draw.integers(len(values), size=(min(block, n - start), len(values)))].mean(axis=1)
        for start in range(0, n, block)
    ]
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(np.concatenate(means), [tail, 1 - tail])
    return float(low), float(high)
