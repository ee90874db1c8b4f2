"""Rows of a catalogue against the items that are there: what can be settled without reading any file, in bulk.

A row is as it was when its picture's address, size and time are; then only what the row says is compared, and written
where it is something else. A row at a place that is new, or shows another file, takes the content that the same file
already has as an item of a folder, if size and time are the same there. The rest is left to whoever reads files.
Everything is asked and written some thousand rows at a time: 100,000 rows take seconds.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from lookalike.core.fields import of_place
from lookalike.store.database import select_in
from lookalike.store.finishing import newest_item
from lookalike.store.full_text import fields_read
from lookalike.store.places import joined_key
from lookalike.store.publishing import free_ids
from lookalike.store.records import RowsReport
from lookalike.store.rooting import covering_root
from lookalike.store.tables import as_json, read_current_space, read_root

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from lookalike.core.records import Asset
    from lookalike.store.records import Root

_KNOWN = "SELECT key, number, uri, size, modified_ns, picture, metadata FROM items WHERE root = ? AND key IN ({})"
_INSERT = """
    INSERT INTO items (number, uri, size, modified_ns, content, picture, metadata, root, key, id, fresh)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)
"""
_UPDATE = """
    UPDATE items SET uri = ?, size = ?, modified_ns = ?, content = ?, picture = ?, metadata = ? WHERE number = ?
"""
_HELD = """
    SELECT i.key, i.size, i.modified_ns, i.content, i.picture FROM items i
    CROSS JOIN vectors v ON v.picture = i.picture AND v.space = ? AND v.part = 0 WHERE i.root = ? AND i.key IN ({})
"""
"""Items with a vector of the whole picture."""
_SEEN = "INSERT OR IGNORE INTO temp.seen (number) VALUES (?)"


def put_rows(connection: sqlite3.Connection, root: int, rows: Sequence[Asset]) -> RowsReport:
    """Settle what can be settled of some rows with different keys, inside the caller's transaction."""
    its = read_root(connection, root)
    known = {key: rest for key, *rest in select_in(connection, _KNOWN, (root,), (row.key for row in rows))}
    texts = {row.key: as_json(row.metadata) for row in rows}
    described, other = [], []
    for row in rows:
        before = known.get(row.key)
        if before is None or (os.fsdecode(before[1]), before[2], before[3]) != (row.uri, row.size, row.modified_ns):
            other.append(row)
        elif before[5] != texts[row.key]:
            described.append((before[5], texts[row.key], row.metadata, before[0]))
    _describe(connection, described)
    connection.executemany(_SEEN, ((number,) for number, *_ in known.values()))
    places = _known_elsewhere(connection, other)
    values = {
        row.key: (os.fsencode(row.uri), row.size, row.modified_ns, *places[row.uri], texts[row.key])
        for row in other
        if row.uri in places
    }
    added, changed = _put(connection, its, values, {key: before[0] for key, before in known.items()})
    return RowsReport(
        unchanged=len(rows) - len(other) - len(described),
        described=len(described),
        added=added,
        changed=changed,
        left=tuple((row, known[row.key][4] if row.key in known else None) for row in other if row.uri not in places),
    )


def put_metadata(
    connection: sqlite3.Connection, root: int, described: Iterable[tuple[bytes, Mapping[str, Any]]]
) -> list[int]:
    """Write what a place says where it says something else now; the numbers of those items. Part of a transaction."""
    said = dict(described)
    sql = (
        "SELECT i.key, i.number, i.metadata, c.metadata FROM items i JOIN contents c ON c.number = i.content"
        " WHERE i.root = ? AND i.key IN ({})"
    )
    changed = []
    for key, number, before, by_bytes in select_in(connection, sql, (root,), said):
        values = of_place(said[key], json.loads(by_bytes))
        text = as_json(values)
        if text != before:
            changed.append((before, text, values, number))
    _describe(connection, changed)
    return [number for *_, number in changed]


def _describe(connection: sqlite3.Connection, changed: Sequence[tuple[str, str, Mapping[str, Any], int]]) -> None:
    """Write metadata, given as (JSON before, JSON now, values now, item). A new price leaves the words as they are."""
    are_noted = connection.execute("SELECT 1 FROM wordless LIMIT 1").fetchone() is not None  # some of these, perhaps
    connection.executemany(
        "UPDATE items SET metadata = ? WHERE number = ?", ((now, item) for _, now, _, item in changed)
    )
    if not are_noted:
        fields = fields_read(connection)
        alike = ((item,) for before, _, now, item in changed if _said(json.loads(before), fields) == _said(now, fields))
        connection.executemany("DELETE FROM wordless WHERE item = ?", alike)


def _said(values: Mapping[str, Any], fields: frozenset[str]) -> dict[str, Any]:
    return {name: values[name] for name in fields & values.keys()}


def _put(
    connection: sqlite3.Connection, root: Root, values: dict[bytes, tuple[Any, ...]], numbers: dict[bytes, int]
) -> tuple[int, int]:
    """Write items with known contents, by key, in their places or new; returns how many were added and changed."""
    new = [key for key in values if key not in numbers]
    first = newest_item(connection) + 1
    ids = free_ids(connection, root, [os.fsdecode(key) for key in new])
    connection.executemany(
        _INSERT,
        ((first + n, *values[key], root.number, key, id) for n, (key, id) in enumerate(zip(new, ids, strict=True))),
    )
    connection.executemany(_SEEN, ((first + n,) for n in range(len(new))))
    connection.executemany(_UPDATE, ((*values[key], numbers[key]) for key in values if key in numbers))
    if connection.execute("SELECT 1 FROM failures WHERE root = ? LIMIT 1", (root.number,)).fetchone():
        clear = "DELETE FROM failures WHERE root = ? AND key = ?"
        connection.executemany(clear, ((root.number, key) for key in values))
    return len(new), len(values) - len(new)


def _known_elsewhere(connection: sqlite3.Connection, rows: Sequence[Asset]) -> dict[str, tuple[int, int]]:
    """(content, picture) of each file that is an item of a folder, as it is now, and has its vector."""
    space = read_current_space(connection)
    if space is None:
        return {}
    wanted: dict[int, dict[bytes, Asset]] = {}
    for row, root, key in _below_roots(connection, rows):
        wanted.setdefault(root, {})[key] = row
    found: dict[str, tuple[int, int]] = {}
    for root, by_key in wanted.items():
        for key, size, modified_ns, content, picture in select_in(connection, _HELD, (space.number, root), by_key):
            row = by_key[key]
            if size == row.size and modified_ns == row.modified_ns:
                found[row.uri] = content, picture
    return found


def _below_roots(connection: sqlite3.Connection, rows: Sequence[Asset]) -> Iterator[tuple[Asset, int, bytes]]:
    """Root and key of each row's file that lies below a root; a folder is asked about once."""
    above: dict[str, tuple[int, bytes] | None] = {}
    for row in rows:
        folder, separator, name = row.uri.rpartition(os.sep)
        if folder not in above:
            covered = covering_root(connection, os.fsencode(folder or separator)) if os.path.isabs(row.uri) else None
            above[folder] = None if covered is None else (covered[0].number, covered[1])
        covering = above[folder]
        if covering is not None:
            yield row, covering[0], joined_key(covering[1], os.fsencode(name))
