"""Which folders to look through for pictures that are known by their paths alone."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def picture_folders(holding: Iterable[bytes], home: bytes | None = None) -> list[bytes]:
    """Few folders that cover those in `holding`, absolute paths of folders with pictures in them.

    It is the folder they share, unless that is much more than a place for pictures: a whole disk, a folder that holds
    the user's `home` (found out when None), or one at the top of the disk without pictures of its own. Then the same
    is asked of each of its subfolders. A folder of `holding` that is such a one itself is covered by none.
    """
    own = os.fsencode(os.path.expanduser("~")) if home is None else home
    by_disk: dict[bytes, set[bytes]] = {}
    for folder in holding:
        by_disk.setdefault(os.path.splitdrive(folder)[0], set()).add(folder)
    return sorted(found for folders in by_disk.values() for found in _covering(folders, own))


def _covering(folders: set[bytes], home: bytes) -> list[bytes]:
    shared = os.path.commonpath(folders)
    if not _is_too_much(shared, folders, home):
        return [shared]
    by_part: dict[bytes, set[bytes]] = {}
    depth = len(_parts(shared))
    for folder in folders - {shared}:
        by_part.setdefault(_parts(folder)[depth], set()).add(folder)
    return [found for some in by_part.values() for found in _covering(some, home)]


def _is_too_much(folder: bytes, holding: set[bytes], home: bytes) -> bool:
    depth = len(_parts(folder))
    return depth == 0 or _parts(home)[:depth] == _parts(folder) or (depth == 1 and folder not in holding)


def _parts(folder: bytes) -> list[bytes]:
    """Names of the folders on the way, without the disk."""
    separator = os.fsencode(os.sep)
    return [part for part in os.path.splitdrive(folder)[1].split(separator) if part]
