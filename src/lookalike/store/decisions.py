"""What people decided about duplicates: which pictures are no duplicates of each other, and which of some to keep.

A decision names items by id and contents by digest, so it holds again when an item moved, when its file came back under
another id, and when only its metadata changed (the pixels are the same). Nothing of it is ever dropped by itself.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lookalike.store.database import select_in

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True)
class ApartRecord:
    """Two items that somebody said are no duplicates of each other, `first` < `second` by id.

    `decided_ns`: UTC nanoseconds since 1970.
    """

    first: str
    second: str
    decided_ns: int


@dataclass(frozen=True, slots=True)
class Apart:
    """Decisions as they hold now. `items`: pairs of ids, `pictures`: pairs of numbers, each pair in ascending order.

    `about`: numbers of all pictures that a decision speaks of.
    """

    items: frozenset[tuple[str, str]] = frozenset()
    pictures: frozenset[tuple[int, int]] = frozenset()
    about: frozenset[int] = frozenset()

    def parts(self, first: tuple[str, int], second: tuple[str, int]) -> bool:
        """Whether two items, (id, picture), were decided apart, themselves or what they show."""
        (one, left), (other, right) = first, second
        return (min(one, other), max(one, other)) in self.items or (
            left != right and (min(left, right), max(left, right)) in self.pictures
        )


def put_apart(connection: sqlite3.Connection, pairs: Iterable[tuple[str, str]]) -> None:
    """Note that items are no duplicates of each other. Part of a transaction. Raises ValueError for an unknown id."""
    wanted = [(min(pair), max(pair)) for pair in pairs]
    known = _digests(connection, {id for pair in wanted for id in pair})
    for first, second in wanted:
        if first == second:
            raise ValueError(f"{first} cannot be apart from itself")
        connection.execute(
            "INSERT OR REPLACE INTO apart (first, second, first_bytes, second_bytes, first_pixels, second_pixels,"
            " decided_ns) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (first, second, known[first][0], known[second][0], known[first][1], known[second][1], time.time_ns()),
        )


def forget_apart(connection: sqlite3.Connection, pairs: Iterable[tuple[str, str]]) -> int:
    """Take decisions back, those about the same contents too; returns how many. Part of a transaction."""
    gone = 0
    for pair in pairs:
        first, second = min(pair), max(pair)
        now = _now(connection, {first, second})
        for record, items, pictures, _ in _resolved(connection):
            same_items = (record.first, record.second) == (first, second) or (first, second) in items
            same_pictures = first in now and second in now and _pair(now[first], now[second]) in pictures
            if same_items or same_pictures:
                gone += connection.execute(
                    "DELETE FROM apart WHERE first = ? AND second = ?", (record.first, record.second)
                ).rowcount
    return gone


def read_apart(connection: sqlite3.Connection) -> list[ApartRecord]:
    """All decisions, latest first."""
    sql = "SELECT first, second, decided_ns FROM apart ORDER BY decided_ns DESC, first, second"
    return [ApartRecord(*row) for row in connection.execute(sql)]


def apart_now(connection: sqlite3.Connection) -> Apart:
    """All decisions as they hold for what the collection shows now."""
    items: set[tuple[str, str]] = set()
    pictures: set[tuple[int, int]] = set()
    about: set[int] = set()
    for _, some_items, some_pictures, some_about in _resolved(connection):
        items |= some_items
        pictures |= some_pictures
        about |= some_about
    return Apart(frozenset(items), frozenset(pictures), frozenset(about))


def put_kept(connection: sqlite3.Connection, ids: Iterable[str]) -> None:
    """Note that items are the ones to keep, later than all noted before. Part of a transaction.

    Raises ValueError for an unknown id.
    """
    wanted = list(ids)
    known = _digests(connection, set(wanted))
    connection.executemany(
        "INSERT OR REPLACE INTO kept (item, bytes, decided_ns) VALUES (?, ?, ?)",
        [(id, known[id][0], time.time_ns()) for id in wanted],
    )


def forget_kept(connection: sqlite3.Connection, ids: Iterable[str]) -> int:
    """Take choices back; returns how many there were. Part of a transaction."""
    return sum(connection.execute("DELETE FROM kept WHERE item = ?", (id,)).rowcount for id in set(ids))


def kept_now(connection: sqlite3.Connection) -> dict[str, int]:
    """Ids of items to keep, with when that was chosen: the latest of a group prevails.

    An item that is gone stands for those that hold its bytes now.
    """
    rows: list[tuple[str, int]] = connection.execute(
        "SELECT coalesce(i.id, o.id), max(k.decided_ns) FROM kept k LEFT JOIN items i ON i.id = k.item"
        " LEFT JOIN contents c ON c.bytes_digest = k.bytes AND i.id IS NULL LEFT JOIN items o ON o.content = c.number"
        " WHERE coalesce(i.id, o.id) IS NOT NULL GROUP BY 1"
    ).fetchall()
    return dict(rows)


def _resolved(
    connection: sqlite3.Connection,
) -> list[tuple[ApartRecord, set[tuple[str, str]], set[tuple[int, int]], set[int]]]:
    """Each decision with the pairs of items and of pictures that it parts now, and all pictures that it speaks of.

    Of two items of one picture only they themselves are parted, by their ids: all they show is the same.
    """
    rows = connection.execute(
        "SELECT first, second, decided_ns, first_bytes, second_bytes, first_pixels, second_pixels FROM apart"
    ).fetchall()
    by_bytes = _pictures(connection, "contents", "bytes_digest", "picture", (d for row in rows for d in row[3:5]))
    by_pixels = _pictures(
        connection, "pictures", "pixels_digest", "number", (d for row in rows for d in row[5:7] if d is not None)
    )
    by_id = _now(connection, {id for row in rows for id in row[:2]})
    resolved = []
    for first, second, decided, first_bytes, second_bytes, first_pixels, second_pixels in rows:
        one = _known(by_id.get(first), by_bytes.get(first_bytes), by_pixels.get(first_pixels))
        other = _known(by_id.get(second), by_bytes.get(second_bytes), by_pixels.get(second_pixels))
        pictures = {_pair(left, right) for left in one for right in other if left != right}
        if first_bytes == second_bytes or (first_pixels is not None and first_pixels == second_pixels):
            pictures = set()
        resolved.append((ApartRecord(first, second, decided), {(first, second)}, pictures, one | other))
    return resolved


def _known(*pictures: int | None) -> set[int]:
    return {picture for picture in pictures if picture is not None}


def _pair(one: int, other: int) -> tuple[int, int]:
    return (min(one, other), max(one, other))


def _pictures(
    connection: sqlite3.Connection, table: str, digest: str, number: str, digests: Iterable[bytes]
) -> Mapping[bytes, int]:
    sql = f"SELECT {digest}, {number} FROM {table} WHERE {digest} IN ({{}})"  # noqa: S608 names of ours
    return dict(select_in(connection, sql, (), digests))


def _now(connection: sqlite3.Connection, ids: Iterable[str]) -> dict[str, int]:
    return dict(select_in(connection, "SELECT id, picture FROM items WHERE id IN ({})", (), ids))


def _digests(connection: sqlite3.Connection, ids: set[str]) -> dict[str, tuple[bytes, bytes | None]]:
    """The digests of items' bytes and pixels. Raises ValueError for an id of nothing."""
    from lookalike.store.inventory import digests_of

    known = digests_of(connection, ids)
    for id in sorted(ids - known.keys()):
        raise ValueError(f"there is no item {id} in this collection")
    return known
