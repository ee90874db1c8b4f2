"""How much each encoder of an ensemble shall count: weights learned on what people said about the pictures.

The cosine of an ensemble is the weighted mean of its parts' cosines (`encoders.ensemble`). The weights are those with
the best `map@10` on the VALIDATION part: on a grid over all mixtures first, then around the best one with half the
step, again and again. TRAIN is not used, because a part may have been trained on it and would look better there than
it is; so few numbers need no more. TEST is asked once: the weights learned, each part alone, equal weights, and the
parts' ranks joined (reciprocal rank fusion: Cormack, Clarke and Büttcher, 2009).

Words go to the parts that know words. Where pictures are labelled the weights are those for pictures, unless the
settings say otherwise.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import combinations_with_replacement, pairwise, permutations
from typing import TYPE_CHECKING, Any

import numpy as np

from lookalike.core.arrays import unit_vectors
from lookalike.core.errors import SourceError
from lookalike.encoders.ensemble import write_ensemble
from lookalike.evaluation.comparison import compare
from lookalike.evaluation.metrics import bootstrap_interval, judge, per_query
from lookalike.evaluation.report import Section, Table
from lookalike.training import measuring
from lookalike.training.measuring import PICTURES, WORDS, questions_of
from lookalike.training.splits import TEST, VALIDATION
from lookalike.training.tuned import Comparison, Tuned, judged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from lookalike.core.arrays import Scores, Vectors
    from lookalike.core.protocols import Encoder
    from lookalike.training.material import Material

METRIC = "map@10"
VIEWS = 1
"""Looks at each picture: weights need no more than the whole one."""
RANK_CONSTANT = 60  # of reciprocal rank fusion, as its authors chose it
_DEPTH = 10
_COARSE = 10  # steps from 0 to 1 of the first grid: 66 mixtures of three encoders, 286 of four
_HALVINGS = 3  # of the step afterwards: to 1/80
_LEAST_GAIN = 1e-9


@dataclass(frozen=True, slots=True)
class Settings:
    """`by`: the questions that weights are chosen for; "auto": pictures where there are labels, else words.

    `questions`: at most so many are asked of VALIDATION, drawn by `seed`. Raises ValueError for another `by`.
    """

    by: str = "auto"
    questions: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        if self.by not in ("auto", "pictures", "words"):
            raise ValueError(f"by={self.by}: weights are chosen by pictures or words, or auto")


@dataclass(frozen=True, slots=True)
class Asked:
    """Questions of one kind and what each part answers.

    `cosines`: for each part float32 (questions, pictures), -inf for the question itself; None for a part that does not
    know this kind. `right`: bool (questions, pictures).
    """

    cosines: tuple[Scores | None, ...]
    right: NDArray[np.bool_]

    def values(self, scores: NDArray[Any]) -> NDArray[np.float64]:
        """METRIC of each question when pictures are ranked by `scores`, float64 (questions,)."""
        return per_query(judge(scores, self.right, _DEPTH), METRIC)

    def by_scores(self, weights: Sequence[float]) -> NDArray[np.float64]:
        """METRIC of each question by the ensemble's cosines."""
        scores = np.zeros(self.right.shape, np.float32)
        for cosines, weight in self._heard(weights):
            scores += np.float32(weight) * cosines
        return self.values(scores)

    def by_ranks(self, weights: Sequence[float]) -> NDArray[np.float64]:
        """METRIC of each question by the sum over parts of weight / (RANK_CONSTANT + rank)."""
        scores = np.zeros(self.right.shape)
        for cosines, weight in self._heard(weights):
            order = np.argsort(-cosines, axis=1, kind="stable")
            ranks = np.empty(order.shape)
            np.put_along_axis(ranks, order, np.arange(1.0, 1 + order.shape[1]), axis=1)
            scores += np.where(np.isneginf(cosines), -np.inf, weight / (RANK_CONSTANT + ranks))
        return self.values(scores)

    def _heard(self, weights: Sequence[float]) -> list[tuple[Scores, float]]:
        pairs = zip(self.cosines, weights, strict=True)
        return [(cosines, weight) for cosines, weight in pairs if cosines is not None and weight > 0]


def tune(materials: tuple[Material, ...], settings: Settings, told: Callable[[str], None]) -> Tuned:
    """The recipe: see the head of the module. Compared with the part that is the best alone on VALIDATION.

    Raises SourceError where there are fewer than two encoders, or nothing to choose weights by.
    """
    if len(materials) < 2:
        raise SourceError("an ensemble is made of at least two encoders", hint="name more of them: --with NAME")
    what, chosen_by = _questions(materials, settings)
    weights, reached = learn_weights(chosen_by)
    singles = [_alone(at, len(materials)) for at in range(len(materials))]
    alone = [
        float(chosen_by.by_scores(each).mean()) if cosines is not None else 0.0
        for each, cosines in zip(singles, chosen_by.cosines, strict=True)
    ]
    best = int(np.argmax(alone))
    told(f"weights {_said(materials, weights)}: {METRIC} {reached:.3f} on validation, the best part {alone[best]:.3f}")
    compared = _compared(materials, singles[best], weights, settings.seed)
    gain = compare(chosen_by.by_scores(singles[best]), chosen_by.by_scores(weights), settings.seed)
    better, said = judged(METRIC, what, gain, compared)
    about = {
        "recipe": "ensemble",
        "parts": [material.base_id for material in materials],
        "weights": list(weights),
        "validation": {"metric": METRIC, "questions": len(chosen_by.right), "ensemble": reached, "alone": alone},
        "settings": asdict(settings),
        "material": materials[0].about(),
    }

    def write(folder: Path, encoders: tuple[Encoder, ...]) -> None:
        write_ensemble(folder, [(each.id, weight) for each, weight in zip(encoders, weights, strict=True)], about)

    sure = "" if better else "not surely "
    verdict = f"the ensemble is {sure}better than {materials[best].base_id}, the best part alone: {said}"
    return Tuned(
        "ensemble", write, compared, better, verdict, (_section(materials, weights, settings.seed),), about=about
    )


def picture_questions(materials: Sequence[Material], part: int, most: int | None = None, seed: int = 0) -> Asked | None:
    """Labelled pictures of a part against each other, as `measuring.by_pictures` asks. None without any.

    `most`: so many of them are asked, drawn by `seed`; all are answers.
    """
    labels = materials[0].labels
    if labels is None:
        return None
    rows = materials[0].pictures(part)
    rows = rows[labels[rows] >= 0]
    rows = rows[np.unique(materials[0].groups[rows], return_index=True)[1]]
    right = labels[rows, None] == labels[rows]
    np.fill_diagonal(right, val=False)
    asked = _drawn(np.flatnonzero(right.any(1)), most, seed)
    if not len(asked):
        return None
    cosines = []
    for material in materials:
        vectors = material.whole(rows)
        scores = vectors[asked] @ vectors.T
        scores[np.arange(len(asked)), asked] = -np.inf
        cosines.append(scores)
    return Asked(tuple(cosines), right[asked])


def word_questions(materials: Sequence[Material], part: int, most: int | None = None, seed: int = 0) -> Asked | None:
    """Texts about a part's pictures against these. None where no part knows words, or there is no text."""
    speaking = [material for material in materials if len(material.texts)]
    if not speaking:
        return None
    questions = questions_of(speaking[0], part)
    asked = _drawn(np.arange(len(questions.texts)), most, seed)
    if not len(asked):
        return None
    cosines = [
        each.texts[questions.texts[asked]] @ each.whole(questions.pictures).T if len(each.texts) else None
        for each in materials
    ]
    return Asked(tuple(cosines), questions.right[asked])


_KINDS = {"pictures": (PICTURES, picture_questions), "words": (WORDS, word_questions)}


def learn_weights(asked: Asked) -> tuple[tuple[float, ...], float]:
    """The weights with the best mean METRIC, of sum 1, and that mean; of equally good ones the evenest.

    A part that does not know these questions has weight 0: nothing is known of its worth.
    """
    known = [at for at, cosines in enumerate(asked.cosines) if cosines is not None]
    parts = len(asked.cosines)
    tried: dict[tuple[float, ...], float] = {}

    def best_of(mixtures: Iterable[tuple[float, ...]]) -> tuple[float, ...]:
        for mixture in mixtures:
            if mixture not in tried:
                tried[mixture] = float(asked.by_scores(_placed(mixture, known, parts)).mean())
        top = max(tried.values())
        level = [each for each, worth in tried.items() if worth >= top - _LEAST_GAIN]
        return min(level, key=lambda each: (max(each), each))

    best = best_of(_grid(len(known)))
    for halving in range(1, _HALVINGS + 1):
        before: tuple[float, ...] = ()
        while best != before:
            before, best = best, best_of(_around(best, 1 / _COARSE / 2**halving))
    return _placed(best, known, parts), tried[best]


def _grid(parts: int) -> Iterator[tuple[float, ...]]:
    """All mixtures of `parts` in steps of 1 / _COARSE."""
    for bars in combinations_with_replacement(range(_COARSE + 1), parts - 1):
        yield tuple((high - low) / _COARSE for low, high in pairwise((0, *bars, _COARSE)))


def _around(mixture: tuple[float, ...], step: float) -> Iterator[tuple[float, ...]]:
    """The mixtures that give `step` of one part's weight to another."""
    for giver, taker in permutations(range(len(mixture)), 2):
        given = min(step, mixture[giver])
        moved = [*mixture]
        moved[giver], moved[taker] = mixture[giver] - given, mixture[taker] + given
        yield tuple(round(each, 6) for each in moved)


def _questions(materials: tuple[Material, ...], settings: Settings) -> tuple[str, Asked]:
    """What the weights are chosen by, and its name."""
    wanted = list(_KINDS) if settings.by == "auto" else [settings.by]
    for kind in wanted:
        what, questions = _KINDS[kind]
        asked = questions(materials, VALIDATION, settings.questions, settings.seed)
        if asked is not None:
            return what, asked
    raise SourceError(
        f"nothing is known to choose weights by: no {' and no '.join(wanted)} with a right answer on validation",
        hint="give pictures labels, or texts and an encoder that knows words",
    )


def joined(materials: Sequence[Material], weights: Sequence[float]) -> tuple[Vectors, Vectors | None]:
    """The ensemble's vectors of the pictures, (n, dim), and of the texts, (m, dim); None where no part knows words."""
    parts = [(material, weight) for material, weight in zip(materials, weights, strict=True) if weight > 0]
    images = np.concatenate([material.whole() * np.float32(weight**0.5) for material, weight in parts], axis=1)
    count = max(len(material.texts) for material, _ in parts)
    if not count:
        return unit_vectors(images), None
    blocks = [
        material.texts * np.float32(weight**0.5) if len(material.texts) else np.zeros((count, material.images.shape[2]))
        for material, weight in parts
    ]
    return unit_vectors(images), unit_vectors(np.concatenate(blocks, axis=1))


def _compared(
    materials: Sequence[Material], before: Sequence[float], after: Sequence[float], seed: int
) -> tuple[Comparison, ...]:
    """Two mixtures on TEST, by every kind of question that both can be asked."""
    (images, texts), (mixed_images, mixed_texts) = joined(materials, before), joined(materials, after)
    found = []
    one, other = (measuring.by_pictures(materials[0], TEST, each) for each in (images, mixed_images))
    if one.queries:
        found.append(Comparison(PICTURES, one, other, seed))
    if texts is not None and mixed_texts is not None:
        questions = questions_of(next(each for each in materials if len(each.texts)), TEST)
        one = measuring.by_words(questions, images, texts)
        if one.queries:
            found.append(Comparison(WORDS, one, measuring.by_words(questions, mixed_images, mixed_texts), seed))
    return tuple(found)


def _section(materials: Sequence[Material], weights: Sequence[float], seed: int) -> Section:
    """What each part counts; and on TEST: each part alone, and mixtures by scores and by ranks."""
    shares = tuple((material.base_id, f"{weight:.3f}") for material, weight in zip(materials, weights, strict=True))
    tables = [Table(("encoder", "weight"), shares, "Weights")]
    even = (1 / len(materials),) * len(materials)
    for name, questions in _KINDS.values():
        asked = questions(materials, TEST)
        if asked is None:
            continue
        ways = {
            material.base_id: asked.by_scores(_alone(at, len(materials)))
            for at, material in enumerate(materials)
            if asked.cosines[at] is not None
        }
        ways |= {"equal weights": asked.by_scores(even), "weights learned": asked.by_scores(weights)}
        ways |= {"ranks, equal weights": asked.by_ranks(even), "ranks, weights learned": asked.by_ranks(weights)}
        rows = [(way, f"{values.mean():.3f}", _interval(values, seed)) for way, values in ways.items()]
        title = f"{name}: {len(asked.right):,} questions, {asked.right.shape[1]:,} pictures"
        tables.append(Table(("what is searched", METRIC, "95 %"), tuple(rows), title))
    return Section("Ensemble", tuple(tables))


def _interval(values: NDArray[np.float64], seed: int) -> str:
    low, high = bootstrap_interval(values, seed)
    return f"{low:.3f} to {high:.3f}"


def _alone(at: int, parts: int) -> tuple[float, ...]:
    return _placed((1.0,), (at,), parts)


def _placed(mixture: Sequence[float], known: Sequence[int], parts: int) -> tuple[float, ...]:
    placed = [0.0] * parts
    for at, weight in zip(known, mixture, strict=True):
        placed[at] = weight
    return tuple(placed)


def _said(materials: Sequence[Material], weights: Sequence[float]) -> str:
    return ", ".join(f"{each.base_id} {weight:.3f}" for each, weight in zip(materials, weights, strict=True))


def _drawn(rows: NDArray[np.int64], most: int | None, seed: int) -> NDArray[np.int64]:
    if most is None or len(rows) <= most:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))
