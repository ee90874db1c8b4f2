"""The exact index: every allowed row is compared, in blocks, straight from the mapped float16 rows.

Promises: the answers of a float64 scan over the stored values, scores within 1e-6 of it, ties by lower row;
memory of a few blocks, whatever the number of rows; safe to share between threads.

How: a fast pass gives every row of a block a cosine with a known largest error; the rows that could still be
among the best are compared again in float64. The fast pass is a SIMD float16 kernel (simsimd) for few
queries, and a float32 matrix product for many, which pays for widening the block once.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from lookalike.core.arrays import unit_vectors

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from lookalike.core.arrays import HalfVectors, RowMask, Rows, Scores, Vectors

BLOCK_BYTES = 4 << 20
"""Bytes of rows looked at in one step: fits the caches, and is large enough to hide what a step costs."""
QUERIES_FOR_PRODUCT = 12
"""From so many queries on the matrix product wins (200,000 x 512 here: 20 ms a query against 230 ms for up to 32)."""
QUERIES_AT_ONCE = 256
"""Queries in one pass over the rows; bounds the scores of a block."""
GATHER_BELOW = 0.25
"""Share of allowed rows below which copying them out is faster than comparing all."""

_SUM_ERROR = 5e-5
"""Bound on what float32 sums lose over some thousand products of unit vectors; measured: 1e-7 at 512."""
_NARROW_SUMS = ("sapphire", "sve_f16")
"""simsimd's kernels that also add up in float16, which loses 1e-3 (simsimd 6.5, `simsimd_cos_f16_sapphire`, `_sve`)."""


class ExactIndex:
    """A `VectorIndex` over stored rows, float16 (count, dim). `count` limits it to the first so many.

    Scores divide by a row's own length, which rounding leaves near 1, not at 1. A row without direction (zero
    or not finite) is never an answer.
    """

    exact = True

    def __init__(self, rows: HalfVectors, count: int | None = None) -> None:
        self._rows = rows if count is None else rows[:count]

    @property
    def dim(self) -> int:
        return int(self._rows.shape[1])

    @property
    def count(self) -> int:
        return int(self._rows.shape[0])

    def search(
        self,
        queries: Vectors,
        k: int,
        *,
        allowed: RowMask | None = None,
        effort: int | None = None,  # noqa: ARG002 the protocol's word; exact is exact
    ) -> tuple[Rows, Scores]:
        """The `k` rows of highest cosine for each query: rows int64 (q, k), scores float32 (q, k).

        `allowed`: bool (count,). `effort` changes nothing here. Raises ValueError for wrong shapes, k < 1 and
        queries that are no directions.
        """
        import numpy as np

        if k < 1:
            raise ValueError(f"k is {k}; at least one answer must be asked for")
        if allowed is not None and np.shape(allowed) != (self.count,):
            raise ValueError(f"the mask has shape {np.shape(allowed)}, wanted ({self.count},)")
        rows = np.full((len(queries), k), -1, dtype=np.int64)
        scores = np.full((len(queries), k), -np.inf, dtype=np.float32)
        for start in range(0, len(queries), QUERIES_AT_ONCE):
            asked = unit_vectors(queries[start : start + QUERIES_AT_ONCE], self.dim)
            best = self._best(asked, k, allowed)
            for position, (its_rows, its_scores) in enumerate(best, start=start):
                rows[position, : len(its_rows)] = its_rows
                scores[position, : len(its_scores)] = its_scores
        return rows, scores

    def _best(self, queries: Vectors, k: int, allowed: RowMask | None) -> list[tuple[Rows, Scores]]:
        """Merge the best of every block: up to `k` rows and scores for each query."""
        import numpy as np

        compare = _Product(queries) if len(queries) >= QUERIES_FOR_PRODUCT else _Kernel(queries)
        precise = queries.astype(np.float64)
        best = [(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32)) for _ in queries]
        lowest = np.full(len(queries), np.finfo(np.float32).min, dtype=np.float32)
        for numbers, block, inside in self._blocks(allowed):
            fast = compare(block)
            if inside is not None:
                fast[:, ~inside] = -np.inf
            for query in np.flatnonzero((fast >= lowest[:, None]).any(axis=1)).tolist():
                hopeful = _hopeful(fast[query], lowest[query], k, 2 * compare.error[query])
                scores = _precise_scores(block[hopeful], precise[query])
                if not np.isfinite(scores).all():  # the fast pass promises nothing about rows without direction
                    hopeful = np.flatnonzero(np.ones(len(block), np.bool_) if inside is None else inside)
                    scores = _precise_scores(block[hopeful], precise[query])
                best[query] = _merged(best[query], (numbers[hopeful], scores), k)
                if len(best[query][1]) == k:
                    lowest[query] = best[query][1][-1] - compare.error[query]
        return best

    def _blocks(self, allowed: RowMask | None) -> Iterator[tuple[Rows, HalfVectors, RowMask | None]]:
        """Row numbers (b,), rows (b, dim) and, where not all of them may be answered, a mask (b,); ascending."""
        import numpy as np

        size = max(BLOCK_BYTES // (2 * self.dim), 1)
        if allowed is not None and np.count_nonzero(allowed) < GATHER_BELOW * self.count:
            chosen = np.flatnonzero(allowed)
            for start in range(0, len(chosen), size):
                numbers = chosen[start : start + size]
                yield numbers, np.asarray(self._rows[numbers]), None
            return
        for start in range(0, self.count, size):
            block = np.asarray(self._rows[start : start + size])
            inside = None if allowed is None else np.asarray(allowed[start : start + size], dtype=np.bool_)
            yield np.arange(start, start + len(block)), block, inside


class _Kernel:
    """Cosines by simsimd's float16 kernel, one pass over the block for each query, nothing widened.

    Rounding the query to float16 moves it by a known distance, and no cosine can move by more than that.
    """

    def __init__(self, queries: Vectors) -> None:
        import numpy as np

        self._halves = queries.astype(np.float16)
        wide = self._halves.astype(np.float32)
        wide /= np.linalg.norm(wide, axis=1, keepdims=True)
        self.error: NDArray[np.float32] = np.linalg.norm(queries - wide, axis=1) + np.float32(_SUM_ERROR)

    def __call__(self, block: HalfVectors) -> Scores:
        import numpy as np

        distances = np.empty((len(self._halves), len(block)), dtype=np.float32)
        _simsimd().cdist(self._halves, block, "cosine", out=distances, out_dtype="float32")
        return np.subtract(1, distances, out=distances)


class _Product:
    """Cosines by a float32 matrix product with the widened block."""

    def __init__(self, queries: Vectors) -> None:
        import numpy as np

        self._queries = queries
        self.error: NDArray[np.float32] = np.full(len(queries), _SUM_ERROR, dtype=np.float32)

    def __call__(self, block: HalfVectors) -> Scores:
        import numpy as np

        wide = block.astype(np.float32)
        with np.errstate(invalid="ignore", divide="ignore"):  # rows without direction become NaN
            scores: Scores = self._queries @ wide.T
            scores /= np.sqrt(np.einsum("ij,ij->i", wide, wide))
        return scores


def _hopeful(fast: Scores, lowest: np.float32, k: int, slack: np.float32) -> Rows:
    """Positions in a block that can be among the best `k`: not below `lowest`, nor sure to be beaten inside it."""
    import numpy as np

    positions = np.flatnonzero(fast >= lowest)
    if len(positions) > k:
        among = fast[positions]
        kth = np.partition(among, len(among) - k)[len(among) - k]
        positions = positions[among >= kth - slack]
    return positions


def _precise_scores(rows: HalfVectors, query: NDArray[np.float64]) -> Scores:
    """Cosines computed in float64, one row at a time, so that equal rows score equal wherever they stand."""
    import numpy as np

    scores = np.empty(len(rows), dtype=np.float32)
    size = max(BLOCK_BYTES // (8 * max(rows.shape[1], 1)), 1)
    for start in range(0, len(rows), size):
        wide = rows[start : start + size].astype(np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):
            cosines = (wide * query).sum(axis=1) / np.sqrt((wide * wide).sum(axis=1))
        scores[start : start + size] = np.where(np.isfinite(cosines), cosines, -np.inf)
    return scores


def _merged(one: tuple[Rows, Scores], other: tuple[Rows, Scores], k: int) -> tuple[Rows, Scores]:
    """The best `k` of two lists, ties by lower row."""
    import numpy as np

    rows, scores = np.concatenate([one[0], other[0]]), np.concatenate([one[1], other[1]])
    order = np.lexsort((rows, -scores))[:k]
    order = order[np.isfinite(scores[order])]
    return rows[order], scores[order]


@cache
def _simsimd() -> Any:
    """The kernels, without those that add up in float16."""
    import simsimd

    for family in _NARROW_SUMS:
        simsimd.disable_capability(family)
    return simsimd
