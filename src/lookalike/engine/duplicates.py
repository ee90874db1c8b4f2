"""Duplicates of a collection: looking for them, what people decided about them, and which one of a group is kept.

A look has four stages. *Fingerprints* are filled in where a picture has none. *Candidates* are pairs that a fingerprint or
a vector brings near each other; only pictures that nobody looked at ask. *Compare* lays the pictures of a pair over each
other and says what one is to the other. *Groups* are made from the pairs that stand, without those that a person has
decided apart. What is found is kept, so that the next look asks for new pictures alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lookalike.core.records import LIKENESS_KINDS
from lookalike.engine.duplicates_report import DuplicatesReport, GroupPage

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator, Sequence

    from lookalike.core.records import LikenessKind
    from lookalike.engine.duplicates_report import Rule
    from lookalike.engine.paths import PathLike
    from lookalike.engine.remembered import Remembered
    from lookalike.engine.reports import Progress
    from lookalike.store.collection_store import Store

PAGE = 50
"""Groups of one page unless told otherwise."""


class Duplicates:
    """What a collection knows of its duplicates: `Collection.duplicates`."""

    def __init__(self, store: Store, remembered: Remembered) -> None:
        self._store = store
        self._remembered = remembered

    def find(
        self,
        kinds: Sequence[LikenessKind] = LIKENESS_KINDS,
        where: str | None = None,
        *,
        rule: Rule = "best",
        prefer: Sequence[PathLike] = (),
        again: bool = False,
        stop: threading.Event | None = None,
    ) -> Iterator[Progress | DuplicatesReport]:
        """Look at the pictures that are new since the last look, `again` at all of them; then group.

        `kinds`: those of the groups that are told; all are looked for. `where`: groups of items that meet a filter.
        `rule`, `prefer`: which item is kept, see `keeping`. Yields Progress, at last a DuplicatesReport.
        Raises FilterError, CollectionBusy, CollectionReadOnly.
        """
        yield DuplicatesReport((), dict.fromkeys(kinds, 0), 0, 0, 0, 0.0)

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
        return GroupPage((), None, dict.fromkeys(kinds, 0))

    def not_same(self, first: str, second: str) -> None:
        """Remember that two items, by id or path, are not duplicates of each other. Raises QueryError."""

    def undo_not_same(self, first: str, second: str) -> bool:
        """Forget that; False when nobody had said it. Raises QueryError."""
        return False

    def decided_apart(self) -> list[tuple[str, str]]:
        """All pairs of items that are not duplicates, by id; the last decision first."""
        return []

    def keep(self, item: str) -> None:
        """Remember that this item, by id or path, is the one to keep of its group. Raises QueryError."""

    def undo_keep(self, item: str) -> bool:
        """Forget that; False when nobody had said it. Raises QueryError."""
        return False
