"""The colours a picture is made of, by the names people give them.

Method: nearest basic colour term (B. Berlin, P. Kay, "Basic Color Terms", 1969: eleven, and turquoise) in a perceptual
space, learned from the XKCD colour survey; `tools/make_colour_names.py` says how and writes the table. Promises: a
fraction of a millisecond for a picture already reduced, no numpy.
"""

from __future__ import annotations

import zlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from PIL.Image import Image as PILImage

COLOURS = (
    "black", "grey", "white", "red", "orange", "brown", "yellow", "green", "turquoise", "blue", "purple", "pink",
)  # fmt: skip
VIVID = 16
"""Added to a colour's number in the table where it is a strong one."""

_NEUTRAL = 3
"""Black, grey and white come first."""
_SIDE = 32
"""A picture is looked at in so many times so many points, each the mean of a small patch."""
_FIVE_BITS = bytes(value >> 3 for value in range(256))
_VIVID_COUNTS = 3
"""Strong colours catch the eye: a red coat is what a grey street is remembered by."""
_LEAST_SHARE, _LEAST_NEUTRAL_SHARE = 0.11, 0.20
"""From which share of the picture on a colour is named. All these numbers come from looking at contact sheets."""
_GROUND_SHARE, _LEAST_SUBJECT = 0.5, 0.25
"""White from this share on is the ground of a product photo: shares are of what is not ground, at least of this."""
_MOST = 4


def dominant_colours(image: PILImage) -> list[str]:
    """Up to four names, the most telling first. `image`: mode RGB, any size, best one with sides of some hundred."""
    from PIL import Image
    from PIL.Image import Resampling

    patch = max(min(image.size) // (2 * _SIDE), 1)
    points = image.reduce(patch).resize((_SIDE, _SIDE), Resampling.NEAREST)
    coarse = Image.frombytes("RGB", points.size, points.tobytes().translate(_FIVE_BITS))
    found = cast("list[tuple[int, tuple[int, int, int]]]", coarse.getcolors(_SIDE**2))
    name_of, weights = _table(), [0] * len(COLOURS)
    for count, (red, green, blue) in found:
        cell = name_of[red << 10 | green << 5 | blue]
        weights[cell % VIVID] += count * _VIVID_COUNTS if cell >= VIVID else count
    white = weights[COLOURS.index("white")] / _SIDE**2
    subject = max(1 - white, _LEAST_SUBJECT) if white >= _GROUND_SHARE else 1.0
    least, least_neutral = subject * _SIDE**2 * _LEAST_SHARE, subject * _SIDE**2 * _LEAST_NEUTRAL_SHARE
    telling = sorted(range(len(COLOURS)), key=weights.__getitem__, reverse=True)
    return [COLOURS[each] for each in telling if weights[each] >= (least_neutral if each < _NEUTRAL else least)][:_MOST]


@cache
def _table() -> bytes:
    """The number of the name of every colour, five bits a channel, red first."""
    return zlib.decompress((Path(__file__).parent / "data" / "colour_names.bin").read_bytes())
