"""Answers out: query -> encode -> plan -> index -> hits. Read `search` from top to bottom.

All queries of one call are encoded together and answered from one snapshot of the store: generation,
rows, mask and the metadata of the hits belong together whatever an ingesting process does meanwhile.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from lookalike.core.records import Hit, Results
from lookalike.engine.plan import plan
from lookalike.engine.scopes import is_below
from lookalike.engine.terms import describe, query_vectors

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lookalike.core.arrays import RowMask
    from lookalike.core.protocols import Encoder
    from lookalike.core.records import Query
    from lookalike.store.collection_store import ItemRecord, Snapshot, Space, Store


def search(
    store: Store, encoder_for: Callable[[Space], Encoder], queries: Sequence[Query], *, all_copies: bool = False
) -> list[Results]:
    """Answer `queries` in order. `all_copies` gives every place of a picture a hit of its own.

    `encoder_for` is asked inside the snapshot, so a migration in another process cannot come between.
    """
    from lookalike.index.exact import ExactIndex

    started = time.perf_counter()
    with store.snapshot() as snapshot:
        encoder = encoder_for(snapshot.space)
        loaded = time.perf_counter()
        vectors = query_vectors(encoder, snapshot, queries)
        encoded = time.perf_counter()
        index = ExactIndex(snapshot.rows)
        answers: list[Results | None] = [None] * len(queries)
        for folder in {query.folder for query in queries}:
            asked = [position for position, query in enumerate(queries) if query.folder == folder]
            mask = allowed_rows(snapshot, folder)
            allowed = snapshot.count if mask is None else int(mask.sum())
            began = time.perf_counter()
            k = min(max(queries[position].k for position in asked), max(allowed, 1))
            rows, scores = index.search(vectors[asked], k, allowed=mask)
            found_at = time.perf_counter()
            items = snapshot.items_of(sorted({row for row in rows.ravel().tolist() if row >= 0}))
            for position, its_rows, its_scores in zip(asked, rows.tolist(), scores.tolist(), strict=True):
                ranked = [(items[row], score) for row, score in zip(its_rows, its_scores, strict=True) if row >= 0]
                now = time.perf_counter()
                answers[position] = Results(
                    hits=_hits(ranked, queries[position], all_copies=all_copies),
                    query=describe(queries[position]),
                    encoder=encoder.name,
                    plan=plan(snapshot.count, allowed),
                    took_ms=_milliseconds(
                        load=loaded - started,
                        encode=encoded - loaded,
                        search=found_at - began,
                        fetch=now - found_at,
                        total=now - started,
                    ),
                )
    return [answer for answer in answers if answer is not None]


def allowed_rows(snapshot: Snapshot, folder: bytes | None) -> RowMask | None:
    """Rows that may be answered: those with an item, and below `folder` when one is given; None means all."""
    live = snapshot.live_mask()
    if folder is None:
        return live
    below = snapshot.mask_below(folder)
    return below if live is None else below & live


def _hits(ranked: list[tuple[list[ItemRecord], float]], query: Query, *, all_copies: bool) -> tuple[Hit, ...]:
    """One hit a picture, or one a place with `all_copies`; never more than `query.k`."""
    hits: list[Hit] = []
    for items, score in ranked:
        below = query.folder
        asked = items if below is None else [item for item in items if is_below(os.fsencode(item.uri), below)]
        shown = asked if all_copies else asked[:1]
        for item in shown[: query.k - len(hits)]:
            others = [] if all_copies else [other.uri for other in items if other is not item]
            hits.append(_hit(len(hits) + 1, item, score, others))
    return tuple(hits)


def _hit(rank: int, item: ItemRecord, score: float, copies: list[str]) -> Hit:
    metadata = dict(item.metadata)
    if item.offline:
        metadata["offline"] = True
    if copies:
        metadata["copies"] = copies
    return Hit(
        rank=rank,
        score=max(-1.0, min(1.0, score)),
        relevance=None,
        id=item.id,
        uri=item.uri,
        width=item.width,
        height=item.height,
        metadata=metadata,
    )


def _milliseconds(**seconds: float) -> dict[str, float]:
    return {stage: round(1000 * value, 3) for stage, value in seconds.items()}
