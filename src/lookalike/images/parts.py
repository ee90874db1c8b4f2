"""Looks for small pictures as parts of others, many pairs at a time, the part mirrored or not.

By normalised cross-correlation over scales (J. P. Lewis, "Fast Normalized Cross-Correlation", 1995) of details: first
coarsely, and where that promises something, again more finely at the scales around.
How well two different photos agree by chance depends on how few pixels the part has: a part stands out by how much it
agrees better than those do.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from lookalike.images.stacks import evened_stack, resized_stack

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from lookalike.images.stacks import Stack

    Numbers = NDArray[np.int64]

SCALES = tuple(0.93**step for step in range(11))
"""Sizes of a part within the other picture: down to 48 %, in steps that 32 pixels do not notice."""


@dataclass(frozen=True, slots=True)
class _Grain:
    """How finely pictures are compared: `side`, pixels of the longer side; every `step`-th of `SCALES`.

    `usual`: mean correlation at the best place, by scale, of different photos (5,287 pairs near each other by cosine).
    """

    side: int
    step: int
    usual: tuple[float, ...]


_COARSE = _Grain(24, 2, (0.115, 0.218, 0.276, 0.307, 0.346, 0.375))
_FINE = _Grain(32, 1, (0.090, 0.155, 0.182, 0.209, 0.227, 0.244, 0.254, 0.274, 0.285, 0.298, 0.318))
_COARSE_EXCESS, _NEAR_EXCESS, _FINE_EXCESS = 0.15, 0.10, 0.30
"""How much better than usual a part agrees, at least: coarsely, finely at the same scale, and at the scales around.

At 0.18 coarsely 1 of 229 squares cut out of photos is lost, at 0.15 none; of different photos 2.6 in 100 are taken for
parts at 0.30, and 3.3 at 0.28."""
_AGAIN = 3
"""Ways looked at again at most."""
_RADIUS = 2
_SMALLEST = 5
"""The part of the longer side that the shorter side of a part has at least: a stripe tells nothing."""
_THINNEST = 4
"""Pixels of the shorter side of a picture, whatever shape it has."""
_NOTHING = 1e-3
"""Squared details of a part below which it has none."""
_LEAST_ENERGY = 0.25
"""Squared details of a window, by the picture's side: below that it shows nothing."""
_ROWS = 128
"""Pairs transformed together: what stays in a processor's cache."""


@dataclass(frozen=True, slots=True)
class FoundParts:
    """Of each pair: `found`, bool (m,), whether the one seems to be a part of the other; then the rest tells how.

    `score`: correlation, float32 (m,). `of_first`: bool (m,), the second is the part. `mirrored`: bool (m,). `scale`:
    int64 (m,), the place in `SCALES` of the part's longer side.
    """

    found: NDArray[np.bool_]
    score: NDArray[np.float32]
    of_first: NDArray[np.bool_]
    mirrored: NDArray[np.bool_]
    scale: Numbers


@dataclass(frozen=True, slots=True)
class _Pictures:
    """Pictures, each with its mirror image, whose longer side is n, `side`.

    `shapes`: int64 (pictures, 2), those of `found_parts`; `sizes`: height and width, no more than n. `details`: float32
    (pictures, 2, n, n), 0 beyond the picture; `spectra`: complex64 (pictures, 2, n, n / 2 + 1), of these; `energy`:
    their squares summed from the corner, float32 (pictures, 2, n + 1, n + 1).
    """

    side: int
    shapes: Numbers
    sizes: Numbers
    details: Stack
    spectra: NDArray[np.complex64]
    energy: Stack


def found_parts(squares: NDArray[np.uint8], shapes: Numbers, first: Numbers, second: Numbers) -> FoundParts:
    """Which pictures are parts of others. `squares`: uint8 (n, s, s), pictures squeezed into squares.

    `shapes`: int64 (n, 2), heights and widths that these have in truth. `first`, `second`: places of pairs, (m,).
    """
    import numpy as np

    whole, part = np.concatenate([first, second]), np.concatenate([second, first])

    def look(grain: _Grain, row: Numbers, scale: Numbers) -> None:
        found = _looked_for(grain, squares, shapes, _Rows(whole[row], part[row], scale))
        excess[row, scale] = found.round(3)  # two ways that are alike stay so, whatever else is in the batch

    excess = np.full((len(whole), len(SCALES), 2), -np.inf, np.float32)  # of both directions: two halves
    scales = np.arange(0, len(SCALES), _COARSE.step)
    look(_COARSE, np.arange(len(whole)).repeat(len(scales)), np.tile(scales, len(whole)))
    row, scale = _best(excess, _COARSE_EXCESS)
    excess.fill(-np.inf)
    look(_FINE, row, scale)
    row, scale = _best(excess, _NEAR_EXCESS)
    for beside in (scale - 1, scale + 1):
        there = (beside >= 0) & (beside < len(SCALES))
        look(_FINE, row[there], beside[there])
    return _told(excess)


def _best(excess: NDArray[np.float32], least: float) -> tuple[Numbers, Numbers]:
    """Rows and scales of the few best ways of each pair, if these stand out."""
    import numpy as np

    pairs = len(excess) // 2
    by_pair = excess.max(axis=2).reshape(2, pairs, -1).swapaxes(0, 1).reshape(pairs, -1)
    best = np.argpartition(-by_pair, _AGAIN, axis=1)[:, :_AGAIN]
    pair, nth = np.nonzero(np.take_along_axis(by_pair, best, axis=1) >= least)
    direction, scale = np.divmod(best[pair, nth], len(SCALES))
    return direction * pairs + pair, scale


def _told(excess: NDArray[np.float32]) -> FoundParts:
    import numpy as np

    pairs = len(excess) // 2
    by_pair = excess.reshape(2, pairs, -1).swapaxes(0, 1).reshape(pairs, -1)
    best = by_pair.argmax(axis=1)
    most = np.take_along_axis(by_pair, best[:, None], axis=1)[:, 0]
    direction, scale, mirrored = np.unravel_index(best, (2, len(SCALES), 2))
    score = most + np.array(_FINE.usual, np.float32)[scale]
    return FoundParts(most >= _FINE_EXCESS, score, direction == 0, mirrored == 1, scale)


@dataclass(frozen=True, slots=True)
class _Rows:
    """What to look for: `part` in `whole`, places of pictures, at a place in `SCALES`; int64 (rows,) each."""

    whole: Numbers
    part: Numbers
    scale: Numbers


def _looked_for(grain: _Grain, squares: NDArray[np.uint8], shapes: Numbers, rows: _Rows) -> NDArray[np.float32]:
    """By how much a part agrees better than usual, as it is and mirrored, -inf where it is too large: (rows, 2)."""
    import numpy as np

    needed, place = np.unique(np.concatenate([rows.whole, rows.part]), return_inverse=True)
    pictures = _pictures(squares[needed], shapes[needed], grain.side)
    whole, part = np.split(place, 2)
    excess = np.full((len(whole), 2), -np.inf, np.float32)
    for some in _groups(pictures.shapes[part], rows.scale):
        scale = int(rows.scale[some[0]])
        size = _fitted(pictures.shapes[part[some[0]]], grain.side * SCALES[scale])
        fits = some[(pictures.sizes[whole[some]] >= size).all(axis=1)]
        if size.min() >= grain.side // _SMALLEST and len(fits):
            usual = np.float32(grain.usual[scale // grain.step])
            excess[fits] = _agreeing(pictures, whole[fits], part[fits], size) - usual
    return excess


def _agreeing(pictures: _Pictures, whole: Numbers, part: Numbers, size: Numbers) -> NDArray[np.float32]:
    """Correlations at the best places of parts, made so large, and of their mirror images: float32 (rows, 2)."""
    import numpy as np

    needed, place = np.unique(part, return_inverse=True)
    side, (lines, columns) = pictures.side, pictures.sizes[needed[0]]
    templates = resized_stack(pictures.details[needed, 0, :lines, :columns], int(size[0]), int(size[1]))
    lengths = np.sqrt(np.maximum(np.square(templates).sum(axis=(1, 2), keepdims=True), _NOTHING))
    spectra = np.conj(np.fft.rfft2(templates / lengths, (side, side)))
    scores = np.empty((len(whole), 2), np.float32)
    order = np.lexsort(pictures.sizes[whole].T)
    for start in range(0, len(whole), _ROWS):
        rows = order[start : start + _ROWS]
        some = whole[rows]
        places = (pictures.sizes[some].max(axis=0) - size + 1).tolist()
        sums = _levels(pictures.spectra[some] * spectra[place[rows], None], places[0], places[1])
        energy = np.maximum(_windows(pictures.energy[some], size.tolist(), places), side * _LEAST_ENERGY)
        scores[rows] = (sums / np.sqrt(energy)).max(axis=(2, 3))
    return scores


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
    """Sums over the windows of a size at places from the upper left corner, float32 (rows, 2, *places)."""
    (height, width), (high, wide) = size, places
    below, above = energy[:, :, height : height + high], energy[:, :, :high]
    rows = below - above
    windows: Stack = rows[..., width : width + wide] - rows[..., :wide]
    return windows


def _pictures(squares: NDArray[np.uint8], shapes: Numbers, side: int) -> _Pictures:
    import numpy as np

    details = np.zeros((len(squares), 2, side, side), np.float32)
    sizes = np.empty((len(squares), 2), np.int64)
    for rows in _groups(shapes):
        sizes[rows] = height, width = _fitted(shapes[rows[0]], side).tolist()
        even = evened_stack(resized_stack(squares[rows].astype(np.float32), height, width), _RADIUS)
        details[rows, 0, :height, :width], details[rows, 1, :height, :width] = even, even[:, :, ::-1]
    energy = np.zeros((len(squares), 2, side + 1, side + 1), np.float32)
    below = np.tri(side, dtype=np.float32)
    energy[:, :, 1:, 1:] = below @ (details * details @ below.T)
    spectra = np.fft.rfft2(details).astype(np.complex64, copy=False)
    return _Pictures(side, shapes, sizes, details, spectra, energy)


def _fitted(shape: Numbers, side: float) -> Numbers:
    """Height and width when the longer of them is `side`."""
    import numpy as np

    size: Numbers = np.maximum(_THINNEST, np.rint(shape * (side / shape.max()))).astype(np.int64)
    return size


def _groups(shapes: Numbers, more: Numbers | None = None) -> list[Numbers]:
    """Places of the same shape, and of the same number in `more`."""
    import numpy as np

    key = shapes @ np.array([1 << 16, 1 << 8]) + (0 if more is None else more)
    order = np.argsort(key, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(key[order])) + 1) if len(key) else []
