"""Paths in bytes: an absolute native path is a root's path plus a key, the relative path with "/" between parts.

File names need not be text and "/" in a key is the same on every system, so a collection survives remounts,
drive letters and names that are not UTF-8. Comparisons are by whole path components.
"""

from __future__ import annotations

import os

SEPARATOR = os.fsencode(os.sep)


def native_path(root: bytes, key: bytes, *, is_file: bool = False) -> bytes:
    """The absolute native path of `key` below `root`. A root that is a file is its only item, whatever the key."""
    if is_file or not key:
        return root
    return root.rstrip(SEPARATOR) + SEPARATOR + key.replace(b"/", SEPARATOR)


def key_below(root: bytes, path: bytes) -> bytes | None:
    """The key of `path` below `root`: b"" for the root itself, None when it lies elsewhere."""
    if path.rstrip(SEPARATOR) == root.rstrip(SEPARATOR):
        return b""
    start = root.rstrip(SEPARATOR) + SEPARATOR
    if not path.startswith(start):
        return None
    return path[len(start) :].rstrip(SEPARATOR).replace(SEPARATOR, b"/")


def joined_key(prefix: bytes, key: bytes) -> bytes:
    """`key` seen from a folder that holds `prefix`."""
    return prefix + b"/" + key if prefix and key else prefix + key


def at_sql(root: bytes, path: bytes, *, is_file: bool) -> tuple[str, tuple[bytes, ...]] | None:
    """A condition on the column `key`, true for the item at `path` itself; None when `root` can have none there."""
    key = key_below(root, path)
    if key is None or (key and is_file):
        return None
    return ("1", ()) if is_file else ("key = ?", (key,))


def shown_sql(path: bytes, *, only_at: bool) -> tuple[str, tuple[bytes, ...]]:
    """A condition on the column `uri`, true for items that are shown at `path` or inside it, whatever their keys."""
    inside = path.rstrip(SEPARATOR) + SEPARATOR
    behind = inside[:-1] + bytes([inside[-1] + 1])
    return ("uri = ?", (path,)) if only_at else ("(uri = ? OR (uri >= ? AND uri < ?))", (path, inside, behind))


def at_or_below_sql(root: bytes, path: bytes, *, is_file: bool) -> tuple[str, tuple[bytes, ...]] | None:
    """The same for all items of `root` at `path` and inside it."""
    prefix = b"" if key_below(path, root) is not None else key_below(root, path)
    return None if prefix is None or (prefix and is_file) else below_sql(prefix)


def below_sql(prefix: bytes) -> tuple[str, tuple[bytes, ...]]:
    """A condition on the column `key` that an index on (root, key) answers by range, and its parameters.

    True for the key `prefix` itself and for everything inside it; b"" is everything.
    """
    if not prefix:
        return "1", ()
    inside, behind = prefix + b"/", prefix + b"0"  # "0" follows "/" in ASCII
    return "key >= ? AND key < ? AND (key = ? OR key >= ?)", (prefix, behind, prefix, inside)
