"""A metric learned from labelled pictures in closed form, folded into a projection so that search stays cosine.

All methods read the same statistics: how pictures of one class vary about their class's mean (`within`), and how the
means vary (`between`). In the axes in which the first is round and the second is the diagonal `ratio`, each method is
a weight for each axis:

    plain       x itself
    centred     x less the mean of all
    whitening   x less the mean, each principal axis of all pictures of equal length: needs no labels
    wccn        1: within-class covariance normalisation (Hatch, Kajarekar, Stolcke 2006)
    lda         1 for the first axes, at most one fewer than classes; 0 for the others (Fisher 1936, Rao 1948)
    kissme      the difference of two pictures, Gaussian if of one class and if of two: the log likelihood ratio
                (Köstinger et al. 2012), pairs counted, so that large classes weigh more
    glrt        the same ratio (Zhang et al. 2024, arXiv 2410.05773), each class counted once, and `prior`:
                sqrt(ratio / (1 + ratio))
    glrt-joint  the ratio for both pictures as they are, not for their difference alone (Ioffe 2006, PLDA):
                sqrt(ratio / (1 + 2 ratio))

What arXiv 2410.05773 proposes was taken from descriptions of it: the full text could not be had. Its network is not
trained here; encoders are frozen. For one Gaussian each, its score is that of KISSME.

Search is cosine in the projected space. The likelihood ratio itself also depends on how long the projected vectors
are: `Learned.exact` scores pairs so. Encoders, folders and what is worth choosing are left to others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import numpy as np

from lookalike.encoders.derived import Projection

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lookalike.core.arrays import HalfVectors, Vectors

    Square: TypeAlias = NDArray[np.float64]

Method = Literal["plain", "centred", "whitening", "wccn", "lda", "kissme", "glrt", "glrt-joint"]
METHODS: tuple[Method, ...] = get_args(Method)
NO_LABEL = -1
_LEAST_RATIO = 1e-9
"""Axes below are dropped from the score: their weight is nothing beside rounding."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A method and how far its statistics are trusted.

    `shrinkage`, 0 to 1: of the covariance that is made round (within, or of all pictures for whitening) towards a
    sphere of the same mean variance; 1 is the metric the encoder came with. `prior`, 0 to 1: of `between` towards the
    shape of the variance of all pictures: classes not seen yet may differ where those of training do not. `dims`:
    components kept, the most telling first; None for all. `adapted`, 0 to 1: of the statistics, what is taken from the
    pictures that will be searched, grouped by clusters instead of labels.
    """

    method: Method = "glrt"
    shrinkage: float = 0.3
    prior: float = 0.1
    dims: int | None = None
    adapted: float = 0.0

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ValueError(f"there is no metric {self.method!r}; there are {', '.join(METHODS)}")
        shares = (self.shrinkage, self.prior, self.adapted)
        if not all(0 <= share <= 1 for share in shares) or (self.dims is not None and self.dims < 1):
            raise ValueError(f"{self} has a share outside 0 to 1, or no components")


@dataclass(frozen=True, slots=True, eq=False)
class Statistics:
    """What is known of labelled vectors of width d; float64.

    `mean` (d,) of all pictures. `total` (d, d): covariance of all, labelled or not. `within` (d, d): mean covariance
    of a class, each class counted once. `between` (d, d): covariance of the classes' means, less what they vary by
    chance. `same` (d, d): covariance of a class, each pair of its pictures counted once.
    `classes`: those with two pictures or more.
    """

    mean: NDArray[np.float64]
    total: Square
    within: Square
    between: Square
    same: Square
    classes: int

    def blended(self, other: Statistics, share: float) -> Statistics:
        """These with `share` (0 to 1) of another collection's covariances; mean, total and classes of the other."""
        return Statistics(
            mean=other.mean,
            total=other.total,
            within=(1 - share) * self.within + share * other.within,
            between=(1 - share) * self.between + share * other.between,
            same=(1 - share) * self.same + share * other.same,
            classes=other.classes,
        )


@dataclass(frozen=True, slots=True, eq=False)
class PairScore:
    """sum over axes of cross u v - own (u^2 + v^2), with u and v two vectors less `mean` along `axes`.

    `mean` (d,), `axes` (d, k), `cross` and `own` (k,), float32. Every score of this module has this form.

    Search does without it: it is what the cosine in the projected space is measured against (docs/benchmarks/metric.md,
    `tools/bench/metric.py`), and what tests hold each method's formula to.
    """

    mean: NDArray[np.float32]
    axes: NDArray[np.float32]
    cross: NDArray[np.float32]
    own: NDArray[np.float32]

    def __call__(self, queries: Vectors | HalfVectors, items: Vectors | HalfVectors) -> NDArray[np.float32]:
        """float32 (q, n): the larger, the more likely that both show the same class. Inputs (q, d) and (n, d)."""
        asked, there = self._along(queries), self._along(items)
        alone = ((asked**2) @ self.own)[:, None] + (there**2) @ self.own
        return np.asarray((asked * self.cross) @ there.T - alone, np.float32)

    def _along(self, vectors: Vectors | HalfVectors) -> NDArray[np.float32]:
        return np.asarray((np.asarray(vectors, np.float32) - self.mean) @ self.axes, np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """`projection`: what cosine search needs. `exact`: the score that cosine stands for, None where cosine is it.

    `ratio` float64 (k,): variance between classes over variance within, for each component; empty without labels.
    """

    metric: Metric
    projection: Projection
    exact: PairScore | None
    ratio: NDArray[np.float64]


def measure(vectors: Vectors | HalfVectors, labels: NDArray[np.int64]) -> Statistics:
    """The statistics of `vectors` (n, d) with `labels` int64 (n,), -1 for none.

    Unlabelled pictures, and those alone in their class, count for mean and total only. Raises ValueError with fewer
    than two classes of two pictures.
    """
    rows = np.asarray(vectors, np.float64)
    names, place, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    usable = (names != NO_LABEL) & (sizes > 1)
    if usable.sum() < 2:
        raise ValueError("a metric needs at least two classes with two pictures each")
    taken = usable[place]
    part = rows[taken]
    number = (np.cumsum(usable) - 1)[place[taken]]
    sizes = sizes[usable]
    means = np.zeros((len(sizes), rows.shape[1]))
    np.add.at(means, number, part)
    means /= sizes[:, None]
    apart = part - means[number]
    within = _covariance(apart, 1 / ((sizes - 1) * len(sizes))[number])
    spread = _covariance(means - means.mean(axis=0), np.full(len(sizes), 1 / (len(sizes) - 1)))
    pairs = sizes / (sizes * (sizes - 1)).sum()
    return Statistics(
        mean=rows.mean(axis=0),
        total=_covariance(rows - rows.mean(axis=0), np.full(len(rows), 1 / (len(rows) - 1))),
        within=within,
        between=_without_negative(spread - within * (1 / sizes).mean()),
        same=_covariance(apart, pairs[number]),
        classes=len(sizes),
    )


def learn(statistics: Statistics, metric: Metric, searched: Statistics | None = None) -> Learned:
    """The projection of `metric` for vectors of these statistics.

    `searched`: those of the pictures that will be searched, by their clusters; `metric.adapted` says how much they
    count (arXiv 2410.05773 calls it fast parameter adaptation). Raises ValueError where they are wanted and missing.
    """
    if metric.adapted:
        if searched is None:
            raise ValueError(f"{metric} adapts to pictures that will be searched, and none are given")
        statistics = statistics.blended(searched, metric.adapted)
    if metric.method == "plain":
        return Learned(metric, Projection(np.eye(len(statistics.mean), dtype=np.float32)), None, np.empty(0))
    if metric.method == "centred":
        return _folded(statistics, metric, np.eye(len(statistics.mean)), np.ones(len(statistics.mean)), np.empty(0))
    if metric.method == "whitening":
        axes, _ = _axes(_round(statistics.total, metric.shrinkage), statistics.total)
        return _folded(statistics, metric, axes, np.ones(axes.shape[1]), np.empty(0))
    same, between = statistics.within, statistics.between
    if metric.method == "kissme":
        same, between = statistics.same, _without_negative(statistics.total - statistics.same)
    shape = statistics.total * (np.trace(between) / np.trace(statistics.total))
    axes, ratio = _axes(_round(same, metric.shrinkage), (1 - metric.prior) * between + metric.prior * shape)
    if metric.method == "lda":
        axes, ratio = axes[:, : statistics.classes - 1], ratio[: statistics.classes - 1]
    return _folded(statistics, metric, axes, _weights(metric.method, ratio), ratio)


def _weights(method: Method, ratio: NDArray[np.float64]) -> NDArray[np.float64]:
    """Squared weight of each axis: what a product of two components counts."""
    if method in {"wccn", "lda"}:
        return np.ones(len(ratio))
    return ratio / (1 + 2 * ratio) if method == "glrt-joint" else ratio / (1 + ratio)


def _folded(
    statistics: Statistics,
    metric: Metric,
    axes: Square,
    weights: NDArray[np.float64],
    ratio: NDArray[np.float64],
) -> Learned:
    """Axes (d, k) and squared weights (k,) as a projection, without axes of no weight, and with the exact score."""
    kept = np.flatnonzero(weights > _LEAST_RATIO * weights.max())[: metric.dims]
    axes, weights, ratio = axes[:, kept], weights[kept], ratio[kept] if len(ratio) else ratio
    matrix = axes * np.sqrt(weights)
    matrix /= np.sqrt((matrix**2).sum(axis=0).mean())  # about as long as before: no vector comes near zero by scale
    projection = Projection(matrix.astype(np.float32), (-statistics.mean @ matrix).astype(np.float32))
    own = _own(metric.method, weights, ratio)
    if own is None:
        return Learned(metric, projection, None, ratio)
    cross = weights if metric.method == "glrt-joint" else weights / 2
    exact = PairScore(*(each.astype(np.float32) for each in (statistics.mean, axes, cross, own)))
    return Learned(metric, projection, exact, ratio)


def _own(method: Method, weights: NDArray[np.float64], ratio: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """What the square of a component counts in the log likelihood ratio; None where there is no such ratio.

    Differences u - v have variance 2 in one class and 2 (1 + ratio) in two: -(u - v)^2 ratio / (1 + ratio) / 4. Both as
    they are: covariances (1 + r, r; r, 1 + r) and (1 + r, 0; 0, 1 + r), whose inverses differ by r / (1 + 2 r) off the
    diagonal and by r^2 / ((1 + r)(1 + 2 r)) on it, of which each square counts a half.
    """
    if method == "glrt-joint":
        return weights * ratio / (1 + ratio) / 2
    return weights / 4 if method in {"glrt", "kissme"} else None


def _axes(within: Square, between: Square) -> tuple[Square, NDArray[np.float64]]:
    """Axes (d, d) in which `within` is the identity and `between` diagonal; its diagonal, the largest first."""
    variance, axes = np.linalg.eigh(within)
    if variance[0] <= variance[-1] * np.finfo(np.float64).eps * len(variance):
        raise ValueError("there are directions in which no class varies: fewer pictures than dimensions need shrinkage")
    root = axes / np.sqrt(variance)
    ratio, turned = np.linalg.eigh(root.T @ between @ root)
    return root @ turned[:, ::-1], np.maximum(ratio[::-1], 0.0)


def _round(covariance: Square, shrinkage: float) -> Square:
    mean_variance = float(np.trace(covariance)) / len(covariance)
    return (1 - shrinkage) * covariance + shrinkage * mean_variance * np.eye(len(covariance))


def _covariance(apart: NDArray[np.float64], weights: NDArray[np.float64]) -> Square:
    return np.asarray((apart * weights[:, None]).T @ apart, np.float64)


def _without_negative(covariance: Square) -> Square:
    """The nearest matrix that is a covariance."""
    variance, axes = np.linalg.eigh(covariance)
    return np.asarray((axes * np.maximum(variance, 0.0)) @ axes.T, np.float64)
