"""The first components of an encoder's vectors, as an encoder of its own: smaller collections, faster searches.

Only encoders made for it are narrowed (`widths` in their config.json): others keep nothing in order, and a part of
their vectors says little. What is left is made of unit length again. The id names the width, because vectors of
different widths cannot be compared: `builtin@128-2bace4b3f311` is made of the first 128 components of
`builtin-2bace4b3f311`.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Protocol

from lookalike.core.arrays import unit_vectors
from lookalike.core.errors import UnknownEncoder
from lookalike.core.protocols import Encoder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from PIL.Image import Image

    from lookalike.core.arrays import HalfVectors, Pixels, Vectors

_NAME = re.compile(r"(.+)@(\d+)")


class Whole(Encoder, Protocol):
    """An encoder as a folder holds it."""

    @property
    def widths(self) -> tuple[int, ...]:
        """How many of the first components serve alone, by its makers' word; none for most encoders."""
        ...


class Narrowed:
    """The first `width` components of `base`, unit vectors again; implements `core.protocols.Encoder`. Thread-safe.

    Raises UnknownEncoder for a width that `base` does not offer.
    """

    def __init__(self, base: Whole, width: int) -> None:
        if width not in base.widths:
            offered = ", ".join(f"{base.name}@{each}" for each in base.widths)
            raise UnknownEncoder(
                f"vectors of {base.name} cannot be cut to {width} components",
                hint=f"there are {offered}" if offered else f"use {base.name} as it is",
            )
        self.base = base
        self.dim = width

    @property
    def id(self) -> str:
        return f"{self.name}-{self.base.id.rpartition('-')[2]}"

    @property
    def name(self) -> str:
        return f"{self.base.name}@{self.dim}"

    @property
    def modalities(self) -> frozenset[str]:
        return self.base.modalities

    @property
    def image_side(self) -> int:
        return self.base.image_side

    @property
    def tolerance(self) -> float:
        """That of the base, grown as the rest is when it is made of unit length again."""
        return self.base.tolerance * math.sqrt(self.base.dim / self.dim)

    @property
    def fit(self) -> Callable[[Image], Image] | None:
        """That of the base, None where it has none."""
        fit: Callable[[Image], Image] | None = getattr(self.base, "fit", None)
        return fit

    def encode_images(self, pictures: Sequence[Pixels]) -> Vectors:
        """(n, dim) in input order; (0, dim) for none. Raises EncoderBroken."""
        return self.narrow(self.base.encode_images(pictures))

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """(n, dim) in input order; (0, dim) for none. Raises NoTextTower, EncoderBroken."""
        return self.narrow(self.base.encode_texts(texts))

    def narrow(self, vectors: Vectors | HalfVectors) -> Vectors:
        """Vectors (n, dim) of those of the base, (n, base.dim)."""
        return unit_vectors(vectors[:, : self.dim], self.dim)


def split_width(name: str) -> tuple[str, int | None]:
    """`builtin@128` as ("builtin", 128); a name without a width as it is, with None."""
    found = _NAME.fullmatch(name)
    return (found[1], int(found[2])) if found else (name, None)
