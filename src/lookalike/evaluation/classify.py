"""What pictures show, told by pictures that a person has labelled and by the labels' names.

    neighbours   the `NEIGHBOURS` most similar labelled pictures vote, near ones more: weights exp(cosine / 0.07), as in
                 Wu et al., "Unsupervised Feature Learning via Non-Parametric Instance Discrimination" (CVPR 2018)
    words        the cosine with each label's name, as chances by a softmax whose sharpness fits the labelled pictures
    both         the mean of these chances: about as good as the better one, and better where both know something

Chances are honest: how sure the method should be is fitted on answers for pictures that were held out, so that of those
it gives 80 % about 80 % are right.

Promises: every answer counted by `cross_validate` is given without the picture itself and its copies, as `folds` say.
Equal arguments give equal answers. numpy only; a picture with several labels is right with any of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from lookalike.evaluation.metrics import bootstrap_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from lookalike.core.arrays import Vectors

Method: TypeAlias = Literal["neighbours", "words", "both"]
METHODS: tuple[Method, ...] = ("neighbours", "words", "both")
NEIGHBOURS = 10
"""Of 1 to 50 the best or near it with 2 to 40 labelled pictures a class (docs/benchmarks/classify.md)."""
_NEARNESS = 0.07
_ROWS_AT_ONCE = 512
"""Pictures whose neighbours are looked for together: 40 MB of cosines with 20,000 labelled ones."""
_SHARPNESS = tuple(float(each) for each in np.geomspace(5, 320, 13))
"""Candidates for what cosines with names are multiplied by; CLIP learns 100, the built-in fits about 30."""
_TRUST = tuple(float(each) for each in np.geomspace(0.25, 8, 26))
"""Candidates for the power that chances are raised to."""
_LEAST_CHANCE = 1e-3
"""What a wrong answer costs at most: no chance below this is counted."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """`vectors` (n, dim) of labelled pictures, and which of `labels` each has: `belongs` bool (n, labels).

    `names`: vectors (labels, dim) of the labels as words; None where the encoder knows none.
    """

    vectors: Vectors
    labels: tuple[str, ...]
    belongs: NDArray[np.bool_]
    names: Vectors | None

    def part(self, rows: NDArray[Any]) -> Labelled:
        """Some of the pictures, by mask or position; all the labels."""
        return Labelled(self.vectors[rows], self.labels, self.belongs[rows], self.names)


@dataclass(frozen=True, slots=True)
class Validated:
    """How a method answered for labelled pictures that were held out.

    `answers`: int64 (n,), position of the label; `chances`: float64 (n,), how sure; `right`: bool (n,). `confusion`:
    int64 (labels, labels), pictures by their label (the right one of several, else the first) and the answer. `trust`:
    the power that makes chances honest.
    """

    method: Method
    answers: NDArray[np.int64]
    chances: NDArray[np.float64]
    right: NDArray[np.bool_]
    confusion: NDArray[np.int64]
    trust: float

    @property
    def accuracy(self) -> float:
        """Share of pictures that got a right label."""
        return float(self.right.mean())

    def interval(self, seed: int = 0) -> tuple[float, float]:
        """95 % of it, by bootstrap over pictures."""
        return bootstrap_interval(self.right.astype(np.float64), seed)

    def answered(self, least: float) -> tuple[float, float | None]:
        """Share of pictures with a chance of at least `least`, and the share of right ones among them."""
        sure = self.chances >= least
        return float(sure.mean()), float(self.right[sure].mean()) if sure.any() else None


def cross_validate(labelled: Labelled, folds: NDArray[Any], method: Method) -> Validated:
    """Answer for the pictures of each fold by those of the others. `folds` (n,): which fold each picture is in.

    Raises ValueError for one fold alone, and for words where there are none.
    """
    numbers = np.unique(folds)
    if len(numbers) < 2:
        raise ValueError("at least two folds are needed to hold one out")
    raw = np.zeros(labelled.belongs.shape)
    for number in numbers:
        held = folds == number
        raw[held] = _chances(labelled.part(~held), labelled.vectors[held], method)
    trust = _best_power(raw, labelled.belongs)
    chances = _powered(raw, trust)
    answers = chances.argmax(axis=1)
    places = np.arange(len(answers))
    right = labelled.belongs[places, answers]
    truth = np.where(right, answers, labelled.belongs.argmax(axis=1))
    confusion = np.zeros((len(labelled.labels),) * 2, dtype=np.int64)
    np.add.at(confusion, (truth, answers), 1)
    return Validated(method, answers, chances[places, answers], right, confusion, trust)


def classify(
    labelled: Labelled, vectors: Vectors, method: Method, trust: float = 1.0
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The position of the likeliest label of each of `vectors` (m, dim), and its chance. `trust`: of `Validated`."""
    chances = _powered(_chances(labelled, vectors, method), trust)
    answers = chances.argmax(axis=1)
    return answers, chances[np.arange(len(answers)), answers]


def _chances(labelled: Labelled, vectors: Vectors, method: Method) -> NDArray[np.float64]:
    """float64 (m, labels), each row making 1, before they are made honest."""
    parts = []
    if method != "words":
        parts.append(_votes(labelled, vectors))
    if method != "neighbours":
        if labelled.names is None:
            raise ValueError("the encoder knows no words, so labels cannot be asked by their names")
        sharpness = _best_sharpness(labelled.vectors @ labelled.names.T, labelled.belongs)
        parts.append(_softmax(sharpness * (vectors @ labelled.names.T)))
    return np.asarray(sum(parts) / len(parts))


def _votes(labelled: Labelled, vectors: Vectors) -> NDArray[np.float64]:
    shares = labelled.belongs / np.maximum(labelled.belongs.sum(axis=1, keepdims=True), 1)
    count = min(NEIGHBOURS, len(shares))
    votes = np.zeros((len(vectors), len(labelled.labels)))
    for start in range(0, len(vectors), _ROWS_AT_ONCE):
        cosines = vectors[start : start + _ROWS_AT_ONCE] @ labelled.vectors.T
        nearest = np.argpartition(-cosines, count - 1, axis=1)[:, :count]
        near = np.take_along_axis(cosines, nearest, axis=1).astype(np.float64)
        weights = _softmax(near / _NEARNESS)
        votes[start : start + _ROWS_AT_ONCE] = np.einsum("qk,qkc->qc", weights, shares[nearest])
    return votes


def _best_sharpness(cosines: NDArray[Any], belongs: NDArray[np.bool_]) -> float:
    return max(_SHARPNESS, key=lambda each: _likelihood(_softmax(each * cosines), belongs))


def _best_power(chances: NDArray[np.float64], belongs: NDArray[np.bool_]) -> float:
    return max(_TRUST, key=lambda each: _likelihood(_powered(chances, each), belongs))


def _likelihood(chances: NDArray[np.float64], belongs: NDArray[np.bool_]) -> float:
    """The mean logarithm of the chance that right labels had together."""
    right = (chances * belongs).sum(axis=1)
    return float(np.log(np.maximum(right, _LEAST_CHANCE)).mean())


def _softmax(scores: NDArray[Any]) -> NDArray[np.float64]:
    weights = np.exp((scores - scores.max(axis=1, keepdims=True)).astype(np.float64))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _powered(chances: NDArray[np.float64], power: float) -> NDArray[np.float64]:
    raised = (chances + _LEAST_CHANCE / chances.shape[1]) ** power
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def confusions(labels: Sequence[str], confusion: NDArray[np.int64]) -> list[tuple[str, str, int, int]]:
    """(label, answer, pictures, pictures of that label) of every wrong pair, the most frequent first."""
    found = [
        (labels[row], labels[column], int(confusion[row, column]), int(confusion[row].sum()))
        for row, column in np.argwhere(confusion > 0).tolist()
        if row != column
    ]
    return sorted(found, key=lambda each: (-each[2], each[0], each[1]))
