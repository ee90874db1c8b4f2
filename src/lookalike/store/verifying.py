"""Checking all of a collection's files against each other; what is wrong comes out as sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lookalike.core.errors import CollectionDamaged
from lookalike.store.rows import RESTORE, checksum
from lookalike.store.tables import last_segment, read_segments

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from lookalike.store.rows import Segment
    from lookalike.store.snapshot import Snapshot

LENGTH_TOLERANCE = 2e-3
"""A unit vector rounded to float16 keeps its length to about 5e-4; twice that and some for tiny components."""

_WITHOUT_VECTOR = (
    "SELECT count(*) FROM pictures JOIN collection ON current_space IS NOT NULL WHERE items > 0"
    " AND NOT EXISTS (SELECT 1 FROM vectors v WHERE v.picture = pictures.number AND v.space = current_space)"
)
_COUNTED = (
    (
        "SELECT count(*) FROM pictures p WHERE items <> (SELECT count(*) FROM items i WHERE i.picture = p.number)",
        "{} pictures have a wrong number of items noted",
    ),
    (
        "SELECT count(*) FROM items i JOIN contents c ON c.number = i.content WHERE c.picture <> i.picture",
        "{} items are tied to another picture than their bytes",
    ),
    (_WITHOUT_VECTOR, "{} pictures have no vector and cannot be found"),
)


def database_problems(connection: sqlite3.Connection) -> Iterator[str]:
    """What is wrong inside SQLite's own file."""
    for (answer,) in connection.execute("PRAGMA integrity_check").fetchall():
        if answer != "ok":
            yield f"the database: {answer}"
    for table, _, parent, _ in connection.execute("PRAGMA foreign_key_check").fetchall():
        yield f"the database: a row of {table} points to nothing in {parent}"
    for sql, sentence in _COUNTED:
        (count,) = connection.execute(sql).fetchone()
        if count:
            yield sentence.format(f"{count:,}")


def space_problems(snapshot: Snapshot) -> Iterator[str]:
    """What is wrong with the files of a space: every checksum is computed again, every vector measured."""
    space = snapshot.space
    numbered = snapshot.connection.execute(
        "SELECT count(*), coalesce(min(row), 0), coalesce(max(row), -1) FROM vectors WHERE space = ?", (space.number,)
    ).fetchone()
    if numbered != (space.count, 0, space.count - 1):
        yield f"the space of {space.encoder_name} has {space.count:,} rows and {numbered[0]:,} pictures for them"
    columns = snapshot.columns()
    if columns is not None:
        yield from columns.problems()
    segments = list(read_segments(snapshot.connection, space))
    if [each.first for each in segments] + [space.count] != [0] + [each.first + each.count for each in segments]:
        yield f"the checksums of the space of {space.encoder_name} do not cover its rows"
    for segment in segments:
        yield from _segment_problems(snapshot, segment)


def check_last_segment(snapshot: Snapshot) -> None:
    """The bounded check at opening. Raises CollectionDamaged."""
    segment = last_segment(snapshot.connection, snapshot.space)
    if segment is not None and not _holds(snapshot, segment):
        raise CollectionDamaged(_broken(snapshot, segment), hint=RESTORE)


def _segment_problems(snapshot: Snapshot, segment: Segment) -> Iterator[str]:
    import numpy as np

    if not _holds(snapshot, segment):
        yield _broken(snapshot, segment)
        return
    rows = snapshot.rows[segment.first : segment.first + segment.count].astype(np.float32)
    wrong = np.flatnonzero(~(np.abs(np.linalg.norm(rows, axis=1) - 1) <= LENGTH_TOLERANCE))
    if len(wrong):
        first = segment.first + int(wrong[0])
        yield f"{len(wrong):,} vectors of {snapshot.space.encoder_name} have no unit length, the first at row {first}"


def _holds(snapshot: Snapshot, segment: Segment) -> bool:
    return checksum(snapshot.rows[segment.first : segment.first + segment.count].tobytes()) == segment.checksum


def _broken(snapshot: Snapshot, segment: Segment) -> str:
    rows = f"rows {segment.first} to {segment.first + segment.count - 1}"
    return f"the vectors of {snapshot.space.encoder_name} are damaged: the checksum of {rows} does not hold"
