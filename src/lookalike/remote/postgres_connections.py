"""Connections to a PostgreSQL server: kept, timed, tried again; and its errors in our words.

Promises: a call ends within `timeout_s` a try, also where the server stopped answering in the middle of it. What is run
may be run again, so that a lost connection costs a try and not an answer. A statement that the server itself gives up
for its time is not tried again. No message has a password in it.
"""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

from lookalike.core.causes import cause_of
from lookalike.core.errors import MissingExtra, RemoteRefused, RemoteUnavailable
from lookalike.core.wording import Wording
from lookalike.remote.postgres_address import ssl_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from lookalike.remote.postgres_address import Address

_Result = TypeVar("_Result")

PAUSES_S = (0.5, 2.0)
"""Before the second and the third try: a server that is restarted is back in about that time."""
_PASSING = ("08", "40", "57P", "53300", "55P03", "25P03")
"""SQLSTATE that pass: connection lost, conflict of two writers, server stops or starts, too many clients, a lock, and
who stood still amid a transaction for too long."""
NO_TABLE = "42P01"
"""SQLSTATE of a table that is not there."""
_GAVE_UP = "57014"
"""SQLSTATE of a statement that took longer than it may."""
_HINTS = {
    "28": "look at user and password: LOOKALIKE_POSTGRES_PASSWORD, or the file .pgpass",
    "25": "this server, or this user, may only read there: name one that may write",
    "3D": "make the database first, or name another in the address",
    "42": "look whether this user may create tables there, and whether the tables are lookalike's",
    "53": "make room on the server's disk, or give it more memory",
    "58": "pgvector is not installed on the server: lookalike needs its version 0.6 or later",
    "0A": "pgvector is not installed on the server: lookalike needs its version 0.6 or later",
}
"""By the first two letters of SQLSTATE."""


class Session:
    """One connection, for one thread at a time."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def rows(self, sql: str, values: Sequence[Any] = (), *, copied: Iterable[bytes] | None = None) -> list[Any]:
        """What a statement gives. `values` for its `%s`; `copied`: what a COPY FROM STDIN reads."""
        cursor = self._connection.cursor()
        cursor.execute(sql, values, stream=copied)
        return list(cursor.fetchall()) if cursor.description else []

    def changed(self, sql: str, values: Sequence[Any]) -> int:
        """How many rows a statement changed."""
        cursor = self._connection.cursor()
        cursor.execute(sql, values)
        return int(cursor.rowcount)

    def close(self) -> None:
        with suppress(Exception):  # it was lost already
            self._connection.close()


class Connections:
    """Lends sessions, and keeps them for the next."""

    def __init__(self, address: Address, password: str | None, timeout_s: float) -> None:
        self._address = address
        self._password = password
        self._timeout_s = timeout_s
        self._idle: list[Session] = []
        self._lock = threading.Lock()
        self._closed = False

    def run(self, work: Callable[[Session], _Result], *, timed: bool = True, one_moment: bool = False) -> _Result:
        """What `work` gives, in a transaction of its own; again after what passes, so it must do no harm twice.

        `timed=False`: in no transaction, and for as long as it takes (an index is built). `one_moment`: all statements
        see the tables as they were at the first.
        """
        errors = _errors()
        for pause_s in (*PAUSES_S, None):
            try:
                with self._lent(timed=timed, one_moment=one_moment) as session:
                    return work(session)
            except errors as error:
                self._let_go()
                if pause_s is None or not _is_passing(error):
                    raise self._told(error) from None
            time.sleep(pause_s)
        raise AssertionError("the last try returns or raises")

    def close(self) -> None:
        self._closed = True
        self._let_go()

    @contextmanager
    def _lent(self, *, timed: bool, one_moment: bool) -> Iterator[Session]:
        if self._closed:
            raise RemoteRefused(f"{self._address} was closed")
        with self._lock:
            session = self._idle.pop() if timed and self._idle else None
        session = session or self._connected(self._timeout_s if timed else None)
        try:
            if timed:
                session.rows("BEGIN ISOLATION LEVEL REPEATABLE READ" if one_moment else "BEGIN")
            yield session
            if timed:
                session.rows("COMMIT")
        except BaseException:
            session.close()
            raise
        if timed and not self._closed:
            with self._lock:
                self._idle.append(session)
        else:
            session.close()

    def _connected(self, timeout_s: float | None) -> Session:
        try:
            from pg8000.dbapi import Connection
        except ImportError:
            raise MissingExtra("PostgreSQL", "pgvector") from None
        its = self._address
        line = _line(its, self._timeout_s)
        try:
            connection = Connection(
                its.user,
                host=its.host,
                database=its.database,
                password=self._password or "",
                sock=line,
                ssl_context=False if its.socket_folder else ssl_of(its),
                application_name="lookalike",
            )
        except BaseException:
            _shut(line)
            raise
        connection.autocommit = True
        if timeout_s is None:
            connection._usock.settimeout(None)  # noqa: SLF001 pg8000 has no other way
        # the server gives up a little before we do, so that it is free again; compiling queries saves us nothing
        limit_ms = 0 if timeout_s is None else round(timeout_s * 900)
        session = Session(connection)
        try:
            session.rows(
                f"SET statement_timeout = {limit_ms}; SET jit = off; SET client_min_messages = error;"
                f" SET idle_in_transaction_session_timeout = {limit_ms}"  # who vanished amid a write holds nobody up
            )
        except BaseException:
            session.close()
            raise
        return session

    def _let_go(self) -> None:
        """Close what is idle: where one connection was lost, the others are too."""
        with self._lock:
            idle, self._idle = self._idle, []
        for session in idle:
            session.close()

    def _told(self, error: Exception) -> RemoteUnavailable | RemoteRefused:
        state, said = _state(error), _said(error)
        away = Wording("engine_away", engine=str(self._address), why=said)
        if isinstance(error, _NoLine):
            return RemoteUnavailable(away, hint=Wording("engine_reach"))
        if state == _GAVE_UP or isinstance(error, TimeoutError):
            slow = Wording("engine_slow", engine=str(self._address), seconds=f"{self._timeout_s:g}")
            return RemoteUnavailable(slow, hint=Wording("engine_longer"))
        if _is_passing(error):
            return RemoteUnavailable(away, hint=Wording("engine_reach"))
        refused = Wording("engine_refused", engine=str(self._address), why=said)
        return Refusal(refused, state, _HINTS.get(state[:2], ""))


def _line(its: Address, timeout_s: float) -> socket.socket:
    """A line to the server, of our own: pg8000 leaves its open where the server goes away in the first moment."""
    try:
        if its.socket_folder:
            line = socket.socket(socket.AF_UNIX)
            line.settimeout(timeout_s)
            try:
                line.connect(f"{its.socket_folder}/.s.PGSQL.{its.port}")
            except BaseException:
                line.close()
                raise
        else:
            line = socket.create_connection((its.host, its.port), timeout_s)
            line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    except TimeoutError:
        raise _NoLine(f"no connection within {timeout_s:g} s") from None
    except OSError as error:
        raise ConnectionError(cause_of(error)) from None
    return line


class Refusal(RemoteRefused):
    """What PostgreSQL refused, with its SQLSTATE."""

    def __init__(self, message: Wording, state: str, hint: str) -> None:
        super().__init__(message, hint=hint)
        self.state = state


class _NoLine(TimeoutError):
    """Nobody says yes or no to a line: another try would wait as long."""


def _shut(line: socket.socket) -> None:
    with suppress(OSError):  # it was shut, or is another's since it is encrypted
        socket.close(line.detach())


def _errors() -> tuple[type[Exception], ...]:
    try:
        from pg8000.exceptions import Error
    except ImportError:
        raise MissingExtra("PostgreSQL", "pgvector") from None
    return (Error, OSError)


def _told_by_server(error: BaseException | None) -> dict[str, str]:
    """What the server said, by the letters of its protocol; {} where it said nothing.

    It may be behind another error: saying goodbye to a server that has hung up fails.
    """
    while error is not None:
        if error.args and isinstance(error.args[0], dict):
            return error.args[0]
        error = error.__context__
    return {}


def _state(error: Exception) -> str:
    """SQLSTATE; "" where the server said nothing."""
    return _told_by_server(error).get("C", "")


def _said(error: Exception) -> str:
    said = f"{error} ({error.__cause__})" if error.__cause__ is not None else str(error)
    return _told_by_server(error).get("M", said)


def _is_passing(error: Exception) -> bool:
    state = _state(error)
    return state.startswith(_PASSING) if state else not isinstance(error, TimeoutError)
