"""Lays a part into a picture to a fraction of a pixel: the four edges of its box move until the details fit.

By least squares on the slopes of the details (B. D. Lucas and T. Kanade, "An Iterative Image Registration Technique
with an Application to Stereo Vision", 1981), for a shift and a scale in each direction. At 128 pixels an error of one
costs a third of the correlation of what is in fact the same: of photos with a border one in 20 correlated by 0.79 or
less where the border was taken off line by line, by 0.91 or less after this (480 and 135 photos).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lookalike.images.planes import correlation_of, evened

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from lookalike.images.planes import Box, Plane

_STEPS = 5
_FURTHEST = 2.0
"""Pixels that an edge moves in a step: slopes tell nothing of what is further away."""
_SETTLED = 0.05
"""Pixels below which moving on changes nothing."""
_STEADY = 1e-3
"""Share of the usual slopes that is added to all: where there are none in a direction, nothing moves."""
_NOTHING = 1e-6
"""The same for a part that shows nothing at all."""
_LEAST_LEFT = 0.5
"""Share of its sides that a box keeps: one that shrinks away is no part."""


def settled(whole: NDArray[np.uint8], part: Plane, box: Box, radius: int) -> Box:
    """Where in the whole the part lies, found from about there; boxes are shares of the whole.

    `radius`: of the contrast that is evened out (`planes.evened`).
    """
    import numpy as np

    height, width = part.shape
    wanted = evened(part, radius)
    down, right = np.gradient(wanted)
    across, along = _from_middle(width)[None, :], _from_middle(height)[:, None]
    slopes = np.stack([right, right * across, down, down * along]).reshape(4, -1)
    products = slopes @ slopes.T
    products += np.eye(4, dtype=np.float32) * (_STEADY * np.trace(products) + _NOTHING)
    least = _LEAST_LEFT * (box[2] - box[0]), _LEAST_LEFT * (box[3] - box[1])
    best, score = box, -1.0
    for _ in range(_STEPS):
        there = evened(view(whole, box, (width, height)), radius)
        now = correlation_of(there, wanted)
        if now <= score:
            break
        best, score = box, now
        moved = np.linalg.solve(products, slopes @ (there - wanted).ravel()).clip(-_FURTHEST, _FURTHEST)
        if np.abs(moved).max() < _SETTLED:
            break
        box = _moved(box, moved / (width, width, height, height))
        if box[2] - box[0] < least[0] or box[3] - box[1] < least[1]:
            break
    return best


def view(whole: NDArray[np.uint8], box: Box, size: tuple[int, int]) -> Plane:
    """What lies in a box, as float32 (height, width) of the (width, height) asked for."""
    import numpy as np
    from PIL import Image as PILImage

    height, width = whole.shape
    pixels = box[0] * width, box[1] * height, box[2] * width, box[3] * height
    image = PILImage.fromarray(np.ascontiguousarray(whole, dtype=np.float32))
    return np.asarray(image.resize(size, PILImage.Resampling.BILINEAR, box=pixels), dtype=np.float32)


def _from_middle(length: int) -> NDArray[np.float32]:
    """-0.5 to 0.5."""
    import numpy as np

    return np.linspace(-0.5, 0.5, length, dtype=np.float32)


def _moved(box: Box, moved: NDArray[np.float64]) -> Box:
    """The box whose contents lie that much further to the left and up: `moved` are shift and growth across, then along,
    in sizes of the box.
    """
    left, top, right, bottom = box
    wide, high = right - left, bottom - top
    across, wider, along, higher = moved.tolist()
    return (
        max(left - (across - wider / 2) * wide, 0.0),
        max(top - (along - higher / 2) * high, 0.0),
        min(right - (across + wider / 2) * wide, 1.0),
        min(bottom - (along + higher / 2) * high, 1.0),
    )
