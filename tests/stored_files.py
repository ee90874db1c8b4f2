"""Files as the store takes them, and where a collection keeps things: shared by the tests of the store."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Any

import numpy as np

from lookalike.core.arrays import unit_vectors
from lookalike.store.collection_store import Failure, Found, Store
from lookalike.store.places import native_path

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lookalike.store.collection_store import ItemRecord, Root, Space

DIM = 16
ENCODER = ("toy-0123456789ab", "toy", DIM)


def digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def vector_of(content: str) -> np.ndarray:
    """The unit vector that belongs to a content, and to no other."""
    seed = int.from_bytes(digest(content)[:8], "little")
    vector = np.random.default_rng(seed).standard_normal(DIM).astype(np.float32)
    return vector / np.linalg.norm(vector)


def row_of(content: str) -> np.ndarray:
    """`vector_of` as it is stored: to the last bit, for rounding may go either way after another division."""
    return unit_vectors(vector_of(content))[0].astype(np.float16)


def found(root: Root, key: bytes, content: str, *, rating: str = "", encoded: bool = True, **changes: Any) -> Found:
    """A file at `key` that shows `content`; `rating` changes its bytes and not its pixels."""
    values: dict[str, Any] = {
        "root": root.number,
        "key": key,
        "uri": os.fsdecode(native_path(root.path, key, is_file=root.is_file)),
        "size": 1000 + len(rating),
        "modified_ns": 1_700_000_000_000_000_000,
        "bytes_digest": digest(content + rating),
        "pixels_digest": digest("pixels " + content),
        "width": 40,
        "height": 30,
        "format": "PNG",
        "vector": vector_of(content) if encoded else None,
    }
    return Found(**(values | changes))


def recognised(root: Root, key: bytes, content: str, *, rating: str = "") -> Found:
    """A file known by its bytes alone, never decoded."""
    return found(
        root, key, content, rating=rating, encoded=False, pixels_digest=None, width=None, height=None, format=""
    )


def failure(root: Root, key: bytes, reason: str = "cut short", **changes: Any) -> Failure:
    values: dict[str, Any] = {
        "root": root.number,
        "key": key,
        "uri": os.fsdecode(native_path(root.path, key, is_file=root.is_file)),
        "code": "truncated",
        "reason": reason,
        "size": 10,
        "modified_ns": 5,
    }
    return Failure(**(values | changes))


def filled(store: Store, contents: dict[bytes, str], path: bytes) -> tuple[Root, Space]:
    """Put files into a new root at `path` in one run."""
    with store.writer() as writer:
        root = writer.add_root(path, is_file=False)
        space = writer.create_space(*ENCODER)
        writer.put(space, [found(root, key, content) for key, content in contents.items()])
        writer.finish([(root.number, b"")])
    return root, space


def all_items(store: Store) -> dict[bytes, ItemRecord]:
    """Every item that a search can show, by key; each one's vector is checked by the caller's contents."""
    with store.snapshot() as snapshot:
        items = snapshot.items_of(range(snapshot.count))
        return {item.key: item for its in items.values() for item in its}


def stored_vectors(store: Store) -> dict[bytes, np.ndarray]:
    """The vector of every item, by key, as it is stored."""
    with store.snapshot() as snapshot:
        items = snapshot.items_of(range(snapshot.count))
        return {item.key: np.array(snapshot.rows[row]) for row, its in items.items() for item in its}


def assert_vectors(store: Store, contents: dict[bytes, str]) -> None:
    """The collection shows exactly `contents`, every vector is its content's own, and nothing is wrong inside."""
    assert list(store.verify()) == []
    stored = stored_vectors(store)
    assert set(stored) == set(contents)
    for key, content in contents.items():
        np.testing.assert_array_equal(stored[key], row_of(content))


def rows_path(collection: Path, epoch: int) -> Path:
    """The one rows file of that epoch."""
    (file,) = collection.glob(f"spaces/*/rows-{epoch}.f16")
    return file


def keys(number: int) -> Sequence[bytes]:
    return [b"%04d.png" % each for each in range(number)]
