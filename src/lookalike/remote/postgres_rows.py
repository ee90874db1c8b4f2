"""Items as rows of PostgreSQL: into it by COPY in binary, which a driver of pure Python is fast enough for, and back.

Texts and keys are `bytea` (UTF-8, surrogates pass), because PostgreSQL's text takes neither NUL nor half of a surrogate
pair; metadata are `json` in ASCII, which takes both as escapes. Vectors are `halfvec` where pgvector has it (0.7), and
`vector` before, which holds the same float16 values in twice the space. In binary a vector is two big-endian 16-bit
numbers, its width and 0, and then its components, big-endian too (pgvector `src/vector.c`, `src/halfvec.c`: the
functions that receive and send). COPY: PostgreSQL's documentation, "sql-copy", "Binary Format".
"""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any

from lookalike.remote.contract import RemoteItem
from lookalike.remote.postgres_filter import key_of
from lookalike.remote.sorted_facts import MOMENT, facts_of, utf8

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

HALF, SINGLE = "halfvec", "vector"
COMPONENT: Mapping[str, str] = {HALF: ">f2", SINGLE: ">f4"}
"""How a component of each type is sent."""
COLUMNS = (
    "id, uri, root, key, size, modified_ns, bytes_digest, pixels_digest, width, height, format,"
    " metadata, picture_metadata, stems, names, facts, keys, vector"
)
_FIELDS = (
    "id, uri, root, key, size, modified_ns, bytes_digest, pixels_digest, width, height, format,"
    " metadata, picture_metadata, to_json(stems), to_json(names)"
)
PICTURE = "coalesce(pixels_digest, bytes_digest)"
"""SQL: `RemoteItem.picture`."""
_SHORT, _LONG, _LONGER = struct.Struct(">h"), struct.Struct(">i"), struct.Struct(">q")
_WIDTH, _ARRAY = struct.Struct(">HH"), struct.Struct(">iii")
_BYTEA_OID, _BIGINT_OID, _TEXT_OID = 17, 20, 25
"""Of PostgreSQL's own types, the same in every database."""


def table_sql(table: str, type_: str, dim: int) -> str:
    """The table of a collection's items, with what its filters and words need to be found by."""
    return f"""
        CREATE TABLE {table} (
            id bytea PRIMARY KEY, uri bytea NOT NULL, root bytea NOT NULL, key bytea NOT NULL,
            size bigint NOT NULL, modified_ns bigint NOT NULL, bytes_digest bytea, pixels_digest bytea,
            width integer, height integer, format text NOT NULL,
            metadata json NOT NULL, picture_metadata json NOT NULL, stems text[] NOT NULL, names text[] NOT NULL,
            facts bytea[] NOT NULL, keys bigint[] NOT NULL, vector {type_}({dim}) NOT NULL);
        CREATE INDEX {table}_keys ON {table} USING gin (keys);
        CREATE INDEX {table}_stems ON {table} USING gin (stems);
        CREATE INDEX {table}_names ON {table} USING gin (names);
        CREATE INDEX {table}_copies ON {table} ({PICTURE})"""


def copied(items: Iterable[RemoteItem], type_: str) -> Iterator[bytes]:
    """What COPY of `COLUMNS` reads in binary."""
    yield b"PGCOPY\n\xff\r\n\0" + _LONG.pack(0) + _LONG.pack(0)
    for item in items:
        fields = _fields(item, type_)
        yield _SHORT.pack(len(fields)) + b"".join(map(_field, fields))
    yield _SHORT.pack(-1)


def _fields(item: RemoteItem, type_: str) -> list[bytes | None]:
    facts = facts_of(item)
    keys = [_LONGER.pack(key_of(fact)) for fact in facts if not fact.startswith(MOMENT)]  # no moment is asked exactly
    return [
        utf8(item.id),
        utf8(item.uri),
        item.root,
        item.key,
        _LONGER.pack(item.size),
        _LONGER.pack(item.modified_ns),
        item.bytes_digest,
        item.pixels_digest,
        None if item.width is None else _LONG.pack(item.width),
        None if item.height is None else _LONG.pack(item.height),
        item.format.encode(),
        _json(item.metadata),
        _json(item.picture_metadata),
        _array(_TEXT_OID, [stem.encode() for stem in item.stems]),
        _array(_TEXT_OID, [name.encode() for name in item.names]),
        _array(_BYTEA_OID, facts),
        _array(_BIGINT_OID, keys),
        _vector(item.vector, type_),
    ]


def _json(values: Mapping[str, Any]) -> bytes:
    return json.dumps(dict(values), allow_nan=False).encode()


def _field(value: bytes | None) -> bytes:
    return _LONG.pack(-1) if value is None else _LONG.pack(len(value)) + value


def _array(oid: int, values: Sequence[bytes]) -> bytes:
    """An array of one dimension, counted from 1, without NULL."""
    if not values:
        return _ARRAY.pack(0, 0, oid)
    return _ARRAY.pack(1, 0, oid) + _LONG.pack(len(values)) + _LONG.pack(1) + b"".join(map(_field, values))


def _vector(vector: Any, type_: str) -> bytes:
    import numpy as np

    values = np.asarray(vector).astype(COMPONENT[type_])
    return _WIDTH.pack(len(values), 0) + values.tobytes()


def fields_sql(type_: str, *, vectors: bool) -> str:
    """What `item_of` needs of a row, in order."""
    return f"{_FIELDS}, {type_}_send(vector)" if vectors else _FIELDS


def item_of(row: Sequence[Any], type_: str) -> RemoteItem:
    """The item of a row of `fields_sql`, with its vector or without."""
    import numpy as np

    id, uri, root, key, size, modified_ns, bytes_digest, pixels_digest, width, height, format, *rest = row
    metadata, picture_metadata, stems, names, *vector = rest
    return RemoteItem(
        text_of_bytes(id),
        text_of_bytes(uri),
        root,
        key,
        size,
        modified_ns,
        bytes_digest,
        pixels_digest,
        width,
        height,
        format,
        metadata=metadata,
        picture_metadata=picture_metadata,
        stems=tuple(stems),
        names=tuple(names),
        vector=np.frombuffer(vector[0], COMPONENT[type_], offset=_WIDTH.size).astype(np.float16) if vector else None,
    )


def text_of_bytes(stored: bytes) -> str:
    """What `sorted_facts.utf8` made bytes of."""
    return stored.decode("utf-8", "surrogatepass")


def vector_text(vector: Any) -> str:
    """A vector (dim,) as a parameter: to the last bit of float32."""
    return f"[{','.join(map(repr, vector.tolist()))}]"
