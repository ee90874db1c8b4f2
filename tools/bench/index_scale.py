"""One million and ten million rows: time and memory of building and of serving, and how they grow from 100,000.

Every build and every service is a process of its own. A service searches with one thread; its anonymous memory
(RssAnon) is what it cannot give back, the mapped rows and the mapped index are the system's to keep or drop. Warm: the
files were read once and every query was asked once before.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from index_collection import made_collection, rows_of
from index_files import built, calibrated, opened, other_half, planned_search, state_of
from index_report import Report, anonymous_bytes, in_child, milliseconds, percentiles, resident_bytes
from index_truth import K
from index_world import world

if TYPE_CHECKING:
    from argparse import Namespace

ROUNDS = 3
ASKED = 500
_READ = 1 << 24
_LIMITS = {  # rows -> (p95 ms, anonymous bytes in service), of width 512
    1_000_000: (3.0, 300e6),
    10_000_000: (12.0, 1.5e9),
}
_BUILD_BYTES = 6e9


def measure(asked: Namespace) -> Report:
    report = Report("growth of cost: building and serving what is chosen; one thread, queries not tuned on")
    for dim in asked.dims:
        for count in asked.counts:
            made = built(asked.work, asked.kinds[0] if asked.kinds else "chosen", dim, count)
            if made["path"] is None:
                report.notes.append(f"{count:,} x {dim}: exact search is chosen, nothing is built")
                continue
            tuned = calibrated(asked.work, made, dim, count)
            for file in (Path(made["path"]), asked.work / f"vectors-{dim}.npy"):
                read_once(file, 2 * dim * count)
            arguments = {"work": str(asked.work), "dim": dim, "count": count}
            told = in_child("index_scale", "serve_index", threads=1, made=made, tuned=tuned, **arguments)
            report.add(dim=dim, count=count, kind=made["kind"], **_build_figures(made), **tuned["point"], **told)
            _goals(report, dim, count, told, made)
            if count <= asked.collections_up_to:
                with made_collection(world(asked.work, dim, count), asked.kinds):
                    pass
                told = in_child("index_scale", "serve_collection", threads=1, **arguments)
                report.add(dim=dim, count=count, kind="whole search path", **told)
                _goals(report, dim, count, told, None)
    return report


def _build_figures(made: dict[str, Any]) -> dict[str, Any]:
    return {
        "build_s": made["build_s"],
        "stages_s": made["stages_s"],
        "file_MB": round(made["bytes"] / 1e6, 1),
        "build_anonymous_MB": round(made["anonymous_peak"] / 1e6),
        "build_resident_MB": round(made["resident_peak"] / 1e6),
    }


def _goals(report: Report, dim: int, count: int, told: dict[str, Any], made: dict[str, Any] | None) -> None:
    if count not in _LIMITS or dim != 512:
        return
    p95, anonymous = _LIMITS[count]
    what = f"{count:,} x {dim}, {'index' if made else 'whole search path'}"
    lowest = min(told["recall_picture"], told["recall_text"])
    report.goals[f"{what}: p95 <= {p95} ms at recall >= 0.95"] = told["p95_ms"] <= p95 and lowest >= 0.95
    report.goals[f"{what}: anonymous memory <= {anonymous / 1e6:,.0f} MB"] = told["anonymous_MB"] * 1e6 <= anonymous
    if made is not None:
        report.goals[f"{what}: build resident <= {_BUILD_BYTES / 1e9:.0f} GB"] = made["resident_peak"] <= _BUILD_BYTES


def serve_index(work: str, dim: int, count: int, made: dict[str, Any], tuned: dict[str, Any]) -> dict[str, Any]:
    """Latency, recall and memory of an index file in this process."""
    here = other_half(world(work, dim, count))
    index, state = opened(here, made, tuned["point"]), state_of(made, tuned, count)
    rows = here.rows

    def search(query: Any) -> Any:
        return planned_search(index, rows, state, query)[0]

    some = here.all_queries()[:ASKED]
    milliseconds(search, some)
    times = np.stack([milliseconds(search, some) for _ in range(ROUNDS)])
    memory = _memory()
    found = {kind: np.concatenate([search(query) for query in asked]) for kind, asked in here.queries.items()}
    return {**percentiles(times), **_recalls(here, found), **memory}


def serve_collection(work: str, dim: int, count: int) -> dict[str, Any]:
    """The same of the whole search path: vectors in, hits out."""
    here = world(work, dim, count)
    with made_collection(here, index=False) as photos:
        some = here.all_queries()[:ASKED]

        def search(query: Any) -> Any:
            return photos.search(query, K)

        milliseconds(search, some)
        times = np.stack([milliseconds(search, some) for _ in range(ROUNDS)])
        memory = _memory()
        found = {kind: rows_of([search(query) for query in asked], K) for kind, asked in here.queries.items()}
    return {**percentiles(times), **_recalls(here, found), **memory}


def _memory() -> dict[str, Any]:
    return {"anonymous_MB": round(anonymous_bytes() / 1e6, 1), "resident_MB": round(resident_bytes() / 1e6, 1)}


def _recalls(here: Any, found: dict[str, Any]) -> dict[str, float]:
    return {f"recall_{kind}": round(value, 4) for kind, value in here.recalls(found).items()}


def read_once(file: Path, most: int) -> None:
    """Bring the first bytes of a file into the system's cache, as far as it has room."""
    with file.open("rb") as stream:
        while stream.tell() < most and stream.read(_READ):
            pass
