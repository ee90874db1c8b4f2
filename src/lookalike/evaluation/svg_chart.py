"""Plots of a report as inline SVG: lines over two axes, and estimates with their intervals.

Lines stand as `chart` draws them into a PNG: the same axes, colours and signs. Text is text and takes the colour of the
page, so that a plot is sharp at any size and readable on a dark ground.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from lookalike.evaluation.chart import COLOURS, SIGNS, Axis, Scale
from lookalike.evaluation.thumbnails import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lookalike.evaluation.chart import Line
    from lookalike.evaluation.report import Estimate, Intervals, Plot

WIDTH = 760  # units of the drawing; the page scales it
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 30, 12, 48
_HEIGHT = 380
_NAMES = 260  # room for the names of estimates
_ROW = 22  # height of an estimate
_LETTER = 7.2  # mean width of a letter at 13 units, for what has to fit beside something else
_DOT, _CHOSEN = 3.5, 6.5


def plot_svg(plot: Plot) -> str:
    """Lines, each with its colour and sign, and a legend below them. Raises ValueError without any point."""
    points = [point for line in plot.lines for point in line.points]
    if not points:
        raise ValueError("there is nothing to draw")
    across = Scale(plot.x, [point[0] for point in points], _LEFT, WIDTH - _RIGHT)
    upward = Scale(plot.y, [point[1] for point in points], _HEIGHT - _BOTTOM, _TOP)
    places = list(_legend_places([line.name for line in plot.lines]))
    height = _HEIGHT + 26 + (places[-1][1] if places else 0)
    body = [*_grid(across, upward), *_labels(across, upward)]
    for number, (line, place) in enumerate(zip(plot.lines, places, strict=True)):
        body += _drawn(line, number, across, upward)
        x, y = _LEFT + place[0], _HEIGHT + 14 + place[1]
        body.append(_sign(number, x, y - 4, _DOT + 1))
        body.append(_words(x + 12, y, line.name, "start"))
    return _svg(height, plot.title, body)


def intervals_svg(drawn: Intervals) -> str:
    """A dot and a whisker for each estimate, names at the left. Raises ValueError without any."""
    if not drawn.estimates:
        raise ValueError("there is nothing to draw")
    bottom = _TOP + _ROW * len(drawn.estimates)
    ends = [end for each in drawn.estimates for end in (each.low, each.high)]
    across = Scale(Axis(drawn.label, mark=drawn.mark), ends, _NAMES, WIDTH - _RIGHT)
    body = []
    for place, text in across.ticks():
        body.append(f'<line class="grid" x1="{place:.1f}" x2="{place:.1f}" y1="{_TOP}" y2="{bottom}"/>')
        body.append(_words(place, bottom + 17, text, "middle", faint=True))
    if drawn.mark is not None:
        place = across.place(drawn.mark)
        body.append(f'<line class="mark" x1="{place:.1f}" x2="{place:.1f}" y1="{_TOP}" y2="{bottom}"/>')
    groups = list(dict.fromkeys(each.group for each in drawn.estimates))
    for row, each in enumerate(drawn.estimates):
        body += _whisker(each, groups.index(each.group), _TOP + _ROW * (row + 0.5), across)
    body.append(_words(WIDTH - _RIGHT, bottom + 36, drawn.label, "end", faint=True))
    return _svg(bottom + 46, drawn.title, body)


def _whisker(each: Estimate, number: int, y: float, across: Scale) -> Iterator[str]:
    colour = COLOURS[number % len(COLOURS)]
    low, high, at = (across.place(value) for value in (each.low, each.high, each.value))
    most = int((_NAMES - 12) / _LETTER)
    name = each.name if len(each.name) <= most else each.name[: most - 1] + "…"
    yield _words(_NAMES - 12, y + 4, name, "end")
    yield f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{y:.1f}" y2="{y:.1f}" stroke="{colour}" stroke-width="2"/>'
    yield _sign(number, at, y, _DOT + 1)


def _drawn(line: Line, number: int, across: Scale, upward: Scale) -> Iterator[str]:
    colour = COLOURS[number % len(COLOURS)]
    places = [(across.place(x), upward.place(y)) for x, y in line.points]
    if len(places) > 1:
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
    for position, (x, y) in enumerate(places):
        yield _sign(number, x, y, _CHOSEN if position == line.chosen else _DOT)


def _grid(across: Scale, upward: Scale) -> Iterator[str]:
    bottom, right = _HEIGHT - _BOTTOM, WIDTH - _RIGHT
    for scale, upright in ((across, True), (upward, False)):
        lines = [(place, "grid") for place, _ in scale.ticks()]
        if scale.axis.mark is not None:
            lines.append((scale.place(scale.axis.mark), "mark"))
        for at, kind in lines:
            ends = (at, at, _TOP, bottom) if upright else (_LEFT, right, at, at)
            yield '<line class="{}" x1="{:.1f}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}"/>'.format(kind, *ends)


def _labels(across: Scale, upward: Scale) -> Iterator[str]:
    for place, text in across.ticks():
        yield _words(place, _HEIGHT - _BOTTOM + 17, text, "middle", faint=True)
    for place, text in upward.ticks():
        yield _words(_LEFT - 8, place + 4, text, "end", faint=True)
    yield _words(WIDTH - _RIGHT, _HEIGHT - 12, across.axis.label, "end", faint=True)
    middle = (_TOP + _HEIGHT - _BOTTOM) / 2
    turned = _words(0, 0, upward.axis.label, "middle", faint=True)
    yield f'<g transform="translate(14 {middle:.1f}) rotate(-90)">{turned}</g>'


def _legend_places(names: Sequence[str]) -> Iterator[tuple[float, int]]:
    """Where each name begins, line by line, so that none leaves the drawing."""
    x, y = 0.0, 0
    for name in names:
        width = 34 + _LETTER * len(name)
        if x and x + width > WIDTH - _LEFT - _RIGHT:
            x, y = 0.0, y + 20
        yield x, y
        x += width


def _sign(number: int, x: float, y: float, r: float) -> str:
    colour, sign = COLOURS[number % len(COLOURS)], SIGNS[number % len(SIGNS)]
    if sign == "circle":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r}" fill="{colour}"/>'
    corners = {
        "square": ((-r, -r), (r, -r), (r, r), (-r, r)),
        "triangle": ((0, -r), (r, r), (-r, r)),
        "diamond": ((0, -r), (r, 0), (0, r), (-r, 0)),
    }[sign]
    path = " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in corners)
    return f'<polygon points="{path}" fill="{colour}"/>'


def _words(x: float, y: float, text: str, anchor: str, *, faint: bool = False) -> str:
    kind = ' class="faint"' if faint else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{kind}>{escape(one_line(text))}</text>'


def _svg(height: float, title: str, body: list[str]) -> str:
    label = escape(one_line(title), quote=True)
    return f'<svg viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{label}">{"".join(body)}</svg>'
