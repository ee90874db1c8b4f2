"""Reading the tables: rows of SQLite become records. Every query that more than one module asks stands here."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from lookalike.core.fields import BESIDE
from lookalike.store.database import select_in
from lookalike.store.places import native_path
from lookalike.store.records import Failure, ItemRecord, Root, Space
from lookalike.store.rows import Segment

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from lookalike.core.fields import FieldKind

DECLARED = "fields"
"""The setting that holds the columns of catalogues: name -> kind."""
_parse = json.JSONDecoder().raw_decode
"""`json.loads` for text that we wrote: it looks for no white space around it."""
_SPACES = """
    SELECT s.number, s.encoder_id, s.encoder_name, s.dim, s.epoch, s.count, s.number IS c.current_space, s.slug
    FROM spaces s, collection c
"""
_ROOTS = "SELECT number, path, is_file, offline FROM roots"
_ITEM = """
    i.id, i.uri, i.root, i.key, i.size, i.modified_ns, i.picture, c.width, c.height, c.format, i.metadata, c.metadata
"""
_ITEMS = f"SELECT {_ITEM} FROM items i JOIN contents c ON c.number = i.content"  # noqa: S608 columns of ours
_ITEMS_OF_ROWS = f"""
    SELECT v.row, {_ITEM} FROM vectors v CROSS JOIN items i ON i.picture = v.picture
    CROSS JOIN contents c ON c.number = i.content WHERE v.space = ? AND v.row IN ({{}})
"""  # noqa: S608 columns of ours

BESIDE_SQL = f"""
    CASE WHEN instr(metadata, '"{BESIDE}"') THEN coalesce(json_extract(metadata, '$.{BESIDE}'), '') ELSE '' END
"""
"""`Asset.beside` of an item when it was taken; a search in the text is cheaper than to parse what mostly has none."""

_STRICT = json.JSONEncoder(default=str, allow_nan=False)
"""Made once: `json.dumps` would make one for each item."""


def read_spaces(connection: sqlite3.Connection) -> list[Space]:
    """All spaces, oldest first."""
    return [_space(row) for row in connection.execute(_SPACES + " ORDER BY s.number")]


def read_space(connection: sqlite3.Connection, number: int) -> Space:
    """One space as it is published now. Raises ValueError when it was dropped."""
    row = connection.execute(_SPACES + " WHERE s.number = ?", (number,)).fetchone()
    if row is None:
        raise ValueError(f"there is no space {number} in this collection any more")
    return _space(row)


def read_current_space(connection: sqlite3.Connection) -> Space | None:
    """The space that searches use."""
    return next((space for space in read_spaces(connection) if space.current), None)


def read_segments(connection: sqlite3.Connection, space: Space) -> Iterator[Segment]:
    """Published segments in the order of their rows."""
    sql = "SELECT first, count, checksum FROM segments WHERE space = ? ORDER BY first"
    for first, count, checksum in connection.execute(sql, (space.number,)):
        yield Segment(first, count, checksum)


def last_segment(connection: sqlite3.Connection, space: Space) -> Segment | None:
    """The segment that was appended last."""
    sql = "SELECT first, count, checksum FROM segments WHERE space = ? ORDER BY first DESC LIMIT 1"
    row = connection.execute(sql, (space.number,)).fetchone()
    return Segment(*row) if row else None


def read_roots(connection: sqlite3.Connection) -> list[Root]:
    """All roots, oldest first."""
    return [_root(row) for row in connection.execute(_ROOTS + " ORDER BY number")]


def read_root(connection: sqlite3.Connection, number: int) -> Root:
    """One root. Raises ValueError when it is forgotten."""
    row = connection.execute(_ROOTS + " WHERE number = ?", (number,)).fetchone()
    if row is None:
        raise ValueError(f"there is no root {number} in this collection any more")
    return _root(row)


def root_at(connection: sqlite3.Connection, path: bytes) -> Root | None:
    """The root whose path is exactly `path`."""
    row = connection.execute(_ROOTS + " WHERE path = ?", (path,)).fetchone()
    return _root(row) if row else None


def roots_by_number(connection: sqlite3.Connection) -> dict[int, Root]:
    """Roots as item records need them."""
    return {root.number: root for root in read_roots(connection)}


def read_failures(connection: sqlite3.Connection) -> list[Failure]:
    """All failures in the order of their places."""
    roots = roots_by_number(connection)
    sql = "SELECT root, key, uri, code, reason, size, modified_ns FROM failures ORDER BY root, key"
    return [_failure(row, roots) for row in connection.execute(sql)]


def failures_at(connection: sqlite3.Connection, root: Root, keys: Iterable[bytes]) -> dict[bytes, Failure]:
    """Failures of some keys."""
    sql = "SELECT root, key, uri, code, reason, size, modified_ns FROM failures WHERE root = ? AND key IN ({})"
    return {row[1]: _failure(row, {root.number: root}) for row in select_in(connection, sql, (root.number,), keys)}


def item_by_id(connection: sqlite3.Connection, id: str) -> ItemRecord | None:
    """The item a user's id names."""
    row = connection.execute(_ITEMS + " WHERE i.id = ?", (id,)).fetchone()
    return _item(row, roots_by_number(connection)) if row else None


def items_of_rows(
    connection: sqlite3.Connection, space: Space, rows: Iterable[int], roots: Mapping[int, Root]
) -> dict[int, list[ItemRecord]]:
    """All items of each published row's picture, ordered as by `items_of_pictures`; an empty list for none."""
    found: dict[int, list[ItemRecord]] = {int(row): [] for row in rows if row < space.count}
    for row, *columns in select_in(connection, _ITEMS_OF_ROWS, (space.number,), found):
        found[row].append(_item(columns, roots))
    for items in found.values():
        _sort(items)
    return found


def items_of_pictures(connection: sqlite3.Connection, pictures: Iterable[int]) -> dict[int, list[ItemRecord]]:
    """All items of each picture, first the one to show: present before offline, then the shortest path."""
    roots = roots_by_number(connection)
    found: dict[int, list[ItemRecord]] = {}
    for row in select_in(connection, _ITEMS + " WHERE i.picture IN ({})", (), pictures):
        item = _item(row, roots)
        found.setdefault(item.picture, []).append(item)
    for items in found.values():
        _sort(items)
    return found


def ids_of_pictures(connection: sqlite3.Connection, pictures: Iterable[int]) -> dict[int, list[str]]:
    """The ids of all items of each picture; one seen nowhere is left out."""
    found: dict[int, list[str]] = {}
    for picture, id in select_in(connection, "SELECT picture, id FROM items WHERE picture IN ({})", (), pictures):
        found.setdefault(picture, []).append(id)
    return found


def _sort(items: list[ItemRecord]) -> None:
    if len(items) > 1:
        items.sort(key=lambda item: (item.offline, len(item.uri), item.uri, item.id))


def declared_fields(connection: sqlite3.Connection) -> dict[str, FieldKind]:
    """Columns of the collection's catalogues, with their kinds: the setting `DECLARED`."""
    declared: dict[str, FieldKind] = read_setting(connection, DECLARED, {})
    return declared


def read_setting(connection: sqlite3.Connection, name: str, default: Any = None) -> Any:
    """The JSON value kept under a name."""
    row = connection.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
    return json.loads(row[0]) if row else default


def uri_to_keep(roots: Mapping[int, Root], root: int, key: bytes, uri: str) -> bytes | None:
    """What the column `uri` holds: None when root and key say it already, so that a remount moves it too."""
    given = os.fsencode(uri)
    return None if given == _path(roots[root], key) else given


def as_json(values: Mapping[str, Any]) -> str:
    """Metadata as strict JSON: what JSON does not know becomes text, numbers that are not finite become null."""
    try:
        return _STRICT.encode(values if type(values) is dict else dict(values))
    except ValueError:
        text = json.dumps(dict(values), default=str)
        return json.dumps(json.loads(text, parse_constant=lambda _: None))


def _root(row: tuple[Any, ...]) -> Root:
    number, path, is_file, offline = row
    return Root(number, path, bool(is_file), bool(offline))


def _space(row: tuple[Any, ...]) -> Space:
    number, encoder_id, encoder_name, dim, epoch, count, current, slug = row
    return Space(number, encoder_id, encoder_name, dim, epoch, count, bool(current), slug)


def _failure(row: tuple[Any, ...], roots: Mapping[int, Root]) -> Failure:
    root, key, uri, code, reason, size, modified_ns = row
    return Failure(root, key, _uri(roots[root], key, uri), code, reason, size, modified_ns)


def _item(row: Sequence[Any], roots: Mapping[int, Root]) -> ItemRecord:
    id, uri, number, key, size, modified_ns, picture, width, height, format, own, of_bytes = row
    root = roots[number]
    shown = _uri(root, key, uri)
    metadata = _json(own, _json(of_bytes, {}))
    return ItemRecord(id, shown, number, key, size, modified_ns, picture, width, height, format, root.offline, metadata)


def _json(text: str, under: dict[str, Any]) -> dict[str, Any]:
    """What the object `text` says, over what is in `under`."""
    return under if text == "{}" else {**under, **_parse(text)[0]}  # mostly so, and not worth a parser


def _uri(root: Root, key: bytes, kept: bytes | None) -> str:
    return os.fsdecode(_path(root, key) if kept is None else kept)


def _path(root: Root, key: bytes) -> bytes:
    return native_path(root.path, key, is_file=root.is_file)
