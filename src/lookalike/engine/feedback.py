"""A query moved by what its user liked and disliked among the answers (Rocchio).

    with_feedback(query, liked, disliked, weights_for(terms)) -> vector

Rocchio, "Relevance feedback in information retrieval" (1971): the query, plus the mean of what was liked, minus the
mean of what was disliked, each with a weight, and of unit length again. Words and pictures lie in different regions of
an encoder's space: what moves a picture's query well drowns a query in words. So each has its weights; they are
measured by `tools/bench/variety.py` (docs/benchmarks/variety.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from lookalike.core.arrays import unit_vectors
from lookalike.core.errors import QueryError
from lookalike.core.wording import Wording

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lookalike.core.arrays import Vectors
    from lookalike.core.records import Term


@dataclass(frozen=True, slots=True)
class FeedbackWeights:
    """What the means of liked and disliked pictures weigh beside a query of length 1."""

    liked: float
    disliked: float


FOR_WORDS = FeedbackWeights(liked=0.3, disliked=0.05)
FOR_PICTURES = FeedbackWeights(liked=1.0, disliked=0.3)


def weights_for(terms: Iterable[Term]) -> FeedbackWeights:
    """Those for a query with these terms: words anywhere in it are kept from drowning."""
    return FOR_WORDS if any(term.kind == "text" for term in terms) else FOR_PICTURES


def with_feedback(
    query: Vectors, liked: Vectors, disliked: Vectors, weights: FeedbackWeights = FOR_PICTURES
) -> Vectors:
    """The query's unit vector (dim,) moved towards `liked` (m, dim) and away from `disliked` (n, dim).

    All are float32 of unit length; either may be empty, (0, dim). Raises QueryError when nothing is left of the query.
    """
    import numpy as np

    moved = np.array(query, np.float64)
    if len(liked):
        moved += weights.liked * np.asarray(liked, np.float64).mean(0)
    if len(disliked):
        moved -= weights.disliked * np.asarray(disliked, np.float64).mean(0)
    if not np.linalg.norm(moved) > 1e-6:  # also catches NaN
        raise QueryError(Wording("feedback_cancels"))
    return cast("Vectors", unit_vectors(moved)[0])
