"""Archives of samples as a source of pictures: tar files as img2dataset and webdataset write them.

A sample is what has one name before its suffix: KEY.jpg, KEY.txt, KEY.json, one after another. The text becomes the
caption, plain values of the JSON become metadata. Pictures are read where they lie in the archive, by their offset.
The key of an entry is ARCHIVE/MEMBER in a folder of archives, else MEMBER; its address `tars:PATH!/MEMBER`. Its time is
that of the archive: when one is written anew, its pictures are looked at again.

Promises: an archive is walked without keeping what was passed; one that is damaged is a `Skipped` folder, so what is
known of it is not taken for deleted.
"""

from __future__ import annotations

import errno
import io
import json
import os
import posixpath
import stat
import tarfile
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, BinaryIO

from lookalike.core.causes import cause_of
from lookalike.core.errors import SourceError
from lookalike.core.records import Asset, Skipped
from lookalike.images.folder import unreadable_code
from lookalike.images.sniff import PICTURE_SUFFIXES, RAW_SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SUFFIX = ".tar"
_PICTURES = frozenset(os.fsdecode(suffix) for suffix in PICTURE_SUFFIXES | RAW_SUFFIXES)
_LONGEST_TEXT = 1 << 20
"""Bytes of a text or JSON that are read; what is longer describes no picture."""
_NOT_TOLD = frozenset({"key", "status", "error_message", "width", "height", "exif", "md5", "sha256", "sha512"})
"""Of img2dataset's JSON: what it says about its own work, or the picture says better."""
_OPEN_ARCHIVES = 8
"""Tables of contents kept in memory by a process that reads pictures."""


def tars(path: bytes | str | os.PathLike[str]) -> TarSource:
    """The samples of one archive, or of all archives in a folder."""
    return TarSource(os.path.abspath(os.path.expanduser(os.fsencode(path))))


@dataclass(frozen=True, slots=True)
class TarSource:
    """See `tars`. `path` is absolute. `below`: the archive to which a walk is limited, as a key."""

    path: bytes
    below: bytes = b""

    def assets(self, *, stop: Callable[[], bool] = lambda: False) -> Iterator[Asset | Skipped]:
        """An entry a sample, archive by archive in the order of their names. Raises SourceError."""
        try:
            status = os.stat(self.path)
            in_folder = stat.S_ISDIR(status.st_mode)
            names = sorted(os.listdir(self.path)) if in_folder else []
        except OSError as error:
            raise SourceError(
                f"{os.fsdecode(self.path)} cannot be read: {cause_of(error)}", hint="is the path right?"
            ) from error
        if not in_folder:
            return _walk(self.path, b"", stop)
        archives = [name for name in names if name.lower().endswith(os.fsencode(_SUFFIX)) and self.below in (b"", name)]
        return (entry for name in archives for entry in _walk(os.path.join(self.path, name), name + b"/", stop))

    def open(self, asset: Asset) -> BinaryIO:
        """The picture's bytes. Raises OSError."""
        archive, member = self._split(asset.key)
        status = os.stat(archive)
        contents = _contents(archive, status.st_size, status.st_mtime_ns)
        if member not in contents:
            raise FileNotFoundError(errno.ENOENT, "it is not in the archive (any more)", asset.uri)
        offset, size = contents[member]
        with open(archive, "rb") as stream:
            stream.seek(offset)
            return io.BytesIO(stream.read(size))

    def stamp(self, asset: Asset) -> tuple[int, int]:
        """The picture's size and the archive's time of change. Raises OSError."""
        archive, member = self._split(asset.key)
        status = os.stat(archive)
        contents = _contents(archive, status.st_size, status.st_mtime_ns)
        if member not in contents:
            raise FileNotFoundError(errno.ENOENT, "it is not in the archive (any more)", asset.uri)
        return contents[member][1], status.st_mtime_ns

    def _split(self, key: bytes) -> tuple[bytes, str]:
        """The archive that a key lies in, and the member's name there."""
        if os.path.isdir(self.path):
            name, _, member = key.partition(b"/")
            return os.path.join(self.path, name), os.fsdecode(member)
        return self.path, os.fsdecode(key)


@dataclass(slots=True)
class _Sample:
    """The members of one name, as far as they have come."""

    name: str
    picture: tarfile.TarInfo | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    is_described: bool = False


def _walk(archive: bytes, prefix: bytes, stop: Callable[[], bool]) -> Iterator[Asset | Skipped]:
    """The samples of one archive; their keys begin with `prefix`."""
    path = os.fsdecode(archive)
    sample: _Sample | None = None
    try:
        modified_ns = os.stat(archive).st_mtime_ns
        with tarfile.open(path, "r:", errors="surrogateescape") as tar:
            while (member := _next(tar)) is not None and not stop():
                if not member.isreg():
                    continue
                stem, suffix = _parts(member.name)
                if sample is None or sample.name != stem:
                    if sample is not None:
                        yield from _entry(path, prefix, sample, modified_ns)
                    sample = _Sample(stem)
                _add(sample, tar, member, suffix)
            if not stop():
                _refuse_torn(tar)
    except (tarfile.TarError, OSError, EOFError) as error:
        reason = f"the archive cannot be read to its end: {cause_of(error)}"
        code = unreadable_code(error) if isinstance(error, OSError) else "unreadable"
        yield Skipped(path, reason, code, prefix.rstrip(b"/"), folder=True)
    if sample is not None and not stop():
        yield from _entry(path, prefix, sample, modified_ns)


def _next(tar: Any) -> tarfile.TarInfo | None:
    """The next member. The library would keep all of them in a list, which webdataset empties as well."""
    member: tarfile.TarInfo | None = tar.next()
    tar.members = []
    return member


def _refuse_torn(tar: tarfile.TarFile) -> None:
    """Raise ReadError where a header is cut, missing or garbage: the library takes that for the end."""
    assert tar.fileobj is not None
    tar.fileobj.seek(tar.offset)
    block = tar.fileobj.read(tarfile.BLOCKSIZE)
    if len(block) < tarfile.BLOCKSIZE:  # half copied, or still being written
        raise tarfile.ReadError("unexpected end of data")
    if block.strip(b"\0"):
        raise tarfile.ReadError("a header is damaged")


def _parts(name: str) -> tuple[str, str]:
    """The name of a sample, and what the member is in it. A dot inside the name, as in IMG.2024.jpg, parts nothing."""
    stem, suffix = posixpath.splitext(name)
    return stem, suffix.lower()


def _add(sample: _Sample, tar: tarfile.TarFile, member: tarfile.TarInfo, suffix: str) -> None:
    if suffix in _PICTURES and sample.picture is None:
        sample.picture = member
    elif suffix in {".txt", ".json"} and member.size <= _LONGEST_TEXT:
        sample.is_described = True
        stream = tar.extractfile(member)
        text = stream.read().decode("utf-8", "replace") if stream else ""
        if suffix == ".txt":
            sample.metadata.setdefault("caption", text.strip())
        else:
            sample.metadata.update(_told(text))


def _told(text: str) -> dict[str, Any]:
    """The plain values of a sample's JSON that say something about its picture."""
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(values, dict):
        return {}
    return {
        name: value
        for name, value in values.items()
        if name not in _NOT_TOLD
        and not name.startswith("original_")
        and isinstance(value, str | int | float)
        and value != ""
    }


def _entry(path: str, prefix: bytes, sample: _Sample, modified_ns: int) -> Iterator[Asset | Skipped]:
    """What a sample is in the collection; members that describe no picture are none."""
    member = sample.picture
    if member is not None:
        metadata = {name: value for name, value in sample.metadata.items() if value != ""}
        uri = f"tars:{path}!/{member.name}"
        yield Asset(prefix + os.fsencode(member.name), uri, member.size, modified_ns, metadata)
    elif sample.is_described:
        key = prefix + os.fsencode(sample.name)
        yield Skipped(f"tars:{path}!/{sample.name}", "the sample has no picture", "no-picture", key)


@lru_cache(maxsize=_OPEN_ARCHIVES)
def _contents(archive: bytes, size: int, modified_ns: int) -> dict[str, tuple[int, int]]:  # noqa: ARG001 what it is kept by
    """Offset and size of every picture in an archive, as it was at that size and time. Raises OSError."""
    contents: dict[str, tuple[int, int]] = {}
    try:
        with tarfile.open(os.fsdecode(archive), "r:", errors="surrogateescape") as tar:
            while (member := _next(tar)) is not None:
                if member.isreg() and _parts(member.name)[1] in _PICTURES:
                    contents[member.name] = member.offset_data, member.size
    except (tarfile.TarError, EOFError) as error:
        if not contents:
            raise OSError(errno.EIO, f"the archive cannot be read: {error}", os.fsdecode(archive)) from error
    return contents
