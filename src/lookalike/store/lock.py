"""The one writer: a lock of the operating system, and beside it the process id of who holds it.

The system frees the lock when its holder dies, however it dies, so there is never a stale one.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from lookalike.core.errors import CollectionBusy

if TYPE_CHECKING:
    from pathlib import Path

    from filelock import BaseFileLock

LOCK = "write.lock"
HOLDER = "write.pid"
"""A file of its own: Windows lets nobody read a locked one."""


def take_lock(directory: Path) -> BaseFileLock:
    """Take the write lock of a collection or raise CollectionBusy at once. Release with `release_lock`."""
    from filelock import FileLock, Timeout

    lock = FileLock(directory / LOCK, thread_local=False)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        pid = _holder(directory)
        who = "another process" if pid is None else f"process {pid}"
        raise CollectionBusy(
            f"{who} is writing to the collection {directory}",
            pid=pid,
            hint="wait until it is done; searching works meanwhile",
        ) from None
    with suppress(OSError):  # a courtesy: on a full disk removing and compacting must still work
        (directory / HOLDER).write_text(str(os.getpid()), encoding="ascii")
    return lock


def release_lock(directory: Path, lock: BaseFileLock) -> None:
    """Let the next writer in."""
    with suppress(OSError):
        (directory / HOLDER).unlink()
    lock.release()


def _holder(directory: Path) -> int | None:
    with suppress(OSError, ValueError):
        return int((directory / HOLDER).read_text(encoding="ascii"))
    return None
