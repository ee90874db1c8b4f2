"""A grid of coloured cells in blocks, with names at its rows and columns: what a heat map is made of.

Promises: names are never smaller than `SMALLEST_TYPE` points; where there is no room for most, none is drawn, and where
small blocks lie side by side, not each. Cells are of one size, a whole number of pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from lookalike.evaluation.typeface import fitted, typeface

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from lookalike.evaluation.canvas import Canvas
    from lookalike.evaluation.colour_scale import ColourScale

INK, FAINT = "#17181a", "#5f646b"
NAME_TYPE, SMALLEST_TYPE = 11, 7
LONGEST_NAME = 210
"""Points; longer names are cut."""
_BETWEEN, _MANY = 2, 40
"""Points between blocks, and how many blocks along a side are too many for that."""
_SLANT = 2**-0.5
"""Height and width of a line at 45 degrees, in parts of its length."""
_ABOVE = 9
"""Points between columns and the middle of the first letter above them."""
_SLANTED_FROM = 15
"""Points of width from which names above columns are slanted; over narrower ones they stand upright."""


@dataclass(frozen=True, slots=True)
class Axis:
    """Cells along one side, from 0 on: `starts` float64 (n,), ascending, all of one `size`; `blocks`: where each begins
    and ends; `runs`: the same for what has no gap in it.
    """

    starts: NDArray[np.float64]
    size: float
    blocks: tuple[tuple[float, float], ...]
    runs: tuple[tuple[float, float], ...]

    @property
    def end(self) -> float:
        return float(self.starts[-1]) + self.size

    def middle(self, cell: int) -> float:
        return float(self.starts[cell]) + self.size / 2


def axis(groups: NDArray[np.int64], length: float, largest: float, least: float = 0.5) -> Axis:
    """Cells of ascending `groups`, a block each, as large as `length` and `largest` allow, `least` points at least."""
    block = np.concatenate([[0], np.cumsum(np.diff(groups) != 0)])
    gaps = block * (_BETWEEN if block[-1] < _MANY else 0)
    room = (length - gaps[-1]) / len(groups)
    size = float(max(np.floor(2 * min(room, largest)) / 2, np.ceil(2 * least) / 2))
    starts = np.arange(len(groups)) * size + gaps
    of_block = [starts[groups == group] for group in np.unique(groups)]
    blocks = tuple((float(each[0]), float(each[-1]) + size) for each in of_block)
    return Axis(starts, size, blocks, blocks if gaps[-1] else ((0.0, blocks[-1][1]),))


@dataclass(frozen=True, slots=True)
class Names:
    """Names of places along an axis, each with its middle; `room` is how much most have across their direction."""

    names: tuple[str, ...]
    middles: tuple[float, ...]
    room: float

    @property
    def type(self) -> float:
        """The size of their letters in points, 0 where there is no room for them."""
        fits = min(NAME_TYPE, self.room)
        return fits if fits >= SMALLEST_TYPE else 0

    @property
    def turn(self) -> int:
        """Degrees by which names above columns are turned."""
        return 45 if self.room >= _SLANTED_FROM else 90

    def drawn(self) -> Iterator[tuple[str, float]]:
        """Each name that has room, cut where it is too long, and its middle."""
        free = -np.inf
        for name, middle in zip(self.names, self.middles, strict=True):
            if self.type and middle >= free:
                yield fitted(name, NAME_TYPE, LONGEST_NAME), middle
                free = middle + self.type

    @property
    def longest(self) -> float:
        """The length of the longest name in points, as it is drawn."""
        if not self.type:
            return 0.0
        return (
            max(min(typeface(NAME_TYPE).getlength(name), LONGEST_NAME) for name in self.names) * self.type / NAME_TYPE
        )

    @property
    def height(self) -> float:
        """How far names above columns reach up."""
        return self.longest * (_SLANT if self.turn == 45 else 1.0) + _ABOVE * bool(self.type)

    @property
    def overhang(self) -> float:
        """How far the last name above columns reaches to the right of its column."""
        return self.longest * _SLANT - self.room / 2 if self.type and self.turn == 45 else 0.0


NO_NAMES = Names((), (), 0)


def names_of_cells(names: Sequence[str], along: Axis) -> Names:
    """A name for each cell."""
    return Names(tuple(names), tuple(along.middle(cell) for cell in range(len(names))), along.size)


def names_of_blocks(names: Sequence[str], along: Axis) -> Names:
    """A name for each block. Where some are too near to each other, what they have on average decides."""
    middles = tuple((start + end) / 2 for start, end in along.blocks)
    room = float(min(np.diff(middles), default=along.end))
    if room < SMALLEST_TYPE <= along.end / len(middles):
        room = SMALLEST_TYPE
    return Names(tuple(names), middles, room)


def least_cell(groups: NDArray[np.int64], length: float, longest: float) -> float:
    """Points that a cell of ascending `groups` needs so that there is room for the name of every block, as far as they
    take `length` in all, else for most names; half a point where these took more than `longest`.
    """
    counts = np.unique(groups, return_counts=True)[1]
    for_each = SMALLEST_TYPE / min((counts[1:] + counts[:-1]) / 2, default=counts[0])
    for_most = SMALLEST_TYPE * len(counts) / len(groups)
    if for_each * len(groups) <= length:
        return float(for_each)
    return float(for_most) if for_most * len(groups) <= longest else 0.5


@dataclass(frozen=True, slots=True)
class Grid:
    """Rows and columns, and the names beside and above them."""

    down: Axis
    across: Axis
    rows: Names
    columns: Names

    def draw(self, canvas: Canvas, at: tuple[float, float], values: NDArray[Any], scale: ColourScale) -> None:
        """Draw float (rows, columns) in colours, their left upper corner at `at`, and the names."""
        left, top = at
        colours = scale.colours(values)
        for first, last in self.down.runs:
            rows = (self.down.starts >= first) & (self.down.starts < last)
            for begin, end in self.across.runs:
                columns = (self.across.starts >= begin) & (self.across.starts < end)
                block = Image.fromarray(np.ascontiguousarray(colours[rows][:, columns]))
                canvas.picture(block, (left + begin, top + first, left + end, top + last), smooth=False)
        for name, middle in self.rows.drawn():
            canvas.text((left - 8, top + middle), name, self.rows.type, INK, anchor="end")
        for name, middle in self.columns.drawn():
            canvas.text((left + middle, top - _ABOVE), name, self.columns.type, INK, turn=self.columns.turn)
