"""Filters by folder, as a user sets them: `Collection.search(folder=...)`, mask at hand or from mapped columns.

Folders part the pictures by row number, so they say nothing about what is seen: 50, 10, 1, 0.1 and 0.01 % of all. A
folder is cold when the opened collection has not been asked for it: its mask comes from the columns then.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from index_collection import FOLDERS, GivenEncoder, folder_of, made_collection, rows_of
from index_report import Report, milliseconds, percentiles
from index_truth import K, exact_answers, recall
from index_world import world

import lookalike

if TYPE_CHECKING:
    from argparse import Namespace

COLD_MS = 15
COLD_OPENS = 5
COLD_FOLDERS = 10
PAGE_BYTES = 4096
P95_FACTOR, P95_MS = 2.0, 5.0


def measure(asked: Namespace) -> Report:
    report = Report("filters by folder, through the whole search path")
    for dim in asked.dims:
        for count in asked.counts:
            here = world(asked.work, dim, count)
            queries = here.all_queries()[: asked.queries]
            with made_collection(here, asked.kinds) as photos:
                milliseconds(partial(photos.search, k=K), queries)  # reads the pages that a warm process has at hand
                free = percentiles(milliseconds(partial(photos.search, k=K), queries))["p95_ms"]
                for level in range(1, len(FOLDERS) + 1):
                    _one_share(report, here, photos, queries, level=level, free=free)
                place = photos.path
            _cold(report, asked, place, here)
    return report


def _one_share(report: Report, here: Any, photos: Any, queries: Any, *, level: int, free: float) -> None:
    parts = int(np.prod(FOLDERS[:level]))
    folder = f"/photos/{folder_of(0, level)}"
    allowed = np.arange(here.count) % parts == 0

    def search(query: Any) -> Any:
        return photos.search(query, K, folder=folder)

    answers = [search(query) for query in queries]
    found, truth = rows_of(answers, K), exact_answers(here.rows, queries, K, allowed)
    mean = float(recall(here.rows, queries, found, truth).mean())
    full = bool(((found >= 0).sum(axis=1) == min(K, np.count_nonzero(allowed))).all())
    outside = int((~allowed[found[found >= 0]]).sum())
    told = percentiles(np.stack([milliseconds(search, queries) for _ in range(3)]))
    report.add(
        dim=here.dim,
        count=here.count,
        share=1 / parts,
        strategy=answers[0].plan.strategy,
        recall=round(mean, 4),
        full=full,
        not_allowed=outside,
        unfiltered_p95_ms=free,
        **told,
    )
    name, limit = f"{here.count:,} x {here.dim}, {100 / parts:g} %", max(P95_FACTOR * free, P95_MS)
    report.goals[f"{name}: recall >= 0.95, all answers, none outside"] = mean >= 0.95 and full and not outside
    report.goals[f"{name}: p95 <= {limit:.1f} ms, mask at hand"] = told["p95_ms"] <= limit


def _cold(report: Report, asked: Namespace, place: Any, here: Any) -> None:
    """First searches of folders nobody asked for yet, in a collection that has answered without a filter.

    "mask built cold": the rows are mapped, as in a process that has run for a while. "in a new process": the rows that
    are compared are mapped for the first time too, a page each.
    """
    query = here.queries["picture"][0]
    for level in range(1, len(FOLDERS) + 1):
        folders = sorted({folder_of(number, level) for number in range(COLD_FOLDERS)})
        share = float(1 / np.prod(FOLDERS[:level]))
        for strategy in ("mask built cold", "mask built cold in a new process"):
            times = []
            for _ in range(COLD_OPENS):
                with lookalike.open(place, encoder=GivenEncoder(asked.work, here.dim)) as photos:
                    photos.search(query, K)
                    if strategy == "mask built cold":
                        _touch_rows(photos)
                    for folder in folders:
                        started = time.perf_counter()
                        photos.search(query, K, folder=f"/photos/{folder}")
                        times.append(1000 * (time.perf_counter() - started))
            told = percentiles(np.array(times))
            report.add(dim=here.dim, count=here.count, share=share, strategy=strategy, **told)
            if strategy == "mask built cold":
                name = f"{here.count:,} x {here.dim}, {100 * share:g} %: p95 <= {COLD_MS} ms, mask built cold"
                report.goals[name] = told["p95_ms"] <= COLD_MS


def _touch_rows(photos: Any) -> None:
    """Read a byte of every page of the stored rows."""
    with photos._store.snapshot() as snapshot:  # noqa: SLF001 - no way for users to read all rows
        _ = np.asarray(snapshot.rows).reshape(-1).view(np.uint8)[::PAGE_BYTES].sum()
