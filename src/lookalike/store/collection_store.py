"""A collection on disk: what it holds, one moment of it, and the way to its one writer.

Opening creates the folder on first use, brings an earlier format up to date, and checks size, header and the
last checksum of each space. Readers in any number of processes never wait for the writer and never see half
a batch. A collection that cannot be written opens for searching.
"""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lookalike.core.closing import Closing
from lookalike.core.errors import CollectionDamaged, CollectionNotFound, CollectionReadOnly
from lookalike.core.wording import Wording
from lookalike.store import indexes, moves
from lookalike.store.database import (
    DATABASE,
    connect_reading,
    connect_writing,
    prepare,
    put_setting,
    transaction,
    translated,
)
from lookalike.store.likeness_store import LikenessStore
from lookalike.store.lock import HOLDER, LOCK, build_lock
from lookalike.store.readers import Readers
from lookalike.store.records import (
    CompactReport,
    Counts,
    Failure,
    FinishReport,
    Found,
    IndexRecord,
    ItemRecord,
    KnownItem,
    PutReport,
    Root,
    Space,
)
from lookalike.store.snapshot import Snapshot
from lookalike.store.tables import (
    read_current_space,
    read_failures,
    read_roots,
    read_setting,
    read_space,
    read_spaces,
)
from lookalike.store.verifying import check_last_segment, database_problems, space_problems
from lookalike.store.writer import Writer, bytes_below

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from lookalike.store.moves import Move, MoveRun

__all__ = [
    "CompactReport",
    "Counts",
    "Failure",
    "FinishReport",
    "Found",
    "IndexRecord",
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
    """Use `Store.open`. A context manager, safe to share between threads.

    `likenesses`: what is known and decided about duplicates.
    """

    def __init__(self, path: Path, *, read_only: bool) -> None:
        self.path = path
        self.read_only = read_only
        self._connection = connect_reading(path, read_only=read_only)
        self._readers = Readers(path, read_only=read_only)
        self._turn = threading.Lock()
        self.likenesses = LikenessStore(self._reading, self._writing_shortly)

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
            return read_setting(connection, name, default)

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

    def version(self) -> int:
        """A number that is another one after any commit, also one that no search can see; of this process alone."""
        with self._reading() as connection:
            return int(connection.execute("PRAGMA data_version").fetchone()[0])

    def open_moves(self) -> list[Move]:
        """Moves of duplicates that were cut short."""
        with self._reading() as connection:
            return moves.open_moves(connection)

    def last_move_run(self) -> tuple[MoveRun, list[Move]] | None:
        """The newest run of which files are still away, with its moves; None when all are back."""
        with self._reading() as connection:
            run = moves.last_run(connection)
            return None if run is None else (run, moves.moves_of(connection, run.number))

    # -- one moment, and the writer --------------------------------------------------------------

    def snapshot(self, space: Space | None = None) -> Snapshot:
        """One moment of the collection, in its current space or in `space`.

        Raises CollectionNotFound without any space, ValueError when `space` was dropped, CollectionDamaged.
        """
        return Snapshot(self._readers, space)

    def writer(self) -> Writer:
        """The writer. Raises CollectionBusy at once while another process writes, CollectionReadOnly, OutOfSpace."""
        self._refuse_read_only()
        self._readers.forget()
        return Writer(self.path)

    def set_setting(self, name: str, value: Any) -> None:
        """Keep a JSON value under a name: a short write, which waits for another one. Raises CollectionReadOnly."""
        with self._writing_shortly() as connection:
            put_setting(connection, name, value)

    # -- indexes: short writes that need no writer -----------------------------------------------

    def index_of(self, space: Space) -> IndexRecord | None:
        """The index that serves the published rows of a space."""
        with self._reading() as connection:
            return indexes.current_index(connection, read_space(connection, space.number))

    def unfinished_index(self, space: Space) -> IndexRecord | None:
        """The index of the published epoch whose building began and has not ended."""
        with self._reading() as connection:
            return indexes.unfinished_index(connection, read_space(connection, space.number))

    def index_path(self, space: Space, record: IndexRecord) -> Path:
        """Where the file of an index lies. Files of the same name with an ending of their own go when it goes."""
        return indexes.index_file(self.path, space, record)

    def building_index(self) -> AbstractContextManager[None]:
        """Hold the right to build: one process at a time. Raises CollectionBusy at once, CollectionReadOnly."""
        self._refuse_read_only()
        return build_lock(self.path)

    def begin_index(self, space: Space, spec: Mapping[str, Any], reason: str) -> IndexRecord:
        """Note that an index over the first `space.count` rows is being built, instead of an unfinished one."""
        with self._writing_shortly() as connection:
            return indexes.begin_index(connection, space, spec, reason)

    def publish_index(self, record: IndexRecord) -> bool:
        """Make a built index current, with the spec, point, figures and reason of `record`, in one commit.

        False when its rows are not the published ones any more. The file of the one before goes.
        """
        with self._writing_shortly() as connection:
            published = indexes.publish_index(connection, record)
        self._sweep_indexes()
        return published

    def set_index_point(self, record: IndexRecord, point: Mapping[str, Any], measured: Mapping[str, Any]) -> None:
        """Search an index at another operating point from now on."""
        with self._writing_shortly() as connection:
            indexes.set_point(connection, record, point, measured)

    def drop_index(self, space: Space, record: IndexRecord, *, unusable: bool = False) -> bool:
        """Forget an index; searches are exact then. An `unusable` file is renamed first. False when it was gone."""
        with self._writing_shortly() as connection:
            dropped = indexes.drop_index(connection, record)
        if dropped and unusable:
            indexes.set_aside(indexes.index_file(self.path, space, record))
        elif dropped:
            self._sweep_indexes()
        return dropped

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
        self._readers.close()
        self._connection.close()

    def _refuse_read_only(self) -> None:
        if self.read_only:
            raise CollectionReadOnly(Wording("cannot_be_written", name=self.path), hint=Wording("place_to_write"))

    @contextmanager
    def _writing_shortly(self) -> Iterator[sqlite3.Connection]:
        """A transaction of its own beside whoever holds the lock of the writer; it waits for that one's commits."""
        self._refuse_read_only()
        connection = connect_writing(self.path)
        try:
            with transaction(connection, self.path):
                yield connection
        finally:
            connection.close()

    def _sweep_indexes(self) -> None:
        with self._reading() as connection:
            indexes.sweep_indexes(connection, self.path)

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
