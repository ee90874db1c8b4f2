"""Vectors out: every place of every picture with its vector, as files that other programs read.

Blocks go to the disk as they are read, so memory does not grow with the collection. All is written into a folder beside
the one asked for, which gets that name when everything is there: an export is whole or not there at all.
"""

from __future__ import annotations

import os
import shutil
import time
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from lookalike.core.arrays import unit_vectors
from lookalike.core.errors import CollectionError
from lookalike.engine.exchange import (
    FAISS_FILE,
    PATHS_FILE,
    TABLE_FILE,
    TABLES_FOLDER,
    VECTORS_FOLDER,
    ExportNote,
    write_paths,
)
from lookalike.engine.reports import ExportReport, Progress
from lookalike.engine.spool import batches

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator, Sequence

    from lookalike.core.arrays import HalfVectors
    from lookalike.engine.exchange import Layout
    from lookalike.engine.reports import ExportEvent
    from lookalike.store.collection_store import ItemRecord, Snapshot, Store

DType = Literal["float16", "float32"]
BLOCK = 8192
"""Places written at once: 17 MB of float32 at 512 components."""
SHARD = 128 * BLOCK
"""Places in one pair of files: about the million that clip-retrieval writes."""
UNFINISHED = ".unfinished"
"""Behind the name of a folder that is being written."""


@dataclass(frozen=True, slots=True)
class _Block:
    """Some places with their vectors as stored, float16 (n, dim)."""

    items: Sequence[ItemRecord]
    vectors: HalfVectors


@dataclass(frozen=True, slots=True)
class _Job:
    """What is written: `count` vectors from one moment of the collection, in blocks that fill shards evenly."""

    snapshot: Snapshot
    count: int
    dtype: DType
    shard: int

    @property
    def dim(self) -> int:
        return self.snapshot.space.dim

    def blocks(self) -> Iterator[_Block]:
        for some in batches(self._places(), min(BLOCK, self.shard)):
            yield _Block([item for _, item in some], self.snapshot.rows[[row for row, _ in some]])

    def _places(self) -> Iterator[tuple[int, ItemRecord]]:
        for start in range(0, self.snapshot.count, BLOCK):
            rows = range(start, min(start + BLOCK, self.snapshot.count))
            items = self.snapshot.items_of(rows)
            for row in rows:
                for item in items.get(row, ()):
                    yield row, item


def export(
    store: Store,
    folder: Path,
    layout: Layout,
    *,
    dtype: DType | None = None,
    shard: int = SHARD,
    stop: threading.Event | None = None,
) -> Iterator[ExportEvent]:
    """Write all vectors of the current space into `folder`, which must be new or empty; at last an ExportReport.

    `dtype` None takes what the layout is best read as: float16 for npy, else float32. `shard`: vectors in one pair of
    files of `npy`, a divisor or multiple of `BLOCK`. Once `stop` is set, nothing is left and KeyboardInterrupt raised.
    Raises CollectionError when the folder is not empty, CollectionNotFound without vectors, MissingExtra, OSError.
    """
    if shard < 1 or max(shard, BLOCK) % min(shard, BLOCK):
        raise ValueError(f"shard is {shard}; it must divide {BLOCK} or be a multiple of it")
    if layout == "faiss" and dtype == "float16":
        raise ValueError("a flat FAISS index holds float32")
    started = time.monotonic()
    writer = _WRITERS[layout]
    with store.snapshot() as snapshot, _whole_or_not(folder) as place:
        job = _Job(snapshot, snapshot.count_items(), dtype or ("float16" if layout == "npy" else "float32"), shard)
        done = 0
        for number in writer(job, place):
            done += number
            yield Progress("write", done, job.count, 0, 0, time.monotonic() - started)
            if stop is not None and stop.is_set():
                raise KeyboardInterrupt
        _note(store, job, layout).write(place)
        files = sorted(file.relative_to(place).as_posix() for file in place.rglob("*") if file.is_file())
        size = sum((place / file).stat().st_size for file in files)
    yield ExportReport(
        format=layout,
        folder=str(folder),
        vectors=job.count,
        dim=job.dim,
        dtype=job.dtype,
        encoder=snapshot.space.encoder_name,
        files=tuple(files),
        bytes=size,
        seconds=time.monotonic() - started,
    )


def _write_faiss(job: _Job, place: Path) -> Iterator[int]:
    """Position in the index = line in the list of paths. Brought to unit length: inner products are cosines."""
    from lookalike.index.flat_file import flat_bytes, flat_header

    with (place / FAISS_FILE).open("wb") as index, (place / PATHS_FILE).open("wb") as paths:
        index.write(flat_header(job.dim, job.count))
        for block in job.blocks():
            index.write(flat_bytes(unit_vectors(block.vectors, job.dim)))
            write_paths(paths, (item.uri for item in block.items))
            yield len(block.items)


def _write_npy(job: _Job, place: Path) -> Iterator[int]:
    """Numbered pairs of an array and a table, the numbers as wide as the last one, as clip-retrieval does."""
    import numpy as np

    from lookalike.engine.picture_table import PictureTable, arrow

    pa, table = arrow(), PictureTable(job.snapshot.metadata_kinds())
    for name in (VECTORS_FOLDER, TABLES_FOLDER):
        (place / name).mkdir()
    shards = max(1, -(-job.count // job.shard))
    blocks = job.blocks()
    for number in range(shards):
        name = str(number).zfill(len(str(shards)))
        size = min(job.shard, job.count - number * job.shard)
        header = {"descr": np.dtype(job.dtype).newbyteorder("<").str, "fortran_order": False, "shape": (size, job.dim)}
        with (
            (place / VECTORS_FOLDER / f"{VECTORS_FOLDER}_{name}.npy").open("wb") as array,
            pa.parquet.ParquetWriter(place / TABLES_FOLDER / f"{TABLES_FOLDER}_{name}.parquet", table.schema) as rows,
        ):
            np.lib.format.write_array_header_1_0(array, header)
            for block in islice(blocks, -(-size // min(BLOCK, job.shard))):
                array.write(block.vectors.astype(job.dtype).tobytes())
                digests = job.snapshot.digests_of(item.id for item in block.items)
                rows.write_batch(table.batch(block.items, digests))
                yield len(block.items)


def _write_parquet(job: _Job, place: Path) -> Iterator[int]:
    """One table, the vectors as lists of one length in its last column."""
    from lookalike.engine.picture_table import PictureTable, add_vectors, arrow

    pa, table = arrow(), PictureTable(job.snapshot.metadata_kinds())
    schema = table.with_vectors(job.dim, job.dtype)
    with pa.parquet.ParquetWriter(place / TABLE_FILE, schema) as rows:
        for block in job.blocks():
            digests = job.snapshot.digests_of(item.id for item in block.items)
            batch = table.batch(block.items, digests)
            rows.write_batch(add_vectors(batch, block.vectors.astype(job.dtype), schema))
            yield len(block.items)


_WRITERS: dict[Layout, Callable[[_Job, Path], Iterator[int]]] = {
    "faiss": _write_faiss,
    "npy": _write_npy,
    "parquet": _write_parquet,
}


def _note(store: Store, job: _Job, layout: Layout) -> ExportNote:
    from lookalike import __version__

    space = job.snapshot.space
    return ExportNote(
        layout=layout,
        encoder_id=space.encoder_id,
        encoder_name=space.encoder_name,
        dim=job.dim,
        count=job.count,
        dtype=job.dtype,
        roots=tuple((os.fsdecode(root.path), root.is_file) for root in store.roots() if not root.is_imported),
        lookalike=__version__,
    )


@contextmanager
def _whole_or_not(folder: Path) -> Iterator[Path]:
    """A folder to write into; it becomes `folder` when the block ends well, and is gone when it does not.

    What a killed export left is removed by the next one to the same place.
    """
    if folder.exists() and not (folder.is_dir() and next(folder.iterdir(), None) is None):
        raise CollectionError(
            f"{folder} is not an empty folder; an export needs one of its own", hint="give the name of a new folder"
        )
    place = folder.with_name(folder.name + UNFINISHED)
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    try:
        yield place
        for file in filter(Path.is_file, place.rglob("*")):
            with file.open("rb+") as stream:
                os.fsync(stream.fileno())
        if folder.exists():
            folder.rmdir()
        os.replace(place, folder)
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise
