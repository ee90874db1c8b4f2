"""What is chosen without touching a knob, and what it finds: ann_recall@10 of pictures and of captions."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from index_collection import made_collection, rows_of
from index_report import Report, milliseconds, percentiles
from index_truth import K
from index_world import world

if TYPE_CHECKING:
    from argparse import Namespace

TARGET = 0.95


def measure(asked: Namespace) -> Report:
    report = Report(f"chosen automatically, ann_recall@{K} of held-out photos and captions")
    for dim in asked.dims:
        for count in asked.counts:
            here = world(asked.work, dim, count)
            with made_collection(here, asked.kinds, index=False) as photos:
                started = time.perf_counter()
                chosen = [*photos.build_index()][-1]
                took = time.perf_counter() - started
                found = {
                    kind: rows_of([photos.search(query, K) for query in queries], K)
                    for kind, queries in here.queries.items()
                }
                recalls = here.recalls(found)
                times = milliseconds(lambda query, photos=photos: photos.search(query, K), here.all_queries())
            report.add(
                dim=dim,
                count=count,
                kind=chosen.kind,
                effort=chosen.effort,
                fetch=chosen.fetch,
                **{f"recall_{kind}": round(value, 4) for kind, value in recalls.items()},
                **percentiles(times),
                build_s=round(took, 1),
            )
            report.goals[f"{count:,} x {dim}: recall >= {TARGET} for pictures and captions"] = (
                min(recalls.values()) >= TARGET
            )
    return report
