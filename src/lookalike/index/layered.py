"""A base index and the rows that came after it: those are compared exactly, so a new picture is found at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lookalike.index.exact import ExactIndex
from lookalike.index.scoring import check_asked, in_order

if TYPE_CHECKING:
    from lookalike.core.arrays import HalfVectors, RowMask, Rows, Scores, Vectors
    from lookalike.index.rescored import RescoredIndex


class LayeredIndex:
    """A `VectorIndex` over all of `rows`, float16 (count, dim), of which the first `base.count` are in `base`."""

    def __init__(self, base: RescoredIndex, rows: HalfVectors) -> None:
        if base.count > len(rows) or base.dim != rows.shape[1]:
            raise ValueError(f"the base has {base.count} rows of {base.dim}, there are {rows.shape}")
        import numpy as np

        self._base = base
        self._newer = ExactIndex(np.asarray(rows)[base.count :])  # the same memory; a memmap is slow to slice
        self.exact = base.exact

    @property
    def dim(self) -> int:
        return self._base.dim

    @property
    def count(self) -> int:
        return self._base.count + self._newer.count

    def search(
        self,
        queries: Vectors,
        k: int,
        *,
        allowed: RowMask | None = None,
        effort: int | None = None,
        fetch: int | None = None,
    ) -> tuple[Rows, Scores]:
        """The `k` rows of highest cosine of both. `allowed`: bool (count,); `effort` and `fetch` go to the base."""
        import numpy as np

        if not self._newer.count:
            return self._base.search(queries, k, allowed=allowed, effort=effort, fetch=fetch)
        check_asked(k, allowed, self.count)
        old = None if allowed is None else allowed[: self._base.count]
        new = None if allowed is None else allowed[self._base.count :]
        base_rows, base_scores = self._base.search(queries, k, allowed=old, effort=effort, fetch=fetch)
        rows, scores = self._newer.search(queries, k, allowed=new)
        rows = np.where(rows >= 0, rows + self._base.count, rows)
        merged_rows, merged_scores = np.full_like(rows, -1), np.full_like(scores, -np.inf)
        for query in range(len(rows)):
            best = in_order(
                np.concatenate([base_rows[query], rows[query]]), np.concatenate([base_scores[query], scores[query]]), k
            )
            merged_rows[query, : len(best[0])], merged_scores[query, : len(best[0])] = best
        return merged_rows, merged_scores
