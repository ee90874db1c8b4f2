"""A fingerprint of what a picture looks like: 256 bits that stay when it is saved again, resized or lightly edited.

The picture's luminance, at 64 x 64, is taken apart by a cosine transform; of the 16 x 16 lowest frequencies behind the
constant each gives the bit whether its coefficient is positive. After PDQ (Facebook, "The TMK+PDQF Video-Hashing
Algorithm and the PDQ Image-Hashing Algorithm", 2019), which compares with the median: with the sign, the fingerprint of
the mirrored, flipped or turned picture follows from the bits alone (`core.turns`). The quality, how much there is to
see, is PDQ's.

Two steps, so that worker processes need no numpy: `greys` with Pillow, `fingerprint_of_greys` with numpy. The sketch
(`sketches`) is made of the same luminance.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from lookalike.core.records import Fingerprint
from lookalike.core.turns import FREQUENCIES
from lookalike.images.sketches import sketch_of_greys

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

    from lookalike.core.arrays import Pixels

SIDE = 64
"""Of the grey picture, in pixels, whatever shape the picture has."""
_GAP = 2.0
"""Times SIDE that large pictures are brought down to by boxes before: two thirds of the time, the same bits."""
_PLAIN = 20
"""Grey levels by which a border may differ from its corners: JPEG 30 makes 15 beside a picture."""
_LEAST_INSIDE, _MOST_INSIDE = 0.4, 0.97
"""Of the width and of the height what is left within a border, at least, and of the area at most: a border of less than
a hundredth of the width changes few bits."""
_TELLS = 5
"""Least quality of what lies within a border to be kept."""
_NOTHING = 1e-3
"""Coefficients of a flat picture, where only rounding is left, are no larger."""
_PER_QUALITY = 90
"""PDQ's: the sum of all steps between neighbours, in hundredths of the range, that makes one of quality."""
_MOST_QUALITY = 100


def fingerprint(pixels: Pixels) -> Fingerprint:
    """The fingerprint of upright pixels, whatever their size."""
    from PIL import Image as PILImage

    height, width = pixels.shape[:2]
    return fingerprint_of_greys(greys(PILImage.fromarray(pixels)), width, height)


def greys(image: Image) -> bytes:
    """The luminance of an upright picture in sRGB: SIDE x SIDE bytes, each a weighted mean of what lies there.

    Of a picture with a plain border so many more: those of what lies inside it.

    Bilinear, not by boxes: where a size is no multiple of SIDE, boxes are of unequal size. 240 photos saved at 200 px
    then differ from themselves in 4 bits (90 of 100 photos; with boxes in 11).
    """
    grey = image.convert("L")
    inside = _inside(grey)
    return _small(grey, None) + (b"" if inside is None else _small(grey, inside))


def fingerprint_of_greys(greys: bytes, width: int, height: int) -> Fingerprint:
    """The fingerprint, with its sketch, of what `greys` gave of a picture of that width and height."""
    whole, quality = _print_of(greys[: SIDE * SIDE])
    sketch = sketch_of_greys(greys, width, height)
    if len(greys) == SIDE * SIDE:
        return Fingerprint(whole, quality, sketch=sketch)
    inner, quality_inside = _print_of(greys[SIDE * SIDE :])
    return Fingerprint(whole, quality, inner if quality_inside >= _TELLS else None, sketch)


def _small(grey: Image, box: tuple[int, int, int, int] | None) -> bytes:
    from PIL import Image as PILImage

    bilinear = PILImage.Resampling.BILINEAR
    return grey.resize((SIDE, SIDE), bilinear, box=box, reducing_gap=_GAP).tobytes()


def _inside(grey: Image) -> tuple[int, int, int, int] | None:
    """What lies within a plain border: left, top, right, bottom. None where there is no border worth taking off."""
    from PIL import Image as PILImage
    from PIL import ImageChops

    width, height = grey.size
    corners = sorted(_level(grey, x, y) for x in (0, width - 1) for y in (0, height - 1))
    if corners[-1] - corners[0] > _PLAIN:
        return None
    apart = ImageChops.difference(grey, PILImage.new("L", grey.size, corners[1]))
    box = apart.point([255 * (level > _PLAIN) for level in range(256)]).getbbox()
    if box is None:
        return None
    inside = (box[2] - box[0]) / width, (box[3] - box[1]) / height
    return box if min(inside) >= _LEAST_INSIDE and inside[0] * inside[1] <= _MOST_INSIDE else None


def _level(grey: Image, x: int, y: int) -> int:
    level: Any = grey.getpixel((x, y))  # of one band it is a number
    return int(level)


def _print_of(greys: bytes) -> tuple[bytes, int]:
    """Bits and quality."""
    import numpy as np

    picture = np.frombuffer(greys, dtype=np.uint8).reshape(SIDE, SIDE).astype(np.float32)
    waves = _waves()
    return np.packbits(waves @ picture @ waves.T > _NOTHING).tobytes(), _quality(picture)


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
