"""Which set of columns serves: a row of the table `columns`, and folders `columns/G`.

A set is good for the generations from its own, G, until `until`. Whoever raises the generation without touching an
item, its picture's row or its metadata says so with `carry_columns`; any other change leaves the set behind, and SQL
answers until the next one is made. Only the holder of the write lock changes items, so what it makes is of one moment.
The database notes in the table `columnless` every item that is not as the set has it (triggers, in the transaction of
the change), so a set that was left behind is made anew from itself and those.

A set is written under another name, named `columns/G` and published by one commit; folders that no record names are
leftovers. One that a reader still maps cannot be removed on Windows: the next writer tries again.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from lookalike.store.column_making import update_columns, write_columns
from lookalike.store.columns import Columns
from lookalike.store.database import transaction

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from pathlib import Path

    from lookalike.store.records import Space

LEAST_ITEMS = 5000
"""Fewer items are asked of SQL in the time it takes to open a set (tools/bench/columns.py)."""
MERGED_SHARE = 0.2
"""Share of changed items from which on all are read again. A judgement: then words nobody uses any more go as well."""
_UNFINISHED = "unfinished"
_CHANGES = "changes"


def current_columns(connection: sqlite3.Connection, directory: Path, space: Space) -> Columns | None:
    """The set for the published rows of a space at the generation that the connection sees; None: ask SQL."""
    row = connection.execute(
        "SELECT s.generation, s.digest FROM columns s, collection c"
        " WHERE s.space = ? AND s.epoch = ? AND c.generation BETWEEN s.generation AND s.until",
        (space.number, space.epoch),
    ).fetchone()
    if row is None:
        return None
    try:
        return Columns(_folder(directory, row[0]), row[1])
    except (OSError, ValueError, KeyError, TypeError):  # replaced in between, damaged, or of a later version
        return None


def carry_columns(connection: sqlite3.Connection) -> None:
    """The generation was raised by one, and no item, row or metadata changed. Part of a transaction."""
    connection.execute("UPDATE columns SET until = until + 1 WHERE until = (SELECT generation - 1 FROM collection)")


def make_columns(
    connection: sqlite3.Connection, directory: Path, space: Space, least: int, is_stopping: Callable[[], bool]
) -> bool:
    """Make the set of a space when there is none for this generation; returns whether there is one at the end.

    For the holder of the write lock. None is made for fewer than `least` items.
    """
    there = current_columns(connection, directory, space)
    if there is not None and there.is_there():
        return True
    (items,) = connection.execute("SELECT count(*) FROM items").fetchone()
    if items < max(least, 1):
        return False
    unfinished = directory / "columns" / _UNFINISHED
    try:
        connection.execute("BEGIN")
        try:
            digest = _updated(connection, directory, space, is_stopping)
            if digest is None:
                digest = write_columns(connection, _emptied(unfinished), space, is_stopping)
        finally:
            connection.execute("ROLLBACK")
        if digest is not None:
            _publish(connection, directory, space, unfinished, digest)
    finally:
        sweep_columns(connection, directory)
    return digest is not None


def _updated(
    connection: sqlite3.Connection, directory: Path, space: Space, is_stopping: Callable[[], bool]
) -> bytes | None:
    """The set before brought up to date, in the unfinished folder; None when all has to be written."""
    row = connection.execute(
        "SELECT generation, digest FROM columns WHERE space = ? AND epoch = ?", (space.number, space.epoch)
    ).fetchone()
    if row is None:
        return None
    try:
        before = Columns(_folder(directory, row[0]), row[1])
        (changed,) = connection.execute("SELECT count(*) FROM columnless").fetchone()
        if changed > MERGED_SHARE * len(before):
            return None
        parent = directory / "columns"
        folders = _emptied(parent / _UNFINISHED), _emptied(parent / _CHANGES)
        return update_columns(connection, folders, space, before, is_stopping)
    except (FileNotFoundError, ValueError, KeyError, TypeError):  # damaged, or of another version
        return None


def _emptied(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def sweep_columns(connection: sqlite3.Connection, directory: Path) -> None:
    """Remove the folders of sets that no record names. For the holder of the write lock."""
    parent = directory / "columns"
    if not parent.is_dir():
        return
    named = {str(generation) for (generation,) in connection.execute("SELECT generation FROM columns")}
    for folder in parent.iterdir():
        if folder.name not in named:
            shutil.rmtree(folder, ignore_errors=True)


def _publish(connection: sqlite3.Connection, directory: Path, space: Space, unfinished: Path, digest: bytes) -> None:
    with transaction(connection, directory):
        row = connection.execute("UPDATE collection SET generation = generation + 1 RETURNING generation").fetchone()
        generation = int(row[0])  # a name that no folder ever had
        unfinished.rename(_folder(directory, generation))
        connection.execute("DELETE FROM columns")
        connection.execute("DELETE FROM columnless")
        connection.execute(
            "INSERT INTO columns (generation, until, space, epoch, digest) VALUES (?, ?, ?, ?, ?)",
            (generation, generation, space.number, space.epoch, digest),
        )


def _folder(directory: Path, generation: int) -> Path:
    return directory / "columns" / str(generation)
