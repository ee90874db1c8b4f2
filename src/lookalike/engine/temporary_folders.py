"""Folders for what a run needs for a while. They go with the run; those of a run that was killed go with a later one.

Whoever has such a folder holds the lock in it, which the system frees when the process dies, however it dies.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from lookalike.core.errors import CollectionBusy
from lookalike.store.lock import release_lock, take_lock

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFIX = "lookalike-staging-"
YOUNG_S = 600
"""How long a folder is left alone: one that was made just now is not locked yet."""


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A new folder that only this user can look into."""
    _remove_left()
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    lock = take_lock(folder)
    try:
        yield folder
    finally:
        release_lock(folder, lock)
        shutil.rmtree(folder, ignore_errors=True)


def _remove_left() -> None:
    """Remove folders of this user whose processes are gone."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError, CollectionBusy):
            if _may_be_left(folder.lstat()):
                release_lock(folder, take_lock(folder))
                shutil.rmtree(folder, ignore_errors=True)


def _may_be_left(found: os.stat_result) -> bool:
    """A folder, no link to one, of ours: others could lead us astray in theirs."""
    is_ours = not hasattr(os, "getuid") or found.st_uid == os.getuid()
    return stat.S_ISDIR(found.st_mode) and is_ours and time.time() - found.st_mtime > YOUNG_S
