"""How many pictures go through the encoder in one call, found by timing the calls; and what it makes nothing of.

One picture that an encoder makes no finite vector of (a weight overflows in float16) does not cost its neighbours
theirs: the call is halved until it stands alone. An encoder that makes nothing of anything is broken, and that is told.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from lookalike.core.errors import EncoderBroken
from lookalike.core.records import Skipped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lookalike.core.arrays import Pixels, Vectors
    from lookalike.core.protocols import Encoder
    from lookalike.core.records import Asset, Picture

ENCODE_CALL_S = 0.5
"""Wanted length of one call of the encoder: short enough that Ctrl-C is answered within two seconds."""
ENCODE_AT_MOST = 32
"""Pictures in one call of the encoder; beyond this a CPU gains nothing and memory grows."""
_FIRST_CALL = 4
NO_VECTOR = "no-vector"
"""Code of a picture that is skipped because the encoder makes no vector of it."""


class Pace:
    """`size` is how many pictures the next call should hold; at most doubled by each call."""

    def __init__(self) -> None:
        self.size = _FIRST_CALL

    def encode(self, encoder: Encoder, pictures: Sequence[Picture]) -> list[Vectors | None]:
        """The vector (dim,) of each of `pictures`, in one call that is timed; None where there is none.

        Raises EncoderBroken when the encoder fails for an ordinary picture too.
        """
        started = time.monotonic()
        vectors = encode_each(encoder, [picture.pixels for picture in pictures])
        took = time.monotonic() - started
        fitting = int(len(pictures) * ENCODE_CALL_S / max(took, 1e-6))
        self.size = max(1, min(fitting, 2 * self.size, ENCODE_AT_MOST))
        return vectors


def no_vector(encoder: Encoder, asset: Asset) -> Skipped:
    """That the encoder makes no vector of the picture in a file."""
    reason = f"{encoder.name} makes no vector of this picture"
    return Skipped(asset.uri, reason, NO_VECTOR, key=asset.key, size=asset.size, modified_ns=asset.modified_ns)


def encode_each(encoder: Encoder, pictures: Sequence[Pixels]) -> list[Vectors | None]:
    """The vector (dim,) of each of `pictures`, None where there is none.

    Raises EncoderBroken when the encoder fails for an ordinary picture too.
    """
    try:
        return list(encoder.encode_images(pictures))
    except EncoderBroken:
        if len(pictures) > 1:
            middle = len(pictures) // 2
            return encode_each(encoder, pictures[:middle]) + encode_each(encoder, pictures[middle:])
        encoder.encode_images([_ordinary(encoder.image_side)])
        return [None]


def _ordinary(side: int) -> Pixels:
    """A grey ramp: nothing in it is out of the ordinary."""
    import numpy as np

    ramp = np.linspace(64, 192, side, dtype=np.uint8)
    return np.ascontiguousarray(np.broadcast_to(ramp[None, :, None], (side, side, 3)))
