"""Duplicates of a collection: looking for them, what people decided about them, which of a group is kept, and moving.

A look has four stages. *Fingerprints* are filled in where a picture has none. *Candidates* are pairs that a fingerprint
or a vector brings near each other; only pictures that nobody looked at ask. *Compare* lays the pictures of a pair over
each other and says what one is to the other. *Groups* are made from the pairs that stand, without those that a person
has decided apart. What is found is kept, so that the next look asks for new pictures alone.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, get_args

from lookalike.core.errors import CollectionBusy, CollectionReadOnly, QueryError
from lookalike.core.records import LIKENESS_KINDS
from lookalike.core.wording import Wording
from lookalike.engine.duplicates_report import DuplicatesReport, GroupPage, Rule

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator, Sequence

    from lookalike.core.records import LikenessKind
    from lookalike.engine.duplicate_groups import Standing
    from lookalike.engine.duplicates_report import DuplicateGroup
    from lookalike.engine.keeping import Keeping
    from lookalike.engine.move_plan import MovePlan
    from lookalike.engine.moving import MoveReport
    from lookalike.engine.paths import PathLike
    from lookalike.engine.remembered import Remembered
    from lookalike.engine.reports import Progress
    from lookalike.store.collection_store import Snapshot, Store

PAGE = 50
"""Groups of one page unless told otherwise."""
_KEPT = 3
"""Questions whose groups are kept for the next page: a page of one kind counts those of all kinds too."""


class Duplicates:
    """What a collection knows of its duplicates: `Collection.duplicates`.

    `kinds`: groups by likenesses of these kinds; of the kind "same", "copy", "edited" or "burst", the strongest first.
    `where`: groups of items that meet a filter. `rule`, `prefer`: which item of a group is kept (`engine.keeping`).
    """

    def __init__(self, store: Store, remembered: Remembered) -> None:
        self._store = store
        self._remembered = remembered
        self._kept: dict[tuple[object, ...], Standing] = {}
        """By version and what `groups` was asked last, all groups then: the next page is asked soon."""

    # -- looking ---------------------------------------------------------------------------------

    def find(
        self,
        kinds: Sequence[LikenessKind] = LIKENESS_KINDS,
        where: str | None = None,
        *,
        again: bool = False,
        workers: int | None = None,
        stop: threading.Event | None = None,
    ) -> Iterator[Progress | DuplicatesReport]:
        """Look at the pictures that are new since the last look, `again` at all of them.

        All kinds are looked for; `kinds` and `where` say which groups the report counts. Yields Progress, at last a
        DuplicatesReport; `groups` and `all_groups` give the groups. `stop`, set from anywhere, ends it soon; what is
        done is kept. Raises FilterError, CollectionNotFound, CollectionReadOnly, OutOfSpace.
        """
        from lookalike.engine.duplicate_search import Look

        started = time.monotonic()
        with self._store.snapshot() as snapshot:
            self._remembered.condition(snapshot, where)  # a mistake in it is told before hours of work
        finished = self._finish_moves()
        look = Look(self._store, self._remembered, workers=workers, stop=stop)
        yield from look.run(again=again)
        with self._store.snapshot() as snapshot:
            counts = self._standing(snapshot, self._keeping(snapshot), kinds, where).counts
        yield DuplicatesReport(
            counts=counts,
            looked_at=look.looked_at,
            compared=look.compared,
            not_looked_at=self._store.likenesses.count_without_fingerprint(),
            seconds=time.monotonic() - started,
            interrupted=stop is not None and stop.is_set(),
            finished=finished,
            noted=tuple(look.notes),
        )

    def groups(
        self,
        kinds: Sequence[LikenessKind] = LIKENESS_KINDS,
        where: str | None = None,
        *,
        rule: Rule = "best",
        prefer: Sequence[PathLike] = (),
        after: str | None = None,
        limit: int = PAGE,
    ) -> GroupPage:
        """Groups from what earlier looks found, `limit` of them behind the cursor `after`; nothing is looked at.

        Raises FilterError, QueryError for a cursor that is none.
        """
        from lookalike.engine.duplicate_groups import page_of

        before = self._store.version()
        with self._store.snapshot() as snapshot:
            same_moment = self._store.version() == before
            keeping = self._keeping(snapshot, rule, prefer)
            asked = (before, tuple(kinds), where, rule, tuple(map(os.fsencode, prefer)))
            standing = self._kept.get(asked) if same_moment else None
            if standing is None:
                standing = self._standing(snapshot, keeping, kinds, where)
            if same_moment:
                last = {key: kept for key, kept in self._kept.items() if key[0] == before and key != asked}
                self._kept = dict([*last.items()][-_KEPT + 1 :]) | {asked: standing}
            return page_of(snapshot, standing, after, limit)

    def all_groups(
        self,
        kinds: Sequence[LikenessKind] = LIKENESS_KINDS,
        where: str | None = None,
        *,
        rule: Rule = "best",
        prefer: Sequence[PathLike] = (),
    ) -> Iterator[DuplicateGroup]:
        """All of these groups, of one moment. Raises FilterError."""
        from lookalike.engine.duplicate_groups import described

        with self._store.snapshot() as snapshot:
            keeping = self._keeping(snapshot, rule, prefer)
            yield from described(snapshot, self._standing(snapshot, keeping, kinds, where))

    # -- what people decide ----------------------------------------------------------------------

    def not_same(self, first: str, second: str) -> tuple[str, str]:
        """Remember that two items, by id or path, are no duplicates of each other; their ids. Raises QueryError."""
        ids = self._two_ids(first, second)
        self._store.likenesses.put_apart([ids])
        return ids

    def undo_not_same(self, first: str, second: str) -> bool:
        """Forget that; False when nobody had said it. Raises QueryError for the names of nothing."""
        known = {id for each in self._store.likenesses.apart() for id in (each.first, each.second)}
        ids = [given if given in known else self._id_of(given) for given in (first, second)]
        return self._store.likenesses.forget_apart([(ids[0], ids[1])]) > 0

    def decided_apart(self) -> list[tuple[str, str]]:
        """All pairs of items that are no duplicates of each other, by id; the last decision first."""
        return [(each.first, each.second) for each in self._store.likenesses.apart()]

    def keep(self, item: str) -> str:
        """Remember that this item, by id or path, is the one to keep of its group; its id. Raises QueryError."""
        id = self._id_of(item)
        self._store.likenesses.put_kept([id])
        return id

    def undo_keep(self, item: str) -> bool:
        """Forget that; False when nobody had said it. Raises QueryError."""
        return self._store.likenesses.forget_kept([self._id_of(item)]) > 0

    # -- moving ----------------------------------------------------------------------------------

    def check_target(self, to: PathLike) -> None:
        """Raises QueryError for a `to` that `plan` would refuse: a look before it may take hours."""
        from lookalike.engine.move_plan import refuse_target
        from lookalike.engine.paths import absolute

        refuse_target(self._store, absolute(to))

    def could_go(
        self,
        kinds: Sequence[LikenessKind] | None = None,
        where: str | None = None,
        *,
        rule: Rule = "best",
        prefer: Sequence[PathLike] = (),
    ) -> tuple[list[str], int]:
        """Paths of what `plan` would move, wherever to, without what belongs to these; and how many others stay.

        `kinds`: as `plan` takes them. Raises FilterError.
        """
        from lookalike.engine.duplicate_groups import described
        from lookalike.engine.staying import Staying

        with self._store.snapshot() as snapshot:
            keeping = self._keeping(snapshot, rule, prefer)
            groups = list(described(snapshot, self._standing(snapshot, keeping, _that_go(kinds), where)))
            staying = Staying(self._store, snapshot, groups)
            found = [(member.uri, why) for group in groups for member, _, why in staying.members(group)]
        paths = [uri for uri, why in found if not why]
        return paths, len(found) - len(paths)

    def plan(
        self,
        to: PathLike,
        kinds: Sequence[LikenessKind] | None = None,
        where: str | None = None,
        *,
        rule: Rule = "best",
        prefer: Sequence[PathLike] = (),
    ) -> MovePlan:
        """What moving all but the ones to keep below the folder `to` would do; nothing is touched.

        `kinds`: None for all but bursts, whose shots are no copies of each other. Raises FilterError, QueryError for a
        `to` that cannot be.
        """
        from lookalike.engine.duplicate_groups import described
        from lookalike.engine.move_plan import plan_moves
        from lookalike.engine.paths import absolute

        kinds = _that_go(kinds)
        with self._store.snapshot() as snapshot:
            keeping = self._keeping(snapshot, rule, prefer)
            groups = list(described(snapshot, self._standing(snapshot, keeping, kinds, where)))
            return plan_moves(self._store, snapshot, groups, absolute(to))

    def move(self, plan: MovePlan, stop: threading.Event | None = None) -> Iterator[Progress | MoveReport]:
        """Do what `plan` says. Yields Progress, at last a MoveReport; `undo` brings everything back.

        Raises CollectionBusy, CollectionReadOnly, and QueryError where the folder cannot be made: nothing is touched.
        """
        from lookalike.engine.moving import move

        return move(self._store, plan, stop)

    def undo(self, stop: threading.Event | None = None) -> Iterator[Progress | MoveReport]:
        """Bring back what the last `move` that still stands carried away; once more for the one before.

        Raises CollectionBusy, CollectionReadOnly.
        """
        from lookalike.engine.moving import undo

        return undo(self._store, stop)

    def can_undo(self) -> bool:
        """Whether some file is still where a move carried it."""
        return self._store.last_move_run() is not None

    # ---------------------------------------------------------------------------------------------

    def _finish_moves(self) -> int:
        """End a move that was cut short; one that another process is at is left to it."""
        from lookalike.engine.moving import finish

        with suppress(CollectionBusy, CollectionReadOnly):
            return finish(self._store)
        return 0

    def _keeping(self, snapshot: Snapshot, rule: Rule = "best", prefer: Sequence[PathLike] = ()) -> Keeping:
        from lookalike.engine.keeping import Keeping
        from lookalike.engine.paths import absolute

        if rule not in get_args(Rule):
            raise ValueError(f"rule is {rule!r}; it is one of {', '.join(get_args(Rule))}")
        return Keeping(rule, [absolute(folder) for folder in prefer], snapshot.kept())

    def _standing(
        self, snapshot: Snapshot, keeping: Keeping, kinds: Sequence[LikenessKind], where: str | None
    ) -> Standing:
        from lookalike.engine.duplicate_groups import standing_groups

        if unknown := set(kinds) - set(LIKENESS_KINDS):
            raise ValueError(f"there is no kind {unknown.pop()!r}; kinds are {', '.join(LIKENESS_KINDS)}")
        return standing_groups(snapshot, keeping, kinds, self._remembered.condition(snapshot, where))

    def _id_of(self, given: str) -> str:
        from lookalike.engine.items import find_item

        with self._store.snapshot() as snapshot:
            return find_item(snapshot, os.path.expanduser(given)).id

    def _two_ids(self, first: str, second: str) -> tuple[str, str]:
        ids = self._id_of(first), self._id_of(second)
        if ids[0] == ids[1]:
            raise QueryError(Wording("one_item", first=first, second=second), hint=Wording("two_items"))
        return ids


def _that_go(kinds: Sequence[LikenessKind] | None) -> Sequence[LikenessKind]:
    """The kinds whose items may go, where none are asked for: all but bursts."""
    from lookalike.engine.staying import ONLY_ASKED

    return [kind for kind in LIKENESS_KINDS if kind not in ONLY_ASKED] if kinds is None else kinds
