"""How well vectors of a material answer on one part of its split: the figures before and after tuning.

    words -> picture     each text about the part's pictures is asked once; the pictures it is about are right. A text
                         that also stands in TRAIN was learned from and is not asked, unless next to none is left.
    picture -> picture   each picture is asked; the others of its label are right. Of copies only the first takes part.

Only pictures of the part are ranked, exactly, by cosine (`evaluation.measured`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lookalike.evaluation.measured import Measured, evaluate_vectors
from lookalike.training.splits import TRAIN

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lookalike.core.arrays import Vectors
    from lookalike.training.material import Material

LEAST_NEW = 20
"""Questions that stand in TRAIN are asked too where fewer than these are new: "red shirt" is in every part."""
METRICS = ("hit@1", "hit@10", "precision@5", "recall@5", "map@10")
WORDS, PICTURES = "words -> picture", "picture -> picture"


@dataclass(frozen=True, slots=True)
class Questions:
    """Texts to ask of a part. `texts`: rows of `Material.texts`; `pictures`: rows of the part's pictures.

    `right`: bool (texts, pictures). `new`: whether none of the texts was learned from.
    """

    texts: NDArray[np.int64]
    pictures: NDArray[np.int64]
    right: NDArray[np.bool_]
    new: bool


def spoken(saying: str) -> str:
    """What makes two texts the same question: case and white space do not."""
    return " ".join(saying.casefold().split())


def questions_of(material: Material, part: int) -> Questions:
    """Each text about pictures of VALIDATION or TEST once, those left out that stand in TRAIN (see LEAST_NEW)."""
    learned = {spoken(material.sayings[row]) for row in material.pairs(TRAIN)}
    asked: dict[str, list[int]] = {}
    for row in material.pairs(part).tolist():
        asked.setdefault(spoken(material.sayings[row]), []).append(row)
    fresh = {question: rows for question, rows in asked.items() if question not in learned}
    new = len(fresh) >= min(LEAST_NEW, len(asked))
    pictures = material.pictures(part)
    column = {int(picture): at for at, picture in enumerate(pictures)}
    chosen = list((fresh if new else asked).values())
    right = np.zeros((len(chosen), len(pictures)), dtype=np.bool_)
    for at, rows in enumerate(chosen):
        right[at, [column[int(material.text_of[row])] for row in rows]] = True
    return Questions(np.array([rows[0] for rows in chosen], dtype=np.int64), pictures, right, new)


def by_words(questions: Questions, images: Vectors, texts: Vectors) -> Measured:
    """Texts against pictures; `images` (n, dim) and `texts` (m, dim) are of all the material."""
    return evaluate_vectors(
        texts[questions.texts], images[questions.pictures], lambda rows: questions.right[rows], METRICS
    )


def by_pictures(material: Material, part: int, images: Vectors) -> Measured:
    """Labelled pictures of a part against each other; `images` (n, dim) are of all the material."""
    rows = material.pictures(part)
    labels = np.full(len(material.uris), -1) if material.labels is None else material.labels
    rows = rows[labels[rows] >= 0]
    rows = rows[np.unique(material.groups[rows], return_index=True)[1]]
    return evaluate_vectors(
        images[rows],
        images[rows],
        lambda asked: labels[rows[asked], None] == labels[rows],
        METRICS,
        own=np.arange(len(rows)),
    )
