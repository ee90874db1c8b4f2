"""Judgements as questions to a set of embedded pictures: what is asked, and which pictures are right.

labels      class name -> picture   each class is a query; its pictures are right
            picture -> picture      each picture is a query; the others that share a label with it are right
captions    caption -> picture      each caption is a query; its own picture is right, and no other
qrels       words -> picture        each query is one; right is what was judged so, as much as its grade says
            picture -> picture      the same, asked with a picture
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from lookalike.evaluation.embedding import Embedded
    from lookalike.evaluation.judgements import JudgedPicture, Judgements

    Right: TypeAlias = Callable[[slice], NDArray[np.bool_] | NDArray[np.float64]]

Way: TypeAlias = Literal["text_to_image", "image_to_image"]
WAYS: tuple[Way, ...] = ("text_to_image", "image_to_image")
WAY_NAMES: Mapping[tuple[str, str], str] = {
    ("text_to_image", "labels"): "class name -> picture",
    ("text_to_image", "captions"): "caption -> picture",
    ("text_to_image", "qrels"): "words -> picture",
    ("image_to_image", "labels"): "picture -> picture",
    ("image_to_image", "qrels"): "picture -> picture",
}
"""How a way of asking is called, by the kind of judgements."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Questions of one way. They are asked with `words`, or with the pictures at `pictures`, int64 (queries,).

    `names`: the words are names of classes. `items`: how many of the embedded pictures, the first ones, may be
    answers. `right`: which of them are right for a slice of the questions, bool or gains (rows, items). `own`: int64
    (queries,), the answer that is the question itself, -1 for none. `judged`: for each question the answers that
    somebody judged; None where all are.
    """

    words: tuple[str, ...]
    pictures: NDArray[np.int64] | None
    items: int
    right: Right
    names: bool = False
    own: NDArray[np.int64] | None = None
    judged: tuple[frozenset[int], ...] | None = None


def questions_of(judgements: Judgements, embedded: Embedded) -> dict[Way, Asked]:
    """The ways of asking that the judgements allow; one without any question is left out."""
    if judgements.kind == "captions":
        return {"text_to_image": _captions(embedded.pictures)}
    if judgements.kind == "labels":
        return _labels(embedded.pictures)
    return _judged(judgements, embedded)


def _captions(pictures: Sequence[JudgedPicture]) -> Asked:
    captions = tuple(saying for picture in pictures for saying in picture.sayings)
    of_picture = np.repeat(np.arange(len(pictures)), [len(picture.sayings) for picture in pictures])
    everyone = np.arange(len(pictures))
    return Asked(captions, None, len(pictures), lambda rows: of_picture[rows, None] == everyone)


def _labels(pictures: Sequence[JudgedPicture]) -> dict[Way, Asked]:
    classes = sorted({label for picture in pictures for label in picture.sayings})
    column = {label: number for number, label in enumerate(classes)}
    belongs = np.zeros((len(pictures), len(classes)), dtype=np.bool_)
    for row, picture in enumerate(pictures):
        belongs[row, [column[label] for label in picture.sayings]] = True
    shared, everyone = belongs.astype(np.float32), np.arange(len(pictures))
    return {
        "text_to_image": Asked(tuple(classes), None, len(pictures), lambda rows: belongs.T[rows], names=True),
        "image_to_image": Asked((), everyone, len(pictures), lambda rows: shared[rows] @ shared.T > 0, own=everyone),
    }


def _judged(judgements: Judgements, embedded: Embedded) -> dict[Way, Asked]:
    pool = len(judgements.pictures) if judgements.pool is None else judgements.pool
    items = int((embedded.rows < pool).sum())
    place = np.full(len(judgements.pictures), -1)
    place[embedded.rows] = np.arange(len(embedded.rows))
    words: list[tuple[str, dict[int, float]]] = []
    pictures: list[tuple[int, dict[int, float]]] = []
    for question in judgements.questions:
        grades = {int(place[item]): grade for item, grade in question.grades.items() if place[item] >= 0}
        if question.picture is None:
            words.append((question.words, grades))
        elif place[question.picture] >= 0:
            pictures.append((int(place[question.picture]), grades))
    asked: dict[Way, Asked] = {}
    if words:
        graded = [grades for _, grades in words]
        asked["text_to_image"] = Asked(
            tuple(each for each, _ in words), None, items, _gains(graded, items), judged=_keys(graded)
        )
    if pictures:
        graded = [grades for _, grades in pictures]
        at = np.array([each for each, _ in pictures], dtype=np.int64)
        asked["image_to_image"] = Asked(
            (), at, items, _gains(graded, items), own=np.where(at < items, at, -1), judged=_keys(graded)
        )
    return asked


def _gains(graded: Sequence[Mapping[int, float]], items: int) -> Right:
    def gains(rows: slice) -> NDArray[np.float64]:
        some = graded[rows]
        worth = np.zeros((len(some), items))
        for row, grades in enumerate(some):
            worth[row, list(grades)] = list(grades.values())
        return worth

    return gains


def _keys(graded: Sequence[Mapping[int, float]]) -> tuple[frozenset[int], ...]:
    return tuple(frozenset(grades) for grades in graded)
