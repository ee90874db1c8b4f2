"""Judged pictures and texts as vectors: what every measurement of an encoder begins with.

Promises: pictures stream through decoding and encoding, so memory holds vectors, not pictures; what cannot be decoded
is listed with its reason, in the order given.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lookalike.core.arrays import unit_vectors
from lookalike.core.cores import usable_cores
from lookalike.core.errors import SourceError
from lookalike.core.records import DecodeLimits, Skipped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lookalike.core.arrays import Pixels, Vectors
    from lookalike.core.protocols import Encoder
    from lookalike.evaluation.judgements import JudgedPicture

BARE_NAME = ("{}",)
"""The class name itself, and nothing around it."""
_PICTURES_AT_ONCE = 64
_TEXTS_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Embedded:
    """The pictures that could be decoded, in the order given, and their vectors (n, dim)."""

    pictures: list[JudgedPicture]
    vectors: Vectors
    skipped: list[Skipped]


def embed_pictures(
    encoder: Encoder,
    pictures: Sequence[JudgedPicture],
    *,
    limits: DecodeLimits | None = None,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Embedded:
    """`progress` is called with pictures done and pictures in all. Raises SourceError when none can be decoded."""
    vectors = np.zeros((len(pictures), encoder.dim), dtype=np.float32)
    taken = np.zeros(len(pictures), dtype=np.bool_)
    skipped: list[tuple[int, Skipped]] = []
    batch: dict[int, Pixels] = {}

    def encode() -> None:
        vectors[list(batch)] = encoder.encode_images(list(batch.values()))
        taken[list(batch)] = True
        batch.clear()

    for done, (row, outcome) in enumerate(
        _decoded(pictures, encoder.image_side, limits or DecodeLimits(), workers), start=1
    ):
        if isinstance(outcome, Skipped):
            skipped.append((row, outcome))
        else:
            batch[row] = outcome
        if len(batch) == _PICTURES_AT_ONCE:
            encode()
        if progress:
            progress(done, len(pictures))
    encode()
    if not taken.any():
        raise SourceError(
            f"none of the {len(pictures)} judged pictures can be decoded",
            hint=f"{skipped[0][1].uri}: {skipped[0][1].reason}" if skipped else "the judgements name no picture",
        )
    in_order = [each for _, each in sorted(skipped, key=lambda pair: pair[0])]
    return Embedded([pictures[row] for row in np.flatnonzero(taken).tolist()], vectors[taken], in_order)


def _decoded(
    pictures: Sequence[JudgedPicture], side: int, limits: DecodeLimits, workers: int | None
) -> Iterator[tuple[int, Pixels | Skipped]]:
    """The row and the pixels of each picture, as they get done."""
    from lookalike.images.decoding_pool import decode_many

    row_of = {picture.asset.uri: row for row, picture in enumerate(pictures)}
    jobs = ((picture.source, picture.asset) for picture in pictures)
    for _, asset, outcome in decode_many(jobs, side=side, limits=limits, workers=workers or usable_cores()):
        yield row_of[asset.uri], outcome if isinstance(outcome, Skipped) else outcome.pixels


def embed_names(encoder: Encoder, classes: Sequence[str], templates: Sequence[str] = BARE_NAME) -> Vectors:
    """One vector a class ("_" read as a space): the mean over `templates`, of unit length. Raises NoTextTower."""
    names = [label.replace("_", " ") for label in classes]
    total = sum(embed_texts(encoder, [template.replace("{}", name) for name in names]) for template in templates)
    return unit_vectors(total, encoder.dim)


def embed_texts(encoder: Encoder, texts: Sequence[str]) -> Vectors:
    """(n, dim) in the order given, a few at a time; (0, dim) for none. Raises NoTextTower."""
    parts = [encoder.encode_texts(texts[at : at + _TEXTS_AT_ONCE]) for at in range(0, len(texts), _TEXTS_AT_ONCE)]
    return np.concatenate(parts) if parts else encoder.encode_texts([])
