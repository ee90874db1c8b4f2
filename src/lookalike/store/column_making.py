"""Writing a set of columns: one pass over the items in the order of their rows, in bounded memory.

Of all items, or of those that changed since the set before, which are merged with it then (`column_merging.py`).

Promises: what is read belongs to the caller's one transaction; all files are on the disk when the manifest is; at a
stop, or an error, nothing is left that could be taken for a set. What the columns mean is said in `columns.py`.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import closing
from typing import TYPE_CHECKING, Any

from lookalike.core.conditions import METADATA, kind_in_metadata
from lookalike.core.fields import date_ns
from lookalike.store.column_merging import merge_columns
from lookalike.store.column_values import ColumnValues
from lookalike.store.columns import (
    DIGEST_BYTES,
    MANIFEST,
    ROWS,
    ColumnManifest,
    Columns,
    extension_of,
    folder_of,
    name_of,
)
from lookalike.store.places import native_path
from lookalike.store.rows import to_disk
from lookalike.store.tables import declared_fields, roots_by_number

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from typing import TypeAlias

    from lookalike.store.records import Space

    _There: TypeAlias = tuple[Any, Any]
    """Indices in a piece, and the values there."""

PIECE = 4096
"""Entries read at once."""
WORDS_BYTES = 64 << 20
"""Memory for distinct words of all columns together; beyond that the column with the most is kept without them."""
MOST_KEYS = 128
"""Keys of the metadata that are looked at, the first that come."""

_NOTHING = "{}"
_LISTED = frozenset({str, type(None)})
"""What a list may hold that has a column."""
_parse = json.JSONDecoder().raw_decode
_FIELDS = """
    SELECT v.row, i.number, i.id, i.root, i.key, i.uri, i.size, i.modified_ns,
        c.width, c.height, c.format, c.metadata, i.metadata
"""
_ITEMS = f"""
    {_FIELDS} FROM vectors v CROSS JOIN items i ON i.picture = v.picture
    CROSS JOIN contents c ON c.number = i.content WHERE v.space = ? ORDER BY v.row, i.number
"""
_CHANGED = f"""
    {_FIELDS} FROM columnless l CROSS JOIN items i ON i.number = l.item CROSS JOIN vectors v ON v.picture = i.picture
    CROSS JOIN contents c ON c.number = i.content WHERE v.space = ? ORDER BY v.row, i.number
"""
_GIVEN = {
    ROWS: "int",
    "number": "int",
    "id": "plain",
    "root": "int",
    "size": "int",
    "modified": "date",
    "width": "int",
    "height": "int",
    "format": "text",
    "folder": "bytes",
    "name": "plain",
    "extension": "bytes",
}
"""The columns that every set has, and their kinds."""


def write_columns(
    connection: sqlite3.Connection, folder: Path, space: Space, is_stopping: Callable[[], bool]
) -> bytes | None:
    """Write the set for a space into the empty `folder`; returns the digest of its manifest, None when stopped.

    The connection is in a transaction.
    """
    manifest = _made(_Making(folder, connection, space.count), _ITEMS, connection, space, is_stopping)
    return None if manifest is None else _write_manifest(manifest, folder)


def update_columns(
    connection: sqlite3.Connection, folders: tuple[Path, Path], space: Space, before: Columns, stop: Callable[[], bool]
) -> bytes | None:
    """The same, from an earlier set of the space's epoch and the items of the table `columnless`, which changed since.

    `folders`: two empty ones, for the set and for what is only needed on the way. None also when the sets cannot be
    merged: the folder is still empty then. Raises OSError, ValueError when files of `before` are missing.
    """
    import numpy as np

    folder, aside = folders
    manifest = _made(_Making(aside, connection, space.count, before.manifest), _CHANGED, connection, space, stop)
    if manifest is None:
        return None
    changes = Columns(aside, _write_manifest(manifest, aside))
    changed = np.array([item for (item,) in connection.execute("SELECT item FROM columnless")], dtype=np.int64)
    merged = merge_columns(before, changes, changed, folder)
    return None if merged is None else _write_manifest(merged, folder)


def _made(
    making: _Making, items: str, connection: sqlite3.Connection, space: Space, is_stopping: Callable[[], bool]
) -> ColumnManifest | None:
    """All columns of the items that a query gives; None when stopped."""
    with closing(connection.execute(items, (space.number,))) as cursor:
        while some := cursor.fetchmany(PIECE):
            if is_stopping():
                return None
            making.add(some)
    return making.finish()


def _write_manifest(manifest: ColumnManifest, folder: Path) -> bytes:
    text = manifest.as_json().encode()
    with (folder / MANIFEST).open("wb") as stream:
        stream.write(text)
        to_disk(stream)
    return hashlib.blake2b(text, digest_size=DIGEST_BYTES).digest()


class _Making:
    """The columns of one set, as far as they have come. `before`: of the set that has to be merged with it."""

    def __init__(
        self, folder: Path, connection: sqlite3.Connection, rows: int, before: ColumnManifest | None = None
    ) -> None:
        self._folder = folder
        self._roots = roots_by_number(connection)
        self._declared = declared_fields(connection)
        self._rows = rows
        self._entries = 0
        self._aligned = True
        self._left_out: set[str] = set() if before is None else set(before.left_out)
        self._more_left_out = before is not None and before.more_left_out
        self._columns = {name: ColumnValues(folder, name, kind, over=kind) for name, kind in _GIVEN.items()}
        for name, column in ({} if before is None else before.columns).items():
            if name not in _GIVEN:
                self._columns[name] = self._new(name, column.kind)

    def add(self, items: Sequence[tuple[Any, ...]]) -> None:
        """Take the next items, as `_FIELDS` selects them."""
        rows, numbers, ids, roots, keys, uris, sizes, modified, widths, heights, formats, of_bytes, own = zip(
            *items, strict=True
        )
        names = self._file_names(roots, keys, uris)
        values: dict[str, Sequence[Any]] = {
            ROWS: rows,
            "number": numbers,
            "id": ids,
            "root": roots,
            "size": sizes,
            "modified": modified,
            "width": widths,
            "height": heights,
            "format": [name or None for name in formats],
            "folder": self._folders(roots, keys, uris),
            "name": [os.fsdecode(name) for name in names],
            "extension": [extension_of(name) or None for name in names],
        }
        there = {name: _present(each) for name, each in values.items()}
        there |= self._metadata(of_bytes, own)
        for name, column in self._columns.items():
            column.add(self._entries, len(items), *there.get(name, ([], [])))
        self._aligned &= rows == tuple(range(self._entries, self._entries + len(rows)))
        self._entries += len(items)
        self._keep_small()

    def finish(self) -> ColumnManifest:
        """Make the files."""
        made = {name: column.finish(self._entries) for name, column in self._columns.items()}
        return ColumnManifest(
            entries=self._entries,
            rows=self._rows,
            aligned=self._aligned and self._entries == self._rows,
            columns={name: files for name, files in made.items() if files is not None},
            left_out=frozenset(self._left_out),
            more_left_out=self._more_left_out,
        )

    def _folders(self, roots: Sequence[int], keys: Sequence[bytes], uris: Sequence[bytes | None]) -> list[bytes]:
        known: dict[tuple[int, bytes], bytes] = {}
        folders = []
        for root, key, uri in zip(roots, keys, uris, strict=True):
            place = root, key[: key.rfind(b"/") + 1]
            if uri is None and place not in known:
                its = self._roots[root]
                known[place] = folder_of(native_path(its.path, key, is_file=its.is_file))
            folders.append(known[place] if uri is None else folder_of(uri))
        return folders

    def _file_names(self, roots: Sequence[int], keys: Sequence[bytes], uris: Sequence[bytes | None]) -> list[bytes]:
        files = {root: name_of(its.path) for root, its in self._roots.items() if its.is_file}
        return [
            name_of(uri) if uri is not None else files.get(root) or key[key.rfind(b"/") + 1 :]
            for root, key, uri in zip(roots, keys, uris, strict=True)
        ]

    def _metadata(self, of_bytes: Sequence[str], own: Sequence[str]) -> dict[str, _There]:
        """Values of the metadata by the name of their column, which there is afterwards."""
        found: dict[str, _There] = {}
        for place, texts in enumerate(zip(of_bytes, own, strict=True)):
            for key, value in _merged(*texts).items():
                if value is not None:
                    places, values = found.setdefault(METADATA + key, ([], []))
                    places.append(place)
                    values.append(value)
        there = {name: each for name, each in found.items() if self._takes(name, each[1])}
        return {name: _moments(*each) if self._is_date(name) else each for name, each in there.items()}

    def _is_date(self, name: str) -> bool:
        return kind_in_metadata(name[len(METADATA) :], self._declared) == "date"

    def _takes(self, name: str, values: Sequence[Any]) -> bool:
        """Whether there is, or can be, a column for all these values."""
        if name in self._left_out:
            return False
        if name not in self._columns and self._names() >= len(_GIVEN) + MOST_KEYS:
            self._more_left_out = True
            return False
        plain = name in self._columns and self._columns[name].kind == "plain"
        if any(_is_nested(value, lists=not (plain or self._is_date(name))) for value in values):
            self._leave_out(name)
            return False
        if name not in self._columns:
            self._columns[name] = self._new(name)
        return True

    def _new(self, name: str, kind_before: str | None = None) -> ColumnValues:
        kind = "date" if self._is_date(name) else None
        return ColumnValues(self._folder, f"metadata-{self._names()}", kind, over=kind_before and (kind or kind_before))

    def _names(self) -> int:
        """How many names were met: it grows with each."""
        return len(self._columns) + len(self._left_out)

    def _leave_out(self, name: str) -> None:
        self._left_out.add(name)
        if name in self._columns:
            self._columns.pop(name).forget()

    def _keep_small(self) -> None:
        """Keep the columns with the most words without them, as long as all of them take too much memory."""
        while sum(column.word_bytes for column in self._columns.values()) > WORDS_BYTES:
            name = max(self._columns, key=lambda name: self._columns[name].word_bytes)
            if self._columns[name].kind == "text":
                self._columns[name].turn_plain(self._entries)
            else:
                self._leave_out(name)


def _present(values: Sequence[Any]) -> _There:
    """Where there are values, and which."""
    if None not in values:
        return slice(None), values
    places = [place for place, value in enumerate(values) if value is not None]
    return places, [values[place] for place in places]


def _is_nested(value: Any, *, lists: bool) -> bool:
    """Whether a value has no place in a column; `lists`: one of text has."""
    if type(value) is list:
        return not lists or not _LISTED.issuperset(map(type, value))
    return type(value) is dict


def _moments(places: Any, values: Sequence[Any]) -> _There:
    """Readable dates, as nanoseconds, and where they are."""
    moments = [date_ns(value) if type(value) is str else None for value in values]
    there = [(place, moment) for place, moment in zip(places, moments, strict=True) if moment is not None]
    return [place for place, _ in there], [moment for _, moment in there]


def _merged(of_bytes: str, own: str) -> dict[str, Any]:
    """The metadata of an item: what its bytes say, and over it what its place says."""
    found: dict[str, Any] = {} if of_bytes == _NOTHING else _parse(of_bytes)[0]
    return found if own == _NOTHING else {**found, **_parse(own)[0]}
