"""What is right: the exact answers by plain numpy, independent of the indexes measured, and tie-fair recall.

Imports nothing but numpy, so that peers in environments of their own are judged by the very same lines.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

K = 10
TIE = 1e-6
"""A row found whose cosine is so near to that of the last right one is as right."""
_SPARE = 16
"""Candidates beyond k that float32 keeps for the exact comparison in float64."""
_BLOCK_BYTES = 1 << 26


@dataclass(frozen=True)
class Truth:
    """The best rows (q, k), -1 where there are fewer, and their cosines, float64 (q, k)."""

    rows: Any
    scores: Any


def unit(rows: Any) -> Any:
    """float32 rows of unit length."""
    wide = np.asarray(rows, dtype=np.float32)
    return wide / np.linalg.norm(wide, axis=1, keepdims=True)


def exact_answers(rows: Any, queries: Any, k: int = K, allowed: Any = None) -> Truth:
    """The `k` rows of highest cosine for each of `queries`; `allowed`: bool (n,). One pass over the rows."""
    wanted = k + _SPARE
    best = np.full((len(queries), wanted), -1, dtype=np.int64)
    scores = np.full((len(queries), wanted), -np.inf, dtype=np.float32)
    numbers = None if allowed is None else np.flatnonzero(allowed)
    step = max(_BLOCK_BYTES // (4 * rows.shape[1]), 1)
    for start in range(0, len(rows) if numbers is None else len(numbers), step):
        some = None if numbers is None else numbers[start : start + step]
        fast = queries @ unit(rows[start : start + step] if some is None else rows[some]).T
        kept = _largest(fast, wanted)
        together = np.hstack([scores, np.take_along_axis(fast, kept, axis=1)])
        owners = np.hstack([best, kept + start if some is None else some[kept]])
        kept = _largest(together, wanted)
        best, scores = np.take_along_axis(owners, kept, axis=1), np.take_along_axis(together, kept, axis=1)
    precise = cosines(rows, queries, best)
    order = np.argsort(-precise, axis=1, kind="stable")[:, :k]
    return Truth(np.take_along_axis(best, order, axis=1), np.take_along_axis(precise, order, axis=1))


def cosines(rows: Any, queries: Any, found: Any) -> Any:
    """float64 (q, n): of each query with the rows found for it; -inf for -1."""
    scores = np.full(found.shape, -np.inf)
    for position, (query, its_rows) in enumerate(zip(queries.astype(np.float64), found, strict=True)):
        there = its_rows >= 0
        block = np.asarray(rows[its_rows[there]], dtype=np.float64)
        scores[position, there] = block @ query / np.linalg.norm(block, axis=1) / np.linalg.norm(query)
    return scores


def recall(rows: Any, queries: Any, found: Any, truth: Truth) -> Any:
    """ann_recall@k of each query, float64 (q,): `found` int (q, >= k), of which the best k count; ties fair."""
    k = truth.rows.shape[1]
    there = (truth.rows >= 0).sum(axis=1)
    last = np.where(there > 0, truth.scores[np.arange(len(there)), np.maximum(there - 1, 0)], np.inf)
    ordered = np.sort(found, axis=1)
    if ((ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)).any():
        raise ValueError("an index answered a row twice")
    right = np.sort(cosines(rows, queries, found), axis=1)[:, ::-1][:, :k] >= last[:, None] - TIE
    return np.where(there > 0, np.minimum(right.sum(axis=1), there) / np.maximum(there, 1), 1.0)


def _largest(scores: Any, count: int) -> Any:
    """Positions of the largest `count` of each row, in no order; of all where there are no more."""
    if scores.shape[1] <= count:
        return np.broadcast_to(np.arange(scores.shape[1]), scores.shape)
    return np.argpartition(-scores, count - 1, axis=1)[:, :count]
