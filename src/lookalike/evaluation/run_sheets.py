"""Questions of a run with their answers as pictures: what went worst and best, what one encoder won and lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lookalike.evaluation.figures import headline, shown
from lookalike.evaluation.report import Sheet, Tile
from lookalike.evaluation.thumbnails import tile_jpeg

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lookalike.evaluation.evaluate import Run
    from lookalike.evaluation.measured import Measured
    from lookalike.evaluation.questions import Way

WORST, BEST, CHANGED = 6, 3, 4
"""Questions shown: those that went worst and best, and those that an encoder won and lost most."""
ANSWERS = 6


@dataclass(frozen=True, slots=True)
class Side:
    """One encoder of a run, asked in one way: its name, its figures, and what became of each question."""

    name: str
    measured: Measured
    outcomes: tuple[str, ...]


class Sheets:
    """Rows of pictures for one way of asking. Every small picture is made once."""

    def __init__(self, run: Run, way: Way) -> None:
        self._pictures, self._asked = run.pictures, run.asked[way]
        self._shown_parts = 2 if run.judgements.kind == "labels" else 1  # of a path: classes are folders mostly
        self._made: dict[int, bytes | None] = {}

    def extremes(self, side: Side) -> Iterator[Sheet]:
        """What went worst, and what went best, by the headline metric."""
        measured = side.measured
        values = measured.values[headline(measured)]
        worst = np.lexsort((-measured.first, values))
        best = np.lexsort((-measured.values["cosine_right"], -values))
        for title, order, wanted, few in (("worst", worst, values < 1, WORST), ("best", best, values > 0, BEST)):
            chosen = [position for position in order.tolist() if wanted[position]][:few]
            if chosen:
                yield Sheet(f"{side.name}: what went {title}", tuple(self._row(side, each) for each in chosen))

    def changed(self, before: Side, after: Side) -> Iterator[Sheet]:
        """The questions that the second encoder won and lost most, with the answers of both."""
        metric = headline(after.measured)
        gains = after.measured.values[metric] - before.measured.values[metric]
        for title, change in (("won", gains), ("lost", -gains)):
            order = np.argsort(-change, kind="stable").tolist()
            chosen = [position for position in order if change[position] > 0][:CHANGED]
            if chosen:
                rows = tuple(self._row(side, each, side.name) for each in chosen for side in (before, after))
                yield Sheet(f"What {after.name} {title} most", rows)

    def _row(self, side: Side, position: int, called: str = "") -> tuple[str, tuple[Tile, ...]]:
        """A heading and the first answers; behind them the best right one where it is not among them."""
        measured, query = side.measured, int(side.measured.asked[position])
        tiles = []
        words = "this picture"
        if self._asked.pictures is None:
            words = f"“{self._asked.words[query]}”"
        else:
            tiles.append(self._tile(int(self._asked.pictures[query]), "asked"))
        for rank, row in enumerate(measured.answers[position, :ANSWERS].tolist()):
            if row >= 0:
                right = bool(measured.gains[position, rank] > 0)
                tiles.append(self._tile(row, f"{measured.scores[position, rank]:.2f}", right=right))
        if measured.first[position] > ANSWERS:
            told = f"the first right one, at {measured.first[position]:,}"
            tiles.append(self._tile(int(measured.best[position]), told))
        metric = headline(measured)
        value = shown(metric, float(measured.values[metric][position]))
        place = f"first right answer at {measured.first[position]:,}"
        heading = f"{called + ': ' if called else ''}{words}, {metric} {value}, {place}"
        return heading, tuple(tiles)

    def _tile(self, row: int, caption: str, *, right: bool | None = None) -> Tile:
        picture = self._pictures[row]
        if row not in self._made:
            try:
                with picture.source.open(picture.asset) as stream:
                    self._made[row] = tile_jpeg(stream.read())
            except OSError:  # it went since it was measured
                self._made[row] = None
        parts = picture.asset.uri.replace("\\", "/").split("/")
        return Tile(self._made[row], caption, "/".join(parts[-self._shown_parts :]), right)
