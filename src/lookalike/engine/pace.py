"""How many pictures go through the encoder in one call, found by timing the calls."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lookalike.core.arrays import Vectors
    from lookalike.core.protocols import Encoder
    from lookalike.core.records import Picture

ENCODE_CALL_S = 0.5
"""Wanted length of one call of the encoder: short enough that Ctrl-C is answered within two seconds."""
ENCODE_AT_MOST = 32
"""Pictures in one call of the encoder; beyond this a CPU gains nothing and memory grows."""
_FIRST_CALL = 4


class Pace:
    """`size` is how many pictures the next call should hold; at most doubled by each call."""

    def __init__(self) -> None:
        self.size = _FIRST_CALL

    def encode(self, encoder: Encoder, pictures: Sequence[Picture]) -> Vectors:
        """Vectors (n, dim) of `pictures` in their order, in one call that is timed."""
        started = time.monotonic()
        vectors = encoder.encode_images([picture.pixels for picture in pictures])
        took = time.monotonic() - started
        fitting = int(len(pictures) * ENCODE_CALL_S / max(took, 1e-6))
        self.size = max(1, min(fitting, 2 * self.size, ENCODE_AT_MOST))
        return vectors
