"""Roots: the folders and files a user named. No root lies inside another one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lookalike.store.places import SEPARATOR, below_sql, joined_key, key_below
from lookalike.store.records import Root
from lookalike.store.tables import read_root, read_roots, root_at

if TYPE_CHECKING:
    import sqlite3


def covering_root(connection: sqlite3.Connection, path: bytes) -> tuple[Root, bytes] | None:
    """The root that holds `path`, and the key of `path` below it."""
    place = path
    while True:  # from the path itself upwards: the cost is its depth, however many roots there are
        root = root_at(connection, place)
        if root is not None and (place == path or not root.is_file):
            return root, key_below(root.path, path) or b""
        above = os.path.dirname(place)
        if above == place:
            return None
        place = above


def is_covered(connection: sqlite3.Connection, path: bytes, *, is_file: bool) -> bool:
    """Whether `add_root` would have nothing to do."""
    covered = covering_root(connection, path)
    return covered is not None and (covered[1] != b"" or covered[0].is_file == is_file)


def add_root(connection: sqlite3.Connection, path: bytes, *, is_file: bool) -> Root:
    """The root for `path`, inside the caller's transaction: one that covers it, or a new one.

    A new root above known ones takes their items over; they keep their ids.
    """
    covered = covering_root(connection, path)
    if covered is not None:
        root, key = covered
        if key or root.is_file == is_file:
            return root
        connection.execute("UPDATE roots SET is_file = ? WHERE number = ?", (is_file, root.number))
        return Root(root.number, root.path, is_file, root.offline)
    below = [] if is_file else _roots_inside(connection, path)
    cursor = connection.execute("INSERT INTO roots (path, is_file, offline) VALUES (?, ?, 0)", (path, is_file))
    number = cursor.lastrowid
    assert number is not None
    for root in below:
        _absorb(connection, root, number, key_below(path, root.path) or b"")
    return Root(number, path, is_file, offline=False)


def remove_below(connection: sqlite3.Connection, path: bytes) -> int:
    """Forget items and failures at or below `path`, and the roots there; returns how many items went."""
    removed = 0
    for root in read_roots(connection):
        if key_below(path, root.path) is not None:
            removed += forget_root(connection, root.number)
            continue
        inside = key_below(root.path, path)
        if inside and not root.is_file:
            condition, parameters = below_sql(inside)
            for table in ("failures", "items"):
                gone = connection.execute(
                    f"DELETE FROM {table} WHERE root = ? AND {condition}",  # noqa: S608 two names of ours
                    (root.number, *parameters),
                ).rowcount
            removed += gone
    return removed


def forget_root(connection: sqlite3.Connection, root: int) -> int:
    """Drop a root with its items and failures; returns how many items went."""
    connection.execute("DELETE FROM failures WHERE root = ?", (root,))
    removed = connection.execute("DELETE FROM items WHERE root = ?", (root,)).rowcount
    connection.execute("DELETE FROM roots WHERE number = ?", (root,))
    return removed


def _roots_inside(connection: sqlite3.Connection, path: bytes) -> list[Root]:
    start = path.rstrip(SEPARATOR) + SEPARATOR
    behind = start[:-1] + bytes([start[-1] + 1])
    numbers = connection.execute("SELECT number FROM roots WHERE path > ? AND path < ?", (start, behind)).fetchall()
    return [read_root(connection, number) for (number,) in numbers]


def _absorb(connection: sqlite3.Connection, root: Root, into: int, prefix: bytes) -> None:
    """Move what lies in `root` into the root `into`, where its keys begin with `prefix`."""
    for table in ("items", "failures"):
        keys = [key for (key,) in connection.execute(f"SELECT key FROM {table} WHERE root = ?", (root.number,))]  # noqa: S608
        connection.executemany(
            f"UPDATE {table} SET root = ?, key = ? WHERE root = ? AND key = ?",  # noqa: S608 two names of ours
            [(into, prefix if root.is_file else joined_key(prefix, key), root.number, key) for key in keys],
        )
    connection.execute("DELETE FROM roots WHERE number = ?", (root.number,))
