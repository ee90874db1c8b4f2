"""The lists of items that words stand in, read from FTS5 once for each generation of a collection and kept.

Reading a word's list from FTS5 costs up to 5 ms for each 10,000 items in it; kept as an array it is added to the scores
of a million items in a millisecond. Promises: safe to share between threads; no more than `KEPT_BYTES` stay.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lookalike.store.word_meanings import read_meanings

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from lookalike.store.columns import Columns
    from lookalike.store.records import Space
    from lookalike.store.word_meanings import Meanings

FIELD_WEIGHTS = {"title": 1.0, "text": 0.8, "place": 0.6}
"""What a word counts by the best field it stands in (docs/benchmarks/hybrid.md)."""
KEPT_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class WordList:
    """`items`: their numbers, int32, ascending; `weights`: float32, by the best field; `rarity`: the word's idf."""

    items: NDArray[np.int32]
    weights: NDArray[np.float32]
    rarity: float


class WordLists:
    """Those of one generation, seen in one space. `row_of`: int32, the row of each item by its number, -1 for none."""

    def __init__(self, generation: int, space: Space, row_of: NDArray[np.int32]) -> None:
        self.generation = generation
        self.space = space.number
        self.count = space.count
        self.row_of = row_of
        self.items = int((row_of >= 0).sum())
        self._kept: OrderedDict[tuple[str, ...], WordList] = OrderedDict()
        self._bytes = 0
        self._meanings: Meanings | None = None
        self._lock = threading.Lock()

    def list_of(self, connection: sqlite3.Connection, forms: tuple[str, ...]) -> WordList:
        """The items that have one of some stems in a title, text or place."""
        with self._lock:
            known = self._kept.get(forms)
            if known is not None:
                self._kept.move_to_end(forms)
                return known
        made = self._read(connection, forms)
        with self._lock:
            if forms not in self._kept:
                self._kept[forms] = made
                self._bytes += made.items.nbytes + made.weights.nbytes
                while self._bytes > KEPT_BYTES:
                    _, gone = self._kept.popitem(last=False)
                    self._bytes -= gone.items.nbytes + gone.weights.nbytes
        return made

    def meanings(self, connection: sqlite3.Connection, space: Space) -> Meanings:
        """What the commonest words mean to the encoder of the space."""
        if self._meanings is None:
            self._meanings = read_meanings(connection, space)
        return self._meanings

    def rarity(self, holding: int) -> float:
        """How much a word says that `holding` items have: BM25's idf."""
        return math.log(1 + (self.items - holding + 0.5) / (holding + 0.5)) if holding <= self.items else 0.0

    def _read(self, connection: sqlite3.Connection, forms: tuple[str, ...]) -> WordList:
        import numpy as np

        lists = [items_with(connection, field, forms) for field in FIELD_WEIGHTS]
        weights = np.repeat(np.array([*FIELD_WEIGHTS.values()], np.float32), [len(each) for each in lists])
        items, first = np.unique(np.concatenate(lists), return_index=True)
        weights = weights[first]
        known = items < len(self.row_of)
        items, weights = items[known], weights[known]
        return WordList(items, weights, self.rarity(len(items)))


def items_with(connection: sqlite3.Connection, field: str, words: Sequence[str]) -> NDArray[np.int32]:
    """Numbers of the items that have one of `words` in a column of the full text; "" is a word that none has."""
    wanted = " OR ".join(f'"{word}"' for word in words if word)
    if not wanted:
        return _numbers(None)
    sql = "SELECT group_concat(rowid) FROM words WHERE words MATCH ?"
    return _numbers(connection.execute(sql, (f"{field} : ({wanted})",)).fetchone()[0])


def rows_of_items(connection: sqlite3.Connection, space: Space, columns: Columns | None) -> NDArray[np.int32]:
    """The row of every item by its number, -1 where there is none: from the columns where they serve, else by SQL."""
    import numpy as np

    if columns is not None:
        try:
            numbers, rows = np.asarray(columns.numbers("number")), np.asarray(columns.numbers("row"))
        except (OSError, ValueError, KeyError):  # the set was replaced in between, or is damaged
            return rows_of_items(connection, space, None)
    else:
        sql = (
            "SELECT group_concat(i.number), group_concat(v.row) FROM items i"
            " CROSS JOIN vectors v ON v.picture = i.picture AND v.space = ? AND v.part = 0"
        )
        numbers, rows = map(_numbers, connection.execute(sql, (space.number,)).fetchone())
    row_of = np.full(int(numbers.max(initial=-1)) + 1, -1, np.int32)
    row_of[numbers] = rows
    return row_of


def _numbers(joined: str | None) -> NDArray[np.int32]:
    """Numbers joined by commas: handing each of them to Python by itself takes four times as long."""
    import numpy as np

    return np.fromstring(joined, dtype=np.int32, sep=",") if joined else np.empty(0, np.int32)
