"""A line chart as one PNG, drawn with Pillow: recall against latency, size against latency.

Promises: axes with round numbers that hold all points; a colour and a sign for each line, told apart without the
colour too; a larger dot for what was chosen. Equal input draws equal pixels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from PIL import Image, ImageDraw

from lookalike.evaluation.typeface import typeface

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

SIZE = (1200, 760)
_LEFT, _TOP, _RIGHT, _BOTTOM = 110, 110, 250, 90
_TITLE, _LABEL, _TICK = 28, 20, 18
_GROUND, _GRID, _INK, _FAINT = "#ffffff", "#e3e6e9", "#17181a", "#5f646b"
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
"""Okabe and Ito (2008): told apart by most colour-blind people too."""
SIGNS = ("circle", "square", "triangle", "diamond")
_DOT, _CHOSEN = 6, 11
_TICKS = 6
_LEAST = 1e-4
"""A logarithmic axis begins here at the latest."""


@dataclass(frozen=True, slots=True)
class Line:
    """Points (x, y) under one name; `chosen` is the position of the one to stand out."""

    name: str
    points: tuple[tuple[float, float], ...]
    chosen: int | None = None


@dataclass(frozen=True, slots=True)
class Axis:
    """What is measured along it, and how; `mark` is a value to draw a line at."""

    label: str
    scale: Literal["linear", "log"] = "linear"
    mark: float | None = None


def draw_chart(title: str, lines: Sequence[Line], x: Axis, y: Axis, out: Path) -> None:
    """Write the chart to `out`. Raises ValueError without any point, OSError when `out` cannot be written."""
    if not any(line.points for line in lines):
        raise ValueError("there is nothing to draw")
    sheet = Image.new("RGB", SIZE, _GROUND)
    canvas = ImageDraw.Draw(sheet)
    canvas.text((_LEFT, 28), title, _INK, typeface(_TITLE))
    across = Scale(x, [point[0] for line in lines for point in line.points], _LEFT, SIZE[0] - _RIGHT)
    upward = Scale(y, [point[1] for line in lines for point in line.points], SIZE[1] - _BOTTOM, _TOP)
    _draw_axes(canvas, across, upward)
    on_top = []
    for number, line in enumerate(lines):
        places = [(across.place(a), upward.place(b)) for a, b in line.points]
        colour, sign = COLOURS[number % len(COLOURS)], SIGNS[number % len(SIGNS)]
        if len(places) > 1:
            canvas.line(places, colour, 3, joint="curve")
        for place in places:
            _draw_sign(canvas, sign, place, colour, _DOT)
        if line.chosen is not None:
            on_top.append((sign, places[line.chosen], colour))
        _draw_legend(canvas, number, line, colour, sign)
    for sign, place, colour in on_top:
        _draw_sign(canvas, sign, place, colour, _CHOSEN)
    sheet.save(out, "PNG", optimize=True)


class Scale:
    """Where a value lies between two pixels."""

    def __init__(self, axis: Axis, values: Sequence[float], start: int, end: int) -> None:
        self.axis = axis
        self._ends = start, end
        wanted = [*values] if axis.mark is None else [*values, axis.mark]
        low, high = (self._measure(each) for each in (min(wanted), max(wanted)))
        step = _round_step((high - low) or 1.0, whole=axis.scale == "log")
        self._low = math.floor(low / step + 1e-9) * step
        self._high = max(math.ceil(high / step - 1e-9) * step, self._low + step)
        self._step = step

    def place(self, value: float) -> float:
        """The pixel of a value."""
        share = (self._measure(value) - self._low) / (self._high - self._low)
        return self._ends[0] + share * (self._ends[1] - self._ends[0])

    def ticks(self) -> Iterator[tuple[float, str]]:
        """Round values: their pixel and how they are written."""
        for number in range(round((self._high - self._low) / self._step) + 1):
            measured = self._low + number * self._step
            value = 10.0**measured if self.axis.scale == "log" else measured
            yield self.place(value), f"{value:.6g}"

    def _measure(self, value: float) -> float:
        return math.log10(max(value, _LEAST)) if self.axis.scale == "log" else value


def _round_step(span: float, *, whole: bool) -> float:
    """1, 2 or 5 times a power of ten that divides `span` into a handful of parts; whole on a logarithmic axis."""
    if whole:
        return float(max(math.ceil(span / _TICKS), 1))
    power = 10.0 ** math.floor(math.log10(span / _TICKS))
    return next(times * power for times in (1, 2, 5, 10) if span / (times * power) <= _TICKS)


def _draw_axes(canvas: ImageDraw.ImageDraw, across: Scale, upward: Scale) -> None:
    left, right, top, bottom = _LEFT, SIZE[0] - _RIGHT, _TOP, SIZE[1] - _BOTTOM
    for place, text in across.ticks():
        canvas.line((place, top, place, bottom), _GRID, 1)
        canvas.text((place, bottom + 12), text, _FAINT, typeface(_TICK), anchor="ma")
    for place, text in upward.ticks():
        canvas.line((left, place, right, place), _GRID, 1)
        canvas.text((left - 12, place), text, _FAINT, typeface(_TICK), anchor="rm")
    if across.axis.mark is not None:
        place = across.place(across.axis.mark)
        canvas.line((place, top, place, bottom), _FAINT, 2)
    if upward.axis.mark is not None:
        place = upward.place(upward.axis.mark)
        canvas.line((left, place, right, place), _FAINT, 2)
    canvas.rectangle((left, top, right, bottom), outline=_INK)
    canvas.text((right, bottom + 44), across.axis.label, _INK, typeface(_LABEL), anchor="ra")
    canvas.text((left, top - 10), upward.axis.label, _INK, typeface(_LABEL), anchor="ls")


def _draw_legend(canvas: ImageDraw.ImageDraw, number: int, line: Line, colour: str, sign: str) -> None:
    left, middle = SIZE[0] - _RIGHT + 30, _TOP + 14 + 30 * number
    _draw_sign(canvas, sign, (left, middle), colour, _DOT)
    name = line.name if line.chosen is None else f"{line.name} (chosen)"
    canvas.text((left + 18, middle), name, _INK, typeface(_TICK), anchor="lm")


def _draw_sign(canvas: ImageDraw.ImageDraw, sign: str, place: tuple[float, float], colour: str, radius: int) -> None:
    x, y = place
    box = (x - radius, y - radius, x + radius, y + radius)
    if sign == "circle":
        canvas.ellipse(box, colour)
    elif sign == "square":
        canvas.rectangle(box, colour)
    elif sign == "triangle":
        canvas.polygon([(x, y - radius), (x + radius, y + radius), (x - radius, y + radius)], colour)
    else:
        canvas.polygon([(x, y - radius), (x + radius, y), (x, y + radius), (x - radius, y)], colour)
