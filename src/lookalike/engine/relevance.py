"""How likely an answer is right, so that "nothing found" can be said: a chance in [0, 1] beside each cosine.

A search always has nearest rows; whether they are what was asked for does not show in their cosine alone. Eight facts
about a query's answers are weighed by a logistic regression, one for words and one for pictures, fitted for each
encoder on labelled photos where half of what was asked for was not there (`tools/bench/cutoff.py`;
docs/benchmarks/cutoff.md has the figures, and what else was tried). Cosines are put on a scale first, in standard
deviations from what chance gives, so that an encoder nobody measured can take others' weights (`scale_of`).

Promises: within one query relevance never rises as the cosine falls, so a cut-off keeps the first answers or none.
Background rows are drawn from the whole collection, whatever a filter allows: they tell that the right ones are
elsewhere. Reading and keeping those rows is left to the caller.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

    import numpy as np
    from numpy.typing import NDArray

    from lookalike.core.arrays import HalfVectors, Rows, Scores, Vectors

BACKGROUND_ROWS = 1024
"""Rows drawn: their best tell of what fills a hundredth of the collection; 0.05 ms a query at 256 components."""
COMMON_ROWS = 128
"""Of these, the ones that tell how common the answers look."""
AGREEING = 5
"""First answers that are looked at together. A search for fewer has to find so many, or its relevance differs."""
DEFAULT_MIN_RELEVANCE = 0.3
"""Less is not shown in a terminal or on a page: docs/benchmarks/cutoff.md tells what that keeps and what it spares."""
UNMEASURED_MIN_RELEVANCE = 0.1
"""The same for an encoder that nobody measured, whose values may lie lower: better a wrong answer than none."""
FACTS = ("score", "first", "agreement", "behind", "common", "rows", "sentence", "usual")
SENTENCE_WORDS = 7
"""Words from which on a question describes a picture and does not name a thing: its cosines are others."""
ROWS_KNOWN = (100, 20_000)
"""Rows that may be answered, as far as was measured: among more, wrong ones come nearer, and nobody knows how much."""
COPY = 0.98
"""Cosine from which an answer is the very picture that was asked with, cropped a little or saved again. A judgement."""
_NEXT_COMMON = 10
_GENERAL = "general"


@dataclass(frozen=True, slots=True)
class Scale:
    """What chance gives: mean and standard deviation of cosines between `words` and pictures, and among `pictures`."""

    words: tuple[float, float]
    pictures: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Weights:
    """A logistic regression over FACTS: each less `means`, over `spreads`, times `weights`; plus `bias`."""

    means: tuple[float, ...]
    spreads: tuple[float, ...]
    weights: tuple[float, ...]
    bias: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """All that relevance needs to know of an encoder."""

    scale: Scale
    words: Weights
    pictures: Weights

    def scaled(self, scale: Scale) -> Calibration:
        """The same weights for an encoder, or a collection, of another scale."""
        return replace(self, scale=scale)

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of `as_dict`."""
        scale = Scale(**{name: (pair[0], pair[1]) for name, pair in values["scale"].items()})
        words, pictures = (
            Weights(tuple(kind["means"]), tuple(kind["spreads"]), tuple(kind["weights"]), kind["bias"])
            for kind in (values["words"], values["pictures"])
        )
        return cls(scale, words, pictures)


def calibration_of(encoder_id: str) -> Calibration | None:
    """What was fitted for an encoder; None for one that nobody measured: give `general_calibration` a scale then."""
    known = _known().get(encoder_id)
    return None if known is None else Calibration.from_dict(known)


def general_calibration(scale: Scale) -> Calibration:
    """For an encoder that nobody measured, with the scale of its cosines."""
    return Calibration.from_dict(_known()[_GENERAL]).scaled(scale)


def scale_of(background: HalfVectors, words: Vectors | None) -> Scale:
    """The scale of an encoder, from the rows of a collection and the captions that ship with lookalike.

    `words`: `questions.caption_vectors(encoder)`, float32 (t, dim), None for an encoder without words. No labels are
    needed. Raises ValueError for fewer than two rows.
    """
    import numpy as np

    from lookalike.index.building import unit_block

    rows = unit_block(background)
    if len(rows) < 2:
        raise ValueError("one row has no scale")
    among = (rows @ rows.T)[np.triu_indices(len(rows), 1)]
    pictures = (float(among.mean()), _spread(among))
    if words is None:
        return Scale(pictures, pictures)
    between = words @ rows.T
    return Scale((float(between.mean()), _spread(between)), pictures)


def background_rows(count: int) -> Rows:
    """Which of the `count` rows of a collection are its background, ascending; the same each time."""
    import numpy as np

    return np.sort(np.random.default_rng(0).choice(count, min(BACKGROUND_ROWS, count), replace=False))


def relevance(
    query: Vectors,
    scores: Scores,
    answers: HalfVectors,
    background: HalfVectors,
    calibration: Calibration,
    *,
    is_words: bool,
    among: int,
    words: int = 1,
    usual: float = math.nan,
) -> Scores:
    """The chance that each answer to a query, float32 (dim,), is right: float32 (k,) in [0, 1].

    `scores`: float32 (k,), best first, of `answers`, float16 (k, dim): all rows found but the query's own picture.
    `background`: float16 (n, dim), n > 0, the rows of the collection at `background_rows`. `is_words`: whether any part
    of the query is words, `words`: how many. `among`: how many rows could be answered. `usual`: the cosine to expect
    where what is asked for is there (`familiarity`), NaN where nobody knows.
    """
    import numpy as np

    copies = 0 if is_words else int(np.count_nonzero(scores >= COPY))
    chances = np.ones(len(scores), np.float32)
    if copies < len(scores):
        weights = calibration.words if is_words else calibration.pictures
        others = (scores[copies:], answers[copies:])
        facts = facts_of(
            query, *others, background, calibration.scale, is_words=is_words, among=among, words=words, usual=usual
        )
        standard = np.nan_to_num((facts - np.array(weights.means)) / np.array(weights.spreads))
        chances[copies:] = 1 / (1 + np.exp(-(standard @ np.array(weights.weights) + weights.bias)))
    return np.minimum.accumulate(chances)


def facts_of(
    query: Vectors,
    scores: Scores,
    answers: HalfVectors,
    background: HalfVectors,
    scale: Scale,
    *,
    is_words: bool,
    among: int,
    words: int = 1,
    usual: float = math.nan,
) -> NDArray[np.float64]:
    """What is known of each answer: float64 (k, len(FACTS)); NaN where it cannot be told.

    score: its cosine. first: the mean of the first answers. agreement: how near those are to each other. behind: how
    far it lies behind the best that the query has anywhere, among the answers or in the background. common: how near
    the first answers are to what is near them in the background. rows: the decimal logarithm of `among`. sentence: 1
    for SENTENCE_WORDS and more, else 0. usual: the cosine to expect.
    """
    import numpy as np

    from lookalike.index.building import unit_block
    from lookalike.index.scoring import Kernel

    mean, spread = scale.words if is_words else scale.pictures
    its_mean, its_spread = scale.pictures
    around = Kernel(query[None])(background)[0]
    best = max(around[is_words | (around < COPY)].max(initial=-1), scores[0])  # a copy of the question is no rival
    first = unit_block(answers[:AGREEING])
    facts = np.empty((len(scores), len(FACTS)))
    facts[:, 0] = (scores - mean) / spread
    facts[:, 1] = facts[:AGREEING, 0].mean()
    facts[:, 2] = (_agreement(first) - its_mean) / its_spread
    facts[:, 3] = (best - scores) / spread
    some = np.ascontiguousarray(background[:: max(len(background) // COMMON_ROWS, 1)])
    nearest = np.sort(np.nan_to_num(Kernel(first)(some)))
    facts[:, 4] = (nearest[:, -_NEXT_COMMON:].mean() - its_mean) / its_spread
    facts[:, 5] = np.log10(min(max(among, ROWS_KNOWN[0]), ROWS_KNOWN[1]))
    facts[:, 6] = is_words and words >= SENTENCE_WORDS
    facts[:, 7] = (usual - mean) / spread
    return facts


def _agreement(vectors: Vectors) -> float:
    """The mean cosine of different ones among some unit vectors; NaN for a single one."""
    count = len(vectors)
    total = vectors.sum(axis=0)
    return float((total @ total - count) / (count * (count - 1))) if count > 1 else float("nan")


def _spread(cosines: NDArray[Any]) -> float:
    return max(float(cosines.std()), 1e-4)


@cache
def _known() -> dict[str, Any]:
    from importlib.resources import files

    text = files("lookalike.engine").joinpath("relevance.json").read_text(encoding="utf-8")
    known: dict[str, Any] = json.loads(text)
    return known
