"""Proof that a collection is whole: every checksum re-read, and a sample of vectors made again from their files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lookalike.core.cores import usable_cores
from lookalike.core.errors import EncoderUnavailable
from lookalike.core.records import Picture
from lookalike.engine.fill import decode_items, is_as_indexed
from lookalike.engine.indexing import check_indexes
from lookalike.engine.reports import VerifyReport
from lookalike.engine.sources import sources_of
from lookalike.engine.spool import batches

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lookalike.core.protocols import Encoder, Source
    from lookalike.images.decoding_pool import DecodingPool
    from lookalike.store.collection_store import ItemRecord, Snapshot, Space, Store

HALF_STEP = 2.0**-11
"""Largest rounding error of a component below 1 when it is stored as float16."""
SAMPLE_BATCH = 32


def verify(store: Store, encoder_for: Callable[[Space], Encoder], sample: int, seed: int) -> VerifyReport:
    """Check all files of the collection, then re-encode `sample` pictures drawn with `seed`.

    A picture is read where it lies as it was indexed; one that does so nowhere counts as unreadable and is left to
    `index`.
    """
    from lookalike.images.decoding_pool import DecodingPool

    problems = [*store.verify(), *check_indexes(store)]
    if store.current_space() is None:
        return VerifyReport(tuple(problems), rows=0, sampled=0, unreadable=0)
    with store.snapshot() as snapshot:
        sampled = snapshot.row_picture_sample(sample, seed)
        sources = sources_of(store)
        places = ((row, next((item for item in items if is_as_indexed(item, sources)), None)) for row, items in sampled)
        drawn = [(row, item) for row, item in places if item is not None]
        checked = 0
        encoder = None
        try:
            encoder = encoder_for(snapshot.space) if drawn else None
        except EncoderUnavailable as error:
            problems.append(f"no vector could be compared with its picture: {error}")
        if encoder is not None and "image" in encoder.modalities:  # who made imported vectors may be unknown
            with DecodingPool(usable_cores()) as pool:
                checks = [_check(encoder, snapshot, batch, sources, pool) for batch in batches(drawn, SAMPLE_BATCH)]
            problems += [problem for found, _ in checks for problem in found]
            checked = sum(count for _, count in checks)
        return VerifyReport(tuple(problems), rows=snapshot.count, sampled=checked, unreadable=len(sampled) - checked)


def _check(
    encoder: Encoder,
    snapshot: Snapshot,
    drawn: list[tuple[int, ItemRecord]],
    sources: Mapping[int, Source],
    pool: DecodingPool,
) -> tuple[list[str], int]:
    """Sentences about vectors that are not their picture's, and how many could be checked."""
    import numpy as np

    row_of = {item.id: row for row, item in drawn}
    decoded = decode_items([item for _, item in drawn], sources, encoder.image_side, pool)
    readable = [(item, picture) for item, picture in decoded if isinstance(picture, Picture)]
    fresh = encoder.encode_images([picture.pixels for _, picture in readable])
    problems = []
    for (item, _), vector in zip(readable, fresh, strict=True):
        row = row_of[item.id]
        apart = float(np.abs(np.asarray(snapshot.rows[row], dtype=np.float32) - vector).max())
        if apart > encoder.tolerance + HALF_STEP:
            problems.append(f"the vector of row {row} is not that of {item.uri}: a component differs by {apart:.4f}")
    return problems, len(readable)
