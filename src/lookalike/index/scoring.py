"""Cosines of queries with float16 rows: a fast pass of known error, then float64 for those that may be among the best.

What `exact` does with all rows and `rescored` with an index's candidates, so that both give the same scores
and the same order: score downwards, equal scores by lower row.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from lookalike.core.arrays import HalfVectors, RowMask, Rows, Scores, Vectors

_PRECISE_BYTES = 4 << 20
"""Bytes of widened rows in one step."""
_SUM_ERROR = 5e-5
"""Bound on what float32 sums lose over some thousand products of unit vectors; measured: 1e-7 at 512."""
_NARROW_SUMS = ("sapphire", "sve_f16")
"""simsimd's kernels that also add up in float16, which loses 1e-3 (simsimd 6.5, `simsimd_cos_f16_sapphire`, `_sve`)."""


class Kernel:
    """Cosines by simsimd's float16 kernel, one pass over the block for each query, nothing widened.

    Rounding the query to float16 moves it by a known distance, and no cosine can move by more than that.
    """

    def __init__(self, queries: Vectors) -> None:
        import numpy as np

        self._halves = queries.astype(np.float16)
        wide = self._halves.astype(np.float32)
        wide /= _lengths(wide)[:, None]
        self.error: NDArray[np.float32] = _lengths(queries - wide) + np.float32(_SUM_ERROR)

    def __call__(self, block: HalfVectors) -> Scores:
        return cosines_of_halves(self._halves, block)

    def of(self, query: int, block: HalfVectors) -> Scores:
        """float32 (b,): the cosines of one of the queries."""
        scores: Scores = cosines_of_halves(self._halves[query : query + 1], block)[0]
        return scores


class Product:
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
            scores /= _lengths(wide)
        return scores


def cosines_of_halves(halves: HalfVectors, block: HalfVectors) -> Scores:
    """float32 (q, b) of float16 (q, dim) and (b, dim), in this thread alone.

    Not by `out=`: simsimd 6.5 then gives back a None it does not own, and some ten thousand calls later the process
    ends (Python 3.11: "deallocating None").
    """
    import numpy as np

    distances = np.asarray(_simsimd().cdist(halves, block, "cosine", out_dtype="float32"))
    scores: Scores = np.subtract(1, distances.reshape(len(halves), len(block)), dtype=np.float32)
    return scores


def check_asked(k: int, allowed: RowMask | None, count: int) -> None:
    """Raises ValueError for k < 1 and for a mask that is not over `count` rows."""
    import numpy as np

    if k < 1:
        raise ValueError(f"k is {k}; at least one answer must be asked for")
    if allowed is not None and np.shape(allowed) != (count,):
        raise ValueError(f"the mask has shape {np.shape(allowed)}, wanted ({count},)")


def hopeful(fast: Scores, lowest: float | np.float32, k: int, slack: np.float32) -> Rows:
    """Positions in a block that can be among the best `k`: not below `lowest`, nor sure to be beaten inside it."""
    import numpy as np

    positions = np.flatnonzero(fast >= lowest)
    if len(positions) > k:
        among = fast[positions]
        kth = np.partition(among, len(among) - k)[len(among) - k]
        positions = positions[among >= kth - slack]
    return positions


def best_in_block(
    block: HalfVectors,
    fast: Scores,
    query: NDArray[np.float64],
    k: int,
    *,
    slack: np.float32,
    lowest: float | np.float32,
    inside: RowMask | None = None,
) -> tuple[Rows, Scores]:
    """Positions in `block` that can be among the best `k`, ascending, with their precise scores.

    `fast`: float32 (b,) from a fast pass, -inf outside `inside`; `slack`: twice its error; rows whose fast score is
    below `lowest` are not looked at. A row without direction scores -inf.
    """
    import numpy as np

    positions = hopeful(fast, lowest, k, slack)
    scores = precise_scores(block[positions], query)
    if not np.isfinite(scores).all():  # the fast pass promises nothing about rows without direction
        positions = np.flatnonzero(np.ones(len(block), np.bool_) if inside is None else inside)
        scores = precise_scores(block[positions], query)
    return positions, scores


def precise_scores(rows: HalfVectors, query: NDArray[np.float64]) -> Scores:
    """Cosines in float64, each row by itself (no matrix product): equal rows score equal wherever they stand."""
    import numpy as np

    scores = np.empty(len(rows), dtype=np.float32)
    size = max(_PRECISE_BYTES // (8 * max(rows.shape[1], 1)), 1)
    for start in range(0, len(rows), size):
        wide = rows[start : start + size].astype(np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):
            cosines = np.einsum("ij,j->i", wide, query) / _lengths(wide)
        scores[start : start + size] = np.where(np.isfinite(cosines), cosines, -np.inf)
    return scores


def merged(one: tuple[Rows, Scores], other: tuple[Rows, Scores], k: int) -> tuple[Rows, Scores]:
    """The best `k` of two lists, ties by lower row."""
    import numpy as np

    return in_order(np.concatenate([one[0], other[0]]), np.concatenate([one[1], other[1]]), k)


def in_order(rows: Rows, scores: Scores, k: int) -> tuple[Rows, Scores]:
    """The best `k`, score downwards, ties by lower row; what has no score is left out."""
    import numpy as np

    order = np.lexsort((rows, -scores))[:k]
    order = order[np.isfinite(scores[order])]
    return rows[order], scores[order]


def _lengths(rows: NDArray[Any]) -> NDArray[Any]:
    """The length of each row, summed in the order of its components, whatever rows stand beside it."""
    import numpy as np

    lengths: NDArray[Any] = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    return lengths


@cache
def _simsimd() -> Any:
    """The kernels, without those that add up in float16."""
    import simsimd

    for family in _NARROW_SUMS:
        simsimd.disable_capability(family)
    return simsimd
