"""Labels for pictures that nobody has labelled: clusters of their vectors, good enough to learn a metric from.

Spherical k-means (Dhillon and Modha 2001), begun with the centres of k-means++ (Arthur and Vassilvitskii 2007). The
idea of estimating a metric's statistics for a new collection from clusters of it is that of arXiv 2410.05773.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lookalike.core.arrays import Vectors

PICTURES_PER_CLUSTER = 15
"""Measured on classes held out of Caltech-101, PACS and the clothing set (docs/benchmarks/metric.md)."""
_ROUNDS = 30
_BLOCK = 4096  # rows compared with all centres at once


def pseudo_labels(vectors: Vectors, clusters: int | None = None, *, seed: int = 0) -> NDArray[np.int64]:
    """The cluster of each vector, int64 (n,), numbered from 0.

    `vectors` (n, dim) have unit length; clusters are by cosine. `clusters`: how many at most, one for
    PICTURES_PER_CLUSTER pictures by default. Equal arguments give equal clusters. Raises ValueError for fewer vectors
    than clusters.
    """
    wanted = max(2, len(vectors) // PICTURES_PER_CLUSTER) if clusters is None else clusters
    if not 1 <= wanted <= len(vectors):
        raise ValueError(f"{len(vectors)} pictures do not make {wanted} clusters")
    centres = _first_centres(vectors, wanted, np.random.default_rng(seed))
    labels = _nearest(vectors, centres)
    for _ in range(_ROUNDS):
        sums = np.zeros_like(centres)
        np.add.at(sums, labels, vectors)
        lengths = np.linalg.norm(sums, axis=1, keepdims=True)
        centres = np.where(lengths > 0, sums / np.maximum(lengths, np.finfo(np.float32).tiny), centres)
        before, labels = labels, _nearest(vectors, centres)
        if (labels == before).all():
            break
    return np.unique(labels, return_inverse=True)[1].reshape(-1)


def _first_centres(vectors: Vectors, wanted: int, draw: np.random.Generator) -> Vectors:
    """Vectors far from each other: each next one drawn by how far it lies from those there."""
    chosen = [int(draw.integers(len(vectors)))]
    apart = 1 - vectors @ vectors[chosen[0]]
    while len(chosen) < wanted:
        chances = np.maximum(apart, 0).astype(np.float64)
        if not chances.any():  # all that is left are copies of centres
            break
        chosen.append(int(draw.choice(len(vectors), p=chances / chances.sum())))
        apart = np.minimum(apart, 1 - vectors @ vectors[chosen[-1]])
    return vectors[chosen]


def _nearest(vectors: Vectors, centres: Vectors) -> NDArray[np.int64]:
    blocks = [(vectors[start : start + _BLOCK] @ centres.T).argmax(axis=1) for start in range(0, len(vectors), _BLOCK)]
    return np.concatenate(blocks)
