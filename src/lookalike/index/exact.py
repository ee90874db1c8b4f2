"""The exact index: every allowed row is compared, in blocks, straight from the mapped float16 rows.

Promises: the answers of a float64 scan over the stored values, scores within 1e-6 of it, ties by lower row;
memory of a few blocks, whatever the number of rows; safe to share between threads.

How: a fast pass gives every row of a block a cosine with a known largest error; the rows that could still be
among the best are compared again in float64. The fast pass is a SIMD float16 kernel (simsimd) for few
queries, and a float32 matrix product for many, which pays for widening the block once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lookalike.core.arrays import unit_vectors
from lookalike.index.scoring import Kernel, Product, best_in_block, check_asked, merged

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lookalike.core.arrays import HalfVectors, RowMask, Rows, Scores, Vectors

BLOCK_BYTES = 4 << 20
"""Bytes of rows looked at in one step: fits the caches, and is large enough to hide what a step costs."""
QUERIES_FOR_PRODUCT = 12
"""From so many queries on the matrix product wins (200,000 x 512 here: 20 ms a query against 230 ms for up to 32)."""
QUERIES_AT_ONCE = 256
"""Queries in one pass over the rows; bounds the scores of a block."""
GATHER_BELOW = 0.25
"""Share of allowed rows below which copying them out is faster than comparing all."""


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

        check_asked(k, allowed, self.count)
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

        compare = Product(queries) if len(queries) >= QUERIES_FOR_PRODUCT else Kernel(queries)
        precise = queries.astype(np.float64)
        best = [(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32)) for _ in queries]
        lowest = np.full(len(queries), np.finfo(np.float32).min, dtype=np.float32)
        for numbers, block, inside in self._blocks(allowed):
            fast = compare(block)
            if inside is not None:
                fast[:, ~inside] = -np.inf
            for query in np.flatnonzero((fast >= lowest[:, None]).any(axis=1)).tolist():
                found = best_in_block(
                    block,
                    fast[query],
                    precise[query],
                    k,
                    slack=2 * compare.error[query],
                    lowest=lowest[query],
                    inside=inside,
                )
                best[query] = merged(best[query], (numbers[found[0]], found[1]), k)
                if len(best[query][1]) == k:
                    lowest[query] = best[query][1][-1] - compare.error[query]
        return best

    def _blocks(self, allowed: RowMask | None) -> Iterator[tuple[Rows, HalfVectors, RowMask | None]]:
        """Row numbers (b,), rows (b, dim) and, where not all of them may be answered, a mask (b,); ascending."""
        import numpy as np

        size = max(BLOCK_BYTES // (2 * self.dim), 1)
        if allowed is not None and np.count_nonzero(allowed) < GATHER_BELOW * self.count:
            chosen, rows = np.flatnonzero(allowed), np.asarray(self._rows)
            for start in range(0, len(chosen), size):
                numbers = chosen[start : start + size]
                # all are there: told so ("clip"), numpy copies rows in a quarter less time than by an index
                yield numbers, rows.take(numbers, axis=0, mode="clip"), None
            return
        for start in range(0, self.count, size):
            block = np.asarray(self._rows[start : start + size])
            inside = None if allowed is None else np.asarray(allowed[start : start + size], dtype=np.bool_)
            yield np.arange(start, start + len(block)), block, inside
