"""Addresses of collections on Milvus.

    milvus://host:19530/shop            a server; ?db=NAME for one of its databases, ?tls=1 to speak TLS
    milvus:///home/me/shop.db           milvus-lite in this process, its files in that folder
    milvus:///home/me/shop.db#shop      the same, where several collections lie in it

A user's name and password are never part of an address: they would stand in shells' histories and process lists.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePath
from urllib.parse import parse_qs, unquote, urlsplit

from lookalike.core.errors import RemoteRefused

SCHEME = "milvus://"
_PORT = 19530
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,240}")
"""As Milvus takes them (255 characters), with room for what stands behind the name of the settings."""
_LITE = ".db"
_SETTINGS = "_settings"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a collection is. `uri` is for pymilvus: an address of HTTP, or a path that ends in ".db"."""

    uri: str
    name: str
    database: str = ""
    shown: str = ""

    @property
    def settings(self) -> str:
        """The name of the collection beside it that holds its settings."""
        return self.name + _SETTINGS

    @property
    def server(self) -> tuple[str, int] | None:
        """Host and port; None of milvus-lite in this process."""
        parts = urlsplit(self.uri)
        return None if self.is_path else (parts.hostname or "", parts.port or _PORT)

    @property
    def is_path(self) -> bool:
        """Whether it is milvus-lite in this process."""
        return self.uri.endswith(_LITE) and "://" not in self.uri


def parsed_address(address: str) -> Address:
    """Raises RemoteRefused for what is no address of a collection on Milvus."""
    if not address.startswith(SCHEME):
        raise RemoteRefused(f"this is no address of a collection on Milvus: {address.rsplit('@', 1)[-1]}", hint=_FORM)
    place = address.removeprefix(SCHEME)
    if "@" in place and not place.startswith("/"):  # wherever it stands: passwords hold slashes and what not
        raise RemoteRefused(
            f"an address must not hold a name or password: {SCHEME}…@{place.rsplit('@', 1)[1]}",
            hint="set LOOKALIKE_MILVUS_TOKEN to user:password, or LOOKALIKE_MILVUS_TOKEN_FILE to a file with it",
        )
    return _file(address) if place.startswith("/") else _server(address)


_FORM = "write it as milvus://host:19530/name, or milvus:///path/to/file.db"


def _server(address: str) -> Address:
    parts = urlsplit(address)
    try:
        port = parts.port or _PORT
    except ValueError:
        raise RemoteRefused(f"this port is no number from 1 to 65535: {address}", hint=_FORM) from None
    asked = parse_qs(parts.query)
    unknown = sorted(set(asked) - {"db", "tls"})
    if unknown:
        raise RemoteRefused(
            f"?{unknown[0]} means nothing in an address of Milvus: {address}", hint="?db= and ?tls=1 do"
        )
    if not parts.hostname:
        raise RemoteRefused(f"no server is named in {address}", hint=_FORM)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    scheme = "https" if asked.get("tls", ["0"])[-1] not in {"0", "", "false"} else "http"
    name = _checked_name(unquote(parts.path.strip("/")), address)
    return Address(f"{scheme}://{host}:{port}", name, asked.get("db", [""])[-1], address)


def _file(address: str) -> Address:
    path, _, name = address.removeprefix(SCHEME).partition("#")
    if not path.endswith(_LITE):
        raise RemoteRefused(f"files of milvus-lite end in .db: {address}", hint=_FORM)
    of_drive = re.match(r"/[A-Za-z]:/", path)
    local = path[1:] if of_drive else path
    return Address(local, _checked_name(name or PurePath(local).stem, address), shown=address)


def _checked_name(name: str, address: str) -> str:
    if not _NAME.fullmatch(name):
        raise RemoteRefused(
            f"Milvus does not take this as the name of a collection: {name or 'none was given'} in {address}",
            hint="letters, digits and _, a letter first; behind a file's address it is #name",
        )
    if name.endswith(_SETTINGS):
        raise RemoteRefused(f"names that end in {_SETTINGS} are for what lies beside items: {address}", hint=_FORM)
    return name
