"""How well an encoder finds judged pictures: one ruler for every claim about quality.

    labels      class name -> picture   each class is a query; its pictures are right
                picture -> picture      each picture is a query; the others that share a label with it are right
    captions    caption -> picture      each caption is a query; its own picture is right, and no other

Every query ranks all pictures that could be decoded, exactly, by cosine. A query picture is never its own answer. A
query to which no picture is right (the only one of its class) is left out and counted. Metrics are those of
`metrics`; intervals are 95 %, by bootstrap over queries.

A class is asked for by its bare name ("_" read as a space), because that is what a person types; a recipe of prompts
belongs inside an encoder, where searches profit from it too. `templates` measures others, averaged as in CLIP
(Radford et al. 2021, section 3.1.4).

Promises: pictures stream through decoding and encoding, so memory holds vectors, not pictures. Equal arguments give
equal figures, within the encoder's tolerance. What cannot be decoded is skipped and listed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lookalike.core.errors import NoTextTower
from lookalike.evaluation.embedding import BARE_NAME, embed_names, embed_pictures, embed_texts
from lookalike.evaluation.measured import evaluate_vectors
from lookalike.evaluation.metrics import METRICS, depth_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from lookalike.core.arrays import Vectors
    from lookalike.core.protocols import Encoder
    from lookalike.core.records import DecodeLimits, Skipped
    from lookalike.evaluation.embedding import Embedded
    from lookalike.evaluation.judgements import JudgedPicture, Judgements
    from lookalike.evaluation.measured import Measured


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The outcome. A kind of query that the judgements or the encoder do not allow is None.

    `pictures`: those that were decoded and ranked. `seed`: of the bootstrap.
    """

    encoder: str
    text_to_image: Measured | None
    image_to_image: Measured | None
    pictures: int
    skipped: tuple[Skipped, ...]
    seed: int

    def as_dict(self) -> dict[str, Any]:
        """The object that `evaluate --json` prints."""
        kinds = {"text_to_image": self.text_to_image, "image_to_image": self.image_to_image}
        return {
            **{name: kind and kind.means() for name, kind in kinds.items()},
            "queries": sum(kind.queries for kind in kinds.values() if kind),
            "pictures": self.pictures,
            "intervals": {name: kind and kind.intervals(self.seed) for name, kind in kinds.items()},
            "counts": {
                name: kind and {"queries": kind.queries, "left_out": kind.left_out} for name, kind in kinds.items()
            },
            "skipped": [{"uri": each.uri, "reason": each.reason} for each in self.skipped],
            "encoder": self.encoder,
            "seed": self.seed,
        }


def evaluate(
    encoder: Encoder,
    judgements: Judgements,
    *,
    metrics: tuple[str, ...] = METRICS,
    templates: Sequence[str] = BARE_NAME,
    seed: int = 0,
    limits: DecodeLimits | None = None,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Measure `encoder` on judged pictures.

    `templates`: what is asked for a class, "{}" standing for its name. `progress` is called with pictures done and
    pictures in all. Raises NoTextTower for captions and an encoder without words, SourceError when no picture can be
    decoded, ValueError for an unknown metric.
    """
    depth_of(metrics)  # an unknown metric is told before the work, not after it
    words = "text" in encoder.modalities
    if judgements.kind == "captions" and not words:
        raise NoTextTower(f"{encoder.name} only understands pictures", hint="measure it with --labels")
    embedded = embed_pictures(encoder, judgements.pictures, limits=limits, workers=workers, progress=progress)
    text_to_image = image_to_image = None
    if judgements.kind == "captions":
        text_to_image = _by_captions(encoder, embedded, metrics)
    else:
        classes = sorted({label for picture in embedded.pictures for label in picture.sayings})
        belongs = _belongs(embedded.pictures, classes)
        image_to_image = _by_pictures(embedded.vectors, belongs, metrics)
        if words:
            names = embed_names(encoder, classes, templates)
            text_to_image = evaluate_vectors(names, embedded.vectors, lambda rows: belongs.T[rows], metrics)
    skipped = (*judgements.skipped, *embedded.skipped)
    return Evaluation(encoder.id, text_to_image, image_to_image, len(embedded.pictures), skipped, seed)


# --- ranking --------------------------------------------------------------------------------------


def _by_captions(encoder: Encoder, embedded: Embedded, metrics: tuple[str, ...]) -> Measured:
    captions = [saying for picture in embedded.pictures for saying in picture.sayings]
    right = np.repeat(np.arange(len(embedded.pictures)), [len(picture.sayings) for picture in embedded.pictures])
    everyone = np.arange(len(embedded.pictures))
    return evaluate_vectors(
        embed_texts(encoder, captions), embedded.vectors, lambda rows: right[rows, None] == everyone, metrics
    )


def _by_pictures(vectors: Vectors, belongs: NDArray[np.bool_], metrics: tuple[str, ...]) -> Measured:
    shared = belongs.astype(np.float32)
    own = np.arange(len(vectors))
    return evaluate_vectors(vectors, vectors, lambda rows: shared[rows] @ shared.T > 0, metrics, own)


def _belongs(pictures: Sequence[JudgedPicture], classes: Sequence[str]) -> NDArray[np.bool_]:
    """Bool (pictures, classes): which picture has which label."""
    column = {label: number for number, label in enumerate(classes)}
    belongs = np.zeros((len(pictures), len(classes)), dtype=np.bool_)
    for row, picture in enumerate(pictures):
        belongs[row, [column[label] for label in picture.sayings]] = True
    return belongs
