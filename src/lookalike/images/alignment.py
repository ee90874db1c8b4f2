"""Lays one picture over another as `sketches` guessed, and measures how well they agree there.

Everything happens on small grey pictures whose local contrast was evened out, so that brightness, colours and the way
a file was saved count for little. A part is found again at finer scales by normalised cross-correlation; its edges, and
those of what lies within a border, are then moved to a fraction of a pixel (`registration`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from lookalike.core.turns import turn_pixels
from lookalike.images.planes import (
    WHOLE_BOX,
    area,
    content_of,
    correlation_of,
    cut,
    evened,
    fitted,
    inside,
    mean_around,
    resized,
    turned_box,
    without_lines,
)
from lookalike.images.registration import settled, view

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

    from lookalike.core.arrays import Pixels
    from lookalike.images.planes import Box, Plane
    from lookalike.images.sketches import Guess, Within

    _Agreement = tuple[float, float, float]

LONG_SIDE = 128
"""Of the grey picture, in pixels: a part of 60 % still has 77."""
_COLOUR_SIDE = 32
_FINE_SCALES = (0.96, 0.98, 1.0, 1.02, 1.04)
_PLACE_SIDE = 96
"""Of the picture in which a part is looked for: near enough for `registration`; at 64 pixels 1 in 100 crops is lost."""
_PLACE_RADIUS = _PLACE_SIDE // 16
_ENOUGH = 0.85
"""Correlation above which no further guess is tried."""
_WIDEST = 0.3
"""Share of the shorter side that a border takes, at most."""
_LEAST_SIDE = 4
"""Pixels of a part, at least."""
_RADIUS = LONG_SIDE // 16
_SPOT_SIDE = 64
_BLOCKS = 8
_BLOCK_AGREES = 0.5
"""Correlation of a block that shows the same."""
_EMPTY_BLOCK = 0.15
"""Share of the usual energy below which a block has nothing to compare."""


@dataclass(frozen=True, slots=True)
class Look:
    """A small version of a picture. `grey`: uint8 (height, width), the longer of them `LONG_SIDE` at most. `colour`:
    uint8 (n, n, 3), the picture squeezed into a square. `content`: what lies within plain borders.
    """

    grey: NDArray[np.uint8]
    colour: NDArray[np.uint8]
    content: Box


@dataclass(frozen=True, slots=True)
class Alignment:
    """How two pictures lie on each other.

    `turn`: how the first is turned to lie like the second (`core.turns`). `within`: as in `sketches`, where "content"
    counts as "whole".
    `box`: that part of the other picture. `bordered`: which of them has plain borders that were taken off: "first",
    "second", "both", or "".
    `correlation`: of the details, in [-1, 1]. `filled`: share of blocks with something to see, `agreeing`: of
    these, share of those that agree. `tones`: mean difference of the colours, 0 to 255. `stretch`: the ratio of the
    shapes of what is laid over each other, either way, 1 for the same shape. `spot`: as a whole, the largest difference
    in grey levels of a small spot, when brightness and contrast are evened out.
    """

    turn: int
    within: Within
    box: Box
    bordered: str
    correlation: float
    agreeing: float
    filled: float
    tones: float
    stretch: float
    spot: float


APART = Alignment(0, "whole", WHOLE_BOX, "", 0.0, 0.0, 0.0, 0.0, 1.0, 0.0)
"""Of pictures between which there is not even a guess."""


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
    grey = np.asarray(image.convert("L").resize(size, PILImage.Resampling.BILINEAR), dtype=np.uint8)
    return Look(grey, np.asarray(colour, dtype=np.uint8), content_of(grey))


def align(first: Look, second: Look, tried: Iterable[Guess]) -> Alignment:
    """The best of the guesses, measured; the first that is good enough ends it."""
    best = APART
    first, second = _of_one_size(first, second)
    for guess in tried:
        if guess.within == "whole":
            found = _as_a_whole(first, second, guess.turn)
        elif guess.within == "content":
            if (first.content, second.content) == (WHOLE_BOX, WHOLE_BOX):
                continue
            found = _within_borders(first, second, guess.turn)
        else:
            found = _as_a_part(first, second, guess)
        best = max(best, found, key=lambda alignment: alignment.correlation)
        if best.correlation >= _ENOUGH:
            break
    return best


def _of_one_size(first: Look, second: Look) -> tuple[Look, Look]:
    """The larger one made as small as the other: what one has lost is not held against it."""
    import numpy as np

    sides = [max(each.grey.shape) for each in (first, second)]
    if sides[0] == sides[1]:
        return first, second
    larger = first if sides[0] > sides[1] else second
    smaller = replace(larger, grey=np.rint(resized(larger.grey, fitted(larger.grey, min(sides)))).astype(np.uint8))
    return (smaller, second) if larger is first else (first, smaller)


def _as_a_whole(first: Look, second: Look, turn: int) -> Alignment:
    """The pictures from edge to edge."""
    left, right = turn_pixels(first.grey, turn), second.grey
    height, width = right.shape
    stretch = (left.shape[1] / left.shape[0]) / (width / height)
    facts = _agreement(resized(left, (width, height)), resized(right, (width, height)))
    tones = _tones(turn_pixels(first.colour, turn), WHOLE_BOX, second.colour, WHOLE_BOX)
    return Alignment(turn, "whole", WHOLE_BOX, "", *facts, tones, stretch, _spot(left, right))


def _within_borders(first: Look, second: Look, turn: int) -> Alignment:
    """What lies within the borders, from edge to edge."""
    greys = turn_pixels(first.grey, turn), second.grey
    boxes = [turned_box(first.content, turn), second.content]
    which, outer = _bordered(first, second), 1 if area(boxes[1]) < area(boxes[0]) else 0
    inner = cut(greys[1 - outer], boxes[1 - outer])
    laid = [_laid(greys[outer], inner, boxes[outer])]
    if laid[0][1][0] < _ENOUGH:  # a side may have been overlooked
        laid.append(_laid(greys[outer], inner, _as_wide_everywhere(greys[outer], boxes[outer])))
    boxes[outer], facts = max(laid, key=lambda each: each[1][0])
    stretch = _stretch(greys[outer], boxes[outer], inner)
    tones = _tones(turn_pixels(first.colour, turn), boxes[0], second.colour, boxes[1])
    return Alignment(turn, "whole", WHOLE_BOX, which, *facts, tones, stretch, 0.0)


def _as_a_part(first: Look, second: Look, guess: Guess) -> Alignment:
    """The one as a part of the other, at about that scale."""
    turn = guess.turn
    greys = turn_pixels(first.grey, turn), second.grey
    boxes = [turned_box(first.content, turn), second.content]
    which, outer = _bordered(first, second), 0 if guess.within == "second" else 1
    inner, part = boxes[outer], cut(greys[1 - outer], boxes[1 - outer])
    about = inside(inner, _found(cut(greys[outer], inner), part, guess.scale))
    boxes[outer], facts = _laid(greys[outer], part, about)
    stretch = _stretch(greys[outer], boxes[outer], part)
    tones = _tones(turn_pixels(first.colour, turn), boxes[0], second.colour, boxes[1])
    return Alignment(turn, guess.within, _share(inner, boxes[outer]), which, *facts, tones, stretch, 0.0)


def _as_wide_everywhere(grey: NDArray[np.uint8], content: Box) -> Box:
    """What is left within a border that is as wide on each side as on the widest."""
    height, width = grey.shape
    left, top, right, bottom = content
    wide = max(left * width, top * height, (1 - right) * width, (1 - bottom) * height)
    if wide > _WIDEST * min(width, height):
        return content
    return wide / width, wide / height, 1 - wide / width, 1 - wide / height


def _bordered(first: Look, second: Look) -> str:
    """Which of them have plain borders."""
    names = {(True, False): "first", (False, True): "second", (True, True): "both", (False, False): ""}
    return names[first.content != WHOLE_BOX, second.content != WHOLE_BOX]


def _laid(whole: NDArray[np.uint8], part: NDArray[np.uint8], box: Box) -> tuple[Box, _Agreement]:
    """Where in the whole the part lies exactly, and how well they agree there; compared as large as the smaller is."""
    (high, wide), (most_high, most_wide) = whole.shape, part.shape
    wide, high = round((box[2] - box[0]) * wide), round((box[3] - box[1]) * high)
    size = max(min(wide, most_wide), _LEAST_SIDE), max(min(high, most_high), _LEAST_SIDE)
    small = resized(part, size)
    box = settled(whole, small, box, _RADIUS)
    return box, _agreement(view(whole, box, size), small)


def _stretch(whole: NDArray[np.uint8], box: Box, part: NDArray[np.uint8]) -> float:
    """The shape of the box of the whole by that of the part."""
    wide, high = (box[2] - box[0]) * whole.shape[1], (box[3] - box[1]) * whole.shape[0]
    stretch: float = wide / high / (part.shape[1] / part.shape[0])
    return stretch


def _share(outer: Box, box: Box) -> Box:
    """A part of the whole as shares of another part; the reverse of `inside`, as far as it lies there."""
    left, top, right, bottom = outer
    wide, high = right - left, bottom - top
    return (
        max((box[0] - left) / wide, 0.0),
        max((box[1] - top) / high, 0.0),
        min((box[2] - left) / wide, 1.0),
        min((box[3] - top) / high, 1.0),
    )


def _found(whole: NDArray[np.uint8], part: NDArray[np.uint8], scale: float) -> Box:
    """The best place of the part in the whole, over sizes of the part around that scale."""
    import numpy as np

    image = evened(resized(whole, fitted(whole, _PLACE_SIDE)), _PLACE_RADIUS)
    height, width = image.shape
    spectrum = np.fft.rfft2(image)
    energy = np.zeros((height + 1, width + 1), np.float64)
    energy[1:, 1:] = np.cumsum(np.cumsum(image.astype(np.float64) ** 2, axis=0), axis=1)
    best, place = -1.0, WHOLE_BOX
    for fine in _FINE_SCALES:
        columns, lines = fitted(part, _PLACE_SIDE * scale * fine)
        if lines > height or columns > width:
            continue
        template = evened(resized(part, (columns, lines)), _PLACE_RADIUS)
        products = np.fft.irfft2(spectrum * np.conj(np.fft.rfft2(template, (height, width))), (height, width))
        windows = energy[lines:, columns:] - energy[:-lines, columns:] - energy[lines:, :-columns]
        windows = windows + energy[:-lines, :-columns]
        length = max(float(np.sqrt((template**2).sum())), 1.0)
        scores = products[: height - lines + 1, : width - columns + 1] / (np.sqrt(np.maximum(windows, 1.0)) * length)
        at = int(np.argmax(scores))
        if scores.flat[at] > best:
            best = float(scores.flat[at])
            top, left = divmod(at, scores.shape[1])
            place = left / width, top / height, (left + columns) / width, (top + lines) / height
    return place


def _agreement(first: Plane, second: Plane) -> _Agreement:
    """Correlation of the details, the share of blocks that agree, and of those with something to see."""
    import numpy as np

    one, other = without_lines(evened(first, _RADIUS), _RADIUS), without_lines(evened(second, _RADIUS), _RADIUS)
    correlation = correlation_of(one, other)
    ones, others, products = _blocks(one * one), _blocks(other * other), _blocks(one * other)
    energy, larger = np.sqrt(ones * others), np.maximum(ones, others)
    full = larger > _EMPTY_BLOCK * max(float(ones.mean()), float(others.mean()))
    agrees = products[full] >= _BLOCK_AGREES * np.maximum(energy[full], larger[full] / 2)
    return correlation, float(agrees.mean()) if agrees.size else 0.0, float(full.mean())


def _spot(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> float:
    """The largest difference in grey levels of a small spot, brightness and contrast evened out."""
    import numpy as np

    size = fitted(second, _SPOT_SIDE)
    one, other = resized(first, size), resized(second, size)
    slope = np.float32(other.std() / max(float(one.std()), 1.0))
    return float(np.abs(mean_around((one - one.mean()) * slope + other.mean() - other, 1)).max())


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
    boxes: list[Any] = [tuple(share * _COLOUR_SIDE for share in box) for box in (one, other)]
    small: list[Any] = [
        PILImage.fromarray(np.ascontiguousarray(each)).resize((side, side), PILImage.Resampling.BILINEAR, box=box)
        for each, box in zip((first, second), boxes, strict=True)
    ]
    return float(np.abs(np.asarray(small[0], np.float32) - np.asarray(small[1], np.float32)).mean())
