"""A fingerprint of what a picture looks like: 256 bits that stay when it is saved again, resized or lightly edited.

The picture's luminance, at 64 x 64, is taken apart by a cosine transform; of the 16 x 16 lowest frequencies behind the
constant each gives the bit whether its coefficient is positive. After PDQ (Facebook, "The TMK+PDQF Video-Hashing
Algorithm and the PDQ Image-Hashing Algorithm", 2019), which compares with the median: with the sign, the fingerprint of
the mirrored, flipped or turned picture follows from the bits alone (`core.turns`). The quality, how much there is to
see, is PDQ's.

Two steps, so that worker processes need no numpy: `greys` with Pillow, `fingerprint_of_greys` with numpy.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from lookalike.core.records import Fingerprint
from lookalike.core.turns import FREQUENCIES, TURN_BACK, TURNS, turn_pixels, turned

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

    from lookalike.core.arrays import Pixels

__all__ = ["SIDE", "TURNS", "TURN_BACK", "fingerprint", "fingerprint_of_greys", "greys", "turn_pixels", "turned"]

SIDE = 64
"""Of the grey picture, in pixels, whatever shape the picture has."""
_GAP = 2.0
"""Times SIDE that large pictures are brought down to by boxes before: two thirds of the time, the same bits."""
_NOTHING = 1e-3
"""Coefficients of a flat picture, where only rounding is left, are no larger."""
_PER_QUALITY = 90
"""PDQ's: the sum of all steps between neighbours, in hundredths of the range, that makes one of quality."""
_MOST_QUALITY = 100


def fingerprint(pixels: Pixels) -> Fingerprint:
    """The fingerprint of upright pixels, whatever their size."""
    from PIL import Image as PILImage

    return fingerprint_of_greys(greys(PILImage.fromarray(pixels)))


def greys(image: Image) -> bytes:
    """The luminance of an upright picture in sRGB: SIDE x SIDE bytes, each a weighted mean of what lies there.

    Bilinear, not by boxes: where a size is no multiple of SIDE, boxes are of unequal size. 240 photos saved at 200 px
    then differ from themselves in 4 bits (90 of 100 photos; with boxes in 11).
    """
    from PIL import Image as PILImage

    return image.convert("L").resize((SIDE, SIDE), PILImage.Resampling.BILINEAR, reducing_gap=_GAP).tobytes()


def fingerprint_of_greys(greys: bytes) -> Fingerprint:
    """The fingerprint of what `greys` gave."""
    import numpy as np

    picture = np.frombuffer(greys, dtype=np.uint8).reshape(SIDE, SIDE).astype(np.float32)
    waves = _waves()
    return Fingerprint(np.packbits(waves @ picture @ waves.T > _NOTHING).tobytes(), _quality(picture))


def _quality(picture: NDArray[np.float32]) -> int:
    import numpy as np

    steps = sum(float(np.floor(np.abs(np.diff(picture, axis=axis)) * (100 / 255)).sum()) for axis in (0, 1))
    return min(int(steps / _PER_QUALITY), _MOST_QUALITY)


@cache
def _waves() -> NDArray[np.float32]:
    """The cosine transform's frequencies 1 to FREQUENCIES over SIDE points: float32 (FREQUENCIES, SIDE)."""
    import numpy as np

    at = (2 * np.arange(SIDE) + 1) * np.pi / (2 * SIDE)
    waves = np.sqrt(2 / SIDE) * np.cos(np.arange(1, FREQUENCIES + 1)[:, None] * at[None, :])
    narrow: NDArray[np.float32] = waves.astype(np.float32)
    return narrow
