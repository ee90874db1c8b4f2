"""Pictures as rows of Arrow tables: one row a place, columns of ours, and one for each name of metadata.

Writing and reading are inverse: digests, times, names that are not text and nested metadata come back as they were.
Tables of other programs are read too; there only `image_path`, `url`, `width` and `height` have a meaning, and every
other column is metadata. pyarrow is the extra `parquet`.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from lookalike.core.errors import MissingExtra
from lookalike.engine.exchange import VECTOR_COLUMN, Described

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from lookalike.store.collection_store import ItemRecord

OURS = (
    "image_path",
    "image_path_bytes",
    "id",
    "width",
    "height",
    "format",
    "size",
    "modified_ns",
    "bytes_digest",
    "pixels_digest",
)
PREFIX = "metadata."
"""Before a name of metadata that a column of ours has, or that begins so itself."""
_JSON = {b"lookalike": b"json"}
"""Marks a column of JSON texts: its values are lists, objects or of several kinds."""
_DIGEST_BYTES = 16


def arrow() -> Any:
    """The module pyarrow. Raises MissingExtra."""
    try:
        import pyarrow as pa
        import pyarrow.parquet
    except ImportError:
        raise MissingExtra("reading and writing Parquet tables", "parquet") from None
    return pa


class PictureTable:
    """The columns of one export: `kinds` are those of its metadata, as `Snapshot.metadata_kinds` gives them."""

    def __init__(self, kinds: Mapping[str, set[str]]) -> None:
        pa = arrow()
        self._names = {_column_of(name): name for name in kinds}
        text, number, content = pa.string(), pa.int64(), pa.binary()
        types = (text, content, text, number, number, text, number, number, content, content)
        fields = [pa.field(name, kind) for name, kind in zip(OURS, types, strict=True)]
        fields += [_field(column, kinds[name]) for column, name in self._names.items()]
        self.schema = pa.schema(fields)
        self._as_json = {column for column in self._names if self.schema.field(column).metadata == _JSON}

    def batch(self, items: Sequence[ItemRecord], digests: Mapping[str, tuple[bytes, bytes | None]]) -> Any:
        """The rows of some places as a RecordBatch."""
        rows = [self._row(item, *digests[item.id]) for item in items]
        return arrow().RecordBatch.from_pylist(rows, schema=self.schema)

    def with_vectors(self, dim: int, dtype: str) -> Any:
        """The schema with a last column for vectors."""
        pa = arrow()
        kind = pa.float16() if dtype == "float16" else pa.float32()
        return self.schema.append(pa.field(VECTOR_COLUMN, pa.list_(kind, dim)))

    def _row(self, item: ItemRecord, bytes_digest: bytes, pixels_digest: bytes | None) -> dict[str, Any]:
        shown = _text(item.uri)
        row = {
            "image_path": shown,
            "image_path_bytes": None if shown == item.uri else os.fsencode(item.uri),
            "id": item.id,
            "width": item.width,
            "height": item.height,
            "format": item.format,
            "size": item.size,
            "modified_ns": item.modified_ns,
            "bytes_digest": bytes_digest,
            "pixels_digest": pixels_digest,
        }
        for column, name in self._names.items():
            value = item.metadata.get(name)
            if column in self._as_json:
                row[column] = json.dumps(value) if name in item.metadata else None
            else:
                row[column] = _text(value) if isinstance(value, str) else value
        return row


def add_vectors(batch: Any, vectors: NDArray[np.floating], schema: Any) -> Any:
    """`batch` with vectors (n, dim) as the last column of `schema`."""
    pa = arrow()
    flat = pa.array(vectors.reshape(-1), type=schema.field(VECTOR_COLUMN).type.value_type)
    lists = pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1])
    return pa.RecordBatch.from_arrays([*batch.columns, lists], schema=schema)


def described(batch: Any, *, ours: bool) -> list[Described]:
    """What a RecordBatch says about each of its rows; `ours`: it comes from an export of ours."""
    as_json = {each.name for each in batch.schema if ours and (each.metadata or {}).items() >= _JSON.items()}
    return [_described(record, as_json, ours=ours) for record in batch.to_pylist()]


def address(image_path: Any, image_path_bytes: Any = None) -> bytes | None:
    """The address that two cells say, the second one exact where the first is not."""
    if isinstance(image_path_bytes, bytes):
        return image_path_bytes
    return os.fsencode(image_path) if isinstance(image_path, str) and image_path else None


def _described(record: dict[str, Any], as_json: set[str], *, ours: bool) -> Described:
    if not ours:
        return _foreign(record)
    metadata = {
        column.removeprefix(PREFIX): json.loads(value) if column in as_json else value
        for column, value in record.items()
        if column not in OURS and value is not None
    }
    return Described(
        address=address(record.get("image_path"), record.get("image_path_bytes")),
        id=record.get("id"),
        width=record.get("width"),
        height=record.get("height"),
        format=record.get("format") or "",
        size=record.get("size"),
        modified_ns=record.get("modified_ns"),
        bytes_digest=_digest(record.get("bytes_digest")),
        pixels_digest=_digest(record.get("pixels_digest")),
        metadata=metadata,
    )


def _foreign(record: dict[str, Any]) -> Described:
    """clip-retrieval writes what pandas makes of its JSON: a missing number is NaN, a number with gaps a float."""
    said = {name: value for name, value in record.items() if value is not None and value == value}  # noqa: PLR0124 NaN
    url = said.get("url")
    return Described(
        address=address(said.get("image_path")),
        url=url if isinstance(url, str) and url else None,
        width=_pixels(said.get("width")),
        height=_pixels(said.get("height")),
        metadata={name: value for name, value in said.items() if name not in {"image_path", "width", "height"}},
    )


def _pixels(value: Any) -> int | None:
    return int(value) if isinstance(value, int | float) and value >= 1 else None


def _digest(value: Any) -> bytes | None:
    return value if isinstance(value, bytes) and len(value) == _DIGEST_BYTES else None


def _column_of(name: str) -> str:
    taken = name in {*OURS, VECTOR_COLUMN} or name.startswith(PREFIX)
    return PREFIX + name if taken else name


def _field(column: str, kinds: set[str]) -> Any:
    pa = arrow()
    if kinds <= {"text"}:
        return pa.field(column, pa.string())
    if kinds == {"integer"}:
        return pa.field(column, pa.int64())
    if kinds <= {"integer", "real"}:
        return pa.field(column, pa.float64())
    if kinds <= {"true", "false"}:
        return pa.field(column, pa.bool_())
    return pa.field(column, pa.string(), metadata=_JSON)


def _text(value: str) -> str:
    """`value` where UTF-8 can carry it, else with escapes for what it cannot."""
    return value.encode("utf-8", "backslashreplace").decode("utf-8")
