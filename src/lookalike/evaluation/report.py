"""A report as values: sections of text, tables, plots and rows of pictures, written as one HTML file.

The file holds its pictures and plots and needs nothing else: no network, no script. `report_page` says how each part
looks; whoever reports (an evaluation, a training) builds a `Report` of these parts and calls `write_report`. Equal
reports give equal files.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lookalike.evaluation.chart import Axis, Line


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph; `strong` makes it the one to read first."""

    text: str
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells under a header. The first `names` columns are words, the others figures, set to the right.

    `title` stands above and `note` below it. `folded` hides a long table until its title is clicked. `marked`: the
    numbers of rows that matter most.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    title: str = ""
    note: str = ""
    names: int = 1
    folded: bool = False
    marked: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Plot:
    """Lines over two axes: those of `chart.draw_chart`, which draws the same as a PNG."""

    title: str
    lines: tuple[Line, ...]
    x: Axis
    y: Axis
    note: str = ""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure and the interval it lies in. Estimates of equal `group` have one colour."""

    name: str
    value: float
    low: float
    high: float
    group: str = ""


@dataclass(frozen=True, slots=True)
class Intervals:
    """Estimates below each other on one axis; `mark` is a value to draw a line at, such as 0 for differences."""

    title: str
    estimates: tuple[Estimate, ...]
    label: str
    mark: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Tile:
    """A picture and what is said below it. `jpeg`: a small one (`tile_jpeg`), None for one that cannot be shown.

    `right`: whether it answers the question; None for a picture that is no answer.
    """

    jpeg: bytes | None
    caption: str
    name: str = ""
    right: bool | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """Rows of pictures, each under a heading: a question and its answers."""

    title: str
    rows: tuple[tuple[str, tuple[Tile, ...]], ...]
    note: str = ""


Part: TypeAlias = Text | Table | Plot | Intervals | Sheet


@dataclass(frozen=True, slots=True)
class Section:
    """Parts under a heading."""

    title: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """`about`: what is needed to get the same again (encoder ids, data, seed, versions), shown at the end."""

    title: str
    sections: tuple[Section, ...]
    about: Mapping[str, str] = field(default_factory=dict)


def write_report(path: Path, report: Report) -> None:
    """Write `report` to `path` as one HTML file. Raises OSError when it cannot be written."""
    from lookalike.evaluation.report_page import page_of

    path.write_text(page_of(report), encoding="utf-8")
