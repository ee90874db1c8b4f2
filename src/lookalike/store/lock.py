"""The one writer, and the one builder of an index: locks of the operating system, with the holder's process id beside.

The system frees the lock when its holder dies, however it dies, so there is never a stale one.
"""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from lookalike.core.errors import CollectionBusy
from lookalike.core.wording import Wording

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from filelock import BaseFileLock

LOCK = "write.lock"
HOLDER = "write.pid"
"""A file of its own: Windows lets nobody read a locked one."""
BUILD_LOCK = "index.lock"
BUILD_HOLDER = "index.pid"


def take_lock(directory: Path) -> BaseFileLock:
    """Take the write lock of a collection or raise CollectionBusy at once. Release with `release_lock`."""
    return _take(directory, LOCK, HOLDER, "being_written")


def release_lock(directory: Path, lock: BaseFileLock) -> None:
    """Let the next writer in."""
    _release(directory, lock, HOLDER)


@contextmanager
def build_lock(directory: Path) -> Iterator[None]:
    """Hold the lock of who builds an index; writing goes on meanwhile. Raises CollectionBusy at once."""
    lock = _take(directory, BUILD_LOCK, BUILD_HOLDER, "being_indexed")
    try:
        yield
    finally:
        _release(directory, lock, BUILD_HOLDER)


def _take(directory: Path, name: str, holder: str, doing: str) -> BaseFileLock:
    from filelock import FileLock, Timeout

    lock = FileLock(directory / name, thread_local=False)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        pid = _pid_in(directory / holder)
        who = Wording("another_process") if pid is None else Wording("process", pid=str(pid))
        raise CollectionBusy(
            Wording(doing, who=who, name=directory), pid=pid, hint=Wording("wait_searching_works")
        ) from None
    with suppress(OSError):  # a courtesy: on a full disk removing and compacting must still work
        (directory / holder).write_text(str(os.getpid()), encoding="ascii")
    return lock


def _release(directory: Path, lock: BaseFileLock, holder: str) -> None:
    with suppress(OSError):
        (directory / holder).unlink()
    lock.release()


def _pid_in(file: Path) -> int | None:
    with suppress(OSError, ValueError):
        return int(file.read_text(encoding="ascii"))
    return None
