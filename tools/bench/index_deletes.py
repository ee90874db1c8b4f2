"""Removing and adding: 30 % of the rows of an index are removed and as many new ones come; nothing is rebuilt.

On every kind: the base index stays as it was, the removed rows are masked and the new ones are compared exactly. Then
the whole collection, through its own doors: folders are removed, new pictures put, before and after its next build.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
from index_collection import GivenEncoder, folder_of, found, made_collection, rows_of
from index_files import built, calibrated, opened, planned_search, state_of
from index_report import Report, milliseconds, percentiles
from index_truth import K, exact_answers, recall
from index_world import World, world

from lookalike.engine.sample import RowSample

if TYPE_CHECKING:
    from argparse import Namespace

SHARE = 0.3
_REMOVED = (0, 2, 4)
"""Last digits of the row numbers in the three folders, a tenth of all each, that are removed."""
_BATCH = 10_000


def measure(asked: Namespace) -> Report:
    from lookalike.index.kinds import KINDS

    report = Report("30 % removed, 30 % added, nothing rebuilt")
    for dim in asked.dims:
        for count in asked.counts:
            for kind in asked.kinds or KINDS:
                _one_kind(report, asked, kind, dim, count)
            _collection(report, asked, dim, count)
    return report


def _one_kind(report: Report, asked: Namespace, kind: str, dim: int, count: int) -> None:
    whole = world(asked.work, dim, count + int(SHARE * count))
    made = built(asked.work, kind, dim, count)
    tuned = calibrated(asked.work, made, dim, count)
    here = world(asked.work, dim, count)
    index, sample = opened(here, made, tuned["point"]), RowSample(here.rows)
    allowed = np.ones(whole.count, dtype=np.bool_)
    allowed[np.random.default_rng(3).choice(count, int(SHARE * count), replace=False)] = False
    allowed.flags.writeable = False
    state = state_of(made, tuned, count)

    def search(query: Any) -> Any:
        return planned_search(index, whole.rows, state, query, allowed, sample=sample)[0]

    queries = whole.all_queries()[: asked.queries]
    _told(report, whole, made["kind"], queries=queries, allowed=allowed, search=search)


def _collection(report: Report, asked: Namespace, dim: int, count: int) -> None:
    """Through `Collection.remove` and the store's writer."""
    import lookalike
    from lookalike.store.collection_store import Store

    whole = world(asked.work, dim, count + int(SHARE * count))
    with made_collection(world(asked.work, dim, count), asked.kinds) as unchanged:
        original = unchanged.path
    place = original.with_name("deletes.lookalike")
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(original, place)
    allowed = np.ones(whole.count, dtype=np.bool_)
    allowed[:count] = ~np.isin(np.arange(count) % 10, _REMOVED)
    with lookalike.open(place, encoder=GivenEncoder(asked.work, dim)) as photos:
        for digit in _REMOVED:
            photos.remove(f"/photos/{folder_of(digit, 2)}")
        with Store.open(place) as store, store.writer() as writer:
            root, space = writer.add_root(b"/photos", is_file=False), store.current_space()
            assert space is not None
            for start in range(count, whole.count, _BATCH):
                writer.put(space, [*found(whole.rows[start : start + _BATCH], root.number, start)])
        queries = whole.all_queries()[: asked.queries]
        for when in ("collection, not rebuilt", "collection, rebuilt"):

            def search(query: Any) -> Any:
                return rows_of([photos.search(query, K)], K)

            _told(report, whole, when, queries=queries, allowed=allowed, search=search)
            for _ in photos.build_index():
                pass
    shutil.rmtree(place)


def _told(report: Report, whole: World, name: str, *, queries: Any, allowed: Any, search: Any) -> None:
    """`search` gives the rows (1, k) of a query; `allowed` is what it may answer."""
    answers = np.concatenate([search(query) for query in queries])
    truth = exact_answers(whole.rows, queries, K, allowed)
    removed = int((~allowed[answers[answers >= 0]]).sum())
    mean = float(recall(whole.rows, queries, answers, truth).mean())
    told = percentiles(milliseconds(search, queries))
    report.add(
        dim=whole.dim, count=whole.count, kind=name, recall=round(mean, 4), removed_rows_answered=removed, **told
    )
    report.goals[f"{whole.count:,} x {whole.dim} {name}: recall >= 0.95, none removed"] = mean >= 0.95 and not removed
