"""The journal of moves: which files were carried away as duplicates, and how they come back.

A file is noted as "meant" in one commit before it is touched, and as "done" in another one after it; "undoing" and
"undone" are the same on the way back. "left" is one that stayed where it was, with the reason. So a process that dies
at any instant leaves rows that say what to look at: `open_moves`. The second commit also settles the item: it goes to
its new place with its id where that lies in an indexed folder, and leaves the collection where it does not. On the way
back it gets its id again, as long as the collection knows the content.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from lookalike.store.database import transaction
from lookalike.store.rooting import covering_root
from lookalike.store.tables import roots_by_number, uri_to_keep

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

MoveState: TypeAlias = Literal["meant", "done", "undoing", "undone", "left"]
_COLUMNS = "number, run, item, root, key, source, target, size, modified_ns, digest, state, reason"


@dataclass(frozen=True, slots=True)
class MeantMove:
    """A file that is to be moved from `source` to `target`, absolute native paths.

    `item`: the id of the item whose picture it is; None for what only goes with one (a sidecar, a RAW file). `root`:
    the path of the item's root, and `key` below it. `size`, `modified_ns` and `digest` (BLAKE2b-128 of all bytes) are
    the file's before it is touched.
    """

    item: str | None
    root: bytes
    key: bytes
    source: bytes
    target: bytes
    size: int
    modified_ns: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class Move:
    """A row of the journal. `reason`: why a file was left, "" else."""

    number: int
    run: int
    item: str | None
    root: bytes
    key: bytes
    source: bytes
    target: bytes
    size: int
    modified_ns: int
    digest: bytes
    state: MoveState
    reason: str


@dataclass(frozen=True, slots=True)
class MoveRun:
    """One call that moved: into which folder, what was asked (JSON-ready), and when it began, UTC ns since 1970."""

    number: int
    target: bytes
    asked: dict[str, Any]
    began_ns: int


def open_moves(connection: sqlite3.Connection) -> list[Move]:
    """Moves that began, in either direction, and were cut short."""
    return _moves(connection, "state IN ('meant', 'undoing') ORDER BY number")


def moves_of(connection: sqlite3.Connection, run: int) -> list[Move]:
    """All moves of a run, in the order in which they began."""
    return _moves(connection, "run = ? ORDER BY number", run)


def last_run(connection: sqlite3.Connection) -> MoveRun | None:
    """The newest run of which some file is still where it was moved to."""
    row = connection.execute(
        "SELECT number, target, asked, began_ns FROM move_runs r WHERE EXISTS"
        " (SELECT 1 FROM moves m WHERE m.run = r.number AND m.state = 'done')"
        " ORDER BY EXISTS (SELECT 1 FROM moves m WHERE m.run = r.number AND m.state = 'done' AND m.reason = '') DESC,"
        " number DESC LIMIT 1"  # what once could not be brought back must not stand before older runs
    ).fetchone()
    return None if row is None else MoveRun(row[0], row[1], json.loads(row[2]), row[3])


class MoveJournal:
    """Writing the journal, and what a move means for the item, for the one writer (`Writer.moves`)."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        directory: Path,
        publishing: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self._connection = connection
        self._directory = directory
        self._publishing = publishing

    def begin_run(self, target: bytes, asked: Mapping[str, Any]) -> int:
        """A new run; returns its number."""
        with transaction(self._connection, self._directory):
            number = self._connection.execute(
                "INSERT INTO move_runs (target, asked, began_ns) VALUES (?, ?, ?)",
                (target, json.dumps(dict(asked)), time.time_ns()),
            ).lastrowid
        assert number is not None
        return number

    def end_run(self, run: int) -> None:
        """Note that a run came to its end."""
        with transaction(self._connection, self._directory):
            self._connection.execute("UPDATE move_runs SET ended_ns = ? WHERE number = ?", (time.time_ns(), run))

    def mean(self, run: int, moves: Sequence[MeantMove]) -> list[Move]:
        """Note files that are about to be moved. From this commit on the journal answers for them."""
        now = time.time_ns()
        with transaction(self._connection, self._directory):
            for each in moves:
                self._connection.execute(
                    "INSERT INTO moves (run, item, root, key, source, target, size, modified_ns, digest, metadata,"
                    " state, meant_ns, changed_ns) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?,"
                    " coalesce((SELECT metadata FROM items WHERE id = ?), '{}'), 'meant', ?, ?)",
                    (
                        run,
                        each.item,
                        each.root,
                        each.key,
                        each.source,
                        each.target,
                        each.size,
                        each.modified_ns,
                        each.digest,
                        each.item,
                        now,
                        now,
                    ),
                )
            return _moves(self._connection, "run = ? ORDER BY number DESC LIMIT ?", run, len(moves))[::-1]

    def mean_back(self, moves: Sequence[Move]) -> None:
        """Note files that are about to be brought back."""
        with transaction(self._connection, self._directory):
            self._note(moves, "undoing")

    def settle(self, done: Sequence[Move], left: Sequence[tuple[Move, str]]) -> None:
        """Note files that are where they were meant to be, and others that stayed, each with the reason."""
        with self._publishing():
            self._note(done, "done")
            for move in done:
                self._carry_item(move)
            for move, reason in left:
                self._note([move], "left", reason)

    def settle_back(self, back: Sequence[Move], left: Sequence[tuple[Move, str]]) -> list[str]:
        """Note files that are back, and others that are still away; the ids of items the collection has again."""
        with self._publishing():
            self._note(back, "undone")
            ids = [move.item for move in back if move.item is not None and self._bring_item_back(move)]
            for move, reason in left:
                self._note([move], "done", reason)
        return ids

    def _note(self, moves: Sequence[Move], state: MoveState, reason: str = "") -> None:
        now = time.time_ns()
        self._connection.executemany(
            "UPDATE moves SET state = ?, reason = ?, changed_ns = ? WHERE number = ?",
            [(state, reason, now, move.number) for move in moves],
        )

    def _carry_item(self, move: Move) -> None:
        """The item at the former place of a file goes with it, or out of the collection."""
        item = self._item_at(move.source)
        if item is None:
            return
        place = covering_root(self._connection, move.target)
        if place is None:
            self._connection.execute("DELETE FROM items WHERE number = ?", (item,))
        else:
            self._put_at(item, place[0].number, place[1], move.target)

    def _bring_item_back(self, move: Move) -> bool:
        """Whether the item stands at its former place again."""
        place = covering_root(self._connection, move.source)
        if place is None:
            return False
        kept = self._connection.execute("SELECT number FROM items WHERE id = ?", (move.item,)).fetchone()
        there = self._item_at(move.target)
        if there is not None and (kept is None or there != kept[0]):  # taken in at its place away, as another item
            self._connection.execute("DELETE FROM items WHERE number = ?", (there,))
        if kept is not None:
            self._put_at(kept[0], place[0].number, place[1], move.source)
            return True
        return self._insert_at(place[0].number, place[1], move)

    def _insert_at(self, root: int, key: bytes, move: Move) -> bool:
        """A new row for an item that left; False when its content was forgotten meanwhile."""
        self._connection.execute("DELETE FROM items WHERE root = ? AND key = ?", (root, key))
        added = self._connection.execute(
            "INSERT INTO items (id, root, key, uri, size, modified_ns, picture, content, metadata, fresh)"
            " SELECT m.item, ?, ?, ?, m.size, m.modified_ns, c.picture, c.number, m.metadata, 0"
            " FROM moves m JOIN contents c ON c.bytes_digest = m.digest WHERE m.number = ?",
            (root, key, self._kept_uri(root, key, move.source), move.number),
        )
        return added.rowcount == 1

    def _put_at(self, item: int, root: int, key: bytes, path: bytes) -> None:
        """Move an item; another one there is of a file that is gone, or there would be no room for this one's."""
        self._connection.execute("DELETE FROM items WHERE root = ? AND key = ? AND number <> ?", (root, key, item))
        self._connection.execute(
            "UPDATE items SET root = ?, key = ?, uri = ? WHERE number = ?",
            (root, key, self._kept_uri(root, key, path), item),
        )

    def _item_at(self, path: bytes) -> int | None:
        place = covering_root(self._connection, path)
        if place is None:
            return None
        row = self._connection.execute(
            "SELECT number FROM items WHERE root = ? AND key = ?", (place[0].number, place[1])
        ).fetchone()
        return None if row is None else int(row[0])

    def _kept_uri(self, root: int, key: bytes, path: bytes) -> bytes | None:
        return uri_to_keep(roots_by_number(self._connection), root, key, os.fsdecode(path))


def _moves(connection: sqlite3.Connection, condition: str, *parameters: int) -> list[Move]:
    rows = connection.execute(f"SELECT {_COLUMNS} FROM moves WHERE {condition}", parameters)  # noqa: S608 words of ours
    return [Move(*row) for row in rows]
