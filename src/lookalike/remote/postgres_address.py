"""Addresses of collections in PostgreSQL: `postgresql://user@host:5432/database?collection=name`.

As libpq reads them, as far as they go: a `host` among the options is the folder of a Unix socket; `sslmode` is
"disable", "prefer" (encrypted where the server can, which is usual), "require", or "verify-full" with `sslrootcert`.
A password is no part of an address, where logs and lists of processes would show it: it is given apart, or stands in
the password file (`.pgpass`, one `host:port:database:user:password` a line, as libpq reads it).
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from lookalike.core.errors import RemoteRefused

if TYPE_CHECKING:
    from pathlib import Path
    from urllib.parse import SplitResult

EXAMPLE = "postgresql://user@host:5432/database?collection=photos"
PORT = 5432
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_OPTIONS = frozenset({"collection", "host", "port", "user", "dbname", "sslmode", "sslrootcert", "connect_timeout"})
_SSL_MODES = ("disable", "prefer", "require", "verify-full")
_ESCAPED = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a collection is. `socket_folder`: of a Unix socket, instead of `host`."""

    host: str
    port: int
    database: str
    user: str
    collection: str
    socket_folder: str = ""
    sslmode: str = "prefer"
    sslrootcert: str | None = None

    def __str__(self) -> str:
        """For a person."""
        where = f"{self.user}@{self.host}:{self.port}/{self.database}?collection={self.collection}"
        return f"postgresql://{where}{f'&host={self.socket_folder}' if self.socket_folder else ''}"


def parse(url: str) -> Address:
    """Raises RemoteRefused for what is no such address, or has a password in it."""
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if parts.password or "password" in options:
        hint = "leave it out there, and put it into LOOKALIKE_POSTGRES_PASSWORD, or into the file .pgpass"
        raise RemoteRefused("an address must not have a password in it: logs and lists of processes show it", hint=hint)
    unknown = sorted(set(options) - _OPTIONS)
    if unknown:
        raise RemoteRefused(f"an address of PostgreSQL has no option {unknown[0]}", hint=f"for example {EXAMPLE}")
    host = options.get("host", parts.hostname or "localhost")
    user = options.get("user", unquote(parts.username or ""))
    if not user:
        raise RemoteRefused("an address of PostgreSQL says which user", hint=f"for example {EXAMPLE}")
    is_folder = host.startswith(("/", "@"))
    return Address(
        host="localhost" if is_folder else host,
        port=_port(options.get("port", ""), parts),
        database=options.get("dbname", unquote(parts.path.lstrip("/"))) or user,
        user=user,
        collection=_collection(options.get("collection", "")),
        socket_folder=host if is_folder else "",
        sslmode=_sslmode(options.get("sslmode", "prefer")),
        sslrootcert=options.get("sslrootcert"),
    )


def password_in(file: Path, address: Address) -> str | None:
    """The password that a password file has for an address; None where it has none, or is not there.

    As libpq, a file that others may read is not believed.
    """
    try:
        if os.name == "posix" and file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            return None
        lines = file.read_text("utf-8").splitlines()
    except OSError:
        return None
    wanted = (address.host, str(address.port), address.database, address.user)
    for line in lines:
        *fields, password = [_ESCAPED.sub(r"\1", each) for each in re.split(r"(?<!\\):", line, maxsplit=4)]
        if len(fields) == 4 and all(its in {"*", each} for its, each in zip(fields, wanted, strict=True)):
            return password
    return None


def ssl_of(address: Address) -> Any:
    """What pg8000 takes as `ssl_context`."""
    import ssl

    match address.sslmode:
        case "disable":
            return False
        case "require":
            return True
        case "verify-full":
            return ssl.create_default_context(cafile=address.sslrootcert)
        case _:
            return None


def _port(option: str, parts: SplitResult) -> int:
    try:
        return int(option) if option else parts.port or PORT
    except ValueError as error:
        raise RemoteRefused("the port of an address is a number up to 65535", hint=f"for example {EXAMPLE}") from error


def _collection(name: str) -> str:
    if not _NAME.fullmatch(name):
        hint = f"small letters, digits and _, up to 40, a letter first: {EXAMPLE}"
        raise RemoteRefused(f"{name or 'nothing'} is no name of a collection in PostgreSQL", hint=hint)
    return name


def _sslmode(mode: str) -> str:
    if mode not in _SSL_MODES:
        raise RemoteRefused(f"sslmode={mode} is not known", hint=f"one of {', '.join(_SSL_MODES)}")
    return mode
