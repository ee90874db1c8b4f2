"""Vectors that other programs wrote, or an export of ours: which files there are, and what stands in them, in blocks.

Three layouts are told apart by their files: `img_emb/*.npy` with `metadata/*.parquet` (clip-retrieval), a flat
`*.faiss` with a `.paths` beside it, and `*.parquet` with a column of vectors; a folder of bare `*.npy` is read too.
Files are mapped or read in blocks. Nothing in them is executed; what does not fit together is a SourceError.
"""

from __future__ import annotations

import hashlib
import re
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from lookalike.core.causes import cause_of
from lookalike.core.errors import SourceError
from lookalike.engine.exchange import TABLES_FOLDER, VECTOR_COLUMN, VECTORS_FOLDER, Described, ExportNote, read_paths

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from lookalike.engine.exchange import Layout

BLOCK = 4096
"""Vectors read at once."""
VECTOR_COLUMNS = (VECTOR_COLUMN, "embedding", "image_embedding", "emb")
"""Names under which tables hold vectors; the first is ours."""
_LOOKED_FOR = "an img_emb folder, a .faiss, .parquet or .npy file"


@dataclass(frozen=True, slots=True)
class Block:
    """Vectors as they stand in a file, float (n, dim), and what came with each. `first`: position in that file."""

    file: Path
    first: int
    vectors: NDArray[np.floating]
    places: Sequence[Described]


@dataclass(frozen=True, slots=True)
class _Shard:
    """One file of vectors and the one that describes them, if any."""

    layout: Layout
    vectors: Path
    described_by: Path | None
    ours: bool

    def size(self) -> tuple[int, int]:
        """(count, dim), checked against what describes them."""
        with _readable(self.vectors):
            if self.layout == "parquet":
                return _size_of_table(self.vectors)
            count, dim = self._mapped().shape
        if self.layout == "npy" and self.described_by is not None:
            with _readable(self.described_by):
                told = _table(self.described_by).metadata.num_rows
        elif self.described_by is not None:
            with self.described_by.open("rb") as stream:
                told = sum(1 for _ in read_paths(stream))
        else:
            told = count
        if told != count:
            raise SourceError(f"{self.vectors} holds {count:,} vectors, {self.described_by} describes {told:,}")
        return count, dim

    def addresses(self) -> Iterator[bytes | None]:
        """The address of each vector."""
        if self.described_by is None:
            return
        with _readable(self.described_by):
            if self.layout == "faiss":
                with self.described_by.open("rb") as stream:
                    yield from read_paths(stream)
            else:
                yield from _addresses_in_table(self.described_by)

    def blocks(self) -> Iterator[Block]:
        """All vectors in order."""
        with _readable(self.vectors):
            if self.layout == "parquet":
                yield from _blocks_of_table(self.vectors, ours=self.ours)
            elif self.layout == "npy" and self.described_by is not None:
                yield from self._beside_table(self.described_by)
            else:
                yield from self._beside_paths()

    def _beside_table(self, table: Path) -> Iterator[Block]:
        from lookalike.engine.picture_table import described

        mapped, first = self._mapped(), 0
        for batch in _table(table).iter_batches(batch_size=BLOCK):
            yield Block(self.vectors, first, mapped[first : first + batch.num_rows], described(batch, ours=self.ours))
            first += batch.num_rows

    def _beside_paths(self) -> Iterator[Block]:
        mapped, paths = self._mapped(), self.addresses()
        for first in range(0, len(mapped), BLOCK):
            vectors = mapped[first : first + BLOCK]
            places = [Described(path) for path in islice(paths, len(vectors))]
            yield Block(self.vectors, first, vectors, places or [Described()] * len(vectors))

    def _mapped(self) -> NDArray[np.floating]:
        import numpy as np

        if self.layout == "faiss":
            from lookalike.index.flat_file import map_flat

            return map_flat(self.vectors)
        array = np.load(self.vectors, mmap_mode="r", allow_pickle=False)
        if array.ndim != 2 or array.dtype.kind != "f" or 0 in array.shape[1:]:
            raise ValueError(f"it holds {array.dtype} {array.shape}, not float (n, dim)")
        vectors: NDArray[np.floating] = array
        return vectors


@dataclass(frozen=True, slots=True)
class VectorFiles:
    """All vectors of a folder: `count` of `dim` components. `note`: of an export of ours."""

    layout: Layout
    count: int
    dim: int
    note: ExportNote | None
    shards: tuple[_Shard, ...]

    def digest(self) -> str:
        """12 hexadecimal digits of all bytes of the vectors' files."""
        whole = hashlib.blake2b(digest_size=6)
        for shard in self.shards:
            with shard.vectors.open("rb") as stream:
                whole.update(hashlib.file_digest(stream, "blake2b").digest())
        return whole.hexdigest()

    def addresses(self) -> Iterator[bytes]:
        """Every address there is."""
        for shard in self.shards:
            yield from (each for each in shard.addresses() if each)

    def blocks(self) -> Iterator[Block]:
        """All vectors, file by file."""
        for shard in self.shards:
            yield from shard.blocks()


def open_vectors(folder: Path) -> VectorFiles:
    """Find and check the files of vectors in `folder`. Raises SourceError, MissingExtra."""
    if not folder.is_dir():
        raise SourceError(f"there is no folder {folder}", hint="give the folder that holds the vectors")
    note = ExportNote.read(folder)
    shards = _found(folder, ours=note is not None)
    if not shards:
        raise SourceError(f"there are no vectors in {folder}", hint=f"looked for {_LOOKED_FOR}")
    sizes = [shard.size() for shard in shards]
    dims = {dim for _, dim in sizes}
    if len(dims) > 1:
        raise SourceError(f"the files in {folder} hold vectors of different lengths: {sorted(dims)}")
    files = VectorFiles(shards[0].layout, sum(count for count, _ in sizes), dims.pop(), note, shards)
    if note is not None and (note.layout, note.count, note.dim) != (files.layout, files.count, files.dim):
        raise SourceError(
            f"{folder} holds {files.count:,} vectors of {files.dim}, its note says {note.count:,} of {note.dim}",
            hint="some files are missing; copy the export again",
        )
    return files


def _found(folder: Path, *, ours: bool) -> tuple[_Shard, ...]:
    arrays = _in_order(folder / VECTORS_FOLDER, ".npy") or _in_order(folder, ".npy")
    if (folder / VECTORS_FOLDER).is_dir() or (arrays and not _in_order(folder, ".faiss")):
        tables = {_number(path): path for path in _in_order(folder / TABLES_FOLDER, ".parquet")}
        for array in arrays:
            if tables and _number(array) not in tables:
                raise SourceError(f"{array} has no table of its number in {folder / TABLES_FOLDER}")
        return tuple(_Shard("npy", array, tables.get(_number(array)), ours) for array in arrays)
    if indexes := _in_order(folder, ".faiss"):
        beside = [index.with_suffix(".paths") for index in indexes]
        return tuple(
            _Shard("faiss", index, paths if paths.exists() else None, ours)
            for index, paths in zip(indexes, beside, strict=True)
        )
    return tuple(_Shard("parquet", table, table, ours) for table in _in_order(folder, ".parquet"))


def _in_order(folder: Path, suffix: str) -> list[Path]:
    """Files of a suffix by their number, then by name."""
    if not folder.is_dir():
        return []
    return sorted((path for path in folder.iterdir() if path.suffix == suffix), key=lambda path: (_number(path), path))


def _number(path: Path) -> int:
    """The last number in a file's name; -1 without one."""
    digits = re.findall(r"\d+", path.stem)
    return int(digits[-1]) if digits else -1


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """What numpy, pyarrow and the system say about a file that is no such thing becomes a SourceError."""
    try:
        yield
    except (OSError, ValueError, EOFError) as error:  # pyarrow's own errors are these
        raise SourceError(f"{path} cannot be read: {cause_of(error)}") from error


def _table(path: Path) -> Any:
    from lookalike.engine.picture_table import arrow

    return arrow().parquet.ParquetFile(path)


def _vector_column(path: Path) -> str:
    names = _table(path).schema_arrow.names
    column = next((name for name in VECTOR_COLUMNS if name in names), None)
    if column is None:
        raise ValueError(f"it has no column of vectors ({' or '.join(VECTOR_COLUMNS)})")
    return column


def _size_of_table(path: Path) -> tuple[int, int]:
    table, column = _table(path), _vector_column(path)
    first = next(table.iter_batches(batch_size=1, columns=[column]), None)
    dim = lists_of_numbers(first.column(0)).shape[1] if first is not None and first.num_rows else 0
    kind = table.schema_arrow.field(column).type
    return table.metadata.num_rows, dim or getattr(kind, "list_size", 0)


def _addresses_in_table(path: Path) -> Iterator[bytes | None]:
    from lookalike.engine.picture_table import address

    table = _table(path)
    columns = [name for name in ("image_path", "image_path_bytes") if name in table.schema_arrow.names]
    for batch in table.iter_batches(batch_size=BLOCK, columns=columns) if columns else ():
        for record in batch.to_pylist():
            yield address(record.get("image_path"), record.get("image_path_bytes"))


def _blocks_of_table(path: Path, *, ours: bool) -> Iterator[Block]:
    from lookalike.engine.picture_table import described

    column, first = _vector_column(path), 0
    for batch in _table(path).iter_batches(batch_size=BLOCK):
        vectors = lists_of_numbers(batch.column(column))
        yield Block(path, first, vectors, described(batch.drop_columns([column]), ours=ours))
        first += batch.num_rows


def lists_of_numbers(column: Any) -> NDArray[np.floating]:
    """A column of lists of one length as float (n, dim). Raises ValueError."""
    import numpy as np

    flat = column.flatten().to_numpy(zero_copy_only=False)
    dim = len(flat) // max(len(column), 1)
    lengths = column.value_lengths().to_numpy(zero_copy_only=False)
    if column.null_count or flat.dtype.kind != "f" or (lengths != dim).any():
        raise ValueError("its vectors are missing, of different lengths, or no numbers")
    return np.ascontiguousarray(flat.reshape(len(column), dim))
