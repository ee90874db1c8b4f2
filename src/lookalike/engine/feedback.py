"""A query moved by what its user liked and disliked among the answers (Rocchio).

    with_feedback(query, liked, disliked) -> vector

Rocchio, "Relevance feedback in information retrieval" (1971): the query, plus the mean of what was liked, minus the
mean of what was disliked, each with a weight, and of unit length again. The weights are measured
(`tools/bench/variety.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from lookalike.core.arrays import unit_vectors
from lookalike.core.errors import QueryError

if TYPE_CHECKING:
    from lookalike.core.arrays import Vectors

LIKED_WEIGHT = 1.0
DISLIKED_WEIGHT = 0.5


def with_feedback(query: Vectors, liked: Vectors, disliked: Vectors) -> Vectors:
    """The query's unit vector (dim,) moved towards `liked` (m, dim) and away from `disliked` (n, dim); either may be
    empty. All are float32 of unit length. Raises QueryError when nothing is left of it.
    """
    import numpy as np

    moved = np.array(query, np.float64)
    if len(liked):
        moved += LIKED_WEIGHT * np.asarray(liked, np.float64).mean(0)
    if len(disliked):
        moved -= DISLIKED_WEIGHT * np.asarray(disliked, np.float64).mean(0)
    if not np.linalg.norm(moved) > 1e-6:  # also catches NaN
        raise QueryError("what is liked and disliked takes away all of the query")
    return cast("Vectors", unit_vectors(moved)[0])
