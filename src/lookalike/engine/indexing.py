"""The index of a collection: whether one is due, building it, and making it the one that searches use.

A build writes a file of its own beside the one in use; one commit switches. Searches and an indexing process go on
meanwhile: rows that arrive are compared exactly until the next build. A build that was cut short, by Ctrl-C or by a
power cut, goes on from its last checkpoint. One process builds at a time.
"""

from __future__ import annotations

import queue
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from lookalike.core.cores import usable_cores
from lookalike.core.errors import CollectionBusy, IndexUnusable, LookalikeError
from lookalike.core.memory import physical_memory
from lookalike.engine.curve import calibrate
from lookalike.engine.plan import DEAD_SHARE, IndexChoice, Wishes, choose_spec, outgrown
from lookalike.engine.questions import ask
from lookalike.engine.remembered import identity_of, state_of
from lookalike.engine.reports import ImportReport, IndexReport, MigrateReport, Progress, SyncReport
from lookalike.index.building import BuildProgress
from lookalike.index.building_process import RowsFile, build_in_process
from lookalike.index.kinds import IndexSpec, richer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lookalike.core.arrays import Vectors
    from lookalike.engine.background import BackgroundBuild
    from lookalike.engine.questions import Questions
    from lookalike.engine.reports import IndexEvent
    from lookalike.store.collection_store import IndexRecord, Space, Store

Event = TypeVar("Event")

WISHES_SETTING = "index"
MEMORY_SHARE = 0.25
"""Of the machine's memory, what searching may use unless the user says so."""
RESUME_SHARE = 0.5
"""An unfinished index over fewer of the rows than this is begun anew."""
ROWS_FOR_THREADS = 20_000
"""Below this one thread is done before several have shared the work."""
_PATIENCE_S = 0.1
_STOP_S = 10.0
"""Seconds for the end of a build that is dropped: writing ends at once, searching between two operating points."""


@dataclass(frozen=True, slots=True)
class IndexNeed:
    """What there is and what should be. `why`: why it has to be built, None when nothing is to be done."""

    space: Space
    choice: IndexChoice
    record: IndexRecord | None
    why: str | None
    compact_first: bool = False


def wishes_of(store: Store) -> Wishes:
    """What the user asked of the index."""
    return Wishes.from_dict(store.setting(WISHES_SETTING, {}))


def assess(store: Store) -> IndexNeed | None:
    """Whether the current space needs an index built; None without a space."""
    space = store.current_space()
    if space is None:
        return None
    wishes, record = wishes_of(store), store.index_of(space)
    memory = wishes.memory_bytes or int(MEMORY_SHARE * physical_memory())
    choice = choose_spec(space.count, space.dim, memory_bytes=memory, wishes=wishes)
    if choice.spec is None:
        return IndexNeed(space, choice, record, None)
    if record is None:
        return IndexNeed(space, choice, None, choice.reason)
    dead = store.counts().dead_rows
    try:
        state = state_of(record)
    except ValueError as error:
        return IndexNeed(space, choice, record, str(error))
    if wishes.kind is not None and state.spec.kind != choice.spec.kind:
        return IndexNeed(space, choice, record, choice.reason)
    why = outgrown(space.count, dead, space.dim, state)
    return IndexNeed(space, choice, record, why, compact_first=why is not None and dead > DEAD_SHARE * space.count)


def explain(store: Store) -> str:
    """How searches are served and why, and what the next run would change: sentences for a person."""
    need = assess(store)
    if need is None:
        return "there is nothing to index yet"
    now = need.record.reason if need.record else "every search compares all pictures"
    if need.why is None:
        return now if need.record else need.choice.reason
    return f"{now}; it is due to be built: {need.why}"


def start_in_background(store: Store, words: Callable[[], Vectors | None]) -> BackgroundBuild | None:
    """Start a process that builds the index, if one is due."""
    need = assess(store)
    if need is None or need.choice.spec is None or need.why is None:
        return None
    from lookalike.engine.background import BackgroundBuild

    return BackgroundBuild(store.path, words())


def report_now(store: Store) -> Iterator[IndexEvent]:
    """How searches are served at this moment: one IndexReport, or nothing without a space."""
    need = assess(store)
    if need is not None:
        reason = explain(store)
        yield _report(reason, need.record, need.space.count if need.record is None else need.record.count)


def status_of(store: Store) -> dict[str, Any] | None:
    """What `status` tells about the index; None without a space."""
    need = assess(store)
    if need is None:
        return None
    record = need.record
    measured = {} if record is None else record.measured
    return {
        "kind": "exact" if record is None else record.spec["kind"],
        "reason": need.choice.reason if record is None else record.reason,
        "due": need.why,
        "newer": 0 if record is None else need.space.count - record.count,
        "bytes": 0 if record is None else _size_of(store.index_path(need.space, record)),
        "effort": None if record is None else record.point.get("effort"),
        "fetch": None if record is None else record.point.get("fetch"),
        "recall_pictures": measured.get("recall_pictures"),
        "recall_words": measured.get("recall_words"),
        "ms": measured.get("ms"),
    }


def then_index(events: Iterator[Event], build: Callable[[], Iterator[IndexEvent]]) -> Iterator[Event | Progress]:
    """The events of a run, with those of building the index before its report. A build that fails costs no report."""
    for event in events:
        if not isinstance(event, SyncReport | ImportReport | MigrateReport) or event.interrupted:
            yield event
            continue
        report: IndexReport | None = None
        try:
            for step in build():
                if isinstance(step, IndexReport):
                    report = step
                else:
                    yield step
        except LookalikeError as error:
            report = _report(f"no index was built: {error}", None, 0)
        yield replace(event, index=report)


def build_index(
    store: Store,
    words: Callable[[], Vectors | None],
    *,
    again: bool = False,
    threads: int | None = None,
    stop: threading.Event | None = None,
) -> Iterator[IndexEvent]:
    """Build the index if one is due, or `again` in any case; yields Progress, at last an IndexReport.

    `words` gives the questions in words to calibrate with, encoded; it is only called when something is built.
    `threads` None takes all cores. Raises CollectionBusy while another process builds, OutOfSpace.
    """
    started = time.monotonic()
    need = assess(store)
    if need is not None and need.compact_first:
        with suppress(CollectionBusy), store.writer() as writer:  # who writes now will come by here as well
            writer.compact()
        need = assess(store)
    if need is None:
        return
    if need.choice.spec is None:
        if need.record is not None:
            store.drop_index(need.space, need.record)
        yield _report(need.choice.reason, None, need.space.count)
        return
    if need.why is None and not again:
        assert need.record is not None
        yield _report(need.record.reason, need.record, need.record.count)
        return
    own_stop = threading.Event()
    job = _Job(lambda told: _built(_Work(store, need, words, threads, told, own_stop)))
    try:
        for step in job.steps():
            yield Progress("index", step.done, step.total, 0, 0, time.monotonic() - started)
            if stop is not None and stop.is_set():
                own_stop.set()
    finally:
        own_stop.set()
        job.wait(_STOP_S)  # FAISS must not be searching when Python ends
    report = job.result()
    yield replace(report, seconds=time.monotonic() - started)


@dataclass(frozen=True, slots=True)
class _Work:
    store: Store
    need: IndexNeed
    words: Callable[[], Vectors | None]
    threads: int | None
    told: Callable[[BuildProgress], None]
    stop: threading.Event

    def go_on(self) -> None:
        """Raises _Stopped when that is asked for."""
        if self.stop.is_set():
            raise _Stopped


class _Stopped(Exception):
    """The one who wanted an index wants it no more."""


def _built(work: _Work) -> IndexReport:
    """Build, calibrate and publish: under the lock of builders from the first byte to the last."""
    store, space, spec = work.store, work.need.space, work.need.choice.spec
    assert spec is not None
    with store.building_index():
        record = _begun(store, space, spec, work.need.choice.reason)
        try:
            made = _made(work, record)
        except _Stopped:
            return _report(record.reason, record, record.count, interrupted=True)
        except FileNotFoundError:
            made = None  # the rows moved to the next epoch
        if made is not None and store.publish_index(made):
            return _report(made.reason, made, made.count, built=True)
        return _report("the collection was compacted meanwhile; the next run builds its index", None, space.count)


def _begun(store: Store, space: Space, spec: IndexSpec, reason: str) -> IndexRecord:
    """The unfinished index of an earlier run when it is worth going on with, else a new one."""
    unfinished = store.unfinished_index(space)
    if unfinished is not None and unfinished.count >= RESUME_SHARE * space.count:
        with suppress(ValueError):
            if IndexSpec.from_dict(unfinished.spec).kind == spec.kind:
                return unfinished
    return store.begin_index(space, spec.as_dict(), reason)


def _made(work: _Work, record: IndexRecord) -> IndexRecord:
    """Write the file and find its operating point; the record to publish. Raises _Stopped, FileNotFoundError.

    A process of its own writes: FAISS cannot be interrupted while it trains, a process can. When not
    enough is found, and the layout is our choice, it is built again with richer codes.
    """
    from lookalike.index.opening import open_index

    wishes = wishes_of(work.store)
    store, space = work.store, work.need.space
    path, identity = store.index_path(space, record), identity_of(space, record)
    with store.snapshot(space) as snapshot:
        rows = snapshot.rows[: record.count]
    threads = work.threads or (1 if record.count < ROWS_FOR_THREADS else usable_cores())
    questions: Questions | None = None
    spec: IndexSpec | None = IndexSpec.from_dict(record.spec)
    while spec is not None:
        build_in_process(
            spec,
            RowsFile.of(rows),
            path,
            identity=identity,
            told=work.told,
            threads=threads,
            stop=work.stop,
            gives_way=False,
        )
        work.go_on()
        questions = questions or ask(rows, work.words())
        index = open_index(path, rows, identity=identity)
        found = calibrate(index, rows, spec, questions, wishes.target_recall, between=work.go_on)
        record = replace(record, spec=spec.as_dict(), point=found.point.as_dict(), measured=found.measured)
        spec = None if found.reached or wishes.spec else richer(spec)
    missed = "" if found.reached else f"; at most {found.best.recall:.2f} of the right answers are found"
    return replace(record, reason=record.reason + missed)


def check_indexes(store: Store) -> Iterator[str]:
    """Read every index file whole and tell what is wrong, as sentences."""
    from lookalike.index.manifest import check

    for space in store.spaces():
        with suppress(ValueError):  # a migration dropped the space meanwhile
            record = store.index_of(space)
            if record is not None:
                try:
                    check(store.index_path(space, record), identity_of(space, record), full=True)
                except IndexUnusable as error:
                    yield str(error)


def _size_of(path: Path) -> int:
    with suppress(OSError):
        return path.stat().st_size
    return 0


def _report(
    reason: str, record: IndexRecord | None, pictures: int, *, built: bool = False, interrupted: bool = False
) -> IndexReport:
    if record is None:
        return IndexReport("exact", reason, pictures, built, 0.0, interrupted)
    recalls = [record.measured.get("recall_pictures"), record.measured.get("recall_words")]
    return IndexReport(
        kind=record.spec["kind"],
        reason=reason,
        pictures=pictures,
        built=built,
        seconds=0.0,
        interrupted=interrupted,
        effort=record.point.get("effort"),
        fetch=record.point.get("fetch"),
        recall=min((each for each in recalls if each is not None), default=None),
        ms=record.measured.get("ms"),
    )


class _Job:
    """Work in a thread of its own, whose steps can be iterated over."""

    def __init__(self, work: Callable[[Callable[[BuildProgress], None]], IndexReport]) -> None:
        self._steps: queue.SimpleQueue[BuildProgress] = queue.SimpleQueue()
        self._answer: IndexReport | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(work,), daemon=True)
        self._thread.start()

    def steps(self) -> Iterator[BuildProgress]:
        """The newest step, ten times a second and more, until the work ends; the last one again while none is new."""
        newest = BuildProgress("train", 0, 1)
        while self._thread.is_alive():
            with suppress(queue.Empty):
                newest = self._steps.get(timeout=_PATIENCE_S)
            yield newest

    def wait(self, timeout_s: float | None) -> None:
        """Until the work ends, or so long."""
        self._thread.join(timeout_s)

    def result(self) -> IndexReport:
        """What the work gave, or its error."""
        self.wait(None)
        if self._error is not None:
            raise self._error
        assert self._answer is not None
        return self._answer

    def _run(self, work: Callable[[Callable[[BuildProgress], None]], IndexReport]) -> None:
        try:
            self._answer = work(self._steps.put)
        except BaseException as error:  # it belongs to the thread that asks for the result
            self._error = error
