"""The encoder of imported vectors that nobody said it of: known by the vectors alone, so it cannot make another one."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from lookalike.core.errors import EncoderUnavailable
from lookalike.engine.exchange import IMPORTED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lookalike.core.arrays import Pixels, Vectors

_SIDE = 224
"""Pixels; nothing is ever looked at."""


def is_nameless(encoder_id: str) -> bool:
    """Whether an id is that of vectors whose encoder is not known."""
    return encoder_id.startswith(f"{IMPORTED}:")


class NamelessEncoder:
    """Follows the Encoder protocol with no modality: searches by vector and by item need no more."""

    name = IMPORTED
    modalities: frozenset[str] = frozenset()
    image_side = _SIDE
    tolerance = 0.0

    def __init__(self, encoder_id: str, dim: int) -> None:
        self.id = encoder_id
        self.dim = dim

    def encode_images(self, pictures: Sequence[Pixels]) -> Vectors:
        """Raises EncoderUnavailable."""
        _refuse("a picture", len(pictures))

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """Raises EncoderUnavailable."""
        _refuse("words", len(texts))


def _refuse(what: str, _count: int) -> NoReturn:
    raise EncoderUnavailable(
        f"the vectors of this collection were imported, and which encoder made them is not known: {what} cannot be "
        "compared with them",
        hint="import them again, into a new collection, with --encoder NAME; "
        "or encode the pictures anew: lookalike migrate --encoder builtin",
    )
