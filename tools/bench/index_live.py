"""While it lives: a new picture is found at once; 100 threads search while the index is built again and swapped."""

from __future__ import annotations

import shutil
import threading
import time
from typing import TYPE_CHECKING, Any

import numpy as np
from index_collection import GivenEncoder, found, made_collection
from index_report import Report
from index_truth import K, unit
from index_world import world

if TYPE_CHECKING:
    from argparse import Namespace
    from pathlib import Path

FRESH_MS = 50
TIMES = 30
THREADS = 100
QUERIES_A_SECOND = 1.0
"""Of each thread: the load is given, not as much as the machine can take."""
LARGEST_P99 = 3.0
PATIENCE_S = 1200
"""For a rebuild under load."""
NEWER = 0.05
"""New rows before a rebuild, as share: it is due then."""


def measure(asked: Namespace) -> Report:
    report = Report("new pictures at once, and searching through a rebuild")
    for dim in asked.dims:
        for count in asked.counts:
            here = world(asked.work, dim, count)
            with made_collection(here, asked.kinds) as photos:
                original = photos.path
            place = original.with_name("live.lookalike")
            shutil.rmtree(place, ignore_errors=True)
            shutil.copytree(original, place)
            _fresh(report, asked.work, place, dim, count)
            if count <= asked.swap_up_to:
                _swap(report, asked, place, here)
            shutil.rmtree(place)
    return report


def _fresh(report: Report, work: Path, place: Path, dim: int, count: int) -> None:
    """From the commit of one picture to an answer with it, by another opened collection that asks in a loop."""
    import lookalike
    from lookalike.store.collection_store import Store

    news = unit(np.random.default_rng(5).standard_normal((TIMES, dim)))
    times, asked_times = [], []
    with lookalike.open(place, encoder=GivenEncoder(work, dim)) as photos, Store.open(place) as store:
        photos.search(news[0], K)
        with store.writer() as writer:
            root, space = writer.add_root(b"/photos", is_file=False), store.current_space()
            for number, vector in enumerate(news, start=count):
                one = [*found(vector[None], root.number, number)]
                writer.put(space, one)
                committed, tries = time.perf_counter(), 0
                while True:
                    tries += 1
                    if photos.search(vector, K)[0].uri == one[0].uri:
                        break
                times.append(1000 * (time.perf_counter() - committed))
                asked_times.append(tries)
    slowest = max(times)
    report.add(
        dim=dim,
        count=count,
        what="new picture",
        p50_ms=round(float(np.median(times)), 2),
        largest_ms=round(slowest, 2),
        n=len(times),
        searches_until_found=max(asked_times),
    )
    report.goals[f"{count:,} x {dim}: a new picture is found < {FRESH_MS} ms after its commit"] = slowest < FRESH_MS


def _swap(report: Report, asked: Namespace, place: Path, here: Any) -> None:
    import lookalike
    from lookalike.engine.indexing import WISHES_SETTING
    from lookalike.engine.plan import Wishes
    from lookalike.store.collection_store import Store

    newer = int(NEWER * here.count)
    later = world(asked.work, here.dim, here.count + newer, queries=10)
    encoder = GivenEncoder(asked.work, here.dim)
    with Store.open(place) as store, store.writer() as writer:
        root, space = writer.add_root(b"/photos", is_file=False), store.current_space()
        start = here.count + TIMES
        writer.put(space, [*found(later.rows[here.count :], root.number, start)])
        if asked.kinds:  # a dry run is too small for its new rows to matter: another kind is asked for
            writer.set_setting(WISHES_SETTING, Wishes(kind=asked.kinds[-1]).as_dict())
    with lookalike.open(place, encoder=encoder) as photos:
        queries = here.all_queries()
        photos.search(queries[0], K)
        before = _load(photos, queries, asked.seconds, None)
        generation, deadline = _generation(place), time.monotonic() + PATIENCE_S
        for _ in photos.build_index(background=True):
            pass

        def is_over() -> bool:
            return _generation(place) != generation or time.monotonic() > deadline

        during = _load(photos, queries, asked.seconds, is_over)
        swapped = _generation(place) != generation
    p99 = {name: float(np.percentile(load["ms"], 99)) for name, load in (("before", before), ("during", during))}
    errors = len(before["errors"]) + len(during["errors"])
    report.add(
        dim=here.dim,
        count=here.count,
        what=f"{THREADS} threads, {THREADS * QUERIES_A_SECOND:g} queries a second",
        p99_before_ms=round(p99["before"], 2),
        p99_during_ms=round(p99["during"], 2),
        ratio=round(p99["during"] / p99["before"], 2),
        n=[len(before["ms"]), len(during["ms"])],
        rebuild_s=round(during["seconds"], 1),
        swapped=swapped,
        errors=errors,
    )
    report.notes += [str(error) for error in (before["errors"] + during["errors"])[:3]]
    report.goals[f"{here.count:,} x {here.dim}: swapped under load, no error"] = swapped and not errors
    report.goals[f"{here.count:,} x {here.dim}: p99 during a rebuild <= {LARGEST_P99:g} x"] = (
        p99["during"] <= LARGEST_P99 * p99["before"]
    )


def _load(photos: Any, queries: Any, seconds: float, is_over: Any) -> dict[str, Any]:
    """Threads that ask at their own pace: for so many seconds, and then until `is_over()` and two seconds more."""
    over, times, errors = threading.Event(), [], []

    def ask(number: int) -> None:
        chance = np.random.default_rng(number)
        while not over.wait(chance.exponential(1 / QUERIES_A_SECOND)):
            started = time.perf_counter()
            try:
                if len(photos.search(queries[chance.integers(len(queries))], K)) != K:
                    errors.append("too few answers")
            except Exception as error:  # whatever it is, it is what is measured
                errors.append(error)
            times.append(1000 * (time.perf_counter() - started))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(THREADS)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    time.sleep(seconds)
    while is_over is not None and not is_over():
        time.sleep(1)
    if is_over is not None:
        time.sleep(2)  # the swap itself
    over.set()
    for thread in threads:
        thread.join()
    return {"ms": times, "errors": errors, "seconds": time.perf_counter() - started}


def _generation(place: Path) -> int | None:
    """Of the index in use."""
    from lookalike.store.collection_store import Store

    with Store.open(place) as store:
        space = store.current_space()
        assert space is not None
        record = store.index_of(space)
        return None if record is None else record.generation
