"""Items on their way between a store on this computer and an engine elsewhere, with nothing lost."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING

from lookalike.engine.catalogues import TEXTS_SETTING
from lookalike.engine.remote_moment import own_metadata, stems_and_names
from lookalike.remote.contract import RemoteItem
from lookalike.store.collection_store import Found

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lookalike.store.collection_store import Root, Snapshot

_DIGEST_BYTES = 16


def items_of_rows(snapshot: Snapshot, roots: Mapping[int, Root], rows: Sequence[int]) -> Iterator[RemoteItem]:
    """The items of some rows of a store, with their vectors."""
    import numpy as np

    places = snapshot.items_of(rows)
    ids = [item.id for items in places.values() for item in items]
    digests, by_bytes = snapshot.digests_of(ids), snapshot.metadata_of_bytes(ids)
    fields = tuple(snapshot.setting(TEXTS_SETTING, ()))
    for row, items in places.items():
        for item in items:
            made = RemoteItem(
                id=item.id,
                uri=item.uri,
                root=roots[item.root].path,
                key=item.key,
                size=item.size,
                modified_ns=item.modified_ns,
                bytes_digest=digests[item.id][0],
                pixels_digest=digests[item.id][1],
                width=item.width,
                height=item.height,
                format=item.format,
                metadata=item.metadata,
                picture_metadata=by_bytes[item.id],
                vector=np.asarray(snapshot.rows[row], np.float16),
            )
            yield with_words(made, fields)


def found_of(item: RemoteItem, root: int) -> Found:
    """An item as a store takes it, below its root number `root`."""
    return Found(
        root=root,
        key=item.key,
        uri=item.uri,
        size=item.size,
        modified_ns=item.modified_ns,
        bytes_digest=item.bytes_digest or _digest(item.id.encode("utf-8", "surrogatepass")),
        pixels_digest=item.pixels_digest,
        width=item.width,
        height=item.height,
        format=item.format,
        metadata=own_metadata(item),
        vector=item.vector,
        picture_metadata=item.picture_metadata,
        id=item.id,
    )


def digest_of(item: RemoteItem) -> bytes:
    """Equal for items that are equal in all, their vectors to the last bit."""
    import numpy as np

    parts = (
        item.id,
        item.uri,
        item.root.hex(),
        item.key.hex(),
        item.size,
        item.modified_ns,
        (item.bytes_digest or b"").hex(),
        (item.pixels_digest or b"").hex(),
        item.width,
        item.height,
        item.format,
        dict(item.metadata),
        dict(item.picture_metadata),
        b"" if item.vector is None else np.asarray(item.vector, np.float16).tobytes().hex(),
    )
    return _digest(json.dumps(parts, sort_keys=True, default=str).encode())


def with_words(item: RemoteItem, fields: tuple[str, ...]) -> RemoteItem:
    """An item with what its words are found by. `fields`: columns of catalogues whose words are found."""
    stems, names = stems_and_names(item, fields)
    return replace(item, stems=stems, names=names)


def _digest(raw: bytes) -> bytes:
    return hashlib.blake2b(raw, digest_size=_DIGEST_BYTES).digest()
