"""Fingerprints and sketches for pictures that lack them: in a collection of an earlier format, from imported vectors.

A picture is read where one of its items is and still shows it. What cannot be read now is left for another time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lookalike.core.records import Skipped
from lookalike.engine.fill import decode_items, shows_still
from lookalike.engine.sources import sources_of

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator, Mapping

    from lookalike.core.protocols import Source
    from lookalike.core.records import Fingerprint
    from lookalike.images.decoding_pool import DecodingPool
    from lookalike.store.collection_store import ItemRecord, Store

_PAGE = 256
"""Pictures read together, and kept in one commit."""
_SIDE = 128
"""Pixels to which a picture may be reduced while it is decoded, about as encoders ask for it."""


def fill_fingerprints(store: Store, pool: DecodingPool, stop: threading.Event | None) -> Iterator[int]:
    """Read every picture that lacks one of them; yields how many were looked at, after each commit.

    `stop` ends it soon. Raises CollectionReadOnly, OutOfSpace.
    """
    sources = sources_of(store)
    after, done = 0, 0
    while not (stop is not None and stop.is_set()):
        page = store.likenesses.pictures_without_sketch(after, _PAGE)
        if not page:
            return
        after = page[-1][0]
        found = dict(_read(store, page, sources, pool))
        if found:
            store.likenesses.put_fingerprints(found.items())
        done += len(page)
        yield done


def _read(
    store: Store, page: list[tuple[int, list[ItemRecord]]], sources: Mapping[int, Source], pool: DecodingPool
) -> Iterator[tuple[int, Fingerprint]]:
    """The fingerprints of those that can be read, each from its first place that still shows it."""
    waiting = {picture: [item for item in items if not item.offline] for picture, items in page}
    while waiting := {picture: items for picture, items in waiting.items() if items}:
        firsts = [items.pop(0) for items in waiting.values()]
        with store.snapshot() as snapshot:
            digests = snapshot.digests_of(item.id for item in firsts)
        for item, read in decode_items(firsts, sources, _SIDE, pool):
            if isinstance(read, Skipped) or read.fingerprint is None or item.id not in digests:
                continue
            if shows_still(item, read, digests[item.id], sources):
                del waiting[item.picture]
                yield item.picture, read.fingerprint
