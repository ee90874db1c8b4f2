"""Filters on every kind of index: recall, full answers and latency, random and correlated with the query.

"random": a share of all rows, one mask for all queries. "near": the share nearest to the query, as when one asks for
dogs among dogs. "far": a random share of the half that is farthest from it, as when one asks for dogs among cars: the
hard one, for an index looks where the answers are not. What is measured is what the engine does: the planner decides,
the index or an exact search answers. The masks are at hand, frozen, as the engine keeps them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from index_files import built, calibrated, opened, planned_search, state_of
from index_report import Report, milliseconds, percentiles
from index_truth import K, Truth, cosines, recall, unit
from index_world import World, world

from lookalike.engine.sample import RowSample

if TYPE_CHECKING:
    from argparse import Namespace

SHARES = (0.5, 0.1, 0.01, 0.001, 0.0001)
LARGEST_COUNT_OF_ALL_KINDS = 100_000
P95_FACTOR, P95_MS = 2.0, 5.0
_SPARE = 16
_BLOCK = 1 << 16


def measure(asked: Namespace) -> Report:
    from lookalike.index.kinds import KINDS

    report = Report("filters: what the engine finds and how long it takes, masks at hand")
    for dim in asked.dims:
        for count in asked.counts:
            here = world(asked.work, dim, count)
            queries = here.all_queries()[: asked.queries]
            near = _all_cosines(here.rows, queries)
            kinds = asked.kinds or (KINDS if count <= LARGEST_COUNT_OF_ALL_KINDS else ("chosen",))
            for kind in kinds:
                _one_kind(report, asked, here, kind, queries=queries, near=near)
    return report


def _one_kind(report: Report, asked: Namespace, here: World, kind: str, *, queries: Any, near: Any) -> None:
    dim, count = here.dim, here.count
    made = built(asked.work, kind, dim, count)
    if made["path"] is None:
        report.notes.append(f"{count:,} x {dim}: exact search is chosen")
        return
    tuned = calibrated(asked.work, made, dim, count)
    index, state = opened(here, made, tuned["point"]), state_of(made, tuned, count)
    sample = RowSample(here.rows)

    def searcher(mask: Any) -> Any:
        return lambda query: planned_search(index, here.rows, state, query, mask, sample=sample)[0]

    milliseconds(searcher(None), queries)  # reads the pages that a warm process has at hand
    free = percentiles(np.stack([milliseconds(searcher(None), queries) for _ in range(asked.rounds)]))["p95_ms"]
    for share in SHARES:
        for how in ("random", "near", "far"):
            masks = _masks(how, share, near, len(queries))
            times, recalls, full, ways = [], [], True, set()
            for position, query in enumerate(queries):
                mask = masks[position]
                found, way = planned_search(index, here.rows, state, query, mask, sample=sample)
                truth = _truth(here.rows, query, near[position], mask)
                recalls.append(recall(here.rows, query[None], found, truth)[0])
                full &= bool((found >= 0).sum() == min(K, np.count_nonzero(mask)) and mask[found[found >= 0]].all())
                times.append([milliseconds(searcher(mask), [query])[0] for _ in range(asked.rounds)])
                ways.add(way)
            told = percentiles(np.array(times).T)
            limit = max(P95_FACTOR * free, P95_MS)
            report.add(
                dim=dim,
                count=count,
                kind=made["kind"],
                share=share,
                how=how,
                strategy=" / ".join(sorted(ways)),
                recall=round(float(np.mean(recalls)), 4),
                full=full,
                unfiltered_p95_ms=free,
                **told,
            )
            name = f"{count:,} x {dim} {made['kind']}, {100 * share:g} % {how}"
            report.goals[f"{name}: recall >= 0.95, all answers"] = float(np.mean(recalls)) >= 0.95 and full
            if kind == "chosen":
                report.goals[f"{name}: p95 <= {limit:.1f} ms"] = told["p95_ms"] <= limit


def _masks(how: str, share: float, near: Any, queries: int) -> Any:
    """bool (count,) for each query, frozen."""
    count = near.shape[1]
    chance, wanted = np.random.default_rng([7, int(1 / share)]), max(int(share * count), 1)
    if how == "random":
        return [_frozen(chance.choice(count, wanted, replace=False), count)] * queries
    masks = []
    for scores in near:
        if how == "near":
            chosen = np.argpartition(-scores, wanted - 1)[:wanted]
        else:
            chosen = chance.choice(np.argpartition(scores, count // 2)[: count // 2], wanted, replace=False)
        masks.append(_frozen(chosen, count))
    return masks


def _frozen(chosen: Any, count: int) -> Any:
    mask = np.zeros(count, dtype=np.bool_)
    mask[chosen] = True
    mask.flags.writeable = False
    return mask


def _all_cosines(rows: Any, queries: Any) -> Any:
    """float32 (q, count)."""
    return np.hstack([queries @ unit(rows[start : start + _BLOCK]).T for start in range(0, len(rows), _BLOCK)])


def _truth(rows: Any, query: Any, scores: Any, mask: Any) -> Truth:
    """The right answers of one query under a mask."""
    allowed = np.flatnonzero(mask)
    wanted = min(K + _SPARE, len(allowed))
    best = allowed[np.argpartition(-scores[allowed], wanted - 1)[:wanted]][None]
    precise = cosines(rows, query[None], best)
    order = np.argsort(-precise, axis=1)[:, :K]
    found, right = np.take_along_axis(best, order, axis=1), np.take_along_axis(precise, order, axis=1)
    lack = ((0, 0), (0, K - found.shape[1]))
    return Truth(np.pad(found, lack, constant_values=-1), np.pad(right, lack, constant_values=-np.inf))
