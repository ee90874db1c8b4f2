"""What is known about duplicates: fingerprints and sketches, the likenesses between pictures, what was looked at.

All of it is written shortly, beside whoever holds the lock, and none of it changes what a search may answer: the
generation stays. What people decided stands in `decisions.py`.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from lookalike.store.database import select_in

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from lookalike.core.records import Fingerprint
    from lookalike.store.records import Space

    Pictures: TypeAlias = NDArray[np.int64]
    """int64 (n,): numbers of pictures, ascending."""

Kind = Literal["same", "copy", "edited", "burst"]
BITS_BYTES = 32
"""Of a fingerprint."""
_FETCH = 10_000
"""Rows taken from SQLite at once."""
_NO_PRINT = "items > 0 AND NOT EXISTS (SELECT 1 FROM fingerprints f WHERE f.picture = p.number)"
_NO_SKETCH = (
    "items > 0 AND NOT (EXISTS (SELECT 1 FROM fingerprints f WHERE f.picture = p.number)"
    " AND EXISTS (SELECT 1 FROM sketches s WHERE s.picture = p.number))"
)
"""Of a picture `p`."""


class PairRecord(NamedTuple):
    """Two pictures, `first` < `second` by number, that are alike: how, how sure, and why (reasons as JSON).

    `method`: number of the way of judging that said so, below 0 where that is to be judged anew.
    """

    first: int
    second: int
    kind: Kind
    sure: float
    why: str
    method: int


class Fingerprints(NamedTuple):
    """Of `n` pictures, ascending: `pictures` int64 (n,), `bits` uint8 (n, 32), `quality` uint8 (n,).

    Of those `m` that have a plain border: `bordered` int64 (m,), and `inner` uint8 (m, 32) of what lies within it.
    """

    pictures: Pictures
    bits: NDArray[np.uint8]
    quality: NDArray[np.uint8]
    bordered: Pictures
    inner: NDArray[np.uint8]


def put_fingerprints(connection: sqlite3.Connection, prints: Iterable[tuple[int, Fingerprint]]) -> None:
    """Keep fingerprints and sketches of pictures; one that has its own keeps it. Part of a transaction."""
    prints = list(prints)
    connection.executemany(
        "INSERT OR IGNORE INTO fingerprints (picture, bits, quality) VALUES (?, ?, ?)",
        [(picture, each.bits, each.quality) for picture, each in prints],
    )
    connection.executemany(
        "INSERT OR IGNORE INTO inner_fingerprints (picture, bits) VALUES (?, ?)",
        [(picture, each.inner) for picture, each in prints if each.inner is not None],
    )
    connection.executemany(
        "INSERT OR IGNORE INTO sketches (picture, bytes) VALUES (?, ?)",
        [(picture, each.sketch) for picture, each in prints if each.sketch],
    )


def read_fingerprints(connection: sqlite3.Connection) -> Fingerprints:
    """Those of all pictures that are seen somewhere."""
    pictures, bits, quality = _prints(connection, "fingerprints", "f.quality")
    bordered, inner, _ = _prints(connection, "inner_fingerprints", "0")
    return Fingerprints(pictures, bits, quality, bordered, inner)


def bordered_pictures(connection: sqlite3.Connection) -> set[int]:
    """Those that have a fingerprint of what lies within a plain border."""
    return {picture for (picture,) in connection.execute("SELECT picture FROM inner_fingerprints")}


def _prints(
    connection: sqlite3.Connection, table: str, third: str
) -> tuple[Pictures, NDArray[np.uint8], NDArray[np.uint8]]:
    """Pictures that are seen somewhere, their bits in a table, and a third column."""
    import numpy as np

    (most,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 names of ours
    pictures, bits = np.empty(most, np.int64), np.empty((most, BITS_BYTES), np.uint8)
    thirds = np.empty(most, np.uint8)
    sql = (
        f"SELECT f.picture, f.bits, {third} FROM {table} f CROSS JOIN pictures p"  # noqa: S608
        " ON p.number = f.picture AND p.items > 0 ORDER BY f.picture"
    )
    end = 0
    for some in _fetched(connection, sql):
        start, end = end, end + len(some)
        numbers, blobs, values = zip(*some, strict=True)
        pictures[start:end], thirds[start:end] = numbers, values
        bits[start:end] = np.frombuffer(b"".join(blobs), np.uint8).reshape(-1, BITS_BYTES)
    return pictures[:end], bits[:end], thirds[:end]


def fingerprints_of_rows(
    connection: sqlite3.Connection, space: Space, rows: Iterable[int]
) -> dict[int, tuple[bytes, int]]:
    """Bits and quality of the pictures of some rows; a row whose picture has none is left out."""
    sql = (
        "SELECT v.row, f.bits, f.quality FROM vectors v CROSS JOIN fingerprints f ON f.picture = v.picture"
        " WHERE v.space = ? AND v.row IN ({})"
    )
    found = select_in(connection, sql, (space.number,), map(int, rows))
    return {row: (bits, quality) for row, bits, quality in found}


def read_sketches(connection: sqlite3.Connection, pictures: Iterable[int]) -> dict[int, bytes]:
    """The sketches of some pictures; one that has none is left out."""
    return dict(select_in(connection, "SELECT picture, bytes FROM sketches WHERE picture IN ({})", (), pictures))


def pictures_without_sketch(connection: sqlite3.Connection, after: int, limit: int) -> list[int]:
    """Up to `limit` pictures numbered above `after` that are seen somewhere and have no sketch, or no fingerprint."""
    sql = f"SELECT number FROM pictures p WHERE number > ? AND {_NO_SKETCH} ORDER BY number LIMIT ?"  # noqa: S608 names of ours
    return [number for (number,) in connection.execute(sql, (after, limit))]


def count_without_sketch(connection: sqlite3.Connection) -> int:
    """How many pictures are seen somewhere and have no sketch, or no fingerprint."""
    return int(connection.execute(f"SELECT count(*) FROM pictures p WHERE {_NO_SKETCH}").fetchone()[0])  # noqa: S608 ours


def count_without_fingerprint(connection: sqlite3.Connection) -> int:
    """How many pictures are seen somewhere and have no fingerprint."""
    return int(connection.execute(f"SELECT count(*) FROM pictures p WHERE {_NO_PRINT}").fetchone()[0])  # noqa: S608 ours


def pictures_and_rows(connection: sqlite3.Connection, space: Space) -> tuple[Pictures, NDArray[np.int64]]:
    """All pictures that are seen somewhere, and the row of each in the space: int64 (n,), -1 where it has none."""
    sql = (
        "SELECT p.number, coalesce(v.row, -1) FROM pictures p LEFT JOIN vectors v"
        " ON v.picture = p.number AND v.space = ? AND v.part = 0 WHERE p.items > 0 ORDER BY p.number"
    )
    pictures, rows = _columns(connection, sql, (space.number,), 2)
    return pictures, rows


def pictures_seen_often(connection: sqlite3.Connection) -> Pictures:
    """Pictures that are seen in more than one place."""
    return _columns(connection, "SELECT number FROM pictures WHERE items > 1 ORDER BY number", (), 1)[0]


def pictures_not_looked_at(connection: sqlite3.Connection, method: int) -> Pictures:
    """Pictures that are seen somewhere and were not compared with the others by this method, or by a later one."""
    sql = (
        "SELECT number FROM pictures p WHERE items > 0"
        " AND NOT EXISTS (SELECT 1 FROM looked l WHERE l.picture = p.number AND l.method >= ?) ORDER BY number"
    )
    return _columns(connection, sql, (method,), 1)[0]


def put_likenesses(
    connection: sqlite3.Connection, pairs: Iterable[PairRecord], looked: Iterable[int], method: int
) -> None:
    """Keep pairs, and that pictures were `looked` at. Pictures that are gone meanwhile are passed over. Part of a
    transaction.
    """
    connection.executemany(
        "INSERT INTO likenesses (first, second, kind, sure, why, method) SELECT ?1, ?2, ?3, ?4, ?5, ?6"
        " WHERE EXISTS (SELECT 1 FROM pictures WHERE number = ?1)"
        " AND EXISTS (SELECT 1 FROM pictures WHERE number = ?2)"
        " ON CONFLICT (first, second) DO UPDATE SET kind = excluded.kind, sure = excluded.sure, why = excluded.why,"
        " method = excluded.method",
        pairs,
    )
    connection.executemany(
        "INSERT OR REPLACE INTO looked (picture, method)"
        " SELECT number, ?2 FROM pictures WHERE number = ?1 AND items > 0",
        ((int(picture), method) for picture in looked),
    )


def forget_likenesses(connection: sqlite3.Connection, before: int) -> None:
    """Forget what a method numbered below `before` found, and that pictures were looked at by it."""
    connection.execute("DELETE FROM likenesses WHERE abs(method) < ?", (before,))
    connection.execute("DELETE FROM looked WHERE method < ?", (before,))


def doubt_likenesses(connection: sqlite3.Connection) -> None:
    """Have all pictures looked at anew. What was found before stands until then; its `method` is below 0."""
    connection.execute("UPDATE likenesses SET method = -abs(method)")
    connection.execute("DELETE FROM looked")


def forget_doubted(connection: sqlite3.Connection) -> None:
    """Forget what was not found anew."""
    connection.execute("DELETE FROM likenesses WHERE method < 0")


def forget_unseen(connection: sqlite3.Connection, pictures: Iterable[int]) -> None:
    """Forget which copies and edits those have that lack a sketch: only fingerprints said so. Part of a transaction."""
    sql = f"SELECT number FROM pictures p WHERE {_NO_SKETCH} AND number IN ({{}})"  # noqa: S608 names of ours
    unseen = list(select_in(connection, sql, (), pictures))
    for column in ("first", "second"):
        sql = f"DELETE FROM likenesses WHERE {column} = ? AND kind IN ('copy', 'edited')"  # noqa: S608 names of ours
        connection.executemany(sql, unseen)


def read_likenesses(connection: sqlite3.Connection, kinds: Sequence[Kind] = ()) -> Iterator[PairRecord]:
    """All pairs of pictures that are both seen somewhere, of some kinds or of all, by their numbers."""
    chosen = f" AND l.kind IN ({', '.join('?' * len(kinds))})" if kinds else ""
    sql = (
        "SELECT l.first, l.second, l.kind, l.sure, l.why, l.method FROM likenesses l"  # noqa: S608
        " JOIN pictures a ON a.number = l.first AND a.items > 0"
        f" JOIN pictures b ON b.number = l.second AND b.items > 0 WHERE 1{chosen} ORDER BY l.first, l.second"
    )
    with closing(connection.execute(sql, tuple(kinds))) as cursor:
        for row in cursor:
            yield PairRecord(*row)


def likenesses_among_pictures(connection: sqlite3.Connection, pictures: Iterable[int]) -> list[PairRecord]:
    """All pairs that both are of some pictures."""
    wanted = {int(picture) for picture in pictures}
    sql = "SELECT first, second, kind, sure, why, method FROM likenesses WHERE first IN ({})"
    return [PairRecord(*row) for row in select_in(connection, sql, (), wanted) if row[1] in wanted]


def likenesses_of_pictures(connection: sqlite3.Connection, pictures: Iterable[int]) -> list[PairRecord]:
    """All pairs that one of some pictures is in."""
    numbers = [int(picture) for picture in pictures]
    found: dict[tuple[int, int], PairRecord] = {}
    for column in ("first", "second"):
        sql = f"SELECT first, second, kind, sure, why, method FROM likenesses WHERE {column} IN ({{}})"  # noqa: S608
        for row in select_in(connection, sql, (), numbers):
            found[row[0], row[1]] = PairRecord(*row)
    return [found[pair] for pair in sorted(found)]


def _columns(connection: sqlite3.Connection, sql: str, values: tuple[int, ...], width: int) -> list[Pictures]:
    """Whole numbers that a query gives: its columns, int64 (n,)."""
    import numpy as np

    blocks = [np.array(some, np.int64).reshape(-1, width) for some in _fetched(connection, sql, values)]
    return list(np.concatenate([np.empty((0, width), np.int64), *blocks]).T.copy())


def _fetched(
    connection: sqlite3.Connection, sql: str, values: tuple[int, ...] = ()
) -> Iterator[list[tuple[object, ...]]]:
    with closing(connection.execute(sql, values)) as cursor:
        while some := cursor.fetchmany(_FETCH):
            yield some
