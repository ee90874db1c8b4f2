"""How well texts tell classes of pictures apart, from their cosines alone. numpy only.

A cell is the cosine of one picture and one text; it is *own* where both are of one class, *other* elsewhere. A text
that belongs to no class of pictures is a class of its own: other to every picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lookalike.evaluation.metrics import bootstrap_interval

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Confusion:
    """`count` of the `of` pictures of class `pictures` have their best text in class `taken_for`."""

    pictures: int
    taken_for: int
    count: int
    of: int


@dataclass(frozen=True, slots=True)
class Separability:
    """`means`: float64 (classes, classes), the mean cosine of the pictures of a row's class with the texts of a
    column's, NaN where there are none. `own`, `other`: mean cosine of all such cells.

    `gap`: own less other in standard deviations (the root of the mean of both variances), d' of signal detection.
    `auc`: the chance that an own cell is higher than another one, equal ones counting half. `best`: share of pictures
    whose best text is of their class, ties to the lower column; `interval` its 95 %, by bootstrap over pictures.
    """

    means: NDArray[np.float64]
    own: float
    other: float
    gap: float
    auc: float
    best: float
    interval: tuple[float, float]
    confusions: tuple[Confusion, ...]

    def as_dict(self) -> dict[str, Any]:
        """The figures as JSON-ready values; a class without a text has null means."""
        return {
            "own": self.own,
            "other": self.other,
            "gap": self.gap,
            "auc": self.auc,
            "best": self.best,
            "best_interval": list(self.interval),
            "means": [[None if np.isnan(mean) else float(mean) for mean in row] for row in self.means],
        }


def separability(
    scores: NDArray[Any], picture_classes: NDArray[np.int64], text_classes: NDArray[np.int64], *, seed: int = 0
) -> Separability:
    """Measure `scores`, float (pictures, texts). Classes are numbered from 0; pictures of a class without a text are
    left out of everything but `means`.

    Raises ValueError when there is no own or no other cell: one class alone is not told apart from anything.
    """
    asked = np.isin(picture_classes, text_classes)
    belongs = picture_classes[asked, None] == text_classes
    cells = scores[asked].astype(np.float64)
    own, other = cells[belongs], cells[~belongs]
    if not len(own) or not len(other):
        raise ValueError("nothing to tell apart: there must be texts of two classes, and pictures of one of them")
    spread = np.sqrt((own.var() + other.var()) / 2)
    best = cells.argmax(axis=1)  # the lower column of equals
    right = belongs[np.arange(len(best)), best].astype(np.float64)
    return Separability(
        means=block_means(scores, picture_classes, text_classes),
        own=float(own.mean()),
        other=float(other.mean()),
        gap=float((own.mean() - other.mean()) / spread) if spread else 0.0,
        auc=_auc(own, other),
        best=float(right.mean()),
        interval=bootstrap_interval(right, seed),
        confusions=_confusions(text_classes[best], picture_classes[asked]),
    )


def block_means(
    scores: NDArray[Any], picture_classes: NDArray[np.int64], text_classes: NDArray[np.int64]
) -> NDArray[np.float64]:
    """float64 (classes, classes): the mean cosine of each class of pictures with each class of texts."""
    count = int(max(picture_classes.max(), text_classes.max())) + 1
    rows = (picture_classes[:, None] == np.arange(count)).astype(np.float64)
    columns = (text_classes[:, None] == np.arange(count)).astype(np.float64)
    cells = rows.sum(0)[:, None] * columns.sum(0)
    means: NDArray[np.float64] = np.full((count, count), np.nan)
    np.divide(rows.T @ scores @ columns, cells, out=means, where=cells > 0)
    return means


def _auc(own: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Mann and Whitney's U over the number of pairs."""
    ranked = np.sort(other)
    below = np.searchsorted(ranked, own, "left") + np.searchsorted(ranked, own, "right")
    return float(below.mean() / (2 * len(other)))


def _confusions(taken_for: NDArray[np.int64], picture_classes: NDArray[np.int64]) -> tuple[Confusion, ...]:
    """What pictures are taken for, the largest share of a class first."""
    wrong = taken_for != picture_classes
    pairs, counts = np.unique(np.stack([picture_classes, taken_for])[:, wrong], axis=1, return_counts=True)
    sizes = np.bincount(picture_classes)
    found = [
        Confusion(one, other, count, int(sizes[one]))
        for (one, other), count in zip(pairs.T.tolist(), counts.tolist(), strict=True)
    ]
    return tuple(sorted(found, key=lambda each: (-each.count / each.of, -each.count, each.pictures, each.taken_for)))
