"""Writing a set of columns: one pass over the items in the order of their rows, in bounded memory.

Promises: what is read belongs to the caller's one transaction; all files are on the disk when the manifest is; at a
stop, or an error, nothing is left that could be taken for a set. What the columns mean is said in `columns.py`.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

from lookalike.store.column_values import ColumnValues
from lookalike.store.columns import (
    DIGEST_BYTES,
    MANIFEST,
    METADATA,
    ROWS,
    ColumnManifest,
    extension_of,
    folder_of,
)
from lookalike.store.places import native_path
from lookalike.store.rows import to_disk
from lookalike.store.tables import roots_by_number

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from typing import TypeAlias

    from lookalike.store.records import Root, Space

    _There: TypeAlias = tuple[Any, Any]
    """Indices in a piece, and the values there."""

PIECE = 4096
"""Entries read at once."""
WORDS_BYTES = 64 << 20
"""Memory for distinct words of all columns together; the column with the most is given up beyond that."""
MOST_KEYS = 128
"""Keys of the metadata that are looked at, the first that come."""

_NOTHING = "{}"
_NESTED = frozenset({list, dict})
_parse = json.JSONDecoder().raw_decode
_ITEMS = """
    SELECT v.row, i.number, i.root, i.key, i.size, i.modified_ns, c.width, c.height, c.format, c.metadata, i.metadata
    FROM vectors v CROSS JOIN items i ON i.picture = v.picture CROSS JOIN contents c ON c.number = i.content
    WHERE v.space = ? ORDER BY v.row, i.number
"""
_GIVEN = {
    ROWS: "int",
    "number": "int",
    "root": "int",
    "size": "int",
    "modified": "date",
    "width": "int",
    "height": "int",
    "format": "text",
    "folder": "bytes",
    "extension": "bytes",
}
"""The columns that every set has, and their kinds."""


def write_columns(
    connection: sqlite3.Connection, folder: Path, space: Space, is_stopping: Callable[[], bool]
) -> bytes | None:
    """Write the set for a space into the empty `folder`; returns the digest of its manifest, None when stopped.

    The connection is in a transaction.
    """
    making = _Making(folder, roots_by_number(connection), space.count)
    with closing(connection.execute(_ITEMS, (space.number,))) as cursor:
        while some := cursor.fetchmany(PIECE):
            if is_stopping():
                return None
            making.add(some)
    text = making.finish().as_json().encode()
    with (folder / MANIFEST).open("wb") as stream:
        stream.write(text)
        to_disk(stream)
    return hashlib.blake2b(text, digest_size=DIGEST_BYTES).digest()


class _Making:
    """The columns of one set, as far as they have come."""

    def __init__(self, folder: Path, roots: dict[int, Root], rows: int) -> None:
        self._folder = folder
        self._roots = roots
        self._rows = rows
        self._entries = 0
        self._aligned = True
        self._columns = {name: ColumnValues(folder, name, kind) for name, kind in _GIVEN.items()}
        self._left_out: set[str] = set()
        self._more_left_out = False

    def add(self, items: Sequence[tuple[Any, ...]]) -> None:
        """Take the next items, as `_ITEMS` selects them."""
        rows, numbers, roots, keys, sizes, modified, widths, heights, formats, of_bytes, own = zip(*items, strict=True)
        values: dict[str, Sequence[Any]] = {
            ROWS: rows,
            "number": numbers,
            "root": roots,
            "size": sizes,
            "modified": modified,
            "width": widths,
            "height": heights,
            "format": [name or None for name in formats],
            "folder": self._folders(roots, keys),
            "extension": [extension_of(key) or None for key in keys],
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

    def _folders(self, roots: Sequence[int], keys: Sequence[bytes]) -> list[bytes]:
        known: dict[tuple[int, bytes], bytes] = {}
        folders = []
        for root, key in zip(roots, keys, strict=True):
            place = root, key[: key.rfind(b"/") + 1]
            if place not in known:
                its = self._roots[root]
                known[place] = folder_of(native_path(its.path, key, is_file=its.is_file))
            folders.append(known[place])
        return folders

    def _metadata(self, of_bytes: Sequence[str], own: Sequence[str]) -> dict[str, _There]:
        """Values of the metadata by the name of their column, which there is afterwards."""
        found: dict[str, _There] = {}
        for place, texts in enumerate(zip(of_bytes, own, strict=True)):
            for key, value in _merged(*texts).items():
                if value is not None:
                    places, values = found.setdefault(METADATA + key, ([], []))
                    places.append(place)
                    values.append(value)
        return {name: there for name, there in found.items() if self._takes(name, there[1])}

    def _takes(self, name: str, values: Sequence[Any]) -> bool:
        """Whether there is, or can be, a column for all these values."""
        if name in self._left_out:
            return False
        if name not in self._columns and self._names() >= len(_GIVEN) + MOST_KEYS:
            self._more_left_out = True
            return False
        if not _NESTED.isdisjoint(map(type, values)):
            self._leave_out(name)
            return False
        if name not in self._columns:
            self._columns[name] = ColumnValues(self._folder, f"metadata-{self._names()}")
        return True

    def _names(self) -> int:
        """How many names were met: it grows with each."""
        return len(self._columns) + len(self._left_out)

    def _leave_out(self, name: str) -> None:
        self._left_out.add(name)
        if name in self._columns:
            self._columns.pop(name).forget()

    def _keep_small(self) -> None:
        """Give up the columns with the most words as long as all of them take too much memory."""
        while sum(column.word_bytes for column in self._columns.values()) > WORDS_BYTES:
            self._leave_out(max(self._columns, key=lambda name: self._columns[name].word_bytes))


def _present(values: Sequence[Any]) -> _There:
    """Where there are values, and which."""
    if None not in values:
        return slice(None), values
    places = [place for place, value in enumerate(values) if value is not None]
    return places, [values[place] for place in places]


def _merged(of_bytes: str, own: str) -> dict[str, Any]:
    """The metadata of an item: what its bytes say, and over it what its place says."""
    found: dict[str, Any] = {} if of_bytes == _NOTHING else _parse(of_bytes)[0]
    return found if own == _NOTHING else {**found, **_parse(own)[0]}
