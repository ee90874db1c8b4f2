"""Names for the arrays that pass between rooms, and the one place that makes unit vectors.

numpy is imported inside functions so that `import lookalike` stays light.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Pixels: TypeAlias = NDArray[np.uint8]
    """uint8 (height, width, 3), RGB in sRGB, upright."""
    Vectors: TypeAlias = NDArray[np.float32]
    """float32 (n, dim), C-contiguous, finite, every row of unit length."""
    HalfVectors: TypeAlias = NDArray[np.float16]
    """float16 (n, dim): rows as stored; their length is near 1, not exactly 1."""
    Scores: TypeAlias = NDArray[np.float32]
    """float32 (q, k) cosine in [-1, 1], best first; -inf where there is no answer."""
    Rows: TypeAlias = NDArray[np.int64]
    """int64 row numbers; -1 where there is none."""
    RowMask: TypeAlias = NDArray[np.bool_]
    """bool (count,): True where a row may be answered."""


def unit_vectors(values: Any, dim: int | None = None) -> Vectors:
    """Return `values` as unit-length float32 rows.

    `values`: array-like (n, dim) or (dim,), any float type. A single vector becomes (1, dim).
    Raises ValueError when the width differs from `dim`, or a row is not finite or has no length.
    """
    import numpy as np

    rows = np.atleast_2d(np.ascontiguousarray(values, dtype=np.float32))
    if rows.ndim != 2 or (dim is not None and rows.shape[1] != dim):
        wanted = "(n, dim)" if dim is None else f"(n, {dim})"
        raise ValueError(f"vectors have shape {np.shape(values)}, wanted {wanted}")
    lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows, dtype=np.float64))[:, None]  # squares may leave float32's range
    if not ((lengths > 0) & (lengths < np.inf)).all():
        raise ValueError("a vector is zero or not finite; it has no direction to compare")
    unit: Vectors = (rows / lengths).astype(np.float32)
    return unit
