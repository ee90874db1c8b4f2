"""Connections that read, used again by one snapshot after another, and what the last of them saw.

Opening a connection costs half a millisecond, more than many a search. What a snapshot reads first (its space, the
mapped rows, the index, the roots) is the same until the generation changes, so it is kept with the generation.
"""

from __future__ import annotations

import sqlite3
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lookalike.store.database import connect_reading

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lookalike.core.arrays import HalfVectors
    from lookalike.store.columns import Columns
    from lookalike.store.records import IndexRecord, Root, Space
    from lookalike.store.word_lists import WordLists

IDLE_AT_MOST = 16
"""Connections kept for later: each has a cache of up to 2 MB."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What all snapshots of a space in a generation have in common."""

    generation: int
    space: Space
    rows: HalfVectors
    index: IndexRecord | None
    roots: Mapping[int, Root]


class Readers:
    """For all threads of one open collection."""

    def __init__(self, directory: Path, *, read_only: bool) -> None:
        self.directory = directory
        self.moment: Moment | None = None
        self.words: WordLists | None = None
        self.columns: tuple[tuple[int, int], Columns] | None = None
        """Of one moment: (space, generation)."""
        self._read_only = read_only
        self._idle: list[sqlite3.Connection] = []
        self._closed = False
        self._lock = threading.Lock()

    def take(self) -> sqlite3.Connection:
        """A connection outside any transaction. Raises what `connect_reading` raises."""
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return connect_reading(self.directory, read_only=self._read_only)

    def give_back(self, connection: sqlite3.Connection) -> None:
        """End its transaction and keep it, or close it when there are enough or something is wrong with it."""
        with suppress(sqlite3.Error):
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            with self._lock:
                if not self._closed and len(self._idle) < IDLE_AT_MOST:
                    self._idle.append(connection)
                    return
        connection.close()

    def forget(self) -> None:
        """Let go of what is mapped: some systems cannot remove a file that is."""
        self.moment = None
        self.words = None
        self.columns = None

    def close(self) -> None:
        with self._lock:
            self._closed, idle, self._idle = True, self._idle, []
        for connection in idle:
            connection.close()
        self.forget()
