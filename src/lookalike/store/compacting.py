"""Giving space back: pictures seen nowhere any more go, with their rows.

A space that loses rows gets a new rows file, epoch E+1, written and safe on disk before one commit makes it
the published one; E is unlinked after that, with the indexes made for it. At any instant either E or E+1 is
whole and published. A file that a reader still maps cannot be unlinked on Windows: the next writer tries again.
"""

from __future__ import annotations

from contextlib import closing, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from lookalike.store.column_sets import sweep_columns
from lookalike.store.database import BUSY_S, transaction
from lookalike.store.full_text import tidy_words
from lookalike.store.indexes import sweep_indexes
from lookalike.store.rows import append_rows, create_rows, cut_tail, leftover_files, map_rows
from lookalike.store.tables import read_spaces

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path

    from lookalike.core.arrays import HalfVectors
    from lookalike.store.records import Space

_BATCH = 4096
"""Rows copied at once."""


def drop_unseen(connection: sqlite3.Connection, directory: Path) -> tuple[int, int]:
    """Drop pictures without items in one transaction; returns how many pictures and rows went."""
    with transaction(connection, directory):
        connection.execute("CREATE TEMP TABLE unseen AS SELECT number FROM pictures WHERE items = 0")
        dropped = connection.execute("DELETE FROM vectors WHERE picture IN (SELECT number FROM temp.unseen)").rowcount
        connection.execute("DELETE FROM contents WHERE picture IN (SELECT number FROM temp.unseen)")
        pictures = connection.execute("DELETE FROM pictures WHERE items = 0").rowcount
        connection.execute("DROP TABLE temp.unseen")
        for space in read_spaces(connection):
            left = connection.execute("SELECT count(*) FROM vectors WHERE space = ?", (space.number,)).fetchone()[0]
            if left < space.count:
                _rewrite(connection, directory, space, left)
        tidy_words(connection)
        if pictures:
            connection.execute("UPDATE collection SET generation = generation + 1")
    return pictures, dropped


def give_back(connection: sqlite3.Connection, directory: Path) -> None:
    """Return free pages of the database to the disk; as far as no reader still needs them, without waiting."""
    with closing(connection.execute("PRAGMA incremental_vacuum")) as cursor:
        cursor.fetchall()  # it frees a page a step
    connection.execute("PRAGMA busy_timeout = 0")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    connection.execute(f"PRAGMA busy_timeout = {int(1000 * BUSY_S)}")
    sweep(connection, directory)


def sweep(connection: sqlite3.Connection, directory: Path) -> None:
    """Tidy what unfinished runs left: files that nothing publishes, folders of dropped spaces, torn tails.

    For the holder of the lock.
    """
    sweep_indexes(connection, directory)
    sweep_columns(connection, directory)
    spaces = {space.slug: space for space in read_spaces(connection)}
    parent = directory / "spaces"
    if not parent.is_dir():
        return
    for folder in parent.iterdir():
        space = spaces.get(folder.name)
        with suppress(OSError):  # Windows: mapped by a reader; the next writer tries again
            for file in leftover_files(folder, space.epoch if space else None):
                with suppress(OSError):
                    file.unlink()
            if space is None:
                folder.rmdir()
            else:
                cut_tail(directory, space)


def _rewrite(connection: sqlite3.Connection, directory: Path, space: Space, left: int) -> None:
    """Write the rows that are left into the next epoch's file and number them anew, in the same order."""
    fresh = replace(space, epoch=space.epoch + 1, count=0)
    create_rows(directory, fresh)
    segments = append_rows(directory, fresh, _kept(connection, map_rows(directory, space), space))
    connection.execute(
        "CREATE TEMP TABLE renumbered AS SELECT row AS old, row_number() OVER (ORDER BY row) - 1 AS new"
        " FROM vectors WHERE space = ? ORDER BY row",
        (space.number,),
    )
    moves = connection.execute("SELECT new, old FROM temp.renumbered WHERE new <> old ORDER BY old")
    while some := moves.fetchmany(_BATCH):  # ascending and never upwards: no two rows ever meet
        connection.executemany(
            "UPDATE vectors SET row = ? WHERE space = ? AND row = ?", [(new, space.number, old) for new, old in some]
        )
    connection.execute("DROP TABLE temp.renumbered")
    connection.execute("DELETE FROM segments WHERE space = ?", (space.number,))
    connection.executemany(
        "INSERT INTO segments (space, first, count, checksum) VALUES (?, ?, ?, ?)",
        [(space.number, each.first, each.count, each.checksum) for each in segments],
    )
    connection.execute("DELETE FROM indexes WHERE space = ?", (space.number,))  # they know rows by their old numbers
    connection.execute("UPDATE spaces SET epoch = ?, count = ? WHERE number = ?", (fresh.epoch, left, space.number))


def _kept(connection: sqlite3.Connection, rows: HalfVectors, space: Space) -> Iterator[HalfVectors]:
    cursor = connection.execute("SELECT row FROM vectors WHERE space = ? ORDER BY row", (space.number,))
    while some := cursor.fetchmany(_BATCH):
        yield rows[[row for (row,) in some]]
