"""Judged pictures and texts as vectors: what every measurement of an encoder begins with.

Promises: pictures stream through decoding and encoding, so memory holds vectors, not pictures; encoders that look at
the same size share the decoding; a vector that follows from one at hand (tuned heads, fewer components, an ensemble's
parts) is computed from it, and no picture is read for it; what cannot be decoded, or what an encoder makes nothing of,
is listed with its reason, in the order given, and left out for all encoders.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lookalike.core.arrays import unit_vectors
from lookalike.core.cores import usable_cores
from lookalike.core.errors import SourceError
from lookalike.core.records import DecodeLimits, Skipped
from lookalike.encoders.derivation import derivation
from lookalike.engine.pace import NO_VECTOR, encode_each

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from lookalike.core.arrays import HalfVectors, Pixels, Vectors
    from lookalike.core.protocols import Encoder
    from lookalike.evaluation.judgements import JudgedPicture

BARE_NAME = ("{}",)
"""The class name itself, and nothing around it."""
_PICTURES_AT_ONCE = 64
_TEXTS_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Embedded:
    """The pictures that could be decoded, in the order given, and their vectors (n, dim).

    `rows`: int64 (n,), the position of each among those given.
    """

    pictures: list[JudgedPicture]
    vectors: Vectors
    skipped: list[Skipped]
    rows: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Known:
    """Vectors that are at hand: those of the encoder `encoder_id` for the first pictures given, in their order."""

    encoder_id: str
    vectors: HalfVectors | Vectors


def embed_pictures(encoder: Encoder, pictures: Sequence[JudgedPicture], **how: Any) -> Embedded:
    """`embed_for_each` for one encoder."""
    (embedded,) = embed_for_each([encoder], pictures, **how)
    return embedded


def embed_for_each(
    encoders: Sequence[Encoder],
    pictures: Sequence[JudgedPicture],
    *,
    known: Known | None = None,
    limits: DecodeLimits | None = None,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Embedded]:
    """The vectors of `pictures` by each encoder. `progress` is called with pictures done and pictures in all.

    Raises SourceError when none can be decoded.
    """
    work = _Work(encoders, pictures, known)
    decoding = limits or DecodeLimits(), workers or usable_cores()
    total, before = sum(len(pictures) - each.start for each in work.passes), 0
    for each in work.passes:
        for done in work.run(each, *decoding):
            if progress:
                progress(before + done, total)
        before += len(pictures) - each.start
    work.follow()
    if not work.taken.any():
        first = next(iter(work.skipped.values()), None)
        raise SourceError(
            f"none of the {len(pictures)} judged pictures can be decoded",
            hint=f"{first.uri}: {first.reason}" if first else "the judgements name no picture",
        )
    rows = np.flatnonzero(work.taken)
    kept = [pictures[row] for row in rows.tolist()]
    skipped = [work.skipped[row] for row in sorted(work.skipped)]
    return [Embedded(kept, vectors[rows], skipped, rows) for vectors in work.vectors]


@dataclass(frozen=True, slots=True)
class _Pass:
    """Pictures from `start` on, decoded once for the encoders of these numbers."""

    start: int
    side: int
    encoders: tuple[int, ...]


class _Work:
    """What is embedded so far. `taken`: bool (pictures,); `skipped`: by position; `passes`: what has to be decoded."""

    def __init__(self, encoders: Sequence[Encoder], pictures: Sequence[JudgedPicture], known: Known | None) -> None:
        self._encoders, self._pictures = encoders, pictures
        self.vectors = [np.zeros((len(pictures), encoder.dim), dtype=np.float32) for encoder in encoders]
        self.taken = np.ones(len(pictures), dtype=np.bool_)
        self.skipped: dict[int, Skipped] = {}
        self._bases: dict[int, int] = {}
        wanted: dict[tuple[int, int], list[int]] = {}
        for number, encoder in enumerate(encoders):
            how = None if known is None else derivation(encoder, known.encoder_id)
            start = 0
            if how is not None and known is not None:
                start = len(known.vectors)
                self.vectors[number][:start] = how(known.vectors)
            elif (base := self._base_of(number)) is not None:
                self._bases[number] = base
                continue
            wanted.setdefault((start, encoder.image_side), []).append(number)
        self.passes = [_Pass(start, side, tuple(numbers)) for (start, side), numbers in wanted.items()]

    def run(self, wanted: _Pass, limits: DecodeLimits, workers: int) -> Iterator[int]:
        """Decode and encode; yields how many pictures are done."""
        batch: dict[int, Pixels] = {}
        for done, (row, outcome) in enumerate(
            _decoded(self._pictures, wanted.start, wanted.side, limits, workers), start=1
        ):
            if isinstance(outcome, Skipped):
                self._skip(row, outcome)
            else:
                batch[row] = outcome
            if len(batch) == _PICTURES_AT_ONCE:
                self._encode(batch, wanted.encoders)
                batch = {}
            yield done
        self._encode(batch, wanted.encoders)

    def follow(self) -> None:
        """Compute what follows from vectors that were made meanwhile."""
        for number, base in self._bases.items():
            how = derivation(self._encoders[number], self._encoders[base].id)
            assert how is not None, "it was asked before"
            if self.taken.any():
                self.vectors[number][self.taken] = how(self.vectors[base][self.taken])

    def _encode(self, batch: dict[int, Pixels], numbers: tuple[int, ...]) -> None:
        for number in numbers if batch else ():
            encoder = self._encoders[number]
            for row, vector in zip(batch, encode_each(encoder, list(batch.values())), strict=True):
                if vector is None:
                    uri = self._pictures[row].asset.uri
                    self._skip(row, Skipped(uri, f"{encoder.name} makes no vector of it", NO_VECTOR))
                else:
                    self.vectors[number][row] = vector

    def _skip(self, row: int, reason: Skipped) -> None:
        self.skipped[row] = reason
        self.taken[row] = False

    def _base_of(self, number: int) -> int | None:
        """Another encoder, whose vectors this one's follow from and that follows from none itself: no circles."""
        for other, base in enumerate(self._encoders):
            if other != number and not self._follows(other) and derivation(self._encoders[number], base.id):
                return other
        return None

    def _follows(self, number: int) -> bool:
        encoder = self._encoders[number]
        return any(
            derivation(encoder, other.id) is not None for place, other in enumerate(self._encoders) if place != number
        )


def _decoded(
    pictures: Sequence[JudgedPicture], start: int, side: int, limits: DecodeLimits, workers: int
) -> Iterator[tuple[int, Pixels | Skipped]]:
    """The position and the pixels of each picture from `start` on, as they get done."""
    from lookalike.images.decoding_pool import decode_many

    row_of = {picture.asset.uri: row for row, picture in enumerate(pictures) if row >= start}
    jobs = ((picture.source, picture.asset) for picture in pictures[start:])
    for _, asset, outcome in decode_many(jobs, side=side, limits=limits, workers=workers):
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
