"""How well vectors of a material answer on one part of its split: the figures before and after tuning.

    words -> picture     each text about the part's pictures is asked once; the pictures it is about are right. A text
                         that also stands in TRAIN was learned from and is not asked.
    picture -> picture   each picture is asked; the others of its label are right, copies of it are no answers at all

Only pictures of the part are ranked, by cosine. Metrics are those of `evaluation.metrics`; COSINE is the mean cosine of
a question with its right answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lookalike.evaluation.metrics import depth_of, judge, per_query
from lookalike.training.splits import TRAIN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from lookalike.core.arrays import Vectors
    from lookalike.training.material import Material

METRICS = ("hit@1", "precision@5", "recall@5", "map@10")
COSINE = "cosine of right pairs"
WORDS, PICTURES = "words -> picture", "picture -> picture"


@dataclass(frozen=True, slots=True)
class Answered:
    """Values of each question, float64 (questions,), by metric, and the mean that a perfect order would reach."""

    values: Mapping[str, NDArray[np.float64]]
    ceilings: Mapping[str, float]

    @property
    def questions(self) -> int:
        return len(self.values[COSINE])


@dataclass(frozen=True, slots=True)
class Questions:
    """Texts to ask of a part. `texts`: rows of `Material.texts`; `pictures`: rows of the part's pictures.

    `right`: bool (texts, pictures).
    """

    texts: NDArray[np.int64]
    pictures: NDArray[np.int64]
    right: NDArray[np.bool_]


def spoken(saying: str) -> str:
    """What makes two texts the same question: case and white space do not."""
    return " ".join(saying.casefold().split())


def questions_of(material: Material, part: int) -> Questions:
    """Each text about pictures of `part` once, those that stand in TRAIN left out unless `part` is TRAIN."""
    learned = {spoken(material.sayings[row]) for row in material.pairs(TRAIN)} if part != TRAIN else set()
    pictures = material.pictures(part)
    column = {int(picture): at for at, picture in enumerate(pictures)}
    asked: dict[str, list[int]] = {}
    for row in material.pairs(part).tolist():
        if (question := spoken(material.sayings[row])) not in learned:
            asked.setdefault(question, []).append(row)
    right = np.zeros((len(asked), len(pictures)), dtype=np.bool_)
    for at, rows in enumerate(asked.values()):
        right[at, [column[int(material.text_of[row])] for row in rows]] = True
    return Questions(np.array([rows[0] for rows in asked.values()], dtype=np.int64), pictures, right)


def answer(
    asked: Vectors,
    items: Vectors,
    right: NDArray[np.bool_],
    *,
    barred: NDArray[np.bool_] | None = None,
    metrics: tuple[str, ...] = METRICS,
) -> Answered:
    """Rank `items` (n, dim) for each of `asked` (q, dim); questions without a right answer are left out.

    `right`, `barred`: bool (q, n); what is barred is no answer and not right.
    """
    wanted = right if barred is None else right & ~barred
    scores = asked @ items.T
    cosines = (scores * wanted).sum(1, dtype=np.float64) / np.maximum(wanted.sum(1), 1)
    if barred is not None:
        scores[barred] = -np.inf
    depth, answerable = depth_of(metrics), wanted.any(1)
    judged, perfect = judge(scores, wanted, depth), judge(wanted.astype(np.float32), wanted, depth)
    values = {metric: per_query(judged, metric)[answerable] for metric in metrics}
    best = {metric: per_query(perfect, metric)[answerable] for metric in metrics}
    ceilings = {name: float(each.mean()) for name, each in best.items() if len(each)}
    return Answered({**values, COSINE: cosines[answerable]}, ceilings)


def by_words(questions: Questions, images: Vectors, texts: Vectors) -> Answered:
    """Texts against pictures; `images` (n, dim) and `texts` (m, dim) are of all the material."""
    return answer(texts[questions.texts], images[questions.pictures], questions.right)


def by_pictures(material: Material, part: int, images: Vectors) -> Answered | None:
    """Labelled pictures of a part against each other; None where there is no label or nothing to answer."""
    if material.labels is None:
        return None
    rows = material.pictures(part)
    rows = rows[material.labels[rows] >= 0]
    labels, groups = material.labels[rows], material.groups[rows]
    answered = answer(images[rows], images[rows], labels[:, None] == labels, barred=groups[:, None] == groups)
    return answered if answered.questions else None
