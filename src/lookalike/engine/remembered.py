"""What a collection remembers between searches: the opened index, and which rows may be answered.

A search takes a snapshot and asks here for what belongs to it. Promises: an index is opened once, and while a new
one is being opened other threads go on with the one before, whose rows are the same; an index file that cannot be
trusted is told of, set aside, and searches go on exactly; a mask is made once for each generation of the collection;
what relevance is judged by is drawn anew when the collection has grown by half.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lookalike.core.errors import IndexUnusable, LookalikeError, MissingExtra
from lookalike.engine.catalogues import GROUP_SETTING
from lookalike.engine.plan import BaseState
from lookalike.index.kinds import IndexSpec, OperatingPoint

if TYPE_CHECKING:
    from collections.abc import Callable

    from lookalike.core.arrays import RowMask
    from lookalike.core.conditions import Condition
    from lookalike.core.fields import FieldKind
    from lookalike.core.protocols import Encoder
    from lookalike.engine.ranking import Judge
    from lookalike.engine.sample import RowSample
    from lookalike.index.manifest import Identity
    from lookalike.index.rescored import RescoredIndex
    from lookalike.store.collection_store import IndexRecord, Snapshot, Space, Store

MASKS_KEPT = 16
"""Masks of folders and filters kept at once: a byte a row each."""
DRAWN_AGAIN = 1.5
"""Times the rows from which on those that relevance is judged by are drawn anew."""


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
        self._moment = _Moment((-1, -1))
        self._judge: tuple[tuple[int, int], Judge] | None = None

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

    def allowed(self, snapshot: Snapshot, folder: bytes | None, condition: Condition | None = None) -> Allowed:
        """Rows that have an item, one at or below `folder` and one that meets `condition` where these are given."""
        masks = self._of(snapshot).masks
        asked = (folder, repr(condition))  # of equal ones as well: to a filter, true is not 1
        made = masks.get(asked)
        if made is None:
            live = None if folder is None and condition is None else self.allowed(snapshot, None).mask
            made = _allowed(snapshot, folder, condition, live)
            if len(masks) > MASKS_KEPT:
                masks.clear()
            masks[asked] = made
        return made

    def fields(self, snapshot: Snapshot) -> dict[str, FieldKind]:
        """The names that filters and orders may use, with their kinds."""
        moment = self._of(snapshot)
        if moment.fields is None:
            from lookalike.engine.fields import fields_of

            moment.fields = fields_of(snapshot)
        return moment.fields

    def group_by(self, snapshot: Snapshot) -> str:
        """The field whose equal values share one place in the answers; "" for none. A generation may see it change."""
        return str(snapshot.setting(GROUP_SETTING, ""))

    def condition(self, snapshot: Snapshot, where: str | Condition | None) -> Condition | None:
        """What a filter says. Raises FilterError."""
        if not isinstance(where, str):
            return where
        from lookalike.engine.filter_language import parse

        return parse(where, self.fields(snapshot)) if where.strip() else None

    def judge(self, snapshot: Snapshot, encoder: Encoder) -> Judge | None:
        """What relevance is judged by; None for a collection too small to have a background."""
        space, count = snapshot.space, snapshot.count
        kept = self._judge
        if kept is not None and kept[0] == (space.number, space.epoch):
            drawn_from = kept[1].count
            if drawn_from <= count <= DRAWN_AGAIN * drawn_from:
                return kept[1]
        from lookalike.engine.judging import judge_of

        judge = judge_of(snapshot, encoder)
        self._judge = None if judge is None else ((space.number, space.epoch), judge)
        return judge

    def _of(self, snapshot: Snapshot) -> _Moment:
        key = (snapshot.space.number, snapshot.generation)
        kept = self._moment
        if kept.key != key:
            kept = self._moment = _Moment(key)
        return kept

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


def _allowed(snapshot: Snapshot, folder: bytes | None, condition: Condition | None, live: RowMask | None) -> Allowed:
    asked = [] if folder is None else [snapshot.mask_below(folder)]
    if condition is not None:
        asked.append(snapshot.where_mask(condition))
    mask = asked[0] if asked else snapshot.live_mask()
    if mask is None:
        return Allowed(None, snapshot.count)
    others = [each for each in (*asked[1:], live) if each is not None]
    for other in others:
        mask = mask & other
    mask.flags.writeable = False  # nobody changes it, so what is made of it can be kept as well
    return Allowed(mask, int(mask.sum()))


class _Moment:
    """What is kept of one generation of a space. Replaced as a whole, so that nothing gets into another moment."""

    def __init__(self, key: tuple[int, int]) -> None:
        self.key = key
        self.masks: dict[tuple[bytes | None, str], Allowed] = {}
        self.fields: dict[str, FieldKind] | None = None
