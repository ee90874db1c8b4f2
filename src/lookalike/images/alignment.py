"""Lays one picture over another: where, at which scale and turn, and how well they agree there.

Everything happens on small grey pictures whose local contrast was evened out, so that brightness, colours and the way
a file was saved count for little. Three questions, the cheap ones first: do they agree as a whole, in any of the eight
turns? as a whole, once plain borders are taken off? is one a part of the other? The last is normalised cross-correlation
over scales (J. P. Lewis, "Fast Normalized Cross-Correlation", 1995), first coarse, then fine around what was found.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from lookalike.core.turns import TURNS, turn_pixels

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

    from lookalike.core.arrays import Pixels

    Plane: TypeAlias = NDArray[np.float32]

Within: TypeAlias = Literal["whole", "second", "first"]
Box: TypeAlias = tuple[float, float, float, float]
"""Left, top, right, bottom, as shares of a picture's width and height."""

LONG_SIDE = 128
"""Of the grey picture, in pixels: a part of 60 % still has 77."""
_COLOUR_SIDE = 32
_WHOLE_SIDE = 32
"""Pictures are compared as a whole at this size, squeezed into a square."""
_COARSE_SIDE = 32
_COARSE_SCALES = tuple(0.935**step for step in range(14))
"""Sizes of a part within the other picture: down to 42 %, in steps that the coarse grid does not notice."""
_FINE_SCALES = (0.96, 0.97, 0.98, 0.99, 1.0, 1.01, 1.02, 1.03, 1.04)
_WHOLE_ENOUGH = 0.6
"""Correlation as a whole above which no part is looked for."""
_PART_ENOUGH = 0.32
"""Coarse correlation of a part below which no finer look is taken: different photos stay below it."""
_PLAIN = 7.0
"""Largest deviation of the levels of a line that belongs to a plain border."""
_DEEPEST_BORDER = 0.3
"""Largest share of a side that is taken off as a border."""
_FAINT = 6.0
"""Contrast in grey levels below which there is nothing to compare: what even a strong JPEG leaves in the sky."""
_RADIUS = LONG_SIDE // 16
_SPOT_SIDE = 64
_BLOCKS = 8
_BLOCK_AGREES = 0.5
"""Correlation of a block that shows the same."""
_EMPTY_BLOCK = 0.15
"""Share of the usual energy below which a block has nothing to compare."""
_WHOLE_BOX: Box = (0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Look:
    """A small version of a picture. `grey`: uint8 (height, width), the longer of them `LONG_SIDE` at most. `colour`:
    uint8 (n, n, 3), the picture squeezed into a square.
    """

    grey: NDArray[np.uint8]
    colour: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Alignment:
    """How two pictures lie on each other.

    `turn`: how the first is turned to lie like the second (`core.turns`). `within`: "whole" when both show all of it,
    "second" when the second is a part of the turned first, "first" when the first, turned, is a part of the second.
    `box`: that part of the other picture. `bordered`: which of them has a plain border: "first", "second", or "".
    `correlation`: of the details, in [-1, 1]. `agreeing`: share of blocks with something to see that agree.
    `tones`: mean difference of the colours, 0 to 255. `stretch`: the ratio of the shapes, 1 for the same shape. `spot`:
    as a whole, the largest difference in grey levels of a small spot, when brightness and contrast are evened out.
    """

    turn: int
    within: Within
    box: Box
    bordered: str
    correlation: float
    agreeing: float
    tones: float
    stretch: float
    spot: float


def shrunk(image: Image) -> Image:
    """What `look_at` needs of a picture: it is made where the file is decoded."""
    factor = 2 * LONG_SIDE / max(image.size)
    return image if factor >= 1 else image.reduce(max(1, int(1 / factor)))


def look_at(pixels: Pixels) -> Look:
    """The small version of upright pixels."""
    import numpy as np
    from PIL import Image as PILImage

    image = PILImage.fromarray(pixels)
    colour = image.resize((_COLOUR_SIDE, _COLOUR_SIDE), PILImage.Resampling.BOX)
    factor = min(LONG_SIDE / max(image.size), 1.0)
    size = max(8, round(image.width * factor)), max(8, round(image.height * factor))
    grey = image.convert("L").resize(size, PILImage.Resampling.BILINEAR)
    return Look(np.asarray(grey, dtype=np.uint8), np.asarray(colour, dtype=np.uint8))


def align(first: Look, second: Look, *, turns: Sequence[int] = (0, 1)) -> Alignment:
    """The best way in which two pictures lie on each other, however badly.

    `turns`: those in which a part is looked for, the likeliest first; as a whole all are tried.
    """
    first, second = _of_one_size(first, second)
    plain = _compared_whole(first.grey, second.grey)
    best = _measured(first, second, plain, ("", _WHOLE_BOX, _WHOLE_BOX))
    if best.correlation >= _WHOLE_ENOUGH:
        return best
    boxes = _content(first.grey), _content(second.grey)
    if boxes != (_WHOLE_BOX, _WHOLE_BOX):
        inner = _cut(first.grey, boxes[0]), _cut(second.grey, boxes[1])
        which = "second" if _area(boxes[1]) < _area(boxes[0]) else "first"
        best = max(best, _measured(first, second, _compared_whole(*inner), (which, *boxes)), key=_by_correlation)
        if best.correlation >= _WHOLE_ENOUGH:
            return best
    else:
        inner = first.grey, second.grey
    for turn in turns:
        part = _part(turn_pixels(inner[0], turn), inner[1])
        if part is not None:
            found = _measured_part(first, second, turn, part, boxes)
            best = max(best, found, key=_by_correlation)
            if best.correlation >= _WHOLE_ENOUGH:
                break
    return best


def _of_one_size(first: Look, second: Look) -> tuple[Look, Look]:
    """The larger one made as small as the other: what one has lost is not held against it."""
    import numpy as np

    sides = [max(each.grey.shape) for each in (first, second)]
    if sides[0] == sides[1]:
        return first, second
    larger = first if sides[0] > sides[1] else second
    grey = np.rint(_resized(larger.grey, _fitted(larger.grey, min(sides)))).astype(np.uint8)
    smaller = Look(grey, larger.colour)
    return (smaller, second) if larger is first else (first, smaller)


def _by_correlation(alignment: Alignment) -> float:
    return alignment.correlation


# -- as a whole -----------------------------------------------------------------------------------


def _compared_whole(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> int:
    """The turn of the first in which both agree best, squeezed into squares."""
    import numpy as np

    one, other = (_evened(_resized(each, (_WHOLE_SIDE, _WHOLE_SIDE)), 3) for each in (first, second))
    return int(np.argmax([_correlation(turn_pixels(one, turn), other) for turn in range(TURNS)]))


def _measured(first: Look, second: Look, turn: int, borders: tuple[str, Box, Box]) -> Alignment:
    """The pictures as a whole, without their borders, with the first turned."""
    which, one, other = borders
    left = _cut(turn_pixels(first.grey, turn), _turned_box(one, turn))
    right = _cut(second.grey, other)
    height, width = right.shape
    stretch = (left.shape[1] / left.shape[0]) / (width / height)
    facts = _agreement(_resized(left, (width, height)), _resized(right, (width, height)))
    tones = _tones(turn_pixels(first.colour, turn), _turned_box(one, turn), second.colour, other)
    bordered = which if which and (one, other) != (_WHOLE_BOX, _WHOLE_BOX) else ""
    return Alignment(turn, "whole", _WHOLE_BOX, bordered, *facts, tones, stretch, _spot(left, right))


# -- as a part ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a part lies in the other picture, in pixels at `side`; `within`: which one is the part."""

    score: float
    within: Within
    scale: float
    top: int
    left: int
    height: int
    width: int


def _part(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> _Place | None:
    """Where the one is a part of the other, None where neither is."""
    coarse = max(
        _found(first, second, "second", _COARSE_SIDE, _COARSE_SCALES),
        _found(second, first, "first", _COARSE_SIDE, _COARSE_SCALES),
        key=lambda place: place.score,
    )
    if coarse.score < _PART_ENOUGH:
        return None
    whole, part = (first, second) if coarse.within == "second" else (second, first)
    return _found(whole, part, coarse.within, LONG_SIDE, [coarse.scale * each for each in _FINE_SCALES])


def _found(
    whole: NDArray[np.uint8], part: NDArray[np.uint8], within: Within, side: int, scales: Iterable[float]
) -> _Place:
    """The best place of the part in the whole, whose longer side is made `side` pixels, over sizes of the part."""
    import numpy as np

    image = _evened(_resized(whole, _fitted(whole, side)), max(2, side // 16))
    height, width = image.shape
    spectrum = np.fft.rfft2(image)
    energy = np.zeros((height + 1, width + 1), np.float64)
    energy[1:, 1:] = np.cumsum(np.cumsum(image.astype(np.float64) ** 2, axis=0), axis=1)
    best = _Place(-1.0, within, 1.0, 0, 0, height, width)
    for scale in scales:
        columns, lines = _fitted(part, side * scale)
        if lines > height or columns > width or min(lines, columns) < side // 5:
            continue
        template = _evened(_resized(part, (columns, lines)), max(2, side // 16))
        products = np.fft.irfft2(spectrum * np.conj(np.fft.rfft2(template, (height, width))), (height, width))
        windows = energy[lines:, columns:] - energy[:-lines, columns:] - energy[lines:, :-columns]
        windows = windows + energy[:-lines, :-columns]
        length = float(np.sqrt((template**2).sum()))
        scores = products[: height - lines + 1, : width - columns + 1] / (np.sqrt(np.maximum(windows, 1.0)) * length)
        at = int(np.argmax(scores))
        score = float(scores.flat[at])
        if score > best.score:
            top, left = divmod(at, scores.shape[1])
            best = _Place(score, within, scale, top, left, lines, columns)
    return best


def _measured_part(first: Look, second: Look, turn: int, place: _Place, borders: tuple[Box, Box]) -> Alignment:
    one, other = turn_pixels(first.grey, turn), second.grey
    inner = _turned_box(borders[0], turn), borders[1]
    left, right = _cut(one, inner[0]), _cut(other, inner[1])
    whole, part = (left, right) if place.within == "second" else (right, left)
    around = _resized(whole, _fitted(whole, LONG_SIDE))
    high, wide = around.shape
    window = around[place.top : place.top + place.height, place.left : place.left + place.width]
    facts = _agreement(window, _resized(part, (place.width, place.height)))
    box = place.left / wide, place.top / high, (place.left + place.width) / wide, (place.top + place.height) / high
    boxes = (_inside(inner[0], box), inner[1]) if place.within == "second" else (inner[0], _inside(inner[1], box))
    tones = _tones(turn_pixels(first.colour, turn), boxes[0], second.colour, boxes[1])
    bordered = "" if borders == (_WHOLE_BOX, _WHOLE_BOX) else "first" if borders[0] != _WHOLE_BOX else "second"
    return Alignment(turn, place.within, box, bordered, *facts, tones, 1.0, 0.0)


# -- how well -------------------------------------------------------------------------------------


def _agreement(first: Plane, second: Plane) -> tuple[float, float]:
    """Correlation of the details, and the share of blocks that agree."""
    import numpy as np

    one, other = _evened(first, _RADIUS), _evened(second, _RADIUS)
    ones, others, products = _blocks(one * one), _blocks(other * other), _blocks(one * other)
    energy, larger = np.sqrt(ones * others), np.maximum(ones, others)
    total = float(np.sqrt(ones.sum() * others.sum()))
    correlation = float(products.sum()) / total if total > 0 else 0.0
    full = larger > _EMPTY_BLOCK * max(float(ones.mean()), float(others.mean()))
    agrees = products[full] >= _BLOCK_AGREES * np.maximum(energy[full], larger[full] / 2)
    return correlation, float(agrees.mean()) if agrees.size else 0.0


def _spot(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> float:
    """The largest difference in grey levels of a small spot, brightness and contrast evened out."""
    import numpy as np

    size = _fitted(second, _SPOT_SIDE)
    one, other = _resized(first, size), _resized(second, size)
    slope = np.float32(other.std() / max(float(one.std()), 1.0))
    return float(np.abs(_mean_around((one - one.mean()) * slope + other.mean() - other, 1)).max())


def _blocks(plane: Plane) -> Plane:
    """Sums over a grid of blocks."""
    import numpy as np

    rows = np.linspace(0, plane.shape[0], _BLOCKS + 1).astype(int)[:-1]
    columns = np.linspace(0, plane.shape[1], _BLOCKS + 1).astype(int)[:-1]
    sums: Plane = np.add.reduceat(np.add.reduceat(plane, rows, axis=0), columns, axis=1)
    return sums


def _tones(first: NDArray[np.uint8], one: Box, second: NDArray[np.uint8], other: Box) -> float:
    """Mean difference of the colours of two parts."""
    import numpy as np
    from PIL import Image as PILImage

    side = _COLOUR_SIDE // 2
    boxes = [tuple(share * _COLOUR_SIDE for share in box) for box in (one, other)]
    small: list[Any] = [
        PILImage.fromarray(np.ascontiguousarray(each)).resize((side, side), PILImage.Resampling.BILINEAR, box=box)
        for each, box in zip((first, second), boxes, strict=True)
    ]
    return float(np.abs(np.asarray(small[0], np.float32) - np.asarray(small[1], np.float32)).mean())


def _correlation(first: Plane, second: Plane) -> float:
    import numpy as np

    length = float(np.sqrt((first * first).sum() * (second * second).sum()))
    return float((first * second).sum()) / length if length > 0 else 0.0


def _evened(grey: Plane, radius: int) -> Plane:
    """Details alone, of even contrast: the difference from the mean around, in units of the contrast around."""
    import numpy as np

    detail = grey - _mean_around(grey, radius)
    contrast = np.sqrt(np.maximum(_mean_around(detail * detail, radius), 0))
    even: Plane = detail / (contrast + np.float32(_FAINT))
    return even


def _mean_around(plane: Plane, radius: int) -> Plane:
    """The mean over a square window, which ends at the picture's edges."""
    import numpy as np

    for axis in (0, 1):
        length = plane.shape[axis]
        sums = np.concatenate([np.zeros_like(plane.take([0], axis)), np.cumsum(plane, axis=axis)], axis=axis)
        low, high = np.maximum(np.arange(length) - radius, 0), np.minimum(np.arange(length) + radius + 1, length)
        counts = (high - low).astype(np.float32)
        plane = (sums.take(high, axis) - sums.take(low, axis)) / (counts[:, None] if axis == 0 else counts)
    return plane


# -- sizes and boxes ------------------------------------------------------------------------------


def _resized(grey: NDArray[Any], size: tuple[int, int]) -> Plane:
    """float32 (height, width) of the (width, height) asked for."""
    import numpy as np
    from PIL import Image as PILImage

    image = PILImage.fromarray(np.ascontiguousarray(grey))
    return np.asarray(image.resize(size, PILImage.Resampling.BILINEAR), dtype=np.float32)


def _fitted(grey: NDArray[Any], side: float) -> tuple[int, int]:
    """Width and height of a picture whose longer side is made `side`."""
    factor = side / max(grey.shape)
    return max(4, round(grey.shape[1] * factor)), max(4, round(grey.shape[0] * factor))


def _content(grey: NDArray[np.uint8]) -> Box:
    """What is left without plain borders, which are of one level on each side."""
    import numpy as np

    height, width = grey.shape
    rows, columns = grey.std(axis=1) < _PLAIN, grey.std(axis=0) < _PLAIN
    top, bottom = _depth(rows), _depth(rows[::-1])
    inner = grey[top : height - bottom]
    columns = inner.std(axis=0) < _PLAIN if inner.size else columns
    left, right = _depth(columns), _depth(columns[::-1])
    if not (top or bottom or left or right) or np.prod(inner.shape) == 0:
        return _WHOLE_BOX
    return left / width, top / height, 1 - right / width, 1 - bottom / height


def _depth(plain: NDArray[np.bool_]) -> int:
    """Lines from the edge that belong to a border; 0 where it has no end within reason."""
    import numpy as np

    most = int(len(plain) * _DEEPEST_BORDER)
    depth = int(np.argmin(plain)) if not plain.all() else len(plain)
    if depth == 0 or depth > most:
        return 0
    return min(depth + 1, most)  # the line where border and picture mix


def _cut(grey: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    height, width = grey.shape
    left, top, right, bottom = box
    return grey[round(top * height) : round(bottom * height), round(left * width) : round(right * width)]


def _turned_box(box: Box, turn: int) -> Box:
    """Where a part lies once the picture is turned."""
    left, top, right, bottom = box
    if turn & 4:
        left, top, right, bottom = top, left, bottom, right
    if turn & 2:
        top, bottom = 1 - bottom, 1 - top
    if turn & 1:
        left, right = 1 - right, 1 - left
    return left, top, right, bottom


def _inside(outer: Box, inner: Box) -> Box:
    """A part of a part, as shares of the whole."""
    left, top, right, bottom = outer
    wide, high = right - left, bottom - top
    return left + inner[0] * wide, top + inner[1] * high, left + inner[2] * wide, top + inner[3] * high


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])
