"""How well encoders find judged pictures: one ruler for every claim about quality.

`questions` says what is asked, `measured` how it is ranked, `comparison` how two encoders are told apart. Every query
ranks all pictures that could be decoded, exactly, by cosine. A query picture is never its own answer. A query to which
no picture is right (the only one of its class) is left out and counted. Intervals are 95 %, by bootstrap over queries.

A class is asked for by its bare name ("_" read as a space), because that is what a person types; a recipe of prompts
belongs inside an encoder, where searches profit from it too. `templates` measures others, averaged as in CLIP
(Radford et al. 2021, section 3.1.4).

Promises: all encoders are asked the same about the same pictures. Equal arguments give equal figures, within the
encoder's tolerance. What cannot be decoded is skipped and listed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from lookalike.core.errors import NoTextTower, SourceError
from lookalike.evaluation.embedding import BARE_NAME, embed_for_each, embed_names, embed_texts
from lookalike.evaluation.measured import SHOWN, evaluate_vectors
from lookalike.evaluation.metrics import METRICS, depth_of
from lookalike.evaluation.outcomes import count_outcomes, outcomes_of
from lookalike.evaluation.questions import WAYS, questions_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lookalike.core.arrays import Vectors
    from lookalike.core.protocols import Encoder
    from lookalike.core.records import DecodeLimits, Skipped
    from lookalike.evaluation.comparison import Difference
    from lookalike.evaluation.judgements import JudgedPicture, Judgements
    from lookalike.evaluation.measured import Measured
    from lookalike.evaluation.questions import Asked, Way

JUDGED = f"judged@{SHOWN}"
"""Measured for qrels: the share of the first answers that somebody judged; the others count as wrong."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The outcome of one encoder. A way of asking that the judgements or the encoder do not allow is None.

    `encoder`: its id. `pictures`: those that were decoded and ranked. `seed`: of the bootstrap. `outcomes`: for each
    way what became of each question, as `outcomes.OUTCOMES` names it.
    """

    encoder: str
    name: str
    text_to_image: Measured | None
    image_to_image: Measured | None
    pictures: int
    skipped: tuple[Skipped, ...]
    seed: int
    outcomes: Mapping[Way, tuple[str, ...]]

    def measured(self, way: Way) -> Measured | None:
        """What was measured by a way of asking."""
        return self.text_to_image if way == "text_to_image" else self.image_to_image

    def as_dict(self) -> dict[str, Any]:
        """The figures as `evaluate --json` prints them."""
        ways = {way: self.measured(way) for way in WAYS}
        return {
            **{way: each and each.means() for way, each in ways.items()},
            "queries": sum(each.queries for each in ways.values() if each),
            "pictures": self.pictures,
            "intervals": {way: each and each.intervals(self.seed) for way, each in ways.items()},
            "ceilings": {way: each and (dict(each.ceilings) or None) for way, each in ways.items()},
            "outcomes": {way: each and count_outcomes(self.outcomes[way]) for way, each in ways.items()},
            "counts": {
                way: each and {"queries": each.queries, "left_out": each.left_out} for way, each in ways.items()
            },
            "skipped": [{"uri": each.uri, "reason": each.reason} for each in self.skipped],
            "encoder": self.encoder,
            "name": self.name,
            "seed": self.seed,
        }


@dataclass(frozen=True, slots=True)
class Run:
    """Several encoders measured on the same judgements; the first is what the others are compared with.

    `asked`: the questions of each way. `pictures`: those that were embedded for all, in the order of the questions'
    positions.
    """

    judgements: Judgements
    evaluations: tuple[Evaluation, ...]
    asked: Mapping[Way, Asked]
    pictures: Sequence[JudgedPicture]

    @property
    def seed(self) -> int:
        return self.evaluations[0].seed

    def differences(self, evaluation: Evaluation) -> dict[Way, dict[str, Difference]]:
        """How much better an encoder is than the first one, by way and metric; ways that both allow."""
        found: dict[Way, dict[str, Difference]] = {}
        for way in WAYS:
            before, after = self.evaluations[0].measured(way), evaluation.measured(way)
            if before is not None and after is not None:
                found[way] = after.against(before, self.seed)
        return found

    def as_dict(self) -> dict[str, Any]:
        """The object that `evaluate --json` prints: the first encoder's figures, and then those of all."""
        from lookalike.evaluation.versions import versions

        common = ("pictures", "skipped", "seed")
        every = [evaluation.as_dict() for evaluation in self.evaluations]
        return {
            **every[0],
            "kind": self.judgements.kind,
            "judgements": dict(self.judgements.origin),
            "encoders": [{key: value for key, value in each.items() if key not in common} for each in every],
            "comparisons": [self._compared(other) for other in self.evaluations[1:]],
            "versions": versions(),
        }

    def _compared(self, other: Evaluation) -> dict[str, Any]:
        differences = self.differences(other)
        return {
            "baseline": self.evaluations[0].encoder,
            "encoder": other.encoder,
            **{
                way: {metric: each.as_dict() for metric, each in differences[way].items()}
                if way in differences
                else None
                for way in WAYS
            },
        }


def evaluate(encoder: Encoder, judgements: Judgements, **how: Any) -> Evaluation:
    """`evaluate_all` for one encoder."""
    return evaluate_all([encoder], judgements, **how).evaluations[0]


def evaluate_all(
    encoders: Sequence[Encoder],
    judgements: Judgements,
    *,
    metrics: tuple[str, ...] = METRICS,
    templates: Sequence[str] = BARE_NAME,
    seed: int = 0,
    limits: DecodeLimits | None = None,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Run:
    """Measure every encoder on judged pictures.

    `templates`: what is asked for a class, "{}" standing for its name. `progress` is called with pictures done and
    pictures in all. Raises NoTextTower where an encoder without words is asked nothing but words, SourceError when no
    picture, or none of those that ask, can be decoded, ValueError for an unknown metric.
    """
    depth_of(metrics)  # an unknown metric is told before the work, not after it
    for encoder in encoders:
        if not _asks_pictures(judgements) and "text" not in encoder.modalities:
            raise NoTextTower(f"{encoder.name} only understands pictures", hint="measure it with --labels")
    embedded = embed_for_each(
        encoders, judgements.pictures, known=judgements.known, limits=limits, workers=workers, progress=progress
    )
    asked = questions_of(judgements, embedded[0])
    if not asked:
        raise SourceError("no question is left: none of the pictures that ask can be decoded")
    skipped = (*judgements.skipped, *embedded[0].skipped)
    evaluations = []
    for encoder, each in zip(encoders, embedded, strict=True):
        found = {
            way: _measure(encoder, each.vectors, questions, metrics, templates) for way, questions in asked.items()
        }
        items = each.vectors[: next(iter(asked.values())).items]
        outcomes = {way: outcomes_of(measured, asked[way], items) for way, measured in found.items() if measured}
        evaluations.append(
            Evaluation(
                encoder.id,
                encoder.name,
                found.get("text_to_image"),
                found.get("image_to_image"),
                len(items),
                skipped,
                seed,
                outcomes,
            )
        )
    return Run(judgements, tuple(evaluations), asked, embedded[0].pictures)


def _asks_pictures(judgements: Judgements) -> bool:
    return judgements.kind == "labels" or any(each.picture is not None for each in judgements.questions)


def _measure(
    encoder: Encoder, vectors: Vectors, asked: Asked, metrics: tuple[str, ...], templates: Sequence[str]
) -> Measured | None:
    """None where an encoder without words is asked words."""
    if asked.pictures is not None:
        queries = vectors[asked.pictures]
    elif "text" not in encoder.modalities:
        return None
    elif asked.names:
        queries = embed_names(encoder, asked.words, templates)
    else:
        queries = embed_texts(encoder, asked.words)
    measured = evaluate_vectors(queries, vectors[: asked.items], asked.right, metrics, asked.own)
    if asked.judged is None:
        return measured
    known = [asked.judged[query] for query in measured.asked.tolist()]
    answers = measured.answers[:, :SHOWN].tolist()
    shares = [sum(row in some for row in rows) / SHOWN for rows, some in zip(answers, known, strict=True)]
    return replace(measured, values={**measured.values, JUDGED: np.array(shares)})
