"""The end of a run: what was not seen any more is a move when the same picture appeared elsewhere, else gone.

A vanished item is paired with one of the same picture that was added since the last finished run, wherever
it lies: so a move is found across roots, and also when the run that saw the new place was interrupted. Rows of a
catalogue do not move: they are never `fresh`, and one that vanished is gone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lookalike.store.places import below_sql
from lookalike.store.records import FinishReport
from lookalike.store.tables import read_roots

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

TEMPORARY_TABLES = (
    "CREATE TEMP TABLE seen (number INTEGER PRIMARY KEY)",
    "CREATE TEMP TABLE seen_failures (root INTEGER, key BLOB, PRIMARY KEY (root, key)) WITHOUT ROWID",
    "CREATE TEMP TABLE gone (number INTEGER PRIMARY KEY, picture INTEGER NOT NULL)",
)
"""What a writer keeps of one run, outside the collection's own file."""


def finish_run(
    connection: sqlite3.Connection,
    scopes: Sequence[tuple[int, bytes]],
    protected: Sequence[tuple[int, bytes]],
    newest_before: int,
) -> FinishReport:
    """Settle a run inside the caller's transaction; the tables of what was seen are empty afterwards.

    `newest_before`: the highest number of an item before the run.
    """
    _collect_gone(connection, scopes, protected)
    removed = _remove_rows(connection)
    places = [new for picture in _pictures_that_moved(connection) for new in _take_over(connection, picture)]
    removed += connection.execute("DELETE FROM items WHERE number IN (SELECT number FROM temp.gone)").rowcount
    _drop_failures(connection, scopes, protected)
    connection.execute("UPDATE items SET fresh = 0 WHERE fresh = 1")
    for table in ("seen", "seen_failures", "gone"):
        connection.execute(f"DELETE FROM temp.{table}")  # noqa: S608 names of ours
    arrived = sum(number > newest_before for number in places)
    return FinishReport(moved=len(places), removed=removed, arrived=arrived)


def newest_item(connection: sqlite3.Connection) -> int:
    """The highest number an item ever had; numbers are never used again."""
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'items'").fetchone()
    return int(row[0]) if row else 0


def _collect_gone(
    connection: sqlite3.Connection, scopes: Sequence[tuple[int, bytes]], protected: Sequence[tuple[int, bytes]]
) -> None:
    for root, prefix in scopes:
        condition, parameters = below_sql(prefix)
        connection.execute(
            "INSERT OR IGNORE INTO temp.gone SELECT number, picture FROM items"  # noqa: S608 a condition of ours
            f" WHERE root = ? AND {condition} AND number NOT IN (SELECT number FROM temp.seen)",
            (root, *parameters),
        )
    for root, prefix in protected:
        condition, parameters = below_sql(prefix)
        connection.execute(
            "DELETE FROM temp.gone WHERE number IN"  # noqa: S608 a condition of ours
            f" (SELECT number FROM items WHERE root = ? AND {condition})",
            (root, *parameters),
        )


def _remove_rows(connection: sqlite3.Connection) -> int:
    """Rows that left their catalogue are gone: their ids are the user's and stand for nothing else. How many."""
    removed = 0
    for root in read_roots(connection):
        if root.is_catalogue:
            removed += connection.execute(
                "DELETE FROM items WHERE root = ? AND number IN (SELECT number FROM temp.gone)", (root.number,)
            ).rowcount
    if removed:
        connection.execute("DELETE FROM temp.gone WHERE number NOT IN (SELECT number FROM items)")
    return removed


def _pictures_that_moved(connection: sqlite3.Connection) -> list[int]:
    rows = connection.execute(
        "SELECT DISTINCT g.picture FROM temp.gone g CROSS JOIN items i ON i.picture = g.picture AND i.fresh = 1"
        " WHERE i.number NOT IN (SELECT number FROM temp.gone) ORDER BY g.picture"
    )
    return [picture for (picture,) in rows]


def _take_over(connection: sqlite3.Connection, picture: int) -> list[int]:
    """Give the new places of one picture to its vanished items, equal file names first.

    Returns the numbers of the items that stood at the new places and are merged into the vanished ones.
    """
    gone = connection.execute(
        "SELECT i.number, i.key FROM temp.gone g JOIN items i ON i.number = g.number WHERE g.picture = ?"
        " ORDER BY i.number",
        (picture,),
    ).fetchall()
    fresh = connection.execute(
        "SELECT number, key FROM items WHERE picture = ? AND fresh = 1"
        " AND number NOT IN (SELECT number FROM temp.gone) ORDER BY number",
        (picture,),
    ).fetchall()
    pairs = _paired(gone, fresh)
    for old, new in pairs:
        place = connection.execute(
            "SELECT root, key, uri, size, modified_ns, content, metadata FROM items WHERE number = ?", (new,)
        ).fetchone()
        connection.execute("DELETE FROM items WHERE number = ?", (new,))
        connection.execute(
            "UPDATE items SET root = ?, key = ?, uri = ?, size = ?, modified_ns = ?, content = ?, metadata = ?"
            " WHERE number = ?",
            (*place, old),
        )
        connection.execute("DELETE FROM temp.gone WHERE number = ?", (old,))
    return [new for _, new in pairs]


def _paired(gone: Sequence[tuple[int, bytes]], fresh: Sequence[tuple[int, bytes]]) -> list[tuple[int, int]]:
    """(vanished, new) item numbers: those with the same file name first, then in order."""
    pairs: list[tuple[int, int]] = []
    by_name: dict[bytes, list[int]] = {}
    for number, key in fresh:
        by_name.setdefault(_file_name(key), []).append(number)
    left = []
    for number, key in gone:
        same = by_name.get(_file_name(key))
        if same:
            pairs.append((number, same.pop(0)))
        else:
            left.append(number)
    rest = sorted(number for numbers in by_name.values() for number in numbers)
    return pairs + list(zip(left, rest, strict=False))


def _file_name(key: bytes) -> bytes:
    return key.rsplit(b"/", 1)[-1]


def _drop_failures(
    connection: sqlite3.Connection, scopes: Sequence[tuple[int, bytes]], protected: Sequence[tuple[int, bytes]]
) -> None:
    """Failures in scope that were not met again are over, unless they could not be looked for."""
    for root, prefix in protected:
        condition, parameters = below_sql(prefix)
        connection.execute(
            "INSERT OR IGNORE INTO temp.seen_failures"  # noqa: S608 a condition of ours
            f" SELECT root, key FROM failures WHERE root = ? AND {condition}",
            (root, *parameters),
        )
    for root, prefix in scopes:
        condition, parameters = below_sql(prefix)
        connection.execute(
            f"DELETE FROM failures WHERE root = ? AND {condition}"  # noqa: S608 a condition of ours
            " AND (root, key) NOT IN (SELECT root, key FROM temp.seen_failures)",
            (root, *parameters),
        )
