"""Taking stock of a whole collection, for an export: how many places, their digests, which metadata there is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lookalike.store.database import select_in

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from lookalike.store.records import Space

_KINDS = """
    SELECT DISTINCT each.key, iif(each.type = 'integer' AND typeof(each.atom) = 'real', 'huge', each.type)
    FROM {} AS owner, json_each(owner.metadata) AS each
"""


def count_items(connection: sqlite3.Connection, space: Space) -> int:
    """Items whose picture has its row in `space`."""
    sql = (
        "SELECT coalesce(sum(p.items), 0) FROM vectors v JOIN pictures p ON p.number = v.picture"
        " WHERE v.space = ? AND v.part = 0"
    )
    return int(connection.execute(sql, (space.number,)).fetchone()[0])


def digests_of(connection: sqlite3.Connection, ids: Iterable[str]) -> dict[str, tuple[bytes, bytes | None]]:
    """The digests of bytes and of pixels of items, by their ids."""
    sql = (
        "SELECT i.id, c.bytes_digest, p.pixels_digest FROM items i"
        " JOIN contents c ON c.number = i.content JOIN pictures p ON p.number = i.picture WHERE i.id IN ({})"
    )
    return {id: (of_bytes, of_pixels) for id, of_bytes, of_pixels in select_in(connection, sql, (), ids)}


def metadata_of_bytes(connection: sqlite3.Connection, ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    """That part of the metadata of items which the bytes of their files say, by their ids."""
    sql = "SELECT i.id, c.metadata FROM items i JOIN contents c ON c.number = i.content WHERE i.id IN ({})"
    return {id: json.loads(text) for id, text in select_in(connection, sql, (), ids)}


def metadata_kinds(connection: sqlite3.Connection) -> dict[str, set[str]]:
    """Names of metadata, of places and of bytes, with the kinds of JSON value found under each; null is no kind."""
    kinds: dict[str, set[str]] = {}
    for owner in ("contents", "items"):
        for name, kind in connection.execute(_KINDS.format(owner)):
            kinds.setdefault(name, set()).update({kind} - {"null"})
    return dict(sorted(kinds.items()))
