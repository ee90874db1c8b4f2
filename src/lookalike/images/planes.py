"""Small pictures as planes of numbers: made smaller, cut, evened out, without their plain borders."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Plane: TypeAlias = NDArray[np.float32]
    """float32 (height, width)."""

Box: TypeAlias = tuple[float, float, float, float]
"""Left, top, right, bottom, as shares of a picture's width and height."""

WHOLE_BOX: Box = (0.0, 0.0, 1.0, 1.0)
_PLAIN = 4.0
"""Largest deviation of the levels of a plain border, and of each of its lines: a sky is hardly ever so plain."""
_DEEPEST_BORDER = 0.3
"""Largest share of a side that is taken off as a border."""
FAINT = 6.0
"""Contrast in grey levels below which there is nothing to compare: what even a strong JPEG leaves in the sky."""
_NOTHING = 1e-4
"""Mean square of details (`evened`) below which there are none: a plain picture has 1e-12, what rounding leaves, which
is the same in all plain pictures; JPEG in a sky leaves 1e-2."""


def correlation_of(first: Plane, second: Plane) -> float:
    """Of the details of two planes of one shape; 0 where one has none."""
    import numpy as np

    energies = float(np.square(first).sum()), float(np.square(second).sum())
    if min(energies) < _NOTHING * first.size:
        return 0.0
    return float((first * second).sum()) / math.sqrt(energies[0] * energies[1])


def evened(grey: Plane, radius: int) -> Plane:
    """Details alone, of even contrast: the difference from the mean around, in units of the contrast around."""
    import numpy as np

    detail = grey - mean_around(grey, radius)
    contrast = np.sqrt(np.maximum(mean_around(detail * detail, radius), np.float32(0)))
    even: Plane = (detail / (contrast + FAINT)).astype(np.float32, copy=False)
    return even


def without_lines(details: Plane, radius: int) -> Plane:
    """Details without level and upright lines: a horizon is the same in every photo of the sea."""
    return details - mean_around(details, radius, (0,)) - mean_around(details, radius, (1,))


def mean_around(plane: Plane, radius: int, axes: tuple[int, ...] = (0, 1)) -> Plane:
    """The mean over a window, a square one along both axes, which ends at the picture's edges."""
    import numpy as np

    means: NDArray[np.float32] = plane
    for axis in axes:
        length = means.shape[axis]
        sums = np.concatenate([np.zeros_like(means.take([0], axis)), np.cumsum(means, axis=axis)], axis=axis)
        low, high = np.maximum(np.arange(length) - radius, 0), np.minimum(np.arange(length) + radius + 1, length)
        share = (1 / (high - low)).astype(np.float32)
        means = (sums.take(high, axis) - sums.take(low, axis)) * (share[:, None] if axis == 0 else share)
    return means


def resized(grey: NDArray[Any], size: tuple[int, int]) -> Plane:
    """float32 (height, width) of the (width, height) asked for."""
    import numpy as np
    from PIL import Image as PILImage

    image = PILImage.fromarray(np.ascontiguousarray(grey))
    return np.asarray(image.resize(size, PILImage.Resampling.BILINEAR), dtype=np.float32)


def fitted(grey: NDArray[Any], side: float) -> tuple[int, int]:
    """Width and height of a picture whose longer side is made `side`."""
    factor = side / max(grey.shape)
    return max(4, round(grey.shape[1] * factor)), max(4, round(grey.shape[0] * factor))


def content_of(grey: NDArray[np.uint8]) -> Box:
    """What is left without plain borders, which are of one level on each side."""
    if grey[[0, -1]].std(axis=1).min() >= _PLAIN and grey[:, [0, -1]].std(axis=0).min() >= _PLAIN:
        return WHOLE_BOX  # as of most pictures, and quickly told
    height, width = grey.shape
    top, bottom = _depth(grey), _depth(grey[::-1])
    inner = grey[top : height - bottom]
    left, right = _depth(inner.T), _depth(inner.T[::-1])
    return left / width, top / height, 1 - right / width, 1 - bottom / height


def _depth(lines: NDArray[np.uint8]) -> int:
    """Lines from the upper edge that belong to a border; 0 where there is none, or none that ends within reason."""
    import numpy as np

    plain = lines.std(axis=1) < _PLAIN
    depth = int(np.argmin(plain)) if not plain.all() else len(plain)
    most = int(len(plain) * _DEEPEST_BORDER)
    if depth == 0 or depth > most or lines[:depth].std() >= _PLAIN:
        return 0
    return min(depth + 1, most)  # the line where border and picture mix


def cut(grey: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    """The part of a picture that lies in a box."""
    height, width = grey.shape
    left, top, right, bottom = box
    return grey[round(top * height) : round(bottom * height), round(left * width) : round(right * width)]


def turned_box(box: Box, turn: int) -> Box:
    """Where a part lies once the picture is turned."""
    left, top, right, bottom = box
    if turn & 4:
        left, top, right, bottom = top, left, bottom, right
    if turn & 2:
        top, bottom = 1 - bottom, 1 - top
    if turn & 1:
        left, right = 1 - right, 1 - left
    return left, top, right, bottom


def inside(outer: Box, inner: Box) -> Box:
    """A part of a part, as shares of the whole."""
    left, top, right, bottom = outer
    wide, high = right - left, bottom - top
    return left + inner[0] * wide, top + inner[1] * high, left + inner[2] * wide, top + inner[3] * high


def area(box: Box) -> float:
    """Share of the whole."""
    return (box[2] - box[0]) * (box[3] - box[1])
