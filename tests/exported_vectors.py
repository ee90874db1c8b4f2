"""Vectors as other programs leave them, and collections of given vectors, for tests of exports and imports."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import lookalike
from lookalike.store.collection_store import Found, Store

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

DIM = 8
ENCODER = ("given-0123456789ab", "given", DIM)


def vectors(count: int, dim: int = DIM, seed: int = 0, dtype: str = "float32") -> np.ndarray:
    """Vectors that are no unit vectors."""
    return (3 * np.random.default_rng(seed).standard_normal((count, dim))).astype(dtype)


def units(rows: np.ndarray) -> np.ndarray:
    wide = rows.astype(np.float64)
    return wide / np.linalg.norm(wide, axis=1, keepdims=True)


def clip_retrieval(folder: Path, shards: Sequence[tuple[np.ndarray, Mapping[str, Sequence[Any]] | None]]) -> Path:
    """A folder as `clip-retrieval inference` writes it, from arrays and the columns that describe them."""
    digits = len(str(len(shards)))
    (folder / "img_emb").mkdir(parents=True)
    for number, (array, columns) in enumerate(shards):
        name = str(number).zfill(digits)
        np.save(folder / "img_emb" / f"img_emb_{name}.npy", array)
        if columns is not None:
            (folder / "metadata").mkdir(exist_ok=True)
            pq.write_table(pa.table(dict(columns)), folder / "metadata" / f"metadata_{name}.parquet")
    return folder


def collection_of(path: Path, items: Mapping[str, Mapping[str, Any]], root: bytes) -> lookalike.Collection:
    """A collection whose items, by key, are described by "content" (what is seen), "metadata" and more of Found."""
    with Store.open(path) as store, store.writer() as writer:
        where = writer.add_root(root, is_file=False)
        space = writer.create_space(*ENCODER)
        writer.put(space, [_found(where.number, root, key, dict(said)) for key, said in items.items()])
        writer.finish([(where.number, b"")])
    return lookalike.open(path)


def _found(root: int, path: bytes, key: str, said: dict[str, Any]) -> Found:
    content = str(said.pop("content", key))
    digest = hashlib.blake2b(os.fsencode(content), digest_size=16).digest()
    raw = os.fsencode(key)
    values: dict[str, Any] = {
        "root": root,
        "key": raw,
        "uri": os.fsdecode(path + b"/" + raw),
        "size": 1000,
        "modified_ns": 1_700_000_000_123_456_789,
        "bytes_digest": digest,
        "pixels_digest": digest[::-1],
        "width": 40,
        "height": 30,
        "format": "PNG",
        "vector": vectors(1, seed=int.from_bytes(digest[:4], "little"))[0],
    }
    return Found(**(values | said))


def last(events: Any) -> Any:
    *_, report = events
    return report


def everything(collection: lookalike.Collection, query: np.ndarray | None = None) -> dict[str, Any]:
    """Every place a search can show, all that is said about it, and its score."""
    asked = np.ones(DIM, np.float32) if query is None else query
    hits = collection.search(asked, k=10_000, all_copies=True)
    return {hit.uri: _told(hit.as_dict()) for hit in hits}


def _told(hit: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in hit.items() if name not in {"rank", "uri"}}
