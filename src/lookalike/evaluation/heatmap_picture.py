"""A heat map as a picture to print: PNG or SVG, by the ending of the file's name.

What is seen: a row for each picture and a column for each text, in blocks by class; on each row a dot at the text that
fits best, red where it is of another class. Beside it the mean of each block, the scale, and what is taken for what.

Promises: equal maps draw equal pages; texts that have no room are left to the CSV, their classes are named instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps

from lookalike.evaluation.canvas import PngCanvas, SvgCanvas
from lookalike.evaluation.colour_scale import ColourScale
from lookalike.evaluation.grid import (
    FAINT,
    INK,
    NO_NAMES,
    SMALLEST_TYPE,
    Grid,
    Names,
    axis,
    least_cell,
    names_of_blocks,
    names_of_cells,
)
from lookalike.evaluation.thumbnails import one_line, thumbnail
from lookalike.evaluation.typeface import fitted, typeface

if TYPE_CHECKING:
    from pathlib import Path

    from lookalike.evaluation.canvas import Anchor, Canvas
    from lookalike.evaluation.heatmap import HeatMap
    from lookalike.evaluation.separability import Separability

_GROUND, _RIGHT, _WRONG = "#ffffff", "#ffffff", "#e0301e"
_SCALE_ENDS = (0.5, 99.5)
"""Percentiles of the cosines that the colours span: a single odd cell does not pale all others."""
_MARGIN, _HEAD, _GAP = 36, 66, 44
"""Points around the page, for the title, and between the map and what stands beside it."""
_TITLE, _TEXT, _SMALL = 20, 12, 10
_MAP_HEIGHT, _TALLEST, _NAMED_HEIGHT, _MAP_TALLEST = 1100, 18, 2200, 5000
"""Points of the map's height, of a row at most, of a map that is heightened so that every class is named, and of one
where most are.
"""
_MAP_WIDTH, _WIDEST, _READABLE, _MAP_WIDEST = 500, 40, 9, 1100
"""Points of the map's width, of a column at most, of a column whose text can be read, and of a map that is widened for
texts to be read.
"""
_MEANS_SIDE, _MEANS_LARGEST, _NUMBERED_FROM, _MEANS_WIDEST = 380, 34, 22, 1100
"""Points of the block means: all of them, a block at most, a block that has room for its number, and all of them where
they are widened for names to be read.
"""
_THUMBNAIL, _THUMBNAIL_FROM = 72, 40
"""Points: side of the picture beside a class's name, and height of a block from which there is one."""
_DOT_FROM = 4
_BAR, _BAR_LEAST = 12, 180
_LINE = 18
_LISTED = 16
_PANEL = 330
"""Points of width that what is written beside the map has at least."""
_TICKS: tuple[tuple[float, Anchor], ...] = ((0.0, "start"), (0.5, "middle"), (1.0, "end"))


def draw_heat_map(map: HeatMap, out: Path) -> None:
    """Write the map to `out`, an .svg or else a PNG. Raises SourceError where nothing is told apart, OSError."""
    figures = map.separability()
    page = _layout(map, figures)
    size = page.width, page.height, _GROUND
    canvas: Canvas = SvgCanvas(*size) if out.suffix.lower() == ".svg" else PngCanvas(*size)
    _draw_head(canvas, map, figures, page.width)
    _draw_map(canvas, map, page)
    _draw_means(canvas, figures, map, page)
    _draw_confusions(canvas, map, figures, page, _draw_scale(canvas, page))
    canvas.save(out)


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where everything stands, in points.

    `map`, `means`: the grids and their left upper corners. `below`: names of the classes under the map, where those
    above it are of texts. `thumbnail`: the side of the picture beside a class, 0 for none.
    """

    map: Grid
    map_at: tuple[float, float]
    means: Grid
    means_at: tuple[float, float]
    below: Names
    scale: ColourScale
    thumbnail: float
    width: float
    height: float


def _layout(map: HeatMap, figures: Separability) -> _Layout:
    names = [spoken(name) for name in map.classes]
    of_rows, of_columns = np.unique(map.picture_classes), np.unique(map.text_classes)
    rows, columns = [names[each] for each in of_rows], [names[each] for each in of_columns]
    named = least_cell(map.picture_classes, _NAMED_HEIGHT, _MAP_TALLEST)
    down = axis(map.picture_classes, _MAP_HEIGHT, _TALLEST, named)
    across = axis(map.text_classes, min(max(_MAP_WIDTH, _READABLE * len(map.texts)), _MAP_WIDEST), _WIDEST)
    of_cells = names_of_cells([one_line(text) for text in map.texts], across)
    of_blocks = names_of_blocks(columns, across)
    grid = Grid(down, across, names_of_blocks(rows, down), of_cells if of_cells.type else of_blocks)
    block = min(end - start for start, end in down.blocks)
    thumbnail = min(_THUMBNAIL, block - 6) if block >= _THUMBNAIL_FROM else 0

    most = max(len(rows), len(columns))
    read = SMALLEST_TYPE if SMALLEST_TYPE * most <= _MEANS_WIDEST else 0.5
    side = max(min(_MEANS_SIDE / most, _MEANS_LARGEST), read)
    lower, aside = (axis(each, max(_MEANS_SIDE, most * side), side) for each in (of_rows, of_columns))
    means = Grid(lower, aside, names_of_cells(rows, lower), names_of_cells(columns, aside))

    top = _MARGIN + _HEAD + max(grid.columns.height, means.columns.height)
    left = _MARGIN + thumbnail + grid.rows.longest + 16
    right = left + across.end + max(grid.columns.overhang, 0) + _GAP + means.rows.longest
    below = NO_NAMES if list(of_cells.names) == columns or not of_cells.type else of_blocks
    ends = (
        top + down.end + below.height,
        top + means.down.end + _BAR + 5 * _LINE + _LINE * min(len(figures.confusions) + 2, _LISTED + 3),
    )
    beside = means.across.end + max(means.columns.overhang, 0)
    low, high = np.percentile(map.scores, _SCALE_ENDS)
    return _Layout(
        map=grid,
        map_at=(left, top),
        means=means,
        means_at=(right, top),
        below=below,
        scale=ColourScale(float(low), float(max(high, low + 1e-6))),
        thumbnail=thumbnail,
        width=_MARGIN + max(right + max(beside, _PANEL), _MARGIN + _head_width(map, figures)),
        height=max(ends) + _MARGIN,
    )


def _head(map: HeatMap, figures: Separability) -> tuple[str, str]:
    """The title, and the figures below it."""
    classes = len(set(map.picture_classes.tolist()))
    low, high = figures.interval
    said = (
        f"the best text is of the picture's class for {100 * figures.best:.0f} % ({100 * low:.0f} to {100 * high:.0f})",
        f"own text above another: {100 * figures.auc:.1f} %",
        f"mean cosine {figures.own:.3f} own, {figures.other:.3f} other: {figures.gap:.1f} standard deviations apart",
    )
    title = f"{len(map.pictures):,} pictures against {len(map.texts):,} texts, {classes} classes"
    return title, "  ·  ".join(said)


def _head_width(map: HeatMap, figures: Separability) -> float:
    title, said = _head(map, figures)
    beside = typeface(_TITLE).getlength(title) + _GAP + typeface(_TEXT).getlength(map.encoder)
    return max(beside, typeface(_TEXT).getlength(said))


def _draw_head(canvas: Canvas, map: HeatMap, figures: Separability, width: float) -> None:
    title, said = _head(map, figures)
    canvas.text((_MARGIN, _MARGIN + 8), title, _TITLE, INK)
    canvas.text((_MARGIN, _MARGIN + 34), said, _TEXT, INK)
    canvas.text((width - _MARGIN, _MARGIN + 8), map.encoder, _TEXT, FAINT, anchor="end")


def _draw_map(canvas: Canvas, map: HeatMap, page: _Layout) -> None:
    """The cells, a dot for each picture, a picture for each class."""
    left, top = page.map_at
    page.map.draw(canvas, page.map_at, map.scores, page.scale)
    size = min(page.map.down.size, page.map.across.size)
    best = map.scores.argmax(axis=1)
    for row, column in enumerate(best.tolist() if size >= _DOT_FROM else []):
        at = left + page.map.across.middle(column), top + page.map.down.middle(row)
        right = map.text_classes[column] == map.picture_classes[row]
        canvas.dot(at, min(0.32 * size, 4.5), _RIGHT if right else _WRONG, INK if right else _RIGHT)
    for name, middle in page.below.drawn():
        canvas.text((left + middle, top + page.map.down.end + 8), name, page.below.type, INK, anchor="end", turn=45)
    if page.thumbnail:
        for number, (first, last) in enumerate(page.map.down.blocks):
            _draw_thumbnail(canvas, map, np.unique(map.picture_classes)[number], top + (first + last) / 2, page)


def _draw_thumbnail(canvas: Canvas, map: HeatMap, of: int, middle: float, page: _Layout) -> None:
    """The picture of a class that fits its own texts best, cut square; nothing where it cannot be shown."""
    rows = np.flatnonzero(map.picture_classes == of)
    own = map.scores[rows][:, map.text_classes == of]
    row = rows[own.mean(axis=1).argmax()] if own.size else rows[0]
    pixels = round(3 * page.thumbnail)
    shown = thumbnail(map.pictures[row], (2 * pixels, 2 * pixels))
    if shown is not None:
        half = page.thumbnail / 2
        square = ImageOps.fit(shown, (pixels, pixels), Image.Resampling.LANCZOS)
        canvas.picture(square, (_MARGIN, middle - half, _MARGIN + page.thumbnail, middle + half))


def _draw_means(canvas: Canvas, figures: Separability, map: HeatMap, page: _Layout) -> None:
    """The mean of each block, with its number where there is room."""
    means = figures.means[np.unique(map.picture_classes)][:, np.unique(map.text_classes)]
    left, top = page.means_at
    page.means.draw(canvas, page.means_at, means, page.scale)
    if page.means.down.size < _NUMBERED_FROM:
        return
    for row, column in np.argwhere(~np.isnan(means)).tolist():
        at = left + page.means.across.middle(column), top + page.means.down.middle(row)
        colour = _RIGHT if page.scale.is_dark(means[row, column]) else INK
        canvas.text(at, _short(means[row, column]), _SMALL, colour, anchor="middle")


def _short(cosine: float) -> str:
    """Two digits: .37, −.02."""
    hundredths = round(100 * cosine)
    return f"{'−' * (hundredths < 0)}{abs(hundredths) / 100:.2f}".replace("0.", ".", 1)


def _draw_scale(canvas: Canvas, page: _Layout) -> float:
    """The bar of colours with its ends in cosine, and what the dots mean. Returns where it ends."""
    left, top = page.means_at[0], page.means_at[1] + page.means.down.end + _LINE
    width = max(page.means.across.end, _BAR_LEAST)
    ramp = page.scale.colours(np.linspace(page.scale.low, page.scale.high, 256)[None])
    canvas.picture(Image.fromarray(ramp), (left, top, left + width, top + _BAR), smooth=False)
    for share, anchor in _TICKS:
        value = page.scale.low + share * (page.scale.high - page.scale.low)
        canvas.text((left + share * width, top + _BAR + 10), _short(value), _SMALL, FAINT, anchor=anchor)
    canvas.text((left, top + _BAR + 10 + _LINE), "cosine; above, the mean of each block", _SMALL, FAINT)
    if min(page.map.down.size, page.map.across.size) >= _DOT_FROM:
        line = top + _BAR + 10 + 2 * _LINE
        canvas.dot((left + 4, line), 4, _RIGHT, INK)
        canvas.text((left + 14, line), "a picture's best text", _SMALL, FAINT)
        canvas.dot((left + 134, line), 4, _WRONG, _RIGHT)
        canvas.text((left + 144, line), "the same, but of another class", _SMALL, FAINT)
    return top + _BAR + 10 + 3 * _LINE


def _draw_confusions(canvas: Canvas, map: HeatMap, figures: Separability, page: _Layout, top: float) -> None:
    left = page.means_at[0]
    heading = "Taken for another class" if figures.confusions else "No picture is taken for another class"
    canvas.text((left, top + 6), heading, _TEXT, INK)
    for number, each in enumerate(figures.confusions[:_LISTED], start=1):
        name, other = (fitted(spoken(map.classes[of]), _TEXT, 150) for of in (each.pictures, each.taken_for))
        line = top + 6 + number * _LINE
        canvas.text((left, line), f"{each.count} of {each.of}", _TEXT, FAINT)
        canvas.text((left + 62, line), f"{name}  →  {other}", _TEXT, INK)
    if len(figures.confusions) > _LISTED:
        line = top + 6 + (_LISTED + 1) * _LINE
        canvas.text((left, line), f"and {len(figures.confusions) - _LISTED} more kinds", _TEXT, FAINT)


def spoken(name: str) -> str:
    """A class's name as words."""
    return one_line(name.replace("_", " "))
