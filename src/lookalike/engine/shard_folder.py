"""A folder for shards: on this computer, or anywhere that fsspec reaches, such as `s3://bucket/prefix`.

Files are written whole or not at all, however the writing process ends. Both kinds are plain values that travel to
other machines, which must mean the same place by the same address.
"""

from __future__ import annotations

import errno
import os
import secrets
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from lookalike.core.errors import CollectionBusy, MissingExtra
from lookalike.store.records import is_address

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet
    from contextlib import AbstractContextManager

UNFINISHED = ".unfinished"
"""In the name of a file that is being written on this computer."""
LOCK = "driver.lock"


class ShardFolder(Protocol):
    """Names are relative, with "/" between folder and file. Every method raises OSError."""

    @property
    def address(self) -> str: ...

    def held(self) -> AbstractContextManager[None]:
        """Be the one run that uses the folder. Raises CollectionBusy at once; where nothing can be locked, never."""
        ...

    def names(self) -> AbstractSet[str]:
        """All files below the folder, but for its lock; none where there is no folder."""
        ...

    def read(self, name: str) -> bytes: ...

    def write(self, name: str, content: bytes) -> None:
        """Put a file in place of any of that name; it is there whole, or as before."""
        ...

    def remove(self, name: str) -> None:
        """Remove a file; nothing where there is none."""
        ...

    def remove_empty(self) -> None:
        """Remove folders that hold nothing, where there are such things; nobody may be writing."""
        ...


def shard_folder(address: str) -> ShardFolder:
    """The folder at an absolute path or at an address. Raises MissingExtra for one of a kind that is not installed."""
    if not is_address(os.fsencode(address)):
        return FolderHere(address)
    try:
        from fsspec.core import url_to_fs

        url_to_fs(address)
    except ImportError:
        raise MissingExtra(f"writing to {address}", "s3") from None
    return FolderElsewhere(address.rstrip("/"))


@dataclass(frozen=True, slots=True)
class FolderHere:
    """A folder of a file system."""

    address: str

    @contextmanager
    def held(self) -> Iterator[None]:
        from filelock import FileLock, Timeout

        os.makedirs(self.address, exist_ok=True)
        lock = FileLock(self._path(LOCK))
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise CollectionBusy(
                f"another run of index keeps its shards in {self.address}",
                pid=None,
                hint="wait until it is done, or name another folder: --shards DIR",
            ) from None
        except RuntimeError:  # a network's file system that knows no locks
            yield
            return
        try:
            yield
        finally:
            lock.release()

    def names(self) -> AbstractSet[str]:
        found = {
            os.path.relpath(os.path.join(place, file), self.address).replace(os.sep, "/")
            for place, _, files in os.walk(self.address)
            for file in files
        }
        return found - {LOCK}

    def read(self, name: str) -> bytes:
        with open(self._path(name), "rb") as stream:
            return stream.read()

    def write(self, name: str, content: bytes) -> None:
        path = self._path(name)
        partial = f"{path}{UNFINISHED}-{secrets.token_hex(8)}"  # two machines may have processes of one number
        os.makedirs(os.path.dirname(path), exist_ok=True)
        try:
            with open(partial, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(partial, path)
        except BaseException:
            if os.path.exists(partial):
                os.remove(partial)
            raise

    def remove(self, name: str) -> None:
        try:
            os.remove(self._path(name))
        except FileNotFoundError:
            return

    def remove_empty(self) -> None:
        for place, _, _ in os.walk(self.address, topdown=False):
            with suppress(OSError):  # it holds something
                os.rmdir(place)

    def _path(self, name: str) -> str:
        return os.path.join(self.address, *name.split("/"))


@dataclass(frozen=True, slots=True)
class FolderElsewhere:
    """A folder in object storage, where an object appears when its last byte has arrived."""

    address: str

    def held(self) -> AbstractContextManager[None]:
        return nullcontext()

    def names(self) -> AbstractSet[str]:
        with self._system() as (system, start):
            system.invalidate_cache()
            try:
                found = system.find(start)
            except FileNotFoundError:
                return set()
            return {str(path).removeprefix(start).lstrip("/") for path in found}

    def read(self, name: str) -> bytes:
        with self._system() as (system, start):
            content: bytes = system.cat_file(f"{start}/{name}")
            return content

    def write(self, name: str, content: bytes) -> None:
        with self._system() as (system, start):
            path = f"{start}/{name}"
            system.makedirs(path.rpartition("/")[0], exist_ok=True)
            system.pipe_file(path, content)

    def remove(self, name: str) -> None:
        with self._system() as (system, start), suppress(FileNotFoundError):
            system.rm_file(f"{start}/{name}")

    def remove_empty(self) -> None:
        """There are only names."""

    @contextmanager
    def _system(self) -> Iterator[tuple[Any, str]]:
        """The file system and the path in it; whatever it raises becomes an OSError."""
        from fsspec.core import url_to_fs

        try:
            system, path = url_to_fs(self.address, use_listings_cache=False)
            yield system, str(path).rstrip("/")
        except OSError:
            raise
        except Exception as error:  # each file system has errors of its own
            raise OSError(errno.EIO, str(error) or type(error).__name__, self.address) from error
