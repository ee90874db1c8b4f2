"""Connections to `collection.sqlite`: how it is opened, written in transactions, and how its errors read.

Promises: a transaction is all or nothing; SQLite's and the system's errors about space, permission, damage
and waiting leave as ours. The journal is a write-ahead log, so readers never wait for a writer; on a network
disk, where that log cannot work, it is a rollback journal, and a writer then waits for readers.
"""

from __future__ import annotations

import errno
import json
import os
import sqlite3
import sys
import time
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from lookalike.core.causes import cause_of
from lookalike.core.errors import (
    CollectionBusy,
    CollectionDamaged,
    CollectionError,
    CollectionReadOnly,
    CollectionTooNew,
    OutOfSpace,
)
from lookalike.core.wording import Wording
from lookalike.store.migrations import STEPS, is_foreign, migrate, stand_in, version_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

DATABASE = "collection.sqlite"
_SWITCH_AGAIN_S = 0.02
BUSY_S = 30.0
"""How long a short write waits for another before it gives up."""
WRITER_CACHE_KB = 64_000
"""Pages that a writer keeps: with SQLite's own 2 MB, a large run writes the same pages of its trees again and again."""
IN_AT_ONCE = 500
"""Values in one `IN (...)`: below the 999 parameters that every SQLite allows."""
MAPPED_BYTES = 1 << 30
"""Of the database, looked at by memory map: items of ten hits lie on forty pages, each a call of the system else."""

_NETWORK_DISKS = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "afs", "ncpfs", "9p", "fuse.glusterfs"}
)
_FULL = frozenset({errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})
_FORBIDDEN = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})
_READING_FAILED = frozenset({sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ})

Value = TypeVar("Value")


def prepare(directory: Path) -> None:
    """Create the database or bring it to this version's shape. Raises CollectionTooNew, CollectionDamaged."""
    with translated(directory):
        connection = _connection(directory / DATABASE)
        try:
            _refuse_strange(connection, directory)
            if version_of(connection) < len(STEPS):
                connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
                _set_journal(connection, directory)
                migrate(connection)
        finally:
            connection.close()


def connect_writing(directory: Path) -> sqlite3.Connection:
    """A connection for the one process that writes: every commit is on the disk when it returns."""
    with translated(directory):
        connection = _connection(directory / DATABASE)
        try:
            _set_journal(connection, directory)
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA fullfsync = ON")  # macOS: without it a sync ends in the drive's cache
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute(f"PRAGMA cache_size = -{WRITER_CACHE_KB}")
            connection.execute("PRAGMA secure_delete = ON")  # what was purged cannot be read from the file any more
        except BaseException:
            connection.close()
            raise
        return connection


def connect_reading(directory: Path, *, read_only: bool) -> sqlite3.Connection:
    """A connection that never changes the collection; `read_only`: nor creates any file beside it, if it can."""
    with translated(directory):
        if not read_only:
            connection = _connection(directory / DATABASE)
            connection.execute("PRAGMA query_only = ON")
            connection.execute(f"PRAGMA mmap_size = {MAPPED_BYTES}")
            return connection
        connection = _connect_read_only(directory)
        try:
            _refuse_strange(connection, directory)
            _refuse_unfinished(connection, directory)
            stand_in(connection)
        except BaseException:
            connection.close()
            raise
        return connection


@contextmanager
def transaction(connection: sqlite3.Connection, directory: Path) -> Iterator[None]:
    """Everything inside is committed together, or nothing is."""
    with translated(directory):
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                with suppress(sqlite3.Error):  # the first error is the one to tell; SQLite undoes at the next open
                    connection.execute("ROLLBACK")
            raise


class translated:  # noqa: N801 it reads as a word: with translated(directory)
    """Errors of SQLite and of the system become ours, about the collection `directory`."""

    __slots__ = ("_directory",)

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def __enter__(self) -> None:
        """A class, not a generator: every search passes here several times."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, sqlite3.Error):
            ours = _meaning(error, self._directory)
            if ours is not None:
                raise ours from error
        elif isinstance(error, OSError):
            if error.errno in _FULL:
                raise _out_of_space(self._directory, error) from error
            if error.errno in _FORBIDDEN:
                raise _forbidden(self._directory, error) from error


def select_in(
    connection: sqlite3.Connection, sql: str, before: tuple[Any, ...], values: Iterable[Any]
) -> Iterator[tuple[Any, ...]]:
    """Rows of `sql`, whose `{}` stands for `?, ?, ...`, over all distinct `values`, some hundred at a time."""
    for some in chunks(dict.fromkeys(values), IN_AT_ONCE):
        marks = ", ".join("?" * len(some))
        yield from connection.execute(sql.format(marks), (*before, *some))


def put_setting(connection: sqlite3.Connection, name: str, value: Any) -> None:
    """Keep a JSON value under a name. Part of a transaction."""
    connection.execute(
        "INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (name, json.dumps(value)),
    )


def chunks(values: Iterable[Value], size: int) -> Iterator[Sequence[Value]]:
    """Tuples of up to `size` values, in order."""
    each = iter(values)
    while some := tuple(islice(each, size)):
        yield some


def on_network_disk(directory: Path) -> bool:
    """Whether another computer keeps the disk, as far as this system says: Linux's mounts and Windows' UNC names."""
    where = os.path.realpath(directory)
    if sys.platform == "win32":
        return where.startswith("\\\\") and not where.startswith("\\\\?\\")
    with suppress(OSError):
        kinds = [line.split() for line in Path("/proc/self/mounts").read_text(errors="replace").splitlines()]
        over = [
            (len(mount), kind)
            for _, mount, kind, *_ in kinds
            if where == mount or where.startswith(mount.rstrip("/") + "/")
        ]
        return max(over, default=(0, ""))[1] in _NETWORK_DISKS
    return False


def _connection(file: Path, options: str = "") -> sqlite3.Connection:
    return sqlite3.connect(
        file.absolute().as_uri() + options, uri=True, timeout=BUSY_S, isolation_level=None, check_same_thread=False
    )


def _connect_read_only(directory: Path) -> sqlite3.Connection:
    """Plain read-only where the log's index can be had, else immutable: nobody can be writing to such a disk."""
    file = directory / DATABASE
    connection = _connection(file, "?mode=ro")
    try:
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError as error:
        connection.close()
        if not isinstance(error, sqlite3.OperationalError):  # it is no database
            raise
        log = file.with_name(file.name + "-wal")
        if log.exists() and log.stat().st_size:
            raise CollectionReadOnly(
                f"the collection {directory} was not closed and cannot be recovered where nothing can be written",
                hint="open it once where it can be written, or copy it to such a place",
            ) from None
        return _connection(file, "?mode=ro&immutable=1")
    return connection


def _set_journal(connection: sqlite3.Connection, directory: Path) -> None:
    wanted = "delete" if on_network_disk(directory) else "wal"
    mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
    if mode != wanted:
        mode = _switched(connection, wanted)
    if mode not in {"wal", "delete"}:
        raise CollectionError(
            f"the disk under {directory} allows no safe journal (SQLite answers {mode!r})",
            hint="keep the collection on a local disk: --collection DIR",
        )


def _switched(connection: sqlite3.Connection, wanted: str) -> str:
    """The journal after asking for another. SQLite does not wait for others that do so at this moment: we do."""
    deadline = time.monotonic() + BUSY_S
    while True:
        try:
            mode: str = connection.execute(f"PRAGMA journal_mode = {wanted}").fetchone()[0]
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(_SWITCH_AGAIN_S)
        else:
            return mode


def _refuse_strange(connection: sqlite3.Connection, directory: Path) -> None:
    if is_foreign(connection):
        raise CollectionDamaged(
            Wording("database_of_another", file=directory / DATABASE), hint=Wording("give_another_place")
        )
    if version_of(connection) > len(STEPS):
        raise CollectionTooNew(Wording("collection_too_new", name=directory), hint="pip install --upgrade lookalike")


def _refuse_unfinished(connection: sqlite3.Connection, directory: Path) -> None:
    if version_of(connection) == 0:
        raise CollectionReadOnly(
            f"the collection {directory} was never finished and cannot be written here",
            hint="open it once where it can be written",
        )


def _meaning(error: sqlite3.Error, directory: Path) -> CollectionError | None:
    code = getattr(error, "sqlite_errorcode", 0)
    primary = code & 0xFF
    if primary == sqlite3.SQLITE_FULL or (primary == sqlite3.SQLITE_IOERR and code not in _READING_FAILED):
        return _out_of_space(directory, error)
    if primary in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN}:
        return _forbidden(directory, error)
    if primary in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_IOERR}:
        return CollectionDamaged(
            Wording("database_damaged", name=directory, told=str(error)), hint=Wording("restore_database")
        )
    if primary in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return CollectionBusy(
            Wording("kept_locked", name=directory, seconds=f"{BUSY_S:.0f}"), pid=None, hint=Wording("try_again")
        )
    return None


def _out_of_space(directory: Path, error: Exception) -> OutOfSpace:
    return OutOfSpace(Wording("disk_full", name=directory, told=cause_of(error)), hint=Wording("make_room"))


def _forbidden(directory: Path, error: Exception) -> CollectionReadOnly:
    return CollectionReadOnly(
        Wording("cannot_be_written_for", name=directory, told=cause_of(error)), hint=Wording("place_to_write")
    )
