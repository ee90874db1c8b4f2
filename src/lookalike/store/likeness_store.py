"""Duplicates as `Store.likenesses` gives them: what is known and what was decided, in short reads and short writes.

A short write waits for another one, and for the commits of whoever holds the lock; it is refused only where nothing
can be written (CollectionReadOnly). What belongs to one moment of a collection is read from its `Snapshot`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lookalike.store import decisions, likenesses
from lookalike.store.tables import items_of_pictures

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable
    from contextlib import AbstractContextManager

    from lookalike.core.records import Fingerprint
    from lookalike.store.decisions import ApartRecord
    from lookalike.store.likenesses import PairRecord
    from lookalike.store.records import ItemRecord


class LikenessStore:
    """`reading` and `writing` give a connection inside a transaction."""

    def __init__(
        self,
        reading: Callable[[], AbstractContextManager[sqlite3.Connection]],
        writing: Callable[[], AbstractContextManager[sqlite3.Connection]],
    ) -> None:
        self._reading = reading
        self._writing = writing

    # -- fingerprints ----------------------------------------------------------------------------

    def count_without_fingerprint(self) -> int:
        """Pictures that are seen somewhere and have none."""
        with self._reading() as connection:
            return likenesses.count_without_fingerprint(connection)

    def count_without_sketch(self) -> int:
        """Pictures that are seen somewhere and lack a fingerprint or a sketch: of an earlier format, from elsewhere."""
        with self._reading() as connection:
            return likenesses.count_without_sketch(connection)

    def pictures_without_sketch(self, after: int, limit: int) -> list[tuple[int, list[ItemRecord]]]:
        """Up to `limit` of these pictures numbered above `after`, with their items, first the one to read."""
        with self._reading() as connection:
            pictures = likenesses.pictures_without_sketch(connection, after, limit)
            items = items_of_pictures(connection, pictures)
            return [(picture, items[picture]) for picture in pictures]

    def put_fingerprints(self, prints: Iterable[tuple[int, Fingerprint]]) -> None:
        """Keep fingerprints and sketches of pictures, by number; they are looked at again then, and what was said of
        them unseen is forgotten.
        """
        prints = list(prints)
        with self._writing() as connection:
            likenesses.forget_unseen(connection, (picture for picture, _ in prints))
            likenesses.put_fingerprints(connection, prints)

    # -- likenesses ------------------------------------------------------------------------------

    def put(self, pairs: Iterable[PairRecord], looked: Iterable[int], method: int) -> None:
        """Keep pairs that were found and, in the same commit, that pictures were `looked` at by a method."""
        with self._writing() as connection:
            likenesses.put_likenesses(connection, pairs, looked, method)

    def forget(self, before: int) -> None:
        """Forget what a method numbered below `before` found, and that pictures were looked at by it."""
        with self._writing() as connection:
            likenesses.forget_likenesses(connection, before)

    def doubt(self) -> None:
        """Have all pictures looked at anew; what was found before stands until `forget_doubted`."""
        with self._writing() as connection:
            likenesses.doubt_likenesses(connection)

    def forget_doubted(self) -> None:
        """Forget what was doubted and not found anew."""
        with self._writing() as connection:
            likenesses.forget_doubted(connection)

    # -- decisions -------------------------------------------------------------------------------

    def apart(self) -> list[ApartRecord]:
        """All decisions that items are no duplicates of each other, latest first."""
        with self._reading() as connection:
            return decisions.read_apart(connection)

    def put_apart(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Remember that items, by their ids, are no duplicates of each other. Raises ValueError for an unknown id."""
        with self._writing() as connection:
            decisions.put_apart(connection, pairs)

    def forget_apart(self, pairs: Iterable[tuple[str, str]]) -> int:
        """Take such decisions back, those about the same contents too; returns how many."""
        with self._writing() as connection:
            return decisions.forget_apart(connection, pairs)

    def put_kept(self, ids: Iterable[str]) -> None:
        """Remember that items are the ones to keep in their groups. Raises ValueError for an unknown id."""
        with self._writing() as connection:
            decisions.put_kept(connection, ids)

    def forget_kept(self, ids: Iterable[str]) -> int:
        """Take such choices back; returns how many there were."""
        with self._writing() as connection:
            return decisions.forget_kept(connection, ids)
