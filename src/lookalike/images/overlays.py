"""Lays small pictures over each other where they were guessed to lie, many pairs at a time, and tells how they agree.

The edges of the part's box move to a fraction of a pixel, as `registration` does it for one pair: a guess is a pixel or
two off, and what is in fact the same agrees well only where it lies exactly. So most pairs of different photos that
have a guess are told apart without a look at their files, in a 30th of a millisecond each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lookalike.images.stacks import evened_stack, viewed_stack, without_lines_stack

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from lookalike.images.stacks import Boxes, Stack

_SIDE = 16
"""Pixels at which they are compared: 20 or 24 tell no better, and take twice as long."""
_RADIUS = 2
_LOOKS = (2, 3)
"""Looks at the part, between which its edges move: at all pairs, then at those that promise something."""
_PROMISING = 0.4
"""Correlation below which a pair is given up: half of those of different photos, and 3 in 10,000 of one photo."""
_FURTHEST = 2 / _SIDE
"""Share of the part by which an edge moves at once: slopes tell nothing of what is further away."""
_STEADY, _NOTHING = 1e-3, 1e-6
"""As in `registration`."""
_LEAST_PART = 0.2
"""Share of a side that a box keeps."""
_EMPTY = 1e-4
"""Mean square of details below which there are none, as of one picture (`planes.correlation_of`)."""
_BLOCKS = 8
_BLOCK_AGREES, _EMPTY_BLOCK = 0.5, 0.15
"""As in `alignment`."""
_ROWS = 128
"""Pairs laid over each other together: what stays in a processor's cache."""


@dataclass(frozen=True, slots=True)
class Overlays:
    """Of each pair: `boxes`, float32 (m, 4), where the part lies in truth. `correlation`: of the details there, float32
    (m,). `agreeing`: of the blocks with something to see, the share that agrees, float32 (m,); 0 where hardly anything
    correlates.
    """

    boxes: Boxes
    correlation: NDArray[np.float32]
    agreeing: NDArray[np.float32]


def overlaid(outer: NDArray[np.uint8], inner: NDArray[np.uint8], boxes: Boxes) -> Overlays:
    """How each inner picture agrees with about that box of its outer one.

    `outer`, `inner`: uint8 (m, s, s), pictures squeezed into squares; `boxes`: float32 (m, 4), as `planes.Box`.
    """
    import numpy as np

    told = Overlays(boxes.copy(), np.empty(len(boxes), np.float32), np.zeros(len(boxes), np.float32))
    for start in range(0, len(boxes), _ROWS):
        rows = np.arange(start, min(start + _ROWS, len(boxes)))
        there, wanted = outer[rows].astype(np.float32), _seen(inner[rows].astype(np.float32), boxes[rows])
        for looks in _LOOKS:
            told.boxes[rows], told.correlation[rows] = _settled(there, wanted, told.boxes[rows], looks)
            promising = told.correlation[rows] >= _PROMISING
            rows, there, wanted = rows[promising], there[promising], wanted[promising]
        shown = without_lines_stack(_details(there, told.boxes[rows]), _RADIUS)
        told.agreeing[rows] = _agreeing(shown, without_lines_stack(wanted, _RADIUS))
    return told


def _details(planes: Stack, boxes: Boxes, blur: NDArray[np.float32] | float = 1.0) -> Stack:
    return evened_stack(viewed_stack(planes, boxes, _SIDE, blur), _RADIUS)


def _seen(inner: Stack, boxes: Boxes) -> Stack:
    """The details of whole parts, no sharper than they are in those boxes."""
    import numpy as np

    whole = np.broadcast_to(np.array([0, 0, 1, 1], np.float32), boxes.shape)
    return _details(inner, whole, 1 / np.maximum(boxes[:, 2:] - boxes[:, :2], _LEAST_PART))


def _settled(outer: Stack, wanted: Stack, boxes: Boxes, looks: int) -> tuple[Boxes, NDArray[np.float32]]:
    """The best of the boxes tried, and the correlation there."""
    import numpy as np

    slopes = _slopes(wanted)
    products = slopes @ slopes.swapaxes(1, 2)
    steady = _STEADY * np.trace(products, axis1=1, axis2=2) + _NOTHING
    products += steady[:, None, None] * np.eye(4, dtype=np.float32)
    lineless = without_lines_stack(wanted, _RADIUS)
    best, score = boxes.copy(), np.full(len(boxes), -1, np.float32)
    for look in range(looks):
        there = _details(outer, boxes)
        now = _correlation(without_lines_stack(there, _RADIUS), lineless)
        best = np.where((now > score)[:, None], boxes, best)
        score = np.maximum(now, score)
        if look + 1 < looks:
            away = slopes @ (there - wanted).reshape(-1, _SIDE * _SIDE, 1)
            boxes = _moved(boxes, (np.linalg.solve(products, away)[:, :, 0] / _SIDE).clip(-_FURTHEST, _FURTHEST))
    return best, score


def _slopes(details: Stack) -> Stack:
    """What a shift and a growth across, then along, do to the details: float32 (m, 4, pixels)."""
    import numpy as np

    down, right = np.gradient(details, axis=(1, 2))
    from_middle = np.linspace(-0.5, 0.5, _SIDE, dtype=np.float32)
    slopes: Stack = np.stack([right, right * from_middle, down, down * from_middle[:, None]], axis=1)
    return slopes.reshape(-1, 4, _SIDE * _SIDE)


def _moved(boxes: Boxes, moved: NDArray[np.float32]) -> Boxes:
    """The boxes by so much further to the left and up, within the picture and never too narrow (`registration`)."""
    import numpy as np

    sides = boxes[:, 2:] - boxes[:, :2]
    shift, half_growth = moved[:, ::2] * sides, moved[:, 1::2] * sides / 2
    low = (boxes[:, :2] - shift + half_growth).clip(0, 1 - _LEAST_PART)
    high = np.maximum((boxes[:, 2:] - shift - half_growth).clip(_LEAST_PART, 1), low + _LEAST_PART)
    there: Boxes = np.concatenate([low, high], axis=1).astype(np.float32, copy=False)
    return there


def _correlation(first: Stack, second: Stack) -> NDArray[np.float32]:
    """As `planes.correlation_of`."""
    import numpy as np

    ones, others, products = (each.sum(axis=(1, 2)) for each in (first * first, second * second, first * second))
    is_empty = np.minimum(ones, others) < _EMPTY * _SIDE * _SIDE
    correlation: NDArray[np.float32] = np.where(is_empty, 0, products / np.sqrt(np.maximum(ones * others, _NOTHING)))
    return correlation


def _agreeing(first: Stack, second: Stack) -> NDArray[np.float32]:
    """The share of blocks that agree, of those with something to see (`alignment`)."""
    import numpy as np

    ones, others, products = (_blocks(each) for each in (first * first, second * second, first * second))
    larger = np.maximum(ones, others)
    least = _EMPTY_BLOCK * np.maximum(ones.mean(axis=1), others.mean(axis=1))
    full = larger > least[:, None]
    agrees = full & (products >= _BLOCK_AGREES * np.maximum(np.sqrt(ones * others), larger / 2))
    share: NDArray[np.float32] = (agrees.sum(axis=1) / np.maximum(full.sum(axis=1), 1)).astype(np.float32)
    return share


def _blocks(planes: Stack) -> NDArray[np.float32]:
    """Sums over a grid of blocks: float32 (m, blocks)."""
    pixels = _SIDE // _BLOCKS
    sums: NDArray[np.float32] = planes.reshape(-1, _BLOCKS, pixels, _BLOCKS, pixels).sum(axis=(2, 4))
    return sums.reshape(-1, _BLOCKS * _BLOCKS)
