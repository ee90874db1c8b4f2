"""Answers that differ from each other: maximal marginal relevance over the vectors of the best hits.

    diverse(vectors, scores, k, weight=RELEVANCE_WEIGHT) -> positions

Carbonell and Goldstein, "The Use of MMR, Diversity-Based Reranking" (SIGIR 1998): one after the other that hit is taken
for which weight * score - (1 - weight) * (similarity to the nearest one taken) is greatest. Scores of words lie within
a tenth where pictures are alike from 0.3 to 1, so both are first stretched over the candidates to 0 .. 1; `weight` then
means the same for words and pictures, and for every encoder.

The caller gives `POOL` times as many candidates as it wants answers; how varied answers are, and what they cost in
precision, is measured by `tools/bench/variety.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from lookalike.core.arrays import Rows, Vectors

RELEVANCE_WEIGHT = 0.7
POOL = 5


def diverse(vectors: Vectors, scores: NDArray[np.float32], k: int, weight: float = RELEVANCE_WEIGHT) -> Rows:
    """Positions int64 (min(k, n),) of the hits to show, in the order to show them.

    `vectors`: unit float32 (n, dim) of the candidates; `scores`: (n,), higher is better; `weight`: of the score, from
    0 (only variety) to 1 (only scores). The first is the best one; of equals the earlier. Raises ValueError.
    """
    import numpy as np

    if not 0 <= weight <= 1:
        raise ValueError(f"weight is {weight}; it goes from 0 to 1")
    if len(vectors) != len(scores):
        raise ValueError(f"{len(vectors)} vectors and {len(scores)} scores")
    count = min(max(k, 0), len(scores))
    chosen = np.zeros(count, np.int64)
    if not count:
        return chosen
    chosen[0] = best = int(np.argmax(scores))
    nearest = vectors @ vectors[best]  # one by one: all pairs of 50,000 candidates would take 10 GB
    least = float(nearest.min())
    worth = weight * _stretched(np.asarray(scores, np.float32), float(np.min(scores)), float(np.max(scores)))
    for place in range(1, count):
        gain = worth - (1 - weight) * _stretched(nearest, least, 1.0)
        gain[chosen[:place]] = -np.inf
        chosen[place] = best = int(gain.argmax())
        nearest = np.maximum(nearest, vectors @ vectors[best])
    return chosen


def _stretched(values: NDArray[np.float32], low: float, high: float) -> NDArray[np.float32]:
    """The values with `low` at 0 and `high` at 1; all 0 where these are one."""
    return (values - low) / (high - low) if high > low else values * 0
