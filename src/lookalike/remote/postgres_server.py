"""What a PostgreSQL server and the database of a session are: which versions, and which tables there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lookalike.core.errors import RemoteRefused
from lookalike.remote.postgres_plan import OLDEST

if TYPE_CHECKING:
    from lookalike.remote.postgres_connections import Session
    from lookalike.remote.postgres_plan import Version


def is_there(session: Session, table: str) -> bool:
    """Whether there is a table of that name."""
    return session.rows("SELECT to_regclass(%s)", [table])[0][0] is not None


def usable_version(session: Session) -> Version:
    """The version of pgvector, which is switched on in the database where it may be."""
    sql = "SELECT extversion FROM pg_extension WHERE extname = 'vector'"
    if not session.rows(sql):
        session.rows("CREATE EXTENSION vector")
    said = str(session.rows(sql)[0][0])
    major, minor = (int(part) for part in said.split(".")[:2])
    if (major, minor) < OLDEST:
        hint = "install a later one, and ALTER EXTENSION vector UPDATE"
        raise RemoteRefused(f"pgvector {said} is too old: 0.6 or later is needed", hint=hint)
    if session.rows("SHOW server_encoding")[0][0] != "UTF8":
        raise RemoteRefused("the database's encoding is not UTF8", hint="make a database with ENCODING 'UTF8'")
    return major, minor


def server_name(session: Session) -> str:
    """The server and its pgvector with their versions, for a person."""
    sql = "SELECT current_setting('server_version'), (SELECT extversion FROM pg_extension WHERE extname = 'vector')"
    server, vector = session.rows(sql)[0]
    return f"PostgreSQL {server.split()[0]} with pgvector {vector}"
