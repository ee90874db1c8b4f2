"""What a collection remembers between searches: the opened index, and which rows may be answered.

A search takes a snapshot and asks here for what belongs to it. Promises: an index is opened once, and while a new
one is being opened other threads go on with the one before, whose rows are the same; an index file that cannot be
trusted is told of, set aside, and searches go on exactly; a mask is made once for each generation of the collection.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lookalike.core.errors import IndexUnusable, LookalikeError, MissingExtra
from lookalike.engine.plan import BaseState
from lookalike.index.kinds import IndexSpec, OperatingPoint

if TYPE_CHECKING:
    from collections.abc import Callable

    from lookalike.core.arrays import RowMask
    from lookalike.engine.sample import RowSample
    from lookalike.index.manifest import Identity
    from lookalike.index.rescored import RescoredIndex
    from lookalike.store.collection_store import IndexRecord, Snapshot, Space, Store

FOLDERS_KEPT = 16
"""Masks of folders kept at once: a byte a row each."""


@dataclass(frozen=True, slots=True)
class Base:
    """An opened index with its record, a sample of its rows, and what the planner wants to know of it."""

    space: int
    record: IndexRecord
    index: RescoredIndex
    state: BaseState
    sample: RowSample


@dataclass(frozen=True, slots=True)
class Allowed:
    """Rows that may be answered; `mask` None: all of them."""

    mask: RowMask | None
    count: int


def identity_of(space: Space, record: IndexRecord) -> Identity:
    """The rows that the file of a record has to be made for."""
    from lookalike.index.manifest import Identity

    return Identity(space.encoder_id, space.dim, record.epoch, record.generation)


def state_of(record: IndexRecord) -> BaseState:
    """What a record says to the planner. Raises ValueError for one that this version does not understand."""
    spec, point = IndexSpec.from_dict(record.spec), OperatingPoint.from_dict(record.point)
    state = BaseState(spec, point, record.count, ms=float(record.measured.get("ms", 1.0)))
    if "exact_ns" in record.measured:
        state = BaseState(spec, point, record.count, state.ms, float(record.measured["exact_ns"]))
    return state


class Remembered:
    """One for each open collection; safe to share between threads."""

    def __init__(self, store: Store, notice: Callable[[str], None] | None) -> None:
        self._store = store
        self._notice = notice
        self._opening = threading.Lock()
        self._base: Base | None = None
        self._given_up: int | None = None
        self._masks: tuple[tuple[int, int], dict[bytes | None, Allowed]] = ((-1, -1), {})
        """Of one moment: (space, generation). Replaced as a whole, so that no mask gets into another moment's."""

    def base(self, snapshot: Snapshot) -> Base | None:
        """The index for the rows of a snapshot; None when they are to be compared all."""
        record, base = snapshot.index, self._base
        if record is None or record.number == self._given_up:
            return None
        if base is not None and base.record is record:
            return base
        fits = base is not None and _same_rows(base, snapshot)
        if base is not None and fits and base.record.number == record.number and base.record.point == record.point:
            return base
        if not self._opening.acquire(blocking=not fits):
            return base
        try:
            if self._base is not base:  # another thread was faster
                return self._base if self._base is not None and _same_rows(self._base, snapshot) else None
            self._base = self._opened(snapshot, record)
            return self._base
        finally:
            self._opening.release()

    def allowed(self, snapshot: Snapshot, folder: bytes | None) -> Allowed:
        """Rows that have an item, and one at or below `folder` when one is given."""
        moment = (snapshot.space.number, snapshot.generation)
        kept = self._masks
        if kept[0] != moment:
            kept = self._masks = (moment, {})
        masks = kept[1]
        made = masks.get(folder)
        if made is None:
            live = None if folder is None else self.allowed(snapshot, None).mask
            made = _allowed(snapshot, folder, live)
            if len(masks) > FOLDERS_KEPT:
                masks.clear()
            masks[folder] = made
        return made

    def _opened(self, snapshot: Snapshot, record: IndexRecord) -> Base | None:
        import numpy as np

        from lookalike.engine.sample import RowSample
        from lookalike.index.opening import open_index

        path = snapshot.index_path
        assert path is not None
        try:
            state = state_of(record)
            identity = identity_of(snapshot.space, record)
            index = open_index(path, snapshot.rows, identity=identity, point=state.point)
            sample = RowSample(np.asarray(snapshot.rows[: record.count]))
            return Base(snapshot.space.number, record, index, state, sample)
        except (IndexUnusable, MissingExtra, ValueError) as error:
            self._give_up(snapshot.space, record, error)
            return None

    def _give_up(self, space: Space, record: IndexRecord, error: Exception) -> None:
        """Go on without an index. One that was replaced in between is simply not there any more: nothing is said."""
        current = self._store.index_of(space)
        if current is None or current.number != record.number:
            return
        self._given_up = record.number
        hint = "lookalike index builds it again"
        if isinstance(error, MissingExtra):
            hint = error.hint
        elif not self._store.read_only:
            try:
                self._store.drop_index(space, record, unusable=True)
            except LookalikeError:  # a full disk, or another process that writes for long: the next search tries again
                self._given_up = None
        if self._notice is not None:
            self._notice(f"{error}; searches compare all pictures until then: {hint}")


def _same_rows(base: Base, snapshot: Snapshot) -> bool:
    """Whether an opened index serves the rows of a snapshot: those after its own are compared exactly."""
    space = snapshot.space
    return (base.space, base.record.epoch) == (space.number, space.epoch) and base.record.count <= space.count


def _allowed(snapshot: Snapshot, folder: bytes | None, live: RowMask | None) -> Allowed:
    mask = snapshot.live_mask() if folder is None else snapshot.mask_below(folder)
    if mask is None:
        return Allowed(None, snapshot.count)
    if live is not None:
        mask &= live
    mask.flags.writeable = False  # nobody changes it, so what is made of it can be kept as well
    return Allowed(mask, int(mask.sum()))
