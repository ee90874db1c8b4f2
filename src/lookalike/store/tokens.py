"""Tokens of a service: who may ask and who may change something. A small database of its own, beside no collection.

A token is 32 random bytes, shown once. What is kept is its SHA-256: with that many random bits a slow hash gains
nothing. Comparing takes the same time wherever two differ.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, get_args

from lookalike.core.causes import cause_of
from lookalike.core.errors import LookalikeError

if TYPE_CHECKING:
    from pathlib import Path

Scope = Literal["read", "write"]
_BYTES = 32
_MARK = "lka_"
"""What a token begins with, so that programs that look for leaked secrets know one."""
_TABLE = """
CREATE TABLE IF NOT EXISTS tokens (
    name TEXT PRIMARY KEY, digest BLOB NOT NULL UNIQUE, scope TEXT NOT NULL, created TEXT NOT NULL
) STRICT
"""

HISTORY_TABLE = """
CREATE TABLE IF NOT EXISTS history (
    asker TEXT NOT NULL, question TEXT NOT NULL, times INTEGER NOT NULL, last TEXT NOT NULL,
    PRIMARY KEY (asker, question)
) STRICT
"""
"""Of the same database: see `history.py`."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token without its secret. `created`: ISO 8601 in UTC."""

    name: str
    scope: Scope
    created: str


class Tokens:
    """The tokens in the database at `path`, made when the first is added."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, name: str, scope: Scope) -> str:
        """Make a token; its secret, which is kept nowhere. Raises LookalikeError where the name is taken."""
        if scope not in get_args(Scope):
            raise ValueError(f"a token is for {' or '.join(get_args(Scope))}, not {scope}")
        secret = _MARK + secrets.token_urlsafe(_BYTES)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        with closing(self._connection()) as connection, connection:
            connection.execute(_TABLE)
            try:
                connection.execute("INSERT INTO tokens VALUES (?, ?, ?, ?)", (name, _digest(secret), scope, now))
            except sqlite3.IntegrityError:
                raise LookalikeError(
                    f"there is a token called {name} already", hint=f"lookalike token remove {name} takes it away"
                ) from None
        return secret

    def remove(self, name: str) -> bool:
        """Take a token away, and what its bearer asked; whether there was one."""
        if not self._path.exists():
            return False
        with closing(self._connection()) as connection, connection:
            connection.execute(_TABLE)
            connection.execute(HISTORY_TABLE)
            connection.execute("DELETE FROM history WHERE asker = ?", (name,))
            return connection.execute("DELETE FROM tokens WHERE name = ?", (name,)).rowcount > 0

    def all(self) -> list[Token]:
        """Every token, by name."""
        return [Token(name, scope, created) for name, _, scope, created in self._rows()]

    def bearer_of(self, secret: str) -> Token | None:
        """The token with a secret; None for one that is no token."""
        given, found = _digest(secret), None
        for name, digest, scope, created in self._rows():
            if hmac.compare_digest(digest, given):
                found = Token(name, scope, created)
        return found

    def _rows(self) -> list[tuple[str, bytes, Scope, str]]:
        if not self._path.exists():
            return []
        with closing(self._connection()) as connection:
            connection.execute(_TABLE)
            return connection.execute("SELECT name, digest, scope, created FROM tokens ORDER BY name").fetchall()

    def _connection(self) -> sqlite3.Connection:
        return service_database(self._path)


def service_database(path: Path) -> sqlite3.Connection:
    """The database of a service, which nobody but its user may read. Raises LookalikeError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        is_new = not path.exists()
        connection = sqlite3.connect(path, timeout=30)
        if is_new:
            os.chmod(path, 0o600)
    except (sqlite3.Error, OSError) as error:
        raise LookalikeError(f"{path} cannot be opened: {cause_of(error)}") from error
    return connection


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
