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
    from collections.abc import Callable, Iterable, Sequence

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
        for asked in _alike(queries):
            began = time.perf_counter()
            first = queries[asked[0]]
            its_vectors = vectors if len(asked) == len(queries) else vectors[asked]
            allowed = remembered.allowed(snapshot, first.folder)
            k = min(max(queries[position].k for position in asked), max(allowed.count, 1))
            state = _state(snapshot, base, allowed.count, k, first.effort)
            ways = planned(state, None if base is None else base.sample, its_vectors, allowed.mask)
            searched = None if base is None else base.index
            rows, scores = nearest(snapshot.rows, searched, ways, its_vectors, k=k, mask=allowed.mask)
            found_at = time.perf_counter()
            found, their_scores = rows.tolist(), scores.tolist()
            items = snapshot.items_of([row for its_rows in found for row in its_rows if row >= 0])
            for position, way, its_rows, its_scores in zip(asked, ways, found, their_scores, strict=True):
                ranked = [(items[row], score) for row, score in zip(its_rows, its_scores, strict=True) if row >= 0]
                hits = _hits(ranked, queries[position], all_copies=all_copies)
                now = time.perf_counter()
                took_ms = {
                    "load": _milliseconds(loaded - started),
                    "encode": _milliseconds(encoded - loaded),
                    "search": _milliseconds(found_at - began),
                    "fetch": _milliseconds(now - found_at),
                    "total": _milliseconds(now - started),
                }
                answers[position] = Results(hits, describe(queries[position]), encoder.name, way, took_ms)
    return [answer for answer in answers if answer is not None]


def _alike(queries: Sequence[Query]) -> Iterable[list[int]]:
    """Positions of queries that are planned together: of one folder and effort."""
    together: dict[tuple[bytes | None, int | None], list[int]] = {}
    for position, query in enumerate(queries):
        together.setdefault((query.folder, query.effort), []).append(position)
    return together.values()


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
    below = query.folder
    for items, score in ranked:
        asked = items if below is None else [item for item in items if is_below(os.fsencode(item.uri), below)]
        for item in asked if all_copies else asked[:1]:
            if len(hits) == query.k:
                return tuple(hits)
            others = [] if all_copies or len(items) == 1 else [other.uri for other in items if other is not item]
            hits.append(_hit(len(hits) + 1, item, score, others))
    return tuple(hits)


def _hit(rank: int, item: ItemRecord, score: float, copies: list[str]) -> Hit:
    metadata = dict(item.metadata)
    if item.offline:
        metadata["offline"] = True
    if copies:
        metadata["copies"] = copies
    return Hit(rank, max(-1.0, min(1.0, score)), None, item.id, item.uri, item.width, item.height, metadata)


def _milliseconds(seconds: float) -> float:
    return round(1000 * seconds, 3)
