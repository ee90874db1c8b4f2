"""Questions and graded answers: the judgements of retrieval, read from a CSV file. One line, one judged pair.

Columns: `query`, words, or `query_image`, a picture; `item`, what was judged; `grade`, how right it is: 0 is wrong, 1
right, more is better; without the column every line is right. A pair in several lines has the grade of the last one.
Items and query pictures are image files, relative to the CSV file or to `images`, or items of a collection, by id or
path. Ranked is every judged picture and all of `pool`, a folder; of a collection, all of it. What nobody judged counts
as wrong, as trec_eval has it.

A column `source` tells which pairs nobody looked at (`judged_pairs`); how many they are is noted.

Promises: nothing listed is lost silently; no picture is opened. A collection is read from one snapshot, its vectors
come along, and its generation is noted.
"""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from lookalike.core.errors import SourceError
from lookalike.core.records import Skipped
from lookalike.engine.sources import asset_of, sources_of
from lookalike.evaluation.embedding import Known
from lookalike.evaluation.judged_pairs import is_proposed
from lookalike.evaluation.judged_tables import columns_of, read_rows
from lookalike.evaluation.judgements import (
    JudgedPicture,
    Judgements,
    Question,
    image_base,
    origin_of,
    picture_at,
    real_place,
)
from lookalike.images.folder import folder
from lookalike.store.collection_store import Store

if TYPE_CHECKING:
    from lookalike.store.collection_store import Snapshot

_ROWS_AT_ONCE = 10_000


def read_qrels(
    path: str | Path,
    *,
    images: str | Path | None = None,
    pool: str | Path | None = None,
    collection: str | Path | None = None,
) -> Judgements:
    """The questions of a CSV file. `collection`: a directory, whose items are judged and ranked.

    Raises SourceError when the file cannot be read or nothing that it names is there, ValueError for a pool beside a
    collection.
    """
    path = os.path.expanduser(os.fspath(path))
    base = image_base(path, images)
    if collection is None:
        return _judgements(path, _Files(base, None if pool is None else os.path.expanduser(os.fspath(pool))))
    if pool is not None:
        raise ValueError("a collection is a pool of its own")
    with Store.open(Path(collection).expanduser(), create=False) as store, store.snapshot() as snapshot:
        return _judgements(path, _Items(store, snapshot, base))


# --- the file -------------------------------------------------------------------------------------


class _Line(NamedTuple):
    """One judged pair; one of `words` and `image` is "" ."""

    words: str
    image: str
    item: str
    grade: float
    confirmed: bool


def _judgements(path: str, places: _Places) -> Judgements:
    """Items first, then the pool, then pictures that only ask: so the first ones are those that may be answers."""
    lines, skipped = _lines(path)
    found = {name: places.find(name) for name in dict.fromkeys(line.item for line in lines)}
    skipped += places.complete()
    size = len(places.pictures)
    asking = {name: places.ask(name) for name in dict.fromkeys(line.image for line in lines if line.image)}
    skipped += [each for each in [*found.values(), *asking.values()] if isinstance(each, Skipped)]
    if not any(isinstance(each, int) for each in found.values()):
        raise SourceError(f"none of the {len(found)} items named in {path} is there", hint=places.hint)
    grades: dict[tuple[str, int | None], dict[int, float]] = {}
    for line in lines:
        item, picture = found[line.item], asking.get(line.image)
        if isinstance(item, int) and not isinstance(picture, Skipped):
            grades.setdefault((line.words, picture), {})[item] = line.grade
    return Judgements(
        "qrels",
        tuple(places.pictures),
        tuple(skipped),
        questions=tuple(Question(words, picture, judged) for (words, picture), judged in grades.items()),
        pool=size,
        known=places.known,
        origin=origin_of(path) | places.origin | _unconfirmed(lines),
    )


def _lines(path: str) -> tuple[list[_Line], list[Skipped]]:
    asked = [column for column in ("query", "query_image") if column in columns_of(path)] or ["query"]
    lines: list[_Line] = []
    skipped: list[Skipped] = []
    for number, row in read_rows(path, ("item", *asked), ("query", "query_image", "grade", "source")):
        words, image = row["query"], "" if row["query"] else row["query_image"]
        grade = _grade(row["grade"])
        if not row["item"] or not (words or image):
            missing = "item" if not row["item"] else "query"
            skipped.append(Skipped(f"{path}:{number}", f"no {missing} in this line", "empty"))
        elif grade is None:
            reason = f'the grade "{row["grade"]}" is no number from 0 up'
            skipped.append(Skipped(f"{path}:{number}", reason, "grade"))
        else:
            lines.append(_Line(words, image, row["item"], grade, not is_proposed(row["source"])))
    if not lines:
        raise SourceError(f"{path} has no judged pair", hint="each line needs a query and an item")
    return lines, skipped


def _unconfirmed(lines: list[_Line]) -> dict[str, str]:
    """How many pairs nobody looked at; nothing where somebody looked at all."""
    count = sum(not line.confirmed for line in lines)
    return {"unconfirmed": f"{count} of {len(lines)} pairs"} if count else {}


def _grade(cell: str) -> float | None:
    """1 for an empty cell; None for what is no grade."""
    try:
        grade = float(cell or 1)
    except ValueError:
        return None
    return grade if 0 <= grade < math.inf else None


# --- where items are ------------------------------------------------------------------------------


class _Places(Protocol):
    """Where items are looked up. `pictures` grows by what is found; `hint`: what to do when nothing is."""

    pictures: list[JudgedPicture]
    known: Known | None
    origin: dict[str, str]
    hint: str

    def find(self, name: str) -> int | Skipped:
        """The position of an item."""
        ...

    def ask(self, name: str) -> int | Skipped:
        """The position of a picture that asks: an item, or a file that is none."""
        ...

    def complete(self) -> list[Skipped]:
        """Take what is ranked though nobody judged it; what of it cannot be taken."""
        ...


class _Files:
    """Items are image files, relative to `base`; `pool` is a folder that is ranked whole."""

    def __init__(self, base: str, pool: str | None) -> None:
        self.pictures: list[JudgedPicture] = []
        self.known: Known | None = None
        self.origin: dict[str, str] = {} if pool is None else {"pool": os.path.abspath(pool)}
        self.hint = (
            f"paths were taken relative to {os.path.abspath(base)}; name another folder with --images DIR, "
            "or with --collection DIR the collection whose items they are"
        )
        self._base, self._pool = base, pool
        self._position: dict[str, int] = {}

    def find(self, name: str) -> int | Skipped:
        path = os.path.abspath(os.path.join(self._base, name))
        if (known := self._position.get(real_place(path))) is not None:
            return known
        found = picture_at(path)
        if isinstance(found, Skipped):
            return found
        return self._take(found)

    ask = find

    def complete(self) -> list[Skipped]:
        skipped: list[Skipped] = []
        if self._pool is None:
            return skipped
        source = folder(os.path.abspath(self._pool))
        for entry in source.assets():
            if isinstance(entry, Skipped):
                skipped.append(entry)
            elif real_place(entry.uri) not in self._position:
                self._take(JudgedPicture(source, entry, ()))
        return skipped

    def _take(self, picture: JudgedPicture) -> int:
        self.pictures.append(picture)
        return self._position.setdefault(real_place(picture.asset.uri), len(self.pictures) - 1)


class _Items:
    """Items of a collection, by id or path; a picture in several places is one answer."""

    def __init__(self, store: Store, snapshot: Snapshot, base: str) -> None:
        self.pictures: list[JudgedPicture] = []
        self.known: Known | None = None
        self.origin = {"collection": str(store.path), "generation": str(snapshot.generation)}
        self.hint = (
            f"items are named by the ids or paths they have in {store.path}; is it the collection that was judged?"
        )
        self._base = base
        self._position: dict[str, int] = {}
        sources = sources_of(store)
        rows: list[int] = []
        live = snapshot.live_mask()
        every = np.arange(snapshot.count) if live is None else np.flatnonzero(live)
        for start in range(0, len(every), _ROWS_AT_ONCE):
            for row, items in snapshot.items_of(every[start : start + _ROWS_AT_ONCE].tolist()).items():
                if items and items[0].id not in self._position:  # another part of a picture is no other answer
                    for item in items:
                        self._position[item.id] = self._position[item.uri] = len(rows)
                    self.pictures.append(JudgedPicture(sources[items[0].root], asset_of(items[0]), ()))
                    rows.append(row)
        self.known = Known(snapshot.space.encoder_id, snapshot.rows[rows])

    def find(self, name: str) -> int | Skipped:
        path = os.path.abspath(os.path.join(self._base, name))
        position = self._position.get(name, self._position.get(path))
        return Skipped(name, "there is no such item in the collection", "missing") if position is None else position

    def ask(self, name: str) -> int | Skipped:
        found = self.find(name)
        if not isinstance(found, Skipped):
            return found
        picture = picture_at(os.path.abspath(os.path.join(self._base, name)))
        if isinstance(picture, Skipped):
            return picture
        self.pictures.append(picture)
        return self._position.setdefault(picture.asset.uri, len(self.pictures) - 1)

    def complete(self) -> list[Skipped]:  # all of the collection is there from the beginning
        return []
