"""An index whose candidates are compared again with the stored rows: what every approximate kind is opened as.

Promises: scores, order and ties of the exact index among the rows found; never a row that is not allowed, whatever
the index file said; and `k` answers wherever so many rows are allowed: a query that the index leaves short is answered
exactly. Searches do not disturb each other: the effort travels with the call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from lookalike.core.arrays import unit_vectors
from lookalike.index.exact import ExactIndex
from lookalike.index.scoring import Kernel, best_in_block, check_asked, in_order, precise_scores

if TYPE_CHECKING:
    from lookalike.core.arrays import HalfVectors, RowMask, Rows, Scores, Vectors
    from lookalike.index.kinds import OperatingPoint

COMPARED_AT_ONCE = 64
"""So few candidates are compared in float64 at once: choosing among them first takes longer (256 wide: 20 us)."""
_LOWEST = -2.0
"""Below every cosine."""


class Candidates(Protocol):
    """Where candidates come from. Two libraries do it: `faiss_kinds` and `annoy_kind`."""

    @property
    def count(self) -> int: ...

    def candidates(self, queries: Vectors, fetch: int, effort: int, allowed: RowMask | None) -> Rows:
        """int64 (q, fetch), -1 where there is none; rows that are not allowed may be among them."""
        ...


class RescoredIndex:
    """A `VectorIndex` over the first `base.count` of `rows`, float16 (at least so many, dim).

    `point` is how it is searched when a call names no effort of its own.
    """

    exact = False

    def __init__(self, base: Candidates, rows: HalfVectors, point: OperatingPoint) -> None:
        import numpy as np

        self._base = base
        self._rows: HalfVectors = np.asarray(rows[: base.count])  # the same memory; a memmap is slow to slice
        self._every = ExactIndex(self._rows)
        self.point = point

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
        effort: int | None = None,
        fetch: int | None = None,
    ) -> tuple[Rows, Scores]:
        """The `k` rows of highest cosine among those found: rows int64 (q, k), scores float32 (q, k).

        `allowed`: bool (count,); one that is not writeable is prepared once. `effort` and `fetch` take the place of the
        operating point's. Raises ValueError for wrong shapes, k < 1 and queries that are no directions.
        """
        import numpy as np

        if allowed is not None:
            allowed = np.asarray(allowed, dtype=np.bool_)
        if k >= self.count or len(queries) == 0:
            return self._every.search(queries, k, allowed=allowed)
        check_asked(k, allowed, self.count)
        asked = unit_vectors(queries, self.dim)
        wanted = min(max(k, fetch or self.point.fetch), self.count)
        found = self._base.candidates(asked, wanted, max(effort or self.point.effort, 1), allowed)
        rows, scores = self._rescore(asked, found, k, allowed)
        if rows[:, -1].min() >= 0:
            return rows, scores
        short = np.flatnonzero(rows[:, -1] < 0)
        if allowed is None or np.count_nonzero(allowed) > (rows[short] >= 0).sum(axis=1).min():
            rows[short], scores[short] = self._every.search(asked[short], k, allowed=allowed)
        return rows, scores

    def _rescore(self, queries: Vectors, found: Rows, k: int, allowed: RowMask | None) -> tuple[Rows, Scores]:
        """The best `k` of each query's candidates."""
        import numpy as np

        rows = np.full((len(queries), k), -1, dtype=np.int64)
        scores = np.full((len(queries), k), -np.inf, dtype=np.float32)
        kernel = Kernel(queries) if found.shape[1] > COMPARED_AT_ONCE else None
        precise = queries.astype(np.float64)
        for query, numbers in enumerate(found):
            kept = numbers[numbers.view(np.uint64) < len(self._rows)]  # seen so, -1 is the largest number there is
            if allowed is not None:
                kept = kept[allowed[kept]]
            if not len(kept):
                continue
            block = self._rows.take(kept, axis=0)
            if kernel is None:
                its_scores = precise_scores(block, precise[query])
            else:
                fast, slack = kernel.of(query, block), 2 * kernel.error[query]
                positions, its_scores = best_in_block(block, fast, precise[query], k, slack=slack, lowest=_LOWEST)
                kept = kept[positions]
            its_rows, its_scores = in_order(kept, its_scores, k)
            rows[query, : len(its_rows)] = its_rows
            scores[query, : len(its_rows)] = its_scores
        return rows, scores
