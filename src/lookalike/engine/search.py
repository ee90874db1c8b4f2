"""Answers out: query -> encode -> plan -> index -> hits. Read `search` from top to bottom.

All queries of one call are encoded together and answered from one snapshot of the store: generation, rows, index,
mask and the metadata of the hits belong together whatever an ingesting or building process does meanwhile.
"""

from __future__ import annotations

import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from lookalike.core.records import Hit, Results
from lookalike.engine.plan import QueryState, plan
from lookalike.engine.scopes import is_below
from lookalike.engine.terms import describe, query_vectors
from lookalike.index.kinds import FLAT_KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lookalike.core.arrays import HalfVectors, RowMask, Rows, Scores, Vectors
    from lookalike.core.protocols import Encoder
    from lookalike.core.records import Plan, Query
    from lookalike.engine.remembered import Base, Remembered
    from lookalike.engine.sample import RowSample
    from lookalike.index.rescored import RescoredIndex
    from lookalike.store.collection_store import ItemRecord, Snapshot, Space, Store


def search(
    store: Store,
    remembered: Remembered,
    encoder_for: Callable[[Space], Encoder],
    queries: Sequence[Query],
    *,
    all_copies: bool = False,
) -> list[Results]:
    """Answer `queries` in order. `all_copies` gives every place of a picture a hit of its own.

    `encoder_for` is asked inside the snapshot, so a migration in another process cannot come between.
    """
    started = time.perf_counter()
    with store.snapshot() as snapshot:
        encoder = encoder_for(snapshot.space)
        loaded = time.perf_counter()
        vectors = query_vectors(encoder, snapshot, queries)
        encoded = time.perf_counter()
        base = remembered.base(snapshot)
        answers: list[Results | None] = [None] * len(queries)
        for folder, effort in {(query.folder, query.effort) for query in queries}:
            asked = [each for each, query in enumerate(queries) if (query.folder, query.effort) == (folder, effort)]
            began = time.perf_counter()
            allowed = remembered.allowed(snapshot, folder)
            k = min(max(queries[position].k for position in asked), max(allowed.count, 1))
            state = _state(snapshot, base, allowed.count, k, effort)
            searched = None if base is None else base.index
            ways = planned(state, None if base is None else base.sample, vectors[asked], allowed.mask)
            rows, scores = nearest(snapshot.rows, searched, ways, vectors[asked], k=k, mask=allowed.mask)
            found_at = time.perf_counter()
            items = snapshot.items_of(sorted({row for row in rows.ravel().tolist() if row >= 0}))
            found = zip(asked, ways, rows.tolist(), scores.tolist(), strict=True)
            for position, way, its_rows, its_scores in found:
                ranked = [(items[row], score) for row, score in zip(its_rows, its_scores, strict=True) if row >= 0]
                now = time.perf_counter()
                answers[position] = Results(
                    hits=_hits(ranked, queries[position], all_copies=all_copies),
                    query=describe(queries[position]),
                    encoder=encoder.name,
                    plan=way,
                    took_ms=_milliseconds(
                        load=loaded - started,
                        encode=encoded - loaded,
                        search=found_at - began,
                        fetch=now - found_at,
                        total=now - started,
                    ),
                )
    return [answer for answer in answers if answer is not None]


def _state(snapshot: Snapshot, base: Base | None, allowed: int, k: int, effort: int | None) -> QueryState:
    known = None if base is None else base.state
    return QueryState(snapshot.count, allowed, snapshot.space.dim, k, base=known, effort=effort)


def planned(state: QueryState, sample: RowSample | None, vectors: Vectors, mask: RowMask | None) -> list[Plan]:
    """How each query, float32 (q, dim), is answered.

    Before an index is asked under a mask, a sample of its rows tells whether the mask lets pass what is near the query.
    """
    way = plan(state)
    blind = state.effort is not None or state.base is None or state.base.spec.kind in FLAT_KINDS
    if mask is None or sample is None or way.effort is None or blind:
        return [way] * len(vectors)
    near = sample.near(vectors, mask, state.k)
    return [way] * len(vectors) if near is None else [plan(replace(state, near=each)) for each in near]


def nearest(
    rows: HalfVectors,
    index: RescoredIndex | None,
    ways: Sequence[Plan],
    vectors: Vectors,
    *,
    k: int,
    mask: RowMask | None,
) -> tuple[Rows, Scores]:
    """The `k` nearest rows of each query, as planned: rows int64 and scores float32 (q, k)."""
    together: dict[Plan, list[int]] = {}
    for query, way in enumerate(ways):
        together.setdefault(way, []).append(query)
    if len(together) == 1:
        return _one_way(rows, index, ways[0], vectors, k=k, mask=mask)
    import numpy as np

    found, scores = np.empty((len(ways), k), np.int64), np.empty((len(ways), k), np.float32)
    for way, queries in together.items():
        found[queries], scores[queries] = _one_way(rows, index, way, vectors[queries], k=k, mask=mask)
    return found, scores


def _one_way(
    rows: HalfVectors, index: RescoredIndex | None, way: Plan, vectors: Vectors, *, k: int, mask: RowMask | None
) -> tuple[Rows, Scores]:
    if index is None or way.effort is None:
        from lookalike.index.exact import ExactIndex

        return ExactIndex(rows).search(vectors, k, allowed=mask)
    from lookalike.index.layered import LayeredIndex

    return LayeredIndex(index, rows).search(vectors, k, allowed=mask, effort=way.effort, fetch=way.fetch)


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
