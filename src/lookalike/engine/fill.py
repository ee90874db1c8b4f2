"""Filling a space: vectors for pictures the collection knows but this encoder has not seen.

A migration is one such filling, resumable because what is filled stays. A run of `index` fills what a
migration had to leave out, because a disk was unplugged then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lookalike.core.errors import LookalikeError
from lookalike.core.records import DecodeLimits, Picture, Skipped
from lookalike.engine.pace import NO_VECTOR, Pace
from lookalike.engine.sources import asset_of, sources_of

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator, Mapping

    from lookalike.core.protocols import Encoder, Source
    from lookalike.images.decoding_pool import DecodingPool
    from lookalike.store.collection_store import ItemRecord, Space, Store, Writer

PAGE = 64
"""Pictures asked for and read together."""


def fill(
    store: Store,
    writer: Writer,
    encoder: Encoder,
    space: Space,
    pool: DecodingPool,
    *,
    stop: threading.Event | None,
) -> Iterator[int | Skipped]:
    """Encode every picture without a row in `space`. Yields how many were encoded after each commit, and what was not.

    A file that no longer holds the picture it held is left to the next run of `index`. Ends soon once `stop` is set.
    """
    pace = Pace()
    sources = sources_of(store)
    after = 0
    while not _is_set(stop) and (page := writer.missing_rows(space, after, PAGE)):
        after = page[-1][0]
        ready: list[tuple[int, Picture]] = []
        uris = {number: items[0].uri for number, items in page}
        for number, outcome in _decoded(page, sources, encoder.image_side, pool, writer):
            if isinstance(outcome, Skipped):
                yield outcome
            else:
                ready.append((number, outcome))
        while ready and not _is_set(stop):
            some, ready = ready[: pace.size], ready[pace.size :]
            vectors = pace.encode(encoder, [picture for _, picture in some])
            found = [(number, vector) for (number, _), vector in zip(some, vectors, strict=True) if vector is not None]
            writer.put_vectors(space, [number for number, _ in found], [vector for _, vector in found])
            yield len(found)
            for number in {number for number, _ in some} - {number for number, _ in found}:
                yield Skipped(uris[number], f"{encoder.name} makes no vector of this picture", NO_VECTOR)


def decode_items(
    items: list[ItemRecord], sources: Mapping[int, Source], side: int, pool: DecodingPool
) -> Iterator[tuple[ItemRecord, Picture | Skipped]]:
    """Read items again from where they are; in no particular order."""
    assets = [asset_of(item) for item in items]
    item_of = {id(asset): item for asset, item in zip(assets, items, strict=True)}  # two may have one address
    jobs = ((sources[item.root], asset) for asset, item in zip(assets, items, strict=True))
    for _, asset, outcome in pool.decode_many(jobs, side=side, limits=DecodeLimits()):
        yield item_of[id(asset)], outcome


def _decoded(
    page: list[tuple[int, list[ItemRecord]]],
    sources: Mapping[int, Source],
    side: int,
    pool: DecodingPool,
    writer: Writer,
) -> Iterator[tuple[int, Picture | Skipped]]:
    """One outcome a picture: from its first place that still shows it, else why its last place does not."""
    waiting = {number: list(items) for number, items in page}
    while waiting:
        again: dict[int, list[ItemRecord]] = {}
        for item, read in decode_items([items[0] for items in waiting.values()], sources, side, pool):
            outcome = read
            if isinstance(read, Picture) and not _is_still(writer, sources, item, read):
                outcome = Skipped(item.uri, "the file changed since it was indexed", "changed")
            rest = waiting[item.picture][1:]
            if isinstance(outcome, Skipped) and rest:
                again[item.picture] = rest
            else:
                yield item.picture, outcome
        waiting = again


def is_as_indexed(item: ItemRecord, sources: Mapping[int, Source]) -> bool:
    """Whether the file of an item has the size and the time that it had."""
    try:
        return sources[item.root].stamp(asset_of(item)) == (item.size, item.modified_ns)
    except (OSError, LookalikeError):  # what a source needs may be away: a network, an extra
        return False


def shows_still(
    item: ItemRecord, read: Picture, known: tuple[bytes, bytes | None], sources: Mapping[int, Source]
) -> bool:
    """Whether what was read is the item's picture; of an imported one, size and time are all there is to compare.

    `known`: the digests of the item's bytes and pixels.
    """
    of_bytes, of_pixels = known
    if of_pixels is None and of_bytes != read.bytes_digest:
        return is_as_indexed(item, sources)
    return of_bytes == read.bytes_digest or of_pixels == read.pixels_digest


def _is_still(writer: Writer, sources: Mapping[int, Source], item: ItemRecord, picture: Picture) -> bool:
    """Whether what was read is the item's picture; of an imported one, size and time are all there is to compare."""
    if item.picture in _holders(writer, picture):
        return True
    return item.picture in writer.without_pixels([item.picture]) and is_as_indexed(item, sources)


def _holders(writer: Writer, picture: Picture) -> set[int]:
    """Numbers of the pictures these pixels or bytes are known as."""
    by_bytes = writer.pictures_by_bytes([picture.bytes_digest]).values()
    return {*by_bytes, *writer.pictures_by_pixels([picture.pixels_digest]).values()}


def _is_set(stop: threading.Event | None) -> bool:
    return stop is not None and stop.is_set()
