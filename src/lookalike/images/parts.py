"""Looks for small pictures as parts of others, many pairs at a time, the part mirrored or not.

By normalised cross-correlation over scales (J. P. Lewis, "Fast Normalized Cross-Correlation", 1995) of details; the few
best ways are then laid over each other exactly (`overlays`).
How well two different photos agree by chance depends on how few pixels the part has: a part stands out by how much it
agrees better than those do.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from lookalike.images.overlays import overlaid
from lookalike.images.stacks import evened_stack, resized_stack

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from lookalike.images.overlays import Overlays
    from lookalike.images.stacks import Boxes, Stack

    Numbers = NDArray[np.int64]

SCALES = tuple(0.93**step for step in range(0, 11, 2))
"""Sizes of a part within the other picture that are tried: down to 48 %, in steps that `_SIDE` pixels hardly notice."""
_USUAL = (0.115, 0.218, 0.276, 0.307, 0.346, 0.375)
"""Mean correlation at the best place, by scale, of different photos (5,287 pairs near each other by cosine)."""
_EXCESS = 0.15
"""How much better than usual a part agrees, at least: at 0.18 1 of 229 squares cut out of photos is lost, none here."""
_TRIED = 3
"""Ways of a pair laid over each other, at most."""
_SIDE = 24
"""Pixels of the longer side: at 20 or 16 one crop in 200 more is lost."""
_RADIUS = 2
_SMALLEST = 5
"""The part of the longer side that the shorter side of a part has at least: a stripe tells nothing."""
_THINNEST = 4
"""Pixels of the shorter side of a picture, whatever shape it has."""
_NOTHING = 1e-3
"""Squared details of a part below which it has none."""
_LEAST_ENERGY = 0.25 * _SIDE
"""Squared details of a window: below that it shows nothing."""
_ROWS = 128
"""Pairs transformed together: what stays in a processor's cache."""


@dataclass(frozen=True, slots=True)
class TriedParts:
    """Ways in which one picture of a pair may be a part of the other, those of one pair one after another.

    `pair`: int64 (ways,), which of the pairs, ascending. `of_first`: bool (ways,), the second is the part. `mirrored`:
    bool (ways,). `scale`: float32 (ways,), its longer side by that of the other. `laid`: how they agree.
    """

    pair: Numbers
    of_first: NDArray[np.bool_]
    mirrored: NDArray[np.bool_]
    scale: NDArray[np.float32]
    laid: Overlays


@dataclass(frozen=True, slots=True)
class _Pictures:
    """Pictures whose longer side is `_SIDE`, n.

    `shapes`: int64 (pictures, 2), those of `tried_parts`; `sizes`: height and width, no more than n. `details`: float32
    (pictures, n, n), 0 beyond the picture; `spectra`: complex64 (pictures, n, n / 2 + 1), of these; `energy`: their
    squares summed from the corner, float32 (pictures, n + 1, n + 1).
    """

    shapes: Numbers
    sizes: Numbers
    details: Stack
    spectra: NDArray[np.complex64]
    energy: Stack


def tried_parts(squares: NDArray[np.uint8], shapes: Numbers, first: Numbers, second: Numbers) -> TriedParts:
    """The ways that promise something. `squares`: uint8 (n, s, s), pictures squeezed into squares.

    `shapes`: int64 (n, 2), heights and widths that these have in truth. `first`, `second`: places of pairs, (m,).
    """
    import numpy as np

    pictures = _pictures(squares, shapes)
    whole, part = np.concatenate([first, second]), np.concatenate([second, first])
    excess, place = _looked_for(pictures, whole, part)
    by_pair = excess.reshape(2, len(first), -1).swapaxes(0, 1).reshape(len(first), -1)
    best = np.argpartition(-by_pair, _TRIED, axis=1)[:, :_TRIED]
    pair, nth = np.nonzero(np.take_along_axis(by_pair, best, axis=1) >= _EXCESS)
    direction, scale, mirrored = np.unravel_index(best[pair, nth], (2, len(SCALES), 2))
    row = direction * len(first) + pair
    outer, inner = whole[row], part[row]
    boxes = _boxes(pictures.sizes[outer], shapes[inner], scale, place[row, scale, mirrored])
    turned = np.where(mirrored[:, None, None] == 1, squares[inner][:, :, ::-1], squares[inner])
    laid = overlaid(squares[outer], turned, boxes)
    sides = (laid.boxes[:, 2:] - laid.boxes[:, :2])[:, ::-1] * shapes[outer]
    share = (sides.max(axis=1) / shapes[outer].max(axis=1)).astype(np.float32)
    return TriedParts(pair, direction == 0, mirrored == 1, share, laid)


def _boxes(sizes: Numbers, shapes: Numbers, scale: Numbers, place: Numbers) -> Boxes:
    """Where parts of these shapes lie in pictures of these sizes."""
    import numpy as np

    high, wide = sizes.T
    height, width = _fitted(shapes, _SIDE * np.array(SCALES)[scale][:, None]).T
    top, left = np.divmod(place, _SIDE)
    edges = left / wide, top / high, (left + width) / wide, (top + height) / high
    return np.stack(edges, axis=1).astype(np.float32)


def _looked_for(pictures: _Pictures, whole: Numbers, part: Numbers) -> tuple[NDArray[np.float32], Numbers]:
    """By how much parts agree better than usual, as they are and mirrored, -inf where they are too large: float32
    (rows, SCALES, 2). And the best places, `_SIDE` times the line plus the column: int64 (rows, SCALES, 2).
    """
    import numpy as np

    excess = np.full((len(whole), len(SCALES), 2), -np.inf, np.float32)
    place = np.zeros(excess.shape, np.int64)
    for some in _groups(pictures.shapes[part]):
        for scale, usual in enumerate(_USUAL):
            size = _fitted(pictures.shapes[part[some[:1]]], _SIDE * SCALES[scale])[0]
            fits = some[(pictures.sizes[whole[some]] >= size).all(axis=1)]
            if size.min() >= _SIDE // _SMALLEST and len(fits):
                score, place[fits, scale] = _agreeing(pictures, whole[fits], part[fits], size)
                excess[fits, scale] = (score - usual).round(3)  # what is alike stays so, whatever else is in the batch
    return excess, place


def _agreeing(pictures: _Pictures, whole: Numbers, part: Numbers, size: Numbers) -> tuple[NDArray[np.float32], Numbers]:
    """Correlations at the best places of parts, made so large, and of their mirror images: float32 (rows, 2).

    And these places, int64 (rows, 2).
    """
    import numpy as np

    needed, which = np.unique(part, return_inverse=True)
    spectra = _of_templates(pictures, needed, size)
    scores, place = np.empty((len(whole), 2), np.float32), np.empty((len(whole), 2), np.int64)
    order = np.lexsort(pictures.sizes[whole].T)
    for start in range(0, len(whole), _ROWS):
        rows = order[start : start + _ROWS]
        some = whole[rows]
        room = pictures.sizes[some] - size + 1
        high, wide = room.max(axis=0).tolist()
        sums = _levels(pictures.spectra[some, None] * spectra[which[rows]], high, wide)
        energy = np.maximum(_windows(pictures.energy[some], size.tolist(), (high, wide)), _LEAST_ENERGY)
        energy[_beyond(room, high, wide)] = np.inf
        agree = (sums / np.sqrt(energy)[:, None]).reshape(len(rows), 2, -1)
        best = agree.argmax(axis=2)
        scores[rows] = np.take_along_axis(agree, best[:, :, None], axis=2)[:, :, 0]
        place[rows] = best // wide * _SIDE + best % wide
    return scores, place


def _of_templates(pictures: _Pictures, needed: Numbers, size: Numbers) -> NDArray[np.complex64]:
    """Conjugate spectra of pictures of one shape made so large, of length 1, and of their mirror images: complex64
    (pictures, 2, n, n / 2 + 1).
    """
    import numpy as np

    lines, columns = pictures.sizes[needed[0]]
    templates = resized_stack(pictures.details[needed, :lines, :columns], int(size[0]), int(size[1]))
    lengths = np.sqrt(np.maximum(np.square(templates).sum(axis=(1, 2), keepdims=True), _NOTHING))
    spectra = np.fft.rfft2(templates / lengths, (_SIDE, _SIDE)).astype(np.complex64, copy=False)
    upside_down = np.roll(spectra[:, ::-1], 1, axis=1)  # of a mirror image it is the conjugate, moved
    return np.stack([np.conj(spectra), upside_down * _moved_by(int(size[1]) - 1)], axis=1)


@cache
def _moved_by(columns: int) -> NDArray[np.complex64]:
    """What moving to the left by so many columns does to half a spectrum: (n / 2 + 1,)."""
    import numpy as np

    waves: NDArray[np.complex64] = np.exp(2j * np.pi / _SIDE * columns * np.arange(_SIDE // 2 + 1)).astype(np.complex64)
    return waves


def _levels(spectra: NDArray[np.complex64], high: int, wide: int) -> Stack:
    """The levels in the upper left corner, float32 (rows, 2, high, wide), of spectra (rows, 2, n, n / 2 + 1)."""
    import numpy as np

    side = spectra.shape[2]
    columns = spectra.reshape(-1, spectra.shape[3]).view(np.float32) @ _across(side, wide)
    levels: Stack = _down(side, high) @ columns.reshape(-1, 2 * side, wide)
    return levels.reshape(-1, 2, high, wide)


@cache
def _across(side: int, wide: int) -> NDArray[np.float32]:
    """From a line of half a spectrum to so many columns, real and imaginary parts in turns: (n + 2, 2 * wide).

    Products with these few waves take a third of the time of a transform, which gives all levels.
    """
    import numpy as np

    waves = np.exp(2j * np.pi / side * np.outer(np.arange(side // 2 + 1), np.arange(wide))) / side
    waves[1 : (side + 1) // 2] *= 2  # for the other half of the spectrum
    parts = np.stack([np.hstack([waves.real, waves.imag]), np.hstack([-waves.imag, waves.real])], axis=1)
    return parts.reshape(-1, 2 * wide).astype(np.float32)


@cache
def _down(side: int, high: int) -> NDArray[np.float32]:
    """From such columns to the real part of so many lines: float32 (high, 2 * n)."""
    import numpy as np

    waves = np.exp(2j * np.pi / side * np.outer(np.arange(high), np.arange(side))) / side
    return np.stack([waves.real, -waves.imag], axis=2).reshape(high, -1).astype(np.float32)


def _windows(energy: Stack, size: Sequence[int], places: Sequence[int]) -> Stack:
    """Sums over the windows of a size at places from the upper left corner, float32 (rows, *places)."""
    (height, width), (high, wide) = size, places
    below, above = energy[:, height : height + high], energy[:, :high]
    rows = below - above
    windows: Stack = rows[..., width : width + wide] - rows[..., :wide]
    return windows


def _beyond(room: Numbers, high: int, wide: int) -> NDArray[np.bool_]:
    """Which of so many places are not in each picture, which has room for so many lines and columns."""
    import numpy as np

    below, aside = np.arange(high) >= room[:, :1], np.arange(wide) >= room[:, 1:]
    beyond: NDArray[np.bool_] = below[:, :, None] | aside[:, None, :]
    return beyond


def _pictures(squares: NDArray[np.uint8], shapes: Numbers) -> _Pictures:
    import numpy as np

    details = np.zeros((len(squares), _SIDE, _SIDE), np.float32)
    sizes = _fitted(shapes, _SIDE)
    for rows in _groups(shapes):
        height, width = sizes[rows[0]].tolist()
        small = resized_stack(squares[rows].astype(np.float32), height, width)
        details[rows, :height, :width] = evened_stack(small, _RADIUS)
    energy = np.zeros((len(squares), _SIDE + 1, _SIDE + 1), np.float32)
    below = np.tri(_SIDE, dtype=np.float32)
    energy[:, 1:, 1:] = below @ (details * details @ below.T)
    spectra = np.fft.rfft2(details).astype(np.complex64, copy=False)
    return _Pictures(shapes, sizes, details, spectra, energy)


def _fitted(shapes: Numbers, side: float | NDArray[np.float64]) -> Numbers:
    """Heights and widths when the longer of them is `side`."""
    import numpy as np

    sizes: Numbers = np.rint(shapes * (side / shapes.max(axis=1, keepdims=True))).astype(np.int64)
    return np.maximum(sizes, _THINNEST)


def _groups(shapes: Numbers) -> list[Numbers]:
    """Places of the same shape."""
    import numpy as np

    key = shapes @ np.array([1 << 8, 1])
    order = np.argsort(key, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(key[order])) + 1) if len(key) else []
