"""Rows files: the vectors of one space and epoch, float16, appended and never changed.

Layout (docs/format.md): a header of 64 bytes, then (n, dim) little-endian float16 in C order, so that numpy
maps it as it lies. SQLite publishes how many rows count; bytes behind them are a torn write and are
overwritten by the next append. A checksum per appended segment is kept in SQLite.
"""

from __future__ import annotations

import hashlib
import os
import re
import struct
import sys
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from lookalike.core.errors import CollectionDamaged
from lookalike.core.wording import Wording

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from lookalike.core.arrays import HalfVectors
    from lookalike.store.records import Space

MAGIC = b"LKALROWS"
FORMAT_VERSION = 1
_FIELDS = struct.Struct("<8sIIQ16s20x")  # magic, format version, dim, epoch, digest of the encoder id, zeros
_CRC = struct.Struct("<I")
HEADER_BYTES = _FIELDS.size + _CRC.size
assert HEADER_BYTES == 64  # a cache line, and what docs/format.md says

SEGMENT_BYTES = 4 << 20
"""Most bytes under one checksum: opening re-reads the last segment, which must stay a matter of milliseconds."""
HALF_BYTES = 2
RESTORE = Wording("restore_collection")
_CHECKSUM_BYTES = 16
_NAME = re.compile(r"rows-(\d+)\.f16")


@dataclass(frozen=True, slots=True)
class Segment:
    """Rows appended together: `count` of them from row `first`."""

    first: int
    count: int
    checksum: bytes


def space_folder(directory: Path, slug: str) -> Path:
    """Where the files of a space lie."""
    return directory / "spaces" / slug


def slug_of(encoder_id: str, encoder_name: str) -> str:
    """Folder name of a space: a readable part and 12 hexadecimal digits of the encoder id's digest."""
    readable = re.sub(r"[^a-z0-9]+", "-", encoder_name.lower()).strip("-")[:40] or "space"
    return f"{readable}-{_encoder_digest(encoder_id).hex()[:12]}"


def rows_file(directory: Path, space: Space) -> Path:
    """The rows file of a space's published epoch."""
    return space_folder(directory, space.slug) / f"rows-{space.epoch}.f16"


def create_rows(directory: Path, space: Space) -> Path:
    """Write an empty rows file, safe on disk with its name. One that an unfinished run left is replaced."""
    file = rows_file(directory, space)
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as stream:
        stream.write(_header(space))
        to_disk(stream)
    for folder in (file.parent, file.parent.parent, directory):
        _folder_to_disk(folder)
    return file


def append_rows(directory: Path, space: Space, blocks: Iterable[HalfVectors]) -> list[Segment]:
    """Write blocks of float16 (n, dim) behind the published rows, safe on disk; returns what to publish.

    Raises OSError when the disk is full: the published rows are untouched then.
    """
    segments: list[Segment] = []
    end = space.count
    width = space.dim * HALF_BYTES
    with rows_file(directory, space).open("r+b", buffering=0) as stream:
        stream.seek(HEADER_BYTES + end * width)
        for block in blocks:
            for some in _segment_bytes(block, width):
                _write_all(stream, some)
                segments.append(Segment(end, len(some) // width, checksum(some)))
                end += len(some) // width
        to_disk(stream)
    return segments


def cut_tail(directory: Path, space: Space) -> None:
    """Drop bytes behind the published rows, which a writer that died left. For the holder of the lock."""
    file = rows_file(directory, space)
    published = HEADER_BYTES + space.count * space.dim * HALF_BYTES
    if file.stat().st_size > published:
        os.truncate(file, published)


def map_rows(directory: Path, space: Space) -> HalfVectors:
    """The published rows, mapped read-only. Raises FileNotFoundError, CollectionDamaged."""
    import numpy as np

    file = rows_file(directory, space)
    _check_header(file, space)
    if space.count == 0:
        return np.empty((0, space.dim), dtype=np.float16)
    return np.memmap(file, dtype="<f2", mode="r", offset=HEADER_BYTES, shape=(space.count, space.dim))


def _check_header(file: Path, space: Space) -> None:
    """Raises CollectionDamaged when the file is not that of `space`, or shorter than what is published."""
    with file.open("rb") as stream:
        if stream.read(HEADER_BYTES) != _header(space):
            raise _damaged(file, "its header is not that of this space and epoch")
    wanted = HEADER_BYTES + space.count * space.dim * HALF_BYTES
    size = file.stat().st_size
    if size < wanted:
        raise _damaged(file, f"it has {size:,} bytes where {wanted:,} are published")


def checksum(content: Any) -> bytes:
    """16-byte BLAKE2b of a segment's bytes."""
    return hashlib.blake2b(content, digest_size=_CHECKSUM_BYTES).digest()


def leftover_files(folder: Path, epoch: int | None) -> Iterator[Path]:
    """Rows files of other epochs than the published one: unfinished, or waiting for their last reader."""
    for file in folder.iterdir():
        match = _NAME.fullmatch(file.name)
        if match and int(match[1]) != epoch:
            yield file


def to_disk(stream: BinaryIO) -> None:
    """Return when the stream's bytes are on the disk itself."""
    stream.flush()
    if sys.platform == "darwin":
        import fcntl

        fcntl.fcntl(stream.fileno(), fcntl.F_FULLFSYNC)  # fsync alone ends in the drive's cache there
    else:
        os.fsync(stream.fileno())


def _folder_to_disk(folder: Path) -> None:
    """Make new names in `folder` durable; Windows keeps them itself and opens no folders."""
    if sys.platform != "win32":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _header(space: Space) -> bytes:
    fields = _FIELDS.pack(MAGIC, FORMAT_VERSION, space.dim, space.epoch, _encoder_digest(space.encoder_id))
    return fields + _CRC.pack(zlib.crc32(fields))


def _encoder_digest(encoder_id: str) -> bytes:
    return hashlib.blake2b(encoder_id.encode(), digest_size=16).digest()


def _segment_bytes(block: HalfVectors, width: int) -> Iterator[memoryview]:
    import numpy as np

    content = memoryview(np.ascontiguousarray(block, dtype="<f2").tobytes())
    step = max(SEGMENT_BYTES // width, 1) * width
    for start in range(0, len(content), step):
        yield content[start : start + step]


def _write_all(stream: Any, content: memoryview) -> None:
    while content:
        content = content[stream.write(content) :]


def _damaged(file: Path, why: str) -> CollectionDamaged:
    return CollectionDamaged(Wording("vectors_damaged", file=file, why=why), hint=RESTORE)
