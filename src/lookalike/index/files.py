"""Files that appear whole or not at all: written under another name, forced to the disk, then put in place."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def put_in_place(path: Path) -> Iterator[IO[bytes]]:
    """A file to write; it becomes `path` when the block ends well, and is gone when it does not. Raises OSError."""
    unfinished = beside(path, ".writing")
    try:
        with unfinished.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    except BaseException:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def put_json(path: Path, values: Any) -> None:
    """Write `values` as JSON, whole or not at all."""
    import json

    with put_in_place(path) as file:
        file.write(json.dumps(values, indent=1).encode() + b"\n")


def beside(path: Path, ending: str) -> Path:
    """`path` with `ending` behind its whole name."""
    return path.with_name(path.name + ending)


def sync_folder(folder: Path) -> None:
    """Force names in `folder` to the disk, where a system can; Windows does so by itself."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
