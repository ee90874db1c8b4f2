"""Putting a batch in: one atomic publish of rows, pictures, contents, items and failures.

The rows go to the disk first; the commit of SQLite then makes all of the batch visible at once, or, when
the process dies or the disk is full before it, none of it.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lookalike.core.arrays import unit_vectors
from lookalike.core.fields import FALLBACKS, of_place
from lookalike.store.database import select_in
from lookalike.store.likenesses import put_fingerprints
from lookalike.store.records import PutReport
from lookalike.store.rows import append_rows
from lookalike.store.tables import as_json, read_space, roots_by_number, uri_to_keep
from lookalike.store.verifying import LENGTH_TOLERANCE

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from lookalike.core.arrays import HalfVectors
    from lookalike.store.records import Failure, Found, Root, Space

WHOLE = 0
"""Part number of the whole picture."""
ENCODE_BLOCK = 4096
"""Vectors brought to float16 at once."""


@dataclass(frozen=True, slots=True)
class _Content:
    number: int
    picture: int


def put_found(connection: sqlite3.Connection, directory: Path, space: Space, found: Sequence[Found]) -> PutReport:
    """Publish files inside the caller's transaction. Raises ValueError for vectors that are no directions."""
    space = read_space(connection, space.number)
    contents = [*_resolved(connection, found)]
    vectors: dict[int, Any] = {}
    for file, content in zip(found, contents, strict=True):
        if file.vector is not None:
            vectors.setdefault(content.picture, file.vector)
    rows = add_rows(connection, directory, space, vectors)
    put_fingerprints(
        connection,
        [(each.picture, file.fingerprint) for file, each in zip(found, contents, strict=True) if file.fingerprint],
    )
    added, changed = _put_items(connection, found, contents)
    clear_failures(connection, found)
    return PutReport(added=added, changed=changed, touched=len(found) - added - changed, rows=rows)


def add_rows(connection: sqlite3.Connection, directory: Path, space: Space, vectors: Mapping[int, Any]) -> int:
    """Append a row for each picture that has none in `space`; returns how many. Part of a transaction."""
    having = with_rows(connection, space, vectors)
    pictures = [picture for picture in vectors if picture not in having]
    if not pictures:
        return 0
    halves = as_halves([vectors[picture] for picture in pictures], space.dim)
    segments = append_rows(directory, space, [halves])
    connection.executemany(
        "INSERT INTO segments (space, first, count, checksum) VALUES (?, ?, ?, ?)",
        [(space.number, each.first, each.count, each.checksum) for each in segments],
    )
    connection.executemany(
        "INSERT INTO vectors (space, row, picture, part) VALUES (?, ?, ?, ?)",
        [(space.number, row, picture, WHOLE) for row, picture in enumerate(pictures, start=space.count)],
    )
    connection.execute("UPDATE spaces SET count = count + ? WHERE number = ?", (len(pictures), space.number))
    return len(pictures)


def as_halves(vectors: Sequence[Any], dim: int) -> HalfVectors:
    """Vectors as they are stored: brought to unit length, then float16; float16 ones that are so stay as they are."""
    import numpy as np

    halves = np.empty((len(vectors), dim), dtype=np.float16)
    for start in range(0, len(vectors), ENCODE_BLOCK):
        block = np.stack([np.asarray(each) for each in vectors[start : start + ENCODE_BLOCK]])
        stored = halves[start : start + len(block)]
        stored[:] = unit_vectors(block, dim)
        if block.dtype == np.float16:  # once more divided by its length, a component could fall to its neighbour
            lengths = np.linalg.norm(block.astype(np.float32), axis=1)
            are_unit = np.abs(lengths - 1) <= LENGTH_TOLERANCE
            stored[are_unit] = block[are_unit]
    return halves


def with_rows(connection: sqlite3.Connection, space: Space, pictures: Iterable[int]) -> set[int]:
    """Those of `pictures` that have a row in `space`."""
    sql = "SELECT picture FROM vectors WHERE space = ? AND picture IN ({})"
    return {picture for (picture,) in select_in(connection, sql, (space.number,), pictures)}


def put_failures(connection: sqlite3.Connection, failed: Sequence[Failure]) -> int:
    """Note failures; an item at such a place goes, for it cannot be shown any more. Returns how many rows changed."""
    roots = roots_by_number(connection)
    before = connection.total_changes
    connection.executemany(
        "INSERT INTO failures (root, key, uri, code, reason, size, modified_ns) VALUES (?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (root, key) DO UPDATE SET uri = excluded.uri, code = excluded.code, reason = excluded.reason,"
        " size = excluded.size, modified_ns = excluded.modified_ns"
        " WHERE (code, reason, size, modified_ns)"
        " IS NOT (excluded.code, excluded.reason, excluded.size, excluded.modified_ns)",
        [
            (
                each.root,
                each.key,
                uri_to_keep(roots, each.root, each.key, each.uri),
                each.code,
                _storable(each.reason),
                each.size,
                each.modified_ns,
            )
            for each in failed
        ],
    )
    places = [(each.root, each.key) for each in failed]
    connection.executemany("DELETE FROM items WHERE root = ? AND key = ?", places)
    changed = connection.total_changes - before
    connection.executemany("INSERT OR IGNORE INTO temp.seen_failures (root, key) VALUES (?, ?)", places)
    return changed


def clear_failures(connection: sqlite3.Connection, found: Sequence[Found]) -> None:
    """Files that were taken are failures no longer."""
    places = [(file.root, file.key) for file in found]
    connection.executemany("DELETE FROM failures WHERE root = ? AND key = ?", places)


def contents_by_bytes(connection: sqlite3.Connection, digests: Iterable[bytes]) -> dict[bytes, tuple[int, int]]:
    """(content, picture) of each known digest of bytes."""
    sql = "SELECT bytes_digest, number, picture FROM contents WHERE bytes_digest IN ({})"
    return {digest: (number, picture) for digest, number, picture in select_in(connection, sql, (), digests)}


def pictures_by_pixels(connection: sqlite3.Connection, digests: Iterable[bytes]) -> dict[bytes, int]:
    """The picture of each known digest of pixels."""
    sql = "SELECT pixels_digest, number FROM pictures WHERE pixels_digest IN ({})"
    return dict(select_in(connection, sql, (), digests))


def free_ids(connection: sqlite3.Connection, root: Root, wanted: Sequence[str | None]) -> list[str]:
    """An id for each new item of a root: the wanted one, unless another item has it; None makes one up.

    An id of a catalogue that is taken gets the catalogue's name before it.
    """
    name = os.fsdecode(os.path.basename(root.path)) + ":" if root.is_catalogue else ""
    sql = "SELECT id FROM items WHERE id IN ({})"
    taken = {id for (id,) in select_in(connection, sql, (), (id for id in wanted if id is not None))}
    if name and taken:
        taken |= {id for (id,) in select_in(connection, sql, (), [name + id for id in taken])}
    ids = []
    for id in wanted:
        choices = (id, name + id) if id is not None else ()
        chosen = next((each for each in choices if each not in taken), None) or secrets.token_hex(8)
        taken.add(chosen)
        ids.append(chosen)
    return ids


def _resolved(connection: sqlite3.Connection, found: Sequence[Found]) -> list[_Content]:
    """The content and picture of each file: by its bytes, else by its pixels, else new ones."""
    by_bytes = {
        digest: _Content(*known)
        for digest, known in contents_by_bytes(connection, (file.bytes_digest for file in found)).items()
    }
    by_pixels = pictures_by_pixels(connection, (file.pixels_digest for file in found if file.pixels_digest))
    contents = []
    for file in found:
        content = by_bytes.get(file.bytes_digest)
        if content is None:
            picture = by_pixels.get(file.pixels_digest) if file.pixels_digest else None
            if picture is None:
                picture = _insert(connection, "INSERT INTO pictures (pixels_digest) VALUES (?)", (file.pixels_digest,))
            content = _Content(_insert_content(connection, file, picture), picture)
            by_bytes[file.bytes_digest] = content
        elif file.pixels_digest:
            _describe_content(connection, content.number, file)
        if file.pixels_digest:
            by_pixels.setdefault(file.pixels_digest, content.picture)
        contents.append(content)
    return contents


def _insert_content(connection: sqlite3.Connection, file: Found, picture: int) -> int:
    return _insert(
        connection,
        "INSERT INTO contents (bytes_digest, picture, size, width, height, format, metadata)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            file.bytes_digest,
            picture,
            file.size,
            file.width,
            file.height,
            file.format,
            as_json(file.picture_metadata),
        ),
    )


def _describe_content(connection: sqlite3.Connection, content: int, file: Found) -> None:
    """Known bytes that were decoded again: a later version may have read more from them."""
    connection.execute(
        "UPDATE contents SET width = ?, height = ?, format = ?, metadata = ? WHERE number = ?",
        (file.width, file.height, file.format, as_json(file.picture_metadata), content),
    )


def _put_items(connection: sqlite3.Connection, found: Sequence[Found], contents: Sequence[_Content]) -> tuple[int, int]:
    """Write each file's item: in its place, or a new one with a fresh id. Returns (added, changed)."""
    roots = roots_by_number(connection)
    added = changed = 0
    for file, content in zip(found, contents, strict=True):
        known = connection.execute(
            "SELECT number, picture FROM items WHERE root = ? AND key = ?", (file.root, file.key)
        ).fetchone()
        values = _item_values(connection, file, content, roots)
        if known is None:
            added += 1
            (id,) = free_ids(connection, roots[file.root], [file.id])
            number = _insert(
                connection,
                "INSERT INTO items (uri, size, modified_ns, picture, content, metadata, root, key, id, fresh)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*values, file.root, file.key, id, not roots[file.root].is_catalogue),
            )
        else:
            number, picture = known
            changed += picture != content.picture
            connection.execute(
                "UPDATE items SET uri = ?, size = ?, modified_ns = ?, picture = ?, content = ?, metadata = ?"
                " WHERE number = ?",
                (*values, number),
            )
        connection.execute("INSERT OR IGNORE INTO temp.seen (number) VALUES (?)", (number,))
    return added, changed


def _item_values(
    connection: sqlite3.Connection, file: Found, content: _Content, roots: Mapping[int, Root]
) -> tuple[Any, ...]:
    uri = uri_to_keep(roots, file.root, file.key, file.uri)
    metadata = as_json(_of_place(connection, file, content))
    return uri, file.size, file.modified_ns, content.picture, content.number, metadata


def _of_place(connection: sqlite3.Connection, file: Found, content: _Content) -> Mapping[str, Any]:
    """What the file's place says, without a date to fall back on where its bytes have one."""
    if file.metadata.get("taken_from") not in FALLBACKS:
        return file.metadata
    by_bytes = file.picture_metadata
    if not by_bytes:
        (text,) = connection.execute("SELECT metadata FROM contents WHERE number = ?", (content.number,)).fetchone()
        by_bytes = json.loads(text)
    return of_place(file.metadata, by_bytes)


def _insert(connection: sqlite3.Connection, sql: str, values: tuple[Any, ...]) -> int:
    number = connection.execute(sql, values).lastrowid
    assert number is not None
    return number


def _storable(text: str) -> str:
    """Text that quotes a file name which is not UTF-8 keeps its meaning and becomes storable."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
