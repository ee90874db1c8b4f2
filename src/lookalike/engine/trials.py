"""Candidates for the index of a collection: built beside it, searched, and adopted or thrown away.

They are measured on the collection's own rows, with questions whose true answers are known (`calibrate.ask`). What is
built lies in a folder on the collection's disk, by one such run at a time, and goes with the run however it ends: what
a killed one left is removed by the next. Nothing of the collection changes before one candidate is adopted.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from lookalike.core.cores import usable_cores
from lookalike.core.errors import CollectionError, CollectionNotFound, MissingExtra
from lookalike.engine.indexing import WISHES_SETTING
from lookalike.engine.questions import ask
from lookalike.engine.remembered import identity_of
from lookalike.index.building_process import RowsFile, build_in_process
from lookalike.index.exact import ExactIndex
from lookalike.index.kinds import FLAT_KINDS, IVF_KINDS, KINDS
from lookalike.index.manifest import Identity, Manifest, companions, publish
from lookalike.index.opening import open_index

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from lookalike.core.arrays import HalfVectors, Vectors
    from lookalike.engine.plan import Wishes
    from lookalike.engine.questions import Questions
    from lookalike.index.building import BuildProgress
    from lookalike.index.kinds import IndexSpec, OperatingPoint
    from lookalike.index.rescored import RescoredIndex
    from lookalike.store.collection_store import Space, Store

EXACT = "exact"
"""The name of comparing all rows among the kinds of index."""
FOLDER = "trials"
_BY_COST = (*FLAT_KINDS, *IVF_KINDS, "hnsw-sq8", "hnsw", "annoy")
"""Kinds by what building them costs: when time is short, the most have been tried."""
LEAST_FOR_PQ = 10_000
"""Rows from which a product quantiser can learn its 256 centres: 39 each, as FAISS asks."""
_PATIENCE_S = 0.05
_STOP_S = 2.0
"""Seconds for the end of a process that is killed."""


class Stopped(Exception):
    """The user asked for an end."""


@dataclass(frozen=True, slots=True)
class Trying:
    """Where a run over candidates stands: number `number` of `of` is built or searched, `share` of that is done.

    `of` is None where it is not known how many there will be.
    """

    name: str
    doing: str
    number: int
    of: int | None
    share: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """An index that was built for trial."""

    path: Path
    manifest: Manifest
    build_s: float


class Trials:
    """One moment of a collection: `rows` float16 (count, dim), `questions` to them, and a place for candidates."""

    def __init__(self, store: Store, space: Space, rows: HalfVectors, questions: Questions, folder: Path) -> None:
        self.space = space
        self.rows = rows
        self.questions = questions
        self.every = ExactIndex(rows)
        self.folder = folder
        self._store = store
        self._made = 0

    @property
    def collection(self) -> Path:
        """The collection's directory."""
        return self._store.path

    @property
    def asked(self) -> tuple[int, int]:
        """How many questions are pictures, how many words."""
        return int((~self.questions.is_words).sum()), int(self.questions.is_words.sum())

    @property
    def serving(self) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Spec and operating point of the index that serves searches now; None when all rows are compared."""
        record = self._store.index_of(self.space)
        return None if record is None else (record.spec, record.point)

    def build(
        self,
        spec: IndexSpec,
        *,
        told: Callable[[BuildProgress], None] | None = None,
        until: float = float("inf"),
        stop: threading.Event | None = None,
    ) -> Candidate | None:
        """Build a candidate on all cores; None when `time.monotonic()` passes `until` before it is done.

        A process of its own does it: FAISS cannot be interrupted, a process can. Raises Stopped when `stop` is set,
        OutOfSpace, CollectionError when the collection was compacted meanwhile.
        """
        self._made += 1
        path = self.folder / f"{self._made}-{spec.kind}.faiss"
        ending, began = threading.Event(), [time.monotonic()]

        def tell(progress: BuildProgress) -> None:
            if len(began) == 1:
                began.append(time.monotonic())  # what it took to start the process is not the index's
            if told is not None:
                told(progress)

        work = _Thread(
            lambda: build_in_process(
                spec,
                RowsFile.of(self.rows),
                path,
                identity=self._identity(),
                told=tell,
                threads=usable_cores(),
                stop=ending,
                gives_way=False,
            )
        )
        try:
            while not work.wait(_PATIENCE_S):
                if stop is not None and stop.is_set():
                    raise Stopped
                if time.monotonic() > until:
                    ending.set()
        finally:
            ending.set()
            work.wait(_STOP_S)
        try:
            manifest = work.result()
        except FileNotFoundError:
            raise CollectionError(
                f"the collection {self._store.path} was compacted meanwhile", hint="the same command works again"
            ) from None
        if manifest is None:
            self._remove(path)
            return None
        return Candidate(path, manifest, time.monotonic() - began[-1])

    def open(self, candidate: Candidate, point: OperatingPoint | None = None) -> RescoredIndex:
        """The candidate, ready to be searched."""
        return open_index(candidate.path, self.rows, identity=candidate.manifest.identity, point=point)

    def drop(self, candidate: Candidate) -> None:
        """Give its disk space back."""
        self._remove(candidate.path)

    def adopt(self, candidate: Candidate, point: OperatingPoint, measured: dict[str, Any], reason: str) -> bool:
        """Make the candidate the index of the collection; False when that was compacted meanwhile."""
        record = self._store.begin_index(self.space, candidate.manifest.spec.as_dict(), reason)
        try:
            path = self._store.index_path(self.space, record)
            os.replace(candidate.path, path)
            publish(path, replace(candidate.manifest, identity=identity_of(self.space, record)))
            return self._store.publish_index(replace(record, point=point.as_dict(), measured=measured))
        except BaseException:
            self._store.drop_index(self.space, record)
            raise

    def adopt_exact(self) -> bool:
        """Let searches compare all rows from now on."""
        record = self._store.index_of(self.space)
        if record is not None:
            self._store.drop_index(self.space, record)
        return True

    def remember(self, wishes: Wishes) -> None:
        """What later builds of the collection's index follow."""
        self._store.set_setting(WISHES_SETTING, wishes.as_dict())

    def _identity(self) -> Identity:
        return Identity(self.space.encoder_id, self.space.dim, self.space.epoch, generation=0)

    def _remove(self, path: Path) -> None:
        for file in companions(path):
            file.unlink(missing_ok=True)


@contextmanager
def trials(store: Store, words: Callable[[], Vectors | None]) -> Iterator[Trials]:
    """Hold the right to build indexes and a folder for candidates; `words` gives questions in words, encoded.

    Raises CollectionNotFound without pictures, CollectionBusy while another process builds, CollectionReadOnly.
    """
    with store.snapshot() as snapshot:
        space, rows = snapshot.space, snapshot.rows
    if not len(rows):
        raise CollectionNotFound(
            f"the collection {store.path} holds no pictures", hint="lookalike index FOLDER puts some in"
        )
    with store.building_index():
        folder = store.path / FOLDER
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(exist_ok=True)
        try:
            yield Trials(store, space, rows, ask(rows, words()), folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def kinds_to_try(asked: Sequence[str] | None, count: int) -> tuple[str, ...]:
    """Those asked for, or all that make sense for `count` rows here; cheap ones to build first.

    Raises ValueError for one that does not exist, MissingExtra for one whose library is not installed.
    """
    from importlib.util import find_spec

    if asked is None:
        senseless = {"annoy": find_spec("annoy") is None, "ivf-pq": count < LEAST_FOR_PQ}
        return tuple(kind for kind in _BY_COST if not senseless.get(kind))
    unknown = [kind for kind in asked if kind not in {*KINDS, EXACT}]
    if unknown:
        raise ValueError(f"there is no index kind {unknown[0]!r}; there are {EXACT}, {', '.join(KINDS)}")
    if "annoy" in asked and find_spec("annoy") is None:
        raise MissingExtra("an Annoy index", "annoy")
    return tuple(kind for kind in _BY_COST if kind in asked)


class _Thread:
    """Waiting in a thread of its own, so that this one hears Ctrl-C and the clock."""

    def __init__(self, work: Callable[[], Manifest | None]) -> None:
        self._work = work
        self._answer: Manifest | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def wait(self, timeout_s: float) -> bool:
        """Whether it is done."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def result(self) -> Manifest | None:
        """What the work gave, or its error."""
        if self._error is not None:
            raise self._error
        return self._answer

    def _run(self) -> None:
        try:
            self._answer = self._work()
        except BaseException as error:  # it belongs to the thread that asks for the result
            self._error = error
