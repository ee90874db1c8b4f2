"""The whole search path against bare FAISS: same file, same parameters, the calls taking turns in one run.

Ours is `Collection.search`: a vector in, hits with their metadata out. Bare is `index.search` of the same file
with the same effort and number of candidates, once alone and once with what any caller needs for the same answers:
candidates compared exactly with the stored rows by numpy. All of them keep to one thread; what is
taken is the processor time of that thread, which other work on the machine disturbs little. Also: opening the
collection and answering a first query, in new processes.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from index_collection import GivenEncoder, made_collection
from index_report import Report, in_child, in_turns, percentiles
from index_truth import K, unit
from index_world import world

if TYPE_CHECKING:
    from argparse import Namespace

LARGEST = 1.10
OPEN_MS = 300
STARTS = 5


def measure(asked: Namespace) -> Report:
    report = Report("the whole search path against bare FAISS calls, and the first answer of a new process")
    for dim in asked.dims:
        for count in asked.counts:
            here = world(asked.work, dim, count)
            with made_collection(here, asked.kinds) as photos:
                way = photos.search(here.queries["picture"][0], K).plan
                if way.effort is None:
                    report.notes.append(f"{count:,} x {dim} is searched exactly: nothing to compare")
                    continue
                bare, compared = bare_calls(photos, way)
                times = in_turns(
                    {
                        "ours": lambda query, photos=photos: read(photos.search(query, K)),
                        "bare": bare,
                        "compared": compared,
                    },
                    here.all_queries()[: asked.queries],
                    asked.rounds,
                    time.thread_time,
                )
            told = {name: percentiles(each) for name, each in times.items()}
            ratios = {name: float(np.median(times["ours"]) / np.median(times[name])) for name in ("bare", "compared")}
            place = here.work / f"c-{dim}-{count}.lookalike"
            starts = [first_answer_in_child(here.work, dim, place) for _ in range(STARTS)]
            report.add(
                dim=dim,
                count=count,
                kind=photos_kind(way),
                effort=way.effort,
                fetch=way.fetch,
                ours_ms=told["ours"]["p50_ms"],
                bare_ms=told["bare"]["p50_ms"],
                bare_and_compared_ms=told["compared"]["p50_ms"],
                ours_p95_of_rounds=told["ours"]["p95_of_rounds"],
                bare_p95_of_rounds=told["bare"]["p95_of_rounds"],
                n=told["ours"]["n"],
                ratio_to_bare=round(ratios["bare"], 3),
                ratio_to_compared=round(ratios["compared"], 3),
                first_answer_ms=[round(each["ms"], 1) for each in starts],
                imports_ms=[round(each["imports_ms"], 1) for each in starts],
            )
            report.goals[f"{count:,} x {dim}: at most {LARGEST:.2f} of bare FAISS"] = ratios["bare"] <= LARGEST
            if count >= 1_000_000:
                slowest = max(each["ms"] for each in starts)
                report.goals[f"{count:,} x {dim}: open and first answer < {OPEN_MS} ms"] = slowest < OPEN_MS
    return report


def read(hits: Any) -> list[Any]:
    """What a caller does with hits: nothing of them may be left for later."""
    return [(hit.id, hit.uri, hit.score, dict(hit.metadata)) for hit in hits]


def photos_kind(way: Any) -> str:
    return way.reason.partition(" ")[0]


def bare_calls(photos: Any, way: Any) -> tuple[Any, Any]:
    """FAISS's own call on the index the collection uses now, and the same with its candidates compared by numpy."""
    import faiss

    from lookalike.index.faiss_kinds import read_index
    from lookalike.store.collection_store import Store

    with Store.open(photos.path) as store, store.snapshot() as snapshot:
        index, rows, kind = read_index(snapshot.index_path), np.asarray(snapshot.rows), snapshot.index.spec["kind"]
    faiss.omp_set_num_threads(1)
    if kind.startswith("hnsw"):
        how = faiss.SearchParametersHNSW(efSearch=way.effort)
    elif kind == "ivf-rabitq":
        how = faiss.IVFRaBitQSearchParameters(nprobe=way.effort, qb=4, centered=True)
    else:
        how = faiss.SearchParametersIVF(nprobe=way.effort)

    def bare(query: Any) -> Any:
        return index.search(query[None], way.fetch, params=how)

    def compared(query: Any) -> Any:
        its_rows = bare(query)[1][0]
        scores = unit(rows[its_rows]) @ query
        best = np.argsort(-scores)[:K]
        return its_rows[best], scores[best]

    return bare, compared


def first_answer_in_child(work: Path, dim: int, place: Path) -> dict[str, float]:
    return in_child("index_overhead", "first_answer", work=str(work), dim=dim, place=str(place))


def first_answer(work: str, dim: int, place: str) -> dict[str, float]:
    """Milliseconds from `lookalike.open` to the hits of a first query; loading the libraries counted apart."""
    began = time.perf_counter()
    import faiss
    import simsimd

    import lookalike
    from lookalike.engine import collection, search
    from lookalike.index import layered, opening
    from lookalike.store import collection_store

    loaded = [faiss, simsimd, collection, search, layered, opening, collection_store]
    encoder = GivenEncoder(Path(work), dim)
    query = np.load(Path(work) / f"queries-{dim}.npz")["picture"][0]
    started = time.perf_counter()
    with lookalike.open(place, encoder=encoder) as photos:
        assert loaded
        assert len(photos.search(query, K)) == K
        return {"ms": 1000 * (time.perf_counter() - started), "imports_ms": 1000 * (started - began)}
