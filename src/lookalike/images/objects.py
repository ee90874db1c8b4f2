"""Object storage as a source of pictures: `s3://bucket/prefix`, through fsspec (github.com/fsspec/filesystem_spec).

What is taken: objects whose name has a picture's suffix; nothing is opened to find out more. Hidden names (a leading
dot) are left out. Who may read, and at which endpoint, is said as for other programs: the usual AWS settings
(`AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT_URL`, `~/.aws/config`), or fsspec's (`FSSPEC_S3_ANON=true`). The extra `s3`.

Promises: memory grows with the names under one prefix, not with all objects. A prefix that cannot be listed is a
`Skipped` folder.
"""

from __future__ import annotations

import errno
import io
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from lookalike.core.errors import MissingExtra, SourceError
from lookalike.core.records import Asset, Skipped
from lookalike.images.sniff import PICTURE_SUFFIXES, RAW_SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SUFFIXES = frozenset(os.fsdecode(suffix) for suffix in PICTURE_SUFFIXES | RAW_SUFFIXES)
_AT_ONCE = 64_000_000
"""Bytes: an object up to here is fetched by one request."""
_TIMES = ("LastModified", "last_modified", "mtime", "updated", "created")
"""What file systems call the time of change."""
_NS = 1_000_000_000


def objects(uri: str) -> ObjectSource:
    """The pictures under an address such as `s3://bucket/prefix`."""
    return ObjectSource(uri.rstrip("/"))


@dataclass(frozen=True, slots=True)
class ObjectSource:
    """See `objects`. `below`: the prefix, as a key, to which a walk is limited."""

    uri: str
    below: bytes = b""

    def assets(self, *, stop: Callable[[], bool] = lambda: False) -> Iterator[Asset | Skipped]:
        """Entries prefix by prefix, sorted by name. Raises SourceError, MissingExtra."""
        system, start = self._system()
        system.invalidate_cache()
        top = "/".join(part for part in (start, os.fsdecode(self.below)) if part)
        try:
            listing = system.ls(top, detail=True)
        except Exception as error:  # each file system has errors of its own
            raise SourceError(
                f"{self.uri} cannot be listed: {_sentence(error)}",
                hint="is the address right, and are the keys and the endpoint set? (AWS_ENDPOINT_URL, ...)",
            ) from error
        return self._walk(system, start, listing, stop)

    def open(self, asset: Asset) -> BinaryIO:
        """The object's bytes. Raises OSError."""
        system, start = self._system()
        path = "/".join(part for part in (start, os.fsdecode(asset.key)) if part)
        try:
            if asset.size > _AT_ONCE:
                return cast("BinaryIO", system.open(path, "rb"))
            return io.BytesIO(system.cat_file(path))
        except OSError:
            raise
        except Exception as error:  # each file system has errors of its own
            raise OSError(errno.EIO, _sentence(error), asset.uri) from error

    def stamp(self, asset: Asset) -> tuple[int, int]:
        """Size and time of change as they are now. Raises OSError."""
        system, start = self._system()
        try:
            return _stamp(system.info("/".join(part for part in (start, os.fsdecode(asset.key)) if part)))
        except OSError:
            raise
        except Exception as error:  # each file system has errors of its own
            raise OSError(errno.EIO, _sentence(error), asset.uri) from error

    def _walk(self, system: Any, start: str, top: list[Any], stop: Callable[[], bool]) -> Iterator[Asset | Skipped]:
        """Depth first, one listing in memory for each level."""
        stack = [iter(sorted(top, key=_name))]
        while stack and not stop():
            found = next(stack[-1], None)
            if found is None:
                stack.pop()
                continue
            path = _name(found).rstrip("/")
            key = path.removeprefix(start).lstrip("/")
            name = path.rpartition("/")[2]
            if name.startswith(".") or (not key and found["type"] == "directory"):
                continue
            if found["type"] == "directory":
                try:
                    stack.append(iter(sorted(system.ls(path, detail=True), key=_name)))
                except Exception as error:  # each file system has errors of its own
                    reason = f"the prefix cannot be listed: {_sentence(error)}"
                    yield Skipped(f"{self.uri}/{key}", reason, "unreadable", os.fsencode(key), folder=True)
            elif os.path.splitext(name)[1].lower() in _SUFFIXES:
                uri = f"{self.uri}/{key}" if key else self.uri
                yield Asset(os.fsencode(key), uri, *_stamp(found))

    def _system(self) -> tuple[Any, str]:
        """The file system of fsspec for the address, and the path in it. Raises MissingExtra, SourceError."""
        try:
            from fsspec.core import url_to_fs
        except ImportError:
            raise MissingExtra("object storage", "s3") from None
        try:
            system, path = url_to_fs(self.uri, use_listings_cache=False)
        except ImportError as error:
            raise MissingExtra(f"reading {self.uri}", "s3") from error
        except Exception as error:  # each file system has errors of its own
            raise SourceError(
                f"{self.uri} cannot be used: {_sentence(error)}", hint="an address is s3://bucket/prefix"
            ) from error
        return system, path.rstrip("/")


def _name(found: dict[str, Any]) -> str:
    return str(found["name"])


def _stamp(found: dict[str, Any]) -> tuple[int, int]:
    """Size and time of change from what a file system tells."""
    time = next((found[name] for name in _TIMES if found.get(name) is not None), 0)
    if isinstance(time, str):
        time = datetime.fromisoformat(time)
    if isinstance(time, datetime):
        time = (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
    return int(found["size"] or 0), round(float(time) * 1000) * (_NS // 1000)


def _sentence(error: Exception) -> str:
    return str(error) or type(error).__name__
