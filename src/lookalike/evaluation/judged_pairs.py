"""Judged pairs in a CSV file, one line a pair, which `evaluate` reads: who said what, and how it came about.

    query, item, grade     as in `qrels`: 1 right, 0 wrong; one set by hand may lie between or above
    source                 person: somebody looked at it; proposal: taken by the likeness of words alone
    likeness, judge        cosine of the words; who said it
    text, picture          what was said of the item; where its picture is

Every decision is on disk before the next question: the file is written as a whole and replaced. What nobody looked at
is no truth to learn from: `refuse_unconfirmed` keeps it out of training.
"""

from __future__ import annotations

import csv
import math
import os
from dataclasses import astuple, dataclass, fields
from typing import TYPE_CHECKING, Any, Literal

from lookalike.core.causes import cause_of
from lookalike.core.errors import LookalikeError, SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from lookalike.evaluation.proposals import Proposal

PERSON: Literal["person"] = "person"
PROPOSED: Literal["proposal"] = "proposal"


@dataclass(frozen=True, slots=True)
class JudgedPair:
    """One line of the file."""

    query: str
    item: str
    grade: float
    source: str
    likeness: float
    judge: str
    text: str
    picture: str


COLUMNS = tuple(each.name for each in fields(JudgedPair))


class JudgedPairs:
    """The pairs in the file at `path`, which need not be there yet. Raises SourceError for another kind of file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._pairs: dict[tuple[str, str], JudgedPair] = {}
        if path.exists():
            self._pairs = {(each.query, each.item): each for each in read_pairs(path)}

    def __len__(self) -> int:
        return len(self._pairs)

    def all(self) -> list[JudgedPair]:
        """In the order in which they were judged first."""
        return list(self._pairs.values())

    def of(self, proposal: Proposal) -> JudgedPair | None:
        """What was said of a proposal."""
        return self._pairs.get((proposal.question, proposal.thing.items[0]))

    def decide(self, decided: Mapping[Proposal, bool], *, source: str, judge: str) -> None:
        """Note whether proposals are right, for all pictures of their things, and write the file. Raises OSError."""
        for proposal, right in decided.items():
            for item in proposal.thing.items:
                key, thing, likeness = (proposal.question, item), proposal.thing, round(proposal.likeness, 4)
                self._pairs[key] = JudgedPair(*key, int(right), source, likeness, judge, thing.text, thing.uri)
        self._write()

    def undo(self, proposal: Proposal, before: JudgedPair | None) -> None:
        """Put back what was said of a proposal `before` the last decision about it. Raises OSError."""
        for item in proposal.thing.items:
            key = proposal.question, item
            if before is None:
                self._pairs.pop(key, None)
            else:
                self._pairs[key] = JudgedPair(*key, *astuple(before)[2:])
        self._write()

    def _write(self) -> None:
        partial = self.path.with_name(f"{self.path.name}.partial")
        with partial.open("w", newline="", encoding="utf-8", errors="surrogateescape") as stream:
            writer = csv.writer(stream)
            writer.writerow(COLUMNS)
            writer.writerows(astuple(pair) for pair in self._pairs.values())
        os.replace(partial, self.path)


def read_pairs(path: Path) -> list[JudgedPair]:
    """The lines of a file that `JudgedPairs` wrote. Raises SourceError."""
    try:
        with path.open(newline="", encoding="utf-8-sig", errors="surrogateescape") as stream:
            rows = csv.DictReader(stream)
            if not set(COLUMNS) <= set(rows.fieldnames or ()):
                raise SourceError(
                    f"{path} was not written by lookalike judge: it lacks columns",
                    hint=f"its columns would be {', '.join(COLUMNS)}; name another file",
                )
            return [_pair(row) for row in rows]
    except (OSError, ValueError, csv.Error) as error:
        raise SourceError(
            f"{path} cannot be read: {cause_of(error)}", hint="it must be what lookalike judge wrote"
        ) from error


def refuse_unconfirmed(path: Path) -> None:
    """Raise SourceError for a file with pairs that nobody looked at: nothing is learned from likeness of words.

    It is read as a catalogue is: whatever a spreadsheet made of it, encoding, separators and case of the headings, and
    whatever reads it then, those pairs are seen.
    """
    try:
        count = sum(is_proposed(cells.get("source")) for cells in _cells(path) if {"query", "item"} <= cells.keys())
    except LookalikeError:
        return  # whoever reads it as what it is will say so
    if count:
        raise SourceError(
            f"{path} has {count:,} pairs that were taken by the likeness of their words and that nobody confirmed: "
            "nothing is learned from them",
            hint="confirm them: lookalike judge asks for them when it is called without --yes-above",
        )


def is_proposed(source: Any) -> bool:
    """Whether a cell of the column `source` says that nobody looked at the pair."""
    return isinstance(source, str) and source.strip().casefold() == PROPOSED


def _cells(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a table by their headings in lower case. Raises SourceError, MissingExtra."""
    from lookalike.images.tables import BadRow, open_table

    table = open_table(os.fsencode(path))
    for row in table.rows():
        if not isinstance(row, BadRow):
            cells = row[1].items() if isinstance(row[1], dict) else zip(table.columns, row[1], strict=False)
            yield {str(name).strip().casefold(): cell for name, cell in cells}


def only_person(pairs: Iterable[JudgedPair]) -> list[JudgedPair]:
    """Those that somebody looked at."""
    return [pair for pair in pairs if pair.source == PERSON]


def _pair(row: Mapping[str, str | None]) -> JudgedPair:
    cells = {name: row[name] for name in COLUMNS}
    told = {name: cell for name, cell in cells.items() if cell is not None}
    if len(told) < len(cells):
        raise ValueError(f"the line {', '.join(told.values())!r} is too short")
    grade = float(told.pop("grade"))
    if not 0 <= grade < math.inf:
        raise ValueError(f"the grade {grade} is no number from 0 up")
    likeness = float(told.pop("likeness"))
    return JudgedPair(grade=int(grade) if grade.is_integer() else grade, likeness=likeness, **told)
