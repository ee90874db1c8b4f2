"""What a collection holds and where it lies: the object that `status --json` prints."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from lookalike.engine.indexing import status_of

if TYPE_CHECKING:
    from lookalike.store.collection_store import Store


def status(store: Store) -> dict[str, Any]:
    """Counts and places, and how searches are served."""
    counts, space = store.counts(), store.current_space()
    return {
        "items": counts.items,
        "pictures": counts.pictures,
        "offline": counts.offline,
        "failures": counts.failures,
        "encoder": space.encoder_name if space else None,
        "dim": space.dim if space else None,
        "kept": [
            {"encoder": each.encoder_name, "dim": each.dim, "vectors": each.count}
            for each in store.spaces()
            if not each.current
        ],
        "bytes_on_disk": store.bytes_on_disk(),
        "roots": [
            {"path": os.fsdecode(root.path), "offline": root.offline, "file": root.is_file} for root in store.roots()
        ],
        "collection": str(store.path),
        "read_only": store.read_only,
        "dead_rows": counts.dead_rows,
        "index": status_of(store),
    }
