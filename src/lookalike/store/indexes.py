"""Which index file serves a space: records of index files, and the short writes that change them.

A space has at most one *current* index, which searches use, and at most one *unfinished* one, which is being built
or waits to be taken up again. Making an index current is one commit. Files that no record names are leftovers;
`sweep_indexes` removes them, and tries again at the next writer where a system keeps mapped files (Windows).

What an index is made of is the index room's affair: spec and point are JSON values here.
"""

from __future__ import annotations

import json
import re
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from lookalike.store.column_sets import carry_columns
from lookalike.store.records import IndexRecord, Space
from lookalike.store.rows import space_folder
from lookalike.store.tables import read_spaces

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping
    from pathlib import Path

SET_ASIDE = ".unusable"
"""What the name of an index file ends in that could not be trusted."""
_NAME = re.compile(r"(index-\d+\.faiss)(\..+)?")
_COLUMNS = "number, space, epoch, generation, count, file, spec, point, measured, reason, made_ns, current"


def current_index(connection: sqlite3.Connection, space: Space) -> IndexRecord | None:
    """The index that serves the published rows of a space."""
    return _one(connection, "space = ? AND epoch = ? AND current = 1", (space.number, space.epoch))


def unfinished_index(connection: sqlite3.Connection, space: Space) -> IndexRecord | None:
    """The index of the published epoch whose building began and has not ended."""
    return _one(connection, "space = ? AND epoch = ? AND current = 0", (space.number, space.epoch))


def index_file(directory: Path, space: Space, record: IndexRecord) -> Path:
    """Where the file of a record lies; what belongs to it has the same name with an ending."""
    return space_folder(directory, space.slug) / record.file


def begin_index(connection: sqlite3.Connection, space: Space, spec: Mapping[str, Any], reason: str) -> IndexRecord:
    """Note that an index over the `space.count` first rows is being built; takes the place of an unfinished one.

    Part of a transaction. Its files may be written from its commit on.
    """
    connection.execute("DELETE FROM indexes WHERE space = ? AND current = 0", (space.number,))
    generation = _next_generation(connection)  # no two files get one name
    cursor = connection.execute(
        "INSERT INTO indexes (space, epoch, generation, count, file, spec, reason, current)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, 0)",
        (space.number, space.epoch, generation, space.count, f"index-{generation}.faiss", json.dumps(spec), reason),
    )
    return _one(connection, "number = ?", (cursor.lastrowid,)) or _gone()


def publish_index(connection: sqlite3.Connection, record: IndexRecord) -> bool:
    """Make the index current, with everything its record says; False when its rows are no longer the published ones.

    Part of a transaction.
    """
    there = connection.execute(
        "SELECT 1 FROM indexes i JOIN spaces s ON s.number = i.space AND s.epoch = i.epoch WHERE i.number = ?",
        (record.number,),
    ).fetchone()
    if there is None:
        return False
    connection.execute("DELETE FROM indexes WHERE space = ? AND number <> ?", (record.space, record.number))
    connection.execute(
        "UPDATE indexes SET spec = ?, point = ?, measured = ?, reason = ?, made_ns = ?, current = 1 WHERE number = ?",
        (
            json.dumps(record.spec),
            json.dumps(record.point),
            json.dumps(record.measured),
            record.reason,
            time.time_ns(),
            record.number,
        ),
    )
    _next_generation(connection)
    return True


def set_point(
    connection: sqlite3.Connection, record: IndexRecord, point: Mapping[str, Any], measured: Mapping[str, Any]
) -> None:
    """Another operating point for an index, with what was measured there. Part of a transaction."""
    connection.execute(
        "UPDATE indexes SET point = ?, measured = ? WHERE number = ?",
        (json.dumps(point), json.dumps(measured), record.number),
    )
    _next_generation(connection)


def drop_index(connection: sqlite3.Connection, record: IndexRecord) -> bool:
    """Forget a record; its files are leftovers then. False when it was gone already. Part of a transaction."""
    dropped = connection.execute("DELETE FROM indexes WHERE number = ?", (record.number,)).rowcount > 0
    if dropped:
        _next_generation(connection)
    return dropped


def set_aside(file: Path) -> None:
    """Rename an index file so that nobody opens it again; where a system refuses, the missing record is enough."""
    with suppress(OSError):
        file.replace(file.with_name(file.name + SET_ASIDE))


def sweep_indexes(connection: sqlite3.Connection, directory: Path) -> None:
    """Remove index files that no record names. Files are listed before records are read: what is begun meanwhile stays.

    Files that were set aside go as well.
    """
    parent = directory / "spaces"
    found = [*_index_files(parent)] if parent.is_dir() else []
    spaces = {space.number: space for space in read_spaces(connection)}
    named = {
        space_folder(directory, spaces[number].slug) / name
        for number, name in connection.execute("SELECT space, file FROM indexes")
        if number in spaces
    }
    for file, base in found:
        if base not in named or file.name.endswith(SET_ASIDE):
            with suppress(OSError):  # Windows: mapped by a reader; the next writer tries again
                file.unlink()


def _index_files(parent: Path) -> Iterator[tuple[Path, Path]]:
    """Every file of an index below `spaces/`, with the file it belongs to."""
    for folder in parent.iterdir():
        with suppress(OSError):
            for file in folder.iterdir():
                match = _NAME.fullmatch(file.name)
                if match:
                    yield file, folder / match[1]


def _one(connection: sqlite3.Connection, condition: str, parameters: tuple[Any, ...]) -> IndexRecord | None:
    row = connection.execute(f"SELECT {_COLUMNS} FROM indexes WHERE {condition}", parameters).fetchone()  # noqa: S608 conditions are ours
    if row is None:
        return None
    number, space, epoch, generation, count, file, spec, point, measured, reason, made_ns, current = row
    return IndexRecord(
        number=number,
        space=space,
        epoch=epoch,
        generation=generation,
        count=count,
        file=file,
        spec=json.loads(spec),
        point=json.loads(point),
        measured=json.loads(measured),
        reason=reason,
        made_ns=made_ns,
        current=bool(current),
    )


def _next_generation(connection: sqlite3.Connection) -> int:
    row = connection.execute("UPDATE collection SET generation = generation + 1 RETURNING generation").fetchone()
    carry_columns(connection)
    return int(row[0])


def _gone() -> IndexRecord:
    raise AssertionError("a row just written is there")
