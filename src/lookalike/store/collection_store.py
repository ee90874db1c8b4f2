"""A collection on disk: what it holds, one moment of it, and the way to its one writer.

Opening creates the folder on first use, brings an earlier format up to date, and checks size, header and the
last checksum of each space. Readers in any number of processes never wait for the writer and never see half
a batch. A collection that cannot be written opens for searching.
"""

from __future__ import annotations

import json
import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lookalike.core.closing import Closing
from lookalike.core.errors import CollectionDamaged, CollectionNotFound, CollectionReadOnly
from lookalike.store.database import DATABASE, connect_reading, prepare, translated
from lookalike.store.lock import HOLDER, LOCK
from lookalike.store.records import (
    CompactReport,
    Counts,
    Failure,
    FinishReport,
    Found,
    ItemRecord,
    KnownItem,
    PutReport,
    Root,
    Space,
)
from lookalike.store.snapshot import Snapshot
from lookalike.store.tables import read_current_space, read_failures, read_roots, read_spaces
from lookalike.store.verifying import check_last_segment, database_problems, space_problems
from lookalike.store.writer import Writer, bytes_below

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path

__all__ = [
    "CompactReport",
    "Counts",
    "Failure",
    "FinishReport",
    "Found",
    "ItemRecord",
    "KnownItem",
    "PutReport",
    "Root",
    "Snapshot",
    "Space",
    "Store",
    "Writer",
]

_OURS = frozenset({DATABASE, DATABASE + "-wal", DATABASE + "-shm", DATABASE + "-journal", LOCK, HOLDER, "spaces"})
"""What may lie in a folder whose creation as a collection was cut short."""


class Store(Closing):
    """Use `Store.open`. A context manager, safe to share between threads."""

    def __init__(self, path: Path, *, read_only: bool) -> None:
        self.path = path
        self.read_only = read_only
        self._connection = connect_reading(path, read_only=read_only)
        self._turn = threading.Lock()

    @classmethod
    def open(cls, path: Path, *, create: bool = True, read_only: bool | None = None) -> Store:
        """Open the collection in the folder `path`, creating it when asked.

        `read_only` None finds out whether it can be written. Raises CollectionNotFound, CollectionTooNew,
        CollectionDamaged, CollectionReadOnly when it cannot be created, OutOfSpace.
        """
        if not (path / DATABASE).exists():
            _make_folder(path, create=create and not read_only)
        if read_only is None:
            read_only = (
                not (os.access(path, os.W_OK) and os.access(path / DATABASE, os.W_OK | os.R_OK))
                and (path / DATABASE).exists()
            )
        if not read_only:
            prepare(path)
        store = cls(path, read_only=read_only)
        try:
            store._check_files()
        except BaseException:
            store.close()
            raise
        return store

    # -- what it holds ---------------------------------------------------------------------------

    def setting(self, name: str, default: Any = None) -> Any:
        """The JSON value kept under a name."""
        with self._reading() as connection:
            row = connection.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
        return json.loads(row[0]) if row else default

    def spaces(self) -> list[Space]:
        """All spaces, oldest first."""
        with self._reading() as connection:
            return read_spaces(connection)

    def current_space(self) -> Space | None:
        """The space that searches use; None before the first picture."""
        with self._reading() as connection:
            return read_current_space(connection)

    def roots(self) -> list[Root]:
        """All roots, oldest first."""
        with self._reading() as connection:
            return read_roots(connection)

    def failures(self) -> list[Failure]:
        """Files that could not be taken."""
        with self._reading() as connection:
            return read_failures(connection)

    def counts(self) -> Counts:
        """How much the collection holds."""
        with self._reading() as connection:
            space = read_current_space(connection)

            def number(sql: str, *parameters: int) -> int:
                return int(connection.execute(sql, parameters).fetchone()[0])

            return Counts(
                items=number("SELECT count(*) FROM items"),
                pictures=number("SELECT count(*) FROM pictures")
                - number("SELECT count(*) FROM pictures WHERE items = 0"),
                offline=number("SELECT count(*) FROM items WHERE root IN (SELECT number FROM roots WHERE offline)"),
                failures=number("SELECT count(*) FROM failures"),
                rows=space.count if space else 0,
                dead_rows=number(
                    "SELECT count(*) FROM pictures p INDEXED BY pictures_unseen CROSS JOIN vectors v"
                    " ON v.picture = p.number AND v.space = ? WHERE p.items = 0",
                    space.number if space else 0,
                ),
            )

    def bytes_on_disk(self) -> int:
        """Bytes of all files of the collection."""
        return bytes_below(self.path)

    # -- one moment, and the writer --------------------------------------------------------------

    def snapshot(self, space: Space | None = None) -> Snapshot:
        """One moment of the collection, in its current space or in `space`.

        Raises CollectionNotFound without any space, ValueError when `space` was dropped, CollectionDamaged.
        """
        return Snapshot(self.path, space, read_only=self.read_only)

    def writer(self) -> Writer:
        """The writer. Raises CollectionBusy at once while another process writes, CollectionReadOnly, OutOfSpace."""
        if self.read_only:
            raise CollectionReadOnly(
                f"the collection {self.path} cannot be written",
                hint="searching works; to index, give a place you may write: --collection DIR",
            )
        return Writer(self.path)

    def verify(self) -> Iterator[str]:
        """Read everything and tell every problem as a sentence; nothing when the collection is whole."""
        try:
            with self._reading() as connection:
                found = list(database_problems(connection))
            yield from found
            for snapshot in self._snapshots():
                yield from space_problems(snapshot)
        except CollectionDamaged as damage:
            yield str(damage)

    # -- life ------------------------------------------------------------------------------------

    def close(self) -> None:
        """Release the files."""
        self._connection.close()

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """The connection for short reads, one thread at a time, in one read transaction."""
        with self._turn, translated(self.path):
            self._connection.execute("BEGIN")
            try:
                yield self._connection
            finally:
                self._connection.execute("ROLLBACK")

    def _check_files(self) -> None:
        """Size, header and last checksum of each space: bounded work, whatever the size of the collection."""
        for snapshot in self._snapshots():
            check_last_segment(snapshot)

    def _snapshots(self) -> Iterator[Snapshot]:
        """One of each space, one after another, without spaces that a migration drops meanwhile."""
        for space in self.spaces():
            try:
                snapshot = self.snapshot(space)
            except ValueError:
                continue
            with snapshot:
                yield snapshot


def _make_folder(path: Path, *, create: bool) -> None:
    """An empty folder for a new collection. Raises CollectionNotFound rather than move into somebody's folder."""
    if not create:
        raise CollectionNotFound(f"there is no collection at {path}", hint="lookalike index FOLDER makes one")
    with translated(path):
        if path.exists() and not path.is_dir():
            raise CollectionNotFound(f"{path} is a file, not a collection", hint="give the name of a folder")
        path.mkdir(parents=True, exist_ok=True)
        strange = next((entry.name for entry in path.iterdir() if entry.name not in _OURS), None)
    if strange is not None:
        raise CollectionNotFound(
            f"{path} is a folder of other things ({strange}), not a collection",
            hint="give the collection a folder of its own, such as Pictures.lookalike",
        )
