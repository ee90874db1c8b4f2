"""Which metric serves classes that it has never seen: tried on classes held out of the training, never on the test's.

A metric is learned on some classes and measured on the others, by map@10 of picture -> picture among the pictures of
those others, each class counted once; each class is held out once. A metric that adapts to the pictures it searches is
given clusters of the held out ones, as it would have them in earnest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lookalike.core.arrays import unit_vectors
from lookalike.evaluation.metrics import judge, per_query
from lookalike.training.metric import NO_LABEL, Metric, learn, measure
from lookalike.training.pseudo_labels import pseudo_labels

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from lookalike.core.arrays import HalfVectors, Vectors
    from lookalike.training.metric import Method, Statistics

FOLDS = 2
"""Halves: the classes held out are then as many and as mixed as can be."""
SHRINKAGES = (0.1, 0.3, 0.6)
PRIORS = (0.0, 0.3, 1.0)
CLUSTERED_BY = Metric("wccn", 0.3, 0.0)
"""Clusters are nearer to classes where pictures of one class lie closer: +0.005 map@10 of GLRT that adapts, against
clusters of the vectors as they are."""
TRIED_PER_CLASS = 25
"""Held out pictures of a class that are asked and ranked: enough to tell settings apart."""
_RANKS = 10
_SCORES_AT_ONCE = 4_000_000


def candidates_of(method: Method, shrinkages: Sequence[float] = SHRINKAGES) -> tuple[Metric, ...]:
    """What is tried of a method: how far the statistics are trusted."""
    if method in {"plain", "centred"}:
        return (Metric(method),)
    priors = PRIORS if method in {"glrt", "glrt-joint"} else (0.0,)
    return tuple(Metric(method, shrinkage, prior) for shrinkage in shrinkages for prior in priors)


def class_folds(labels: NDArray[np.int64], folds: int, seed: int) -> Iterator[NDArray[np.bool_]]:
    """For each fold which pictures are held out, bool (n,): those of its classes. Pictures without a label never are.

    Classes are dealt out at random, by `seed`. Raises ValueError for fewer than two classes a fold.
    """
    names = np.unique(labels[labels != NO_LABEL])
    if len(names) < 2 * folds:
        raise ValueError(f"{len(names)} classes do not make {folds} folds of two")
    order = np.random.default_rng(seed).permutation(names)
    for fold in range(folds):
        yield np.isin(labels, order[fold::folds])


def try_on_new_classes(
    vectors: Vectors | HalfVectors,
    labels: NDArray[np.int64],
    candidates: Sequence[Metric],
    *,
    folds: int = FOLDS,
    seed: int = 0,
) -> dict[Metric, float]:
    """map@10 of each candidate on classes it was not learned from, the mean over all classes.

    `vectors` (n, d), `labels` int64 (n,), -1 for none. Raises ValueError for too few classes.
    """
    found: dict[Metric, list[NDArray[np.float64]]] = {candidate: [] for candidate in candidates}
    adapting = any(candidate.adapted for candidate in candidates)
    for held in class_folds(labels, folds, seed):
        statistics = measure(vectors[~held], labels[~held])
        searched = measure_clusters(vectors[held], statistics, seed=seed) if adapting else None
        asked = few_of_each(np.where(held, labels, NO_LABEL), TRIED_PER_CLASS, seed)
        for candidate, values in found.items():
            projected = learn(statistics, candidate, searched).projection(vectors[asked])
            values.append(class_values(projected, labels[asked]))
    return {candidate: float(np.concatenate(values).mean()) for candidate, values in found.items()}


def measure_clusters(
    vectors: Vectors | HalfVectors, statistics: Statistics | None = None, *, seed: int = 0
) -> Statistics:
    """The statistics of vectors (n, d) that nobody has labelled, their clusters taken for classes.

    `statistics`: what is known from labels of others; clusters are then made as CLUSTERED_BY sees the vectors.
    """
    unit = unit_vectors(vectors)
    seen = unit if statistics is None else learn(statistics, CLUSTERED_BY).projection(unit)
    return measure(unit, pseudo_labels(seen, seed=seed))


def few_of_each(labels: NDArray[np.int64], count: int, seed: int) -> NDArray[np.int64]:
    """Rows of at most `count` pictures of each class, drawn at random, in order; none without a label."""
    order = np.random.default_rng(seed).permutation(len(labels))
    kept = [order[labels[order] == name][:count] for name in np.unique(labels[labels != NO_LABEL])]
    return np.sort(np.concatenate(kept))


def best(figures: Mapping[Metric, float]) -> Metric:
    """The candidate of the highest figure; of equals the one tried first."""
    return max(figures, key=figures.__getitem__)


def class_values(vectors: Vectors, labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """map@10 of picture -> picture, the mean of each class in the order of its number: float64 (classes,).

    Classes of one picture have no value and are left out. `vectors` (n, d) have unit length.
    """
    values = np.empty(len(vectors))
    step = max(1, _SCORES_AT_ONCE // max(len(vectors), 1))
    rows = np.arange(len(vectors))
    for start in range(0, len(vectors), step):
        part = slice(start, start + step)
        judged = judge(vectors[part] @ vectors.T, labels[part, None] == labels, _RANKS, own=rows[part])
        values[part] = per_query(judged, f"map@{_RANKS}")
    means = [values[labels == name].mean() for name in np.unique(labels)]
    kept: NDArray[np.float64] = np.array(means)
    return kept[~np.isnan(kept)]
