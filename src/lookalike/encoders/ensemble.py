"""Several encoders side by side, searched as one: a picture's vector is that of each part, one after the other.

Each part's unit vector is multiplied by the root of its weight, and the whole made of unit length again. The cosine of
two such vectors is the weighted mean of the parts' cosines: late fusion of scores, exactly, for any index and any
planner (docs/adr/0013). The folder holds config.json alone:

    "kind": "ensemble", "parts": [{"encoder": id, "weight": number}, ...], "about"

A part without words leaves its block zero for them. The words' vectors are made of unit length like all, so the other
parts keep the ratio of their weights; the cosines are those parts' weighted mean times one number, the root of the
share that their weights have, which changes no order. Parts derived from one base look at a picture once. Where the
parts lie is left to `load`.
"""

from __future__ import annotations

import math
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

from lookalike.core.arrays import unit_vectors
from lookalike.core.errors import EncoderBroken, NoTextTower
from lookalike.core.wording import Wording
from lookalike.encoders.derived import Derived
from lookalike.encoders.narrowed import Narrowed
from lookalike.encoders.writing import replacing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from lookalike.core.arrays import HalfVectors, Pixels, Vectors
    from lookalike.core.protocols import Encoder

KIND = "ensemble"


class Ensemble:
    """`parts` with their weights; implements `core.protocols.Encoder`. Thread-safe.

    Weights are brought to a sum of 1; a part of weight 0 is left out. Raises EncoderBroken for weights that are
    negative, not finite or all zero, and for a part that does not know pictures.
    """

    widths: tuple[int, ...] = ()
    fit = None
    """Each part has its own way to begin with a picture."""

    def __init__(self, parts: Sequence[tuple[Encoder, float]], *, name: str, id: str) -> None:
        weights = [float(weight) for _, weight in parts]
        total = math.fsum(weights)
        if not (math.isfinite(total) and total > 0 and min(weights) >= 0):
            raise EncoderBroken(f"the weights of {name} are {weights}", hint="give each part a weight above 0")
        self.parts = tuple((encoder, weight / total) for encoder, weight in parts if weight > 0)
        for encoder, _ in self.parts:
            if "image" not in encoder.modalities:
                raise EncoderBroken(
                    f"{name} has a part that does not know pictures: {encoder.name}", hint="leave that part out"
                )
        self.name = name
        self.id = id
        self.dim = sum(encoder.dim for encoder, _ in self.parts)

    @property
    def modalities(self) -> frozenset[str]:
        """Those of any part."""
        return frozenset().union(*(encoder.modalities for encoder, _ in self.parts))

    @property
    def image_side(self) -> int:
        """The largest of the parts'."""
        return max(encoder.image_side for encoder, _ in self.parts)

    @property
    def tolerance(self) -> float:
        """The largest of the parts': a weight makes a block smaller, and never larger than it was."""
        return max(encoder.tolerance for encoder, _ in self.parts)

    def encode_images(self, pictures: Sequence[Pixels]) -> Vectors:
        """(n, dim) in input order; (0, dim) for none. Raises EncoderBroken."""
        seen: dict[str, Vectors] = {}
        return self.join(
            [_vectors(encoder, lambda base: base.encode_images(pictures), seen) for encoder, _ in self.parts]
        )

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """(n, dim) in input order; (0, dim) for none. Raises NoTextTower, EncoderBroken."""
        if "text" not in self.modalities:
            raise NoTextTower(Wording("only_pictures", name=self.name), hint=Wording("search_with_picture"))
        read: dict[str, Vectors] = {}
        return self.join(
            [
                _vectors(encoder, lambda base: base.encode_texts(texts), read, of_words=True)
                if "text" in encoder.modalities
                else None
                for encoder, _ in self.parts
            ]
        )

    def join(self, blocks: Sequence[Vectors | HalfVectors | None]) -> Vectors:
        """Vectors (n, dim) of those of each part, (n, its dim); None for a part that has nothing to say."""
        import numpy as np

        count = next(len(block) for block in blocks if block is not None)
        joined: NDArray[np.float32] = np.zeros((count, self.dim), np.float32)
        for (encoder, weight), block, columns in zip(self.parts, blocks, self.blocks, strict=True):
            if block is not None:
                joined[:, columns] = unit_vectors(block, encoder.dim) * np.float32(math.sqrt(weight))
        return unit_vectors(joined, self.dim)

    @property
    def blocks(self) -> tuple[slice, ...]:
        """Which components are which part's."""
        ends = accumulate((encoder.dim for encoder, _ in self.parts), initial=0)
        return tuple(slice(start, end) for start, end in pairwise(ends))


def _vectors(
    encoder: Encoder, encode: Callable[[Encoder], Vectors], seen: dict[str, Vectors], *, of_words: bool = False
) -> Vectors:
    """What `encoder` makes of pictures, or of words, which `encode` shows to a base.

    `seen` keeps it by id: parts of one base look at a picture once.
    """
    if encoder.id not in seen:
        if isinstance(encoder, Derived):
            of_base = _vectors(encoder.base, encode, seen, of_words=of_words)
            seen[encoder.id] = encoder.derive_texts(of_base) if of_words else encoder.derive(of_base)
        elif isinstance(encoder, Narrowed):
            seen[encoder.id] = encoder.narrow(_vectors(encoder.base, encode, seen, of_words=of_words))
        else:
            seen[encoder.id] = encode(encoder)
    return seen[encoder.id]


def write_ensemble(folder: Path, parts: Sequence[tuple[str, float]], about: Mapping[str, Any]) -> None:
    """Write the encoder into `folder`, whole or not at all; what lay there of an encoder is replaced.

    `parts`: ids of encoders with their weights; one of weight 0 is left out. Whether they are here is asked when it is
    loaded. `about`: JSON values, how it was made; they are part of what the id is a digest of.
    """
    listed = [{"encoder": encoder, "weight": float(weight)} for encoder, weight in parts if weight != 0]
    with replacing(folder, {"kind": KIND, "parts": listed, "about": dict(about)}):
        pass


def parts_of(config: Mapping[str, Any], folder: Path) -> list[tuple[str, float]]:
    """Ids and weights as config.json says them. Raises EncoderBroken."""
    try:
        listed = [(str(part["encoder"]), float(part["weight"])) for part in config["parts"]]
    except (KeyError, TypeError, ValueError) as error:
        raise EncoderBroken(f"{folder / 'config.json'} does not say its parts and their weights: {error}") from error
    if not listed:
        raise EncoderBroken(f"{folder / 'config.json'} names no parts")
    return listed
