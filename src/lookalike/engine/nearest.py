"""The rows nearest to query vectors, as planned: exactly over the rows allowed, or by the index under their mask."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lookalike.engine.plan import QueryState, plan
from lookalike.index.kinds import FLAT_KINDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lookalike.core.arrays import HalfVectors, RowMask, Rows, Scores, Vectors
    from lookalike.core.records import Plan
    from lookalike.engine.remembered import Allowed, Base
    from lookalike.engine.sample import RowSample
    from lookalike.index.rescored import RescoredIndex
    from lookalike.store.collection_store import Snapshot


def near(
    snapshot: Snapshot, base: Base | None, allowed: Allowed, vectors: Vectors, *, k: int, effort: int | None
) -> tuple[Rows, Scores, list[Plan]]:
    """The `k` allowed rows nearest to each vector, float32 (q, dim), with their cosines, and how they were found.

    `effort` None takes the index's own.
    """
    known = None if base is None else base.state
    state = QueryState(snapshot.count, allowed.count, snapshot.space.dim, k, base=known, effort=effort)
    ways = planned(state, None if base is None else base.sample, vectors, allowed.mask)
    rows, scores = nearest(snapshot.rows, None if base is None else base.index, ways, vectors, k=k, mask=allowed.mask)
    return rows, scores, ways


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
