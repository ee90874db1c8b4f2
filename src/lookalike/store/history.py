"""Questions that were asked of a service, for each who asked: kept only where the service was told to keep them.

They stand in the service's own database, beside its tokens. An asker is the name of a token, or "" for this computer
where no token is asked for. When a token is taken away, what its bearer asked goes too.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lookalike.core.errors import LookalikeError
from lookalike.store.tokens import HISTORY_TABLE, service_database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEPT = 1000
"""Different questions of one asker; beyond it those that were asked longest ago go."""
_NOTE = """
INSERT INTO history VALUES (?, ?, 1, ?)
ON CONFLICT (asker, question) DO UPDATE SET times = times + 1, last = excluded.last
"""
_LET_GO = """
DELETE FROM history WHERE asker = ?1 AND rowid NOT IN
(SELECT rowid FROM history WHERE asker = ?1 ORDER BY last DESC, rowid DESC LIMIT ?2)
"""


@dataclass(frozen=True, slots=True)
class AskedBefore:
    """A question in words. `times`: how often it was asked; `last`: when, ISO 8601 in UTC."""

    question: str
    times: int
    last: str

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


class History:
    """The questions in the database at `path`, made when the first is kept. Errors of it are LookalikeError."""

    def __init__(self, path: Path, *, kept: int = KEPT) -> None:
        self._path = path
        self._kept = kept

    def note(self, asker: str, question: str) -> None:
        """Keep a question; one asked before is counted. Spaces at its ends do not make it another."""
        now = datetime.now(UTC).isoformat(timespec="microseconds")
        with self._database() as connection:
            connection.execute(_NOTE, (asker, _storable(question), now))
            connection.execute(_LET_GO, (asker, self._kept))

    def latest(self, asker: str, most: int = KEPT) -> list[AskedBefore]:
        """What was asked, the latest first, `most` at most."""
        if not self._path.exists():
            return []
        with self._database() as connection:
            rows = connection.execute(
                "SELECT question, times, last FROM history WHERE asker = ? ORDER BY last DESC, rowid DESC LIMIT ?",
                (asker, most),
            )
            return [AskedBefore(*row) for row in rows]

    def forget(self, asker: str, question: str | None = None) -> int:
        """Let go of one question, of all without one; how many went."""
        if not self._path.exists():
            return 0
        with self._database() as connection:
            if question is None:
                return connection.execute("DELETE FROM history WHERE asker = ?", (asker,)).rowcount
            return connection.execute(
                "DELETE FROM history WHERE asker = ? AND question = ?", (asker, _storable(question))
            ).rowcount

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(service_database(self._path)) as connection, connection:
                connection.execute(HISTORY_TABLE)
                yield connection
        except sqlite3.Error as error:
            raise LookalikeError(f"the history in {self._path} cannot be used: {error}") from error


def _storable(question: str) -> str:
    """Text as SQLite takes it: half of a character becomes a question mark."""
    return question.strip().encode("utf-8", "replace").decode()
