"""Shards: some hundreds or thousands of encoded pictures in files of their own, in the layout of clip-retrieval.

    img_emb/img_emb_NAME.npy           float16 (n, dim), of unit length
    metadata/metadata_NAME.parquet     n rows: the columns of an export (`picture_table`), and those of `_OF_A_RUN`
    errors/errors_NAME.parquet         the files of the shard that are no pictures, where there are any
    shards.json                        whose vectors these are

The table of pictures is written last: a shard is finished when it is there. (Layout: github.com/rom1504/clip-retrieval,
clip_inference/writer.py.) pyarrow is the extra `parquet`.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lookalike.core.causes import cause_of
from lookalike.core.errors import CollectionError, EncoderMismatch
from lookalike.core.records import Fingerprint, Skipped
from lookalike.engine.exchange import TABLES_FOLDER, VECTORS_FOLDER
from lookalike.engine.picture_table import OURS, address, arrow
from lookalike.store.publishing import as_halves

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lookalike.core.records import Asset
    from lookalike.engine.shard_folder import ShardFolder

ERRORS_FOLDER = "errors"
FOLDERS = (VECTORS_FOLDER, TABLES_FOLDER, ERRORS_FOLDER)
"""All that is kept in a folder of shards, beside the note."""
NOTE = "shards.json"
FORMAT = 1
_FACTS = ("width", "height", "format", "bytes_digest", "pixels_digest")
"""Columns of the same name as facts of a picture."""
_PLACE = ("image_path", "image_path_bytes", "size", "modified_ns", "root", "key")
"""Columns that say which file it is, of pictures and of errors."""
_BELONGS = b"lookalike_belongs"
"""In a table of pictures, beside its columns: the digest of the vectors and the errors that belong to it. One worker
that was given up and one in its place may both write a shard, and may find other files to be no pictures.
"""
_OF_A_RUN = (
    "root",
    "key",
    "metadata",
    "picture_metadata",
    "fingerprint",
    "fingerprint_quality",
    "fingerprint_inner",
    "sketch",
)
"""What a run of `index` needs beside the columns of an export. Two are JSON: `metadata` is what the place says, for
other programs, `picture_metadata` what the picture says.
"""


@dataclass(frozen=True, slots=True)
class Encoded:
    """A picture with its vector: float (dim,), of unit length when it was read from a shard."""

    width: int
    height: int
    format: str
    bytes_digest: bytes
    pixels_digest: bytes
    metadata: Mapping[str, Any]
    fingerprint: Fingerprint | None
    vector: Any


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of a shard, and what became of it. `root`: the path of its root; `id`: the one a catalogue gives."""

    root: bytes
    asset: Asset
    id: str | None
    outcome: Encoded | Skipped


def claim(folder: ShardFolder, encoder_id: str, dim: int) -> None:
    """Say whose vectors the folder holds.

    Raises EncoderMismatch where it holds those of another encoder, CollectionError where it holds anything else.
    """
    there_already = folder.names()
    if NOTE not in there_already:
        if there_already:
            raise CollectionError(
                f"{folder.address} holds other files, such as {_text(min(there_already))}",
                hint="give the shards a folder of their own: --shards DIR",
            )
        folder.write(NOTE, json.dumps({"format": FORMAT, "encoder_id": encoder_id, "dim": dim}).encode())
        return
    try:
        said = json.loads(folder.read(NOTE))
        there = (said["format"], said["encoder_id"], said["dim"])
    except (ValueError, TypeError, KeyError) as error:
        raise CollectionError(f"{folder.address}/{NOTE} is no note of shards: {error}") from error
    if there != (FORMAT, encoder_id, dim):
        raise EncoderMismatch(
            f"the shards in {folder.address} are of {there[1]}, not of {encoder_id}",
            hint="give the shards of this encoder a folder of their own: --shards DIR",
        )


def finished(folder: ShardFolder) -> list[str]:
    """The names of the finished shards, oldest first."""
    start, end = f"{TABLES_FOLDER}/{TABLES_FOLDER}_", ".parquet"
    return sorted(
        name.removeprefix(start).removesuffix(end)
        for name in folder.names()
        if name.startswith(start) and name.endswith(end)
    )


def files_of(name: str) -> tuple[str, str, str]:
    """The vectors, the errors and the pictures of a shard, in the order in which they are written."""
    return (
        f"{VECTORS_FOLDER}/{VECTORS_FOLDER}_{name}.npy",
        f"{ERRORS_FOLDER}/{ERRORS_FOLDER}_{name}.parquet",
        f"{TABLES_FOLDER}/{TABLES_FOLDER}_{name}.parquet",
    )


def remove_shard(folder: ShardFolder, name: str) -> None:
    """Remove the files of a shard; while it goes, it is an unfinished one."""
    for file in reversed(files_of(name)):
        folder.remove(file)


def write_shard(folder: ShardFolder, name: str, dim: int, entries: Sequence[Entry]) -> None:
    """Write a shard; it is finished when this returns. Raises OSError."""
    import numpy as np

    pictures = [(entry, entry.outcome) for entry in entries if isinstance(entry.outcome, Encoded)]
    errors = [(entry, entry.outcome) for entry in entries if isinstance(entry.outcome, Skipped)]
    array = io.BytesIO()
    vectors = as_halves([encoded.vector for _, encoded in pictures], dim)
    np.save(array, vectors.astype("<f2"), allow_pickle=False)
    vectors_file, errors_file, pictures_file = files_of(name)
    folder.write(vectors_file, array.getvalue())
    listed = _as_parquet([_error_row(*each) for each in errors], _error_columns()) if errors else b""
    if errors:
        folder.write(errors_file, listed)
    else:
        folder.remove(errors_file)  # of a try that was lost
    columns = _picture_columns().with_metadata({_BELONGS: _digest(array.getvalue(), listed)})
    folder.write(pictures_file, _as_parquet([_picture_row(*each) for each in pictures], columns))


def read_shard(folder: ShardFolder, name: str) -> dict[tuple[bytes, bytes], Encoded | Skipped]:
    """What became of each file of a finished shard, by its root's path and its key.

    Raises CollectionError where the shard is damaged.
    """
    import numpy as np

    vectors_file, _, pictures_file = files_of(name)
    with _readable(folder, name):
        content, listed, table = folder.read(vectors_file), _errors(folder, name), _table(folder.read(pictures_file))
        digest = _digest(content, listed)
        if (table.schema.metadata or {}).get(_BELONGS, digest) != digest:
            raise ValueError("its vectors or errors are those of another")
        vectors = np.load(io.BytesIO(content), allow_pickle=False)
        rows, errors = table.to_pylist(), _error_rows(listed)
        read: dict[tuple[bytes, bytes], Encoded | Skipped] = {
            (row["root"], row["key"]): _encoded(row, vector) for row, vector in zip(rows, vectors, strict=True)
        }
        return read | {(row["root"], row["key"]): _skipped(row) for row in errors}


@dataclass(frozen=True, slots=True)
class Place:
    """A file that a shard deals with, as it was then. `code`: why it is no picture, "" where it is one."""

    root: bytes
    key: bytes
    uri: bytes
    size: int
    modified_ns: int
    code: str


def places_in(folder: ShardFolder, name: str) -> Iterator[Place]:
    """Every file a finished shard deals with. Raises CollectionError where the shard is damaged."""
    with _readable(folder, name):
        for row in _rows(folder.read(files_of(name)[-1]), list(_PLACE)):
            yield _place_of(row, "")
        for row in _error_rows(_errors(folder, name)):
            yield _place_of(row, row["code"])


def _place_of(row: Mapping[str, Any], code: str) -> Place:
    uri = address(row["image_path"], row["image_path_bytes"]) or b""
    return Place(row["root"], row["key"], uri, row["size"], row["modified_ns"], code)


@contextmanager
def _readable(folder: ShardFolder, name: str) -> Iterator[None]:
    """What numpy, pyarrow and the system say about a file that is no part of a shard becomes a CollectionError."""
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError, EOFError) as error:  # pyarrow's own errors are these
        raise CollectionError(
            f"the shard {name} in {folder.address} cannot be read: {cause_of(error)}",
            hint="remove its files and index again",
        ) from error


def _errors(folder: ShardFolder, name: str) -> bytes:
    """The table of a shard's errors, empty where it has none."""
    try:
        return folder.read(files_of(name)[1])
    except FileNotFoundError:
        return b""


def _error_rows(content: bytes) -> list[dict[str, Any]]:
    return _rows(content) if content else []


def _rows(content: bytes, columns: list[str] | None = None) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = _table(content, columns).to_pylist()
    return rows


def _table(content: bytes, columns: list[str] | None = None) -> Any:
    pa = arrow()
    return pa.parquet.read_table(pa.BufferReader(content), columns=columns)


def _digest(vectors: bytes, errors: bytes) -> bytes:
    return b" ".join(hashlib.blake2b(each, digest_size=16).hexdigest().encode() for each in (vectors, errors))


def _as_parquet(rows: list[dict[str, Any]], schema: Any) -> bytes:
    pa = arrow()
    content = io.BytesIO()
    pa.parquet.write_table(pa.Table.from_pylist(rows, schema=schema), content)
    return content.getvalue()


def _picture_columns() -> Any:
    pa = arrow()
    text, number, content = pa.string(), pa.int64(), pa.binary()
    types = (text, content, text, number, number, text, number, number, content, content)
    own = (content, content, text, text, content, number, content, content)
    return pa.schema([*zip(OURS, types, strict=True), *zip(_OF_A_RUN, own, strict=True)])


def _error_columns() -> Any:
    pa = arrow()
    text, number, content = pa.string(), pa.int64(), pa.binary()
    names = (*_PLACE, "code", "reason")
    return pa.schema(list(zip(names, (text, content, number, number, content, content, text, text), strict=True)))


def _place(entry: Entry) -> dict[str, Any]:
    uri, shown = entry.asset.uri, _text(entry.asset.uri)
    return {
        "image_path": shown,
        "image_path_bytes": None if shown == uri else os.fsencode(uri),
        "size": entry.asset.size,
        "modified_ns": entry.asset.modified_ns,
        "root": entry.root,
        "key": entry.asset.key,
    }


def _picture_row(entry: Entry, encoded: Encoded) -> dict[str, Any]:
    seen = encoded.fingerprint
    return {
        **_place(entry),
        "id": entry.id,
        **{name: getattr(encoded, name) for name in _FACTS},
        "metadata": json.dumps(dict(entry.asset.metadata)),
        "picture_metadata": json.dumps(dict(encoded.metadata)),
        "fingerprint": seen and seen.bits,
        "fingerprint_quality": seen and seen.quality,
        "fingerprint_inner": seen and seen.inner,
        "sketch": seen and seen.sketch,
    }


def _error_row(entry: Entry, skipped: Skipped) -> dict[str, Any]:
    return {**_place(entry), "code": skipped.code, "reason": _text(skipped.reason)}


def _encoded(row: Mapping[str, Any], vector: Any) -> Encoded:
    facts = {name: row[name] for name in _FACTS}
    bits, quality, inner = row["fingerprint"], row["fingerprint_quality"], row["fingerprint_inner"]
    sketch = row.get("sketch") or b""  # shards that an earlier version wrote have none
    seen = None if bits is None else Fingerprint(bits, quality, inner, sketch)
    return Encoded(**facts, metadata=json.loads(row["picture_metadata"]), fingerprint=seen, vector=vector)


def _skipped(row: Mapping[str, Any]) -> Skipped:
    uri = os.fsdecode(address(row["image_path"], row["image_path_bytes"]) or b"")
    return Skipped(uri, row["reason"], row["code"], row["key"], size=row["size"], modified_ns=row["modified_ns"])


def _text(value: str) -> str:
    """`value` where UTF-8 can carry it, else with escapes for what it cannot."""
    return value.encode("utf-8", "backslashreplace").decode("utf-8")
