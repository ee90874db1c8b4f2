"""How Milvus holds a collection: its columns, and an item as a row of them and back.

    id       the item's id, coded so that Milvus' order is the contract's        primary key
    place    its address, coded: for what lies below a folder
    picture  what items of one picture have in common, "" for unknown            INVERTED
    several  the facts of which it has several
    words    its stems and names as words that an analyzer leaves whole          full text, TEXT_MATCH
    rarity   made of `words` by Milvus                                           BM25
    vector   float32, of the float16 given                                       FLAT, HNSW, IVF or DISKANN
    record   all else, as JSON
    and the prepared facts of `milvus_facts.py`, as dynamic fields

One partition: partitions help only where every search names one. Milvus holds text of up to 65,535 bytes, and as many
of dynamic fields; a record beyond that is compressed, words beyond that are left out.
"""

from __future__ import annotations

import json
import zlib
from base64 import b85decode, b85encode
from typing import TYPE_CHECKING, Any

from lookalike.core.errors import RemoteRefused
from lookalike.remote.contract import RemoteItem
from lookalike.remote.milvus_facts import coded, prepared_facts, several_of, token
from lookalike.remote.milvus_filter import ID, PICTURE, PLACE, SEVERAL

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pymilvus import CollectionSchema

WORDS, RARITY, VECTOR, RECORD = "words", "rarity", "vector", "record"
LONGEST = 65_535
"""Bytes of a text that Milvus takes."""
_MOST_BYTES = 4
"""Of a character."""
_COMPRESSED = "z"
"""Before a record that is no JSON; JSON of ours begins with a brace."""
_ANALYZER = {"tokenizer": "standard"}


def schema_of(dim: int) -> CollectionSchema:
    """The columns of a collection whose vectors have `dim` components."""
    from pymilvus import DataType, Function, FunctionType, MilvusClient

    schema = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=True)
    text: dict[str, Any] = {"datatype": DataType.VARCHAR, "max_length": LONGEST}
    schema.add_field(ID, is_primary=True, **text)
    schema.add_field(PLACE, **text)
    schema.add_field(PICTURE, **text)
    schema.add_field(SEVERAL, **text)
    schema.add_field(WORDS, enable_analyzer=True, enable_match=True, analyzer_params=_ANALYZER, **text)
    schema.add_field(RARITY, DataType.SPARSE_FLOAT_VECTOR)
    schema.add_field(VECTOR, DataType.FLOAT_VECTOR, dim=dim)
    schema.add_field(RECORD, **text)
    schema.add_function(
        Function(name="bm25", function_type=FunctionType.BM25, input_field_names=[WORDS], output_field_names=[RARITY])
    )
    return schema


def row_of(item: RemoteItem) -> dict[str, Any]:
    """An item with its vector as Milvus takes it. Raises RemoteRefused, naming it, where too much is known of it."""
    import numpy as np

    assert item.vector is not None, "items are put with their vectors"
    facts = prepared_facts(item)
    texts = {ID: coded(item.id), PLACE: coded(item.uri), SEVERAL: several_of(facts), RECORD: _record(item)}
    for column, text in texts.items():
        if len(text) * _MOST_BYTES > LONGEST and (length := len(text.encode())) > LONGEST:
            raise RemoteRefused(
                f"{item.uri}: {length:,} bytes for its {column}, of which Milvus takes {LONGEST:,}",
                hint="leave out a long list or text that is known about it, or leave it out (--exclude)",
            )
    vector = np.asarray(item.vector, dtype=np.float32)
    return {**texts, PICTURE: (item.picture or b"").hex(), WORDS: _words(item), VECTOR: vector, **facts}


def item_of(row: Mapping[str, Any]) -> RemoteItem:
    """The item of a row: its vector too, where it was asked for."""
    import numpy as np

    record = json.loads(_text(row[RECORD]))
    metadata, of_bytes = record["metadata"], record["picture"]
    vector = row.get(VECTOR)
    return RemoteItem(
        id=record["id"],
        uri=record["uri"],
        root=_bytes(record["root"]),
        key=_bytes(record["key"]),
        size=record["size"],
        modified_ns=record["modified_ns"],
        bytes_digest=_digest(record["bytes_digest"]),
        pixels_digest=_digest(record["pixels_digest"]),
        width=record["width"],
        height=record["height"],
        format=record["format"],
        metadata=metadata,
        picture_metadata={name: metadata[name] for name in of_bytes} if isinstance(of_bytes, list) else of_bytes,
        stems=tuple(record["stems"].split()),
        names=tuple(record["names"].split()),
        vector=None if vector is None else np.asarray(vector, dtype=np.float32).astype(np.float16),
    )


def _record(item: RemoteItem) -> str:
    metadata, of_bytes = dict(item.metadata), dict(item.picture_metadata)
    is_part = all(name in metadata and metadata[name] == value for name, value in of_bytes.items())
    record = {
        "id": item.id,
        "uri": item.uri,
        "root": _readable(item.root),
        "key": _readable(item.key),
        "size": item.size,
        "modified_ns": item.modified_ns,
        "bytes_digest": item.bytes_digest and item.bytes_digest.hex(),
        "pixels_digest": item.pixels_digest and item.pixels_digest.hex(),
        "width": item.width,
        "height": item.height,
        "format": item.format,
        "metadata": metadata,
        "picture": list(of_bytes) if is_part else of_bytes,
        "stems": " ".join(item.stems),
        "names": " ".join(item.names),
    }
    text = json.dumps(record, separators=(",", ":"))
    return (
        text if len(text) <= LONGEST else _COMPRESSED + b85encode(zlib.compress(text.encode("ascii"))).decode("ascii")
    )


def _text(record: str) -> str:
    if not record.startswith(_COMPRESSED):
        return record
    return zlib.decompress(b85decode(record[len(_COMPRESSED) :])).decode("ascii")


def _words(item: RemoteItem) -> str:
    """Between blanks, so that each can be found with those around it."""
    tokens = [*(token("n", name) for name in item.names), *(token("s", stem) for stem in item.stems)]
    words = f" {' '.join(tokens)} "
    return words if len(words) <= LONGEST else words[: words.rindex(" ", 0, LONGEST) + 1]


def tokens_of(stems: Iterable[str]) -> list[str]:
    """The words by which items are found that have any of the stems, or are named by one."""
    return [each for stem in stems for each in (token("s", stem), token("n", stem))]


def _readable(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _digest(text: str | None) -> bytes | None:
    return None if text is None else bytes.fromhex(text)
