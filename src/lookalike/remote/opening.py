"""From an address to the engine that it names. Nothing is asked of the engine yet."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from lookalike.core.errors import MissingExtra, RemoteRefused

if TYPE_CHECKING:
    from pathlib import Path
    from urllib.parse import SplitResult

    from lookalike.remote.contract import RemoteEngine

MILVUS = "milvus://"
POSTGRES = ("postgresql://", "postgres://")
TIMEOUT_S = 30.0
"""What one try of a call may take unless told otherwise: the slowest, a filter over 100,000 items, takes 2."""


@dataclass(frozen=True, slots=True)
class Access:
    """How engines are asked. The secrets are none of an address, which is shown and logged, and stand in no `repr`.

    `timeout_s`: what one try of a call may take.
    """

    milvus_token: str | None = None
    postgres_password: str | None = None
    postgres_passfile: Path | None = None
    timeout_s: float = TIMEOUT_S

    def __repr__(self) -> str:
        return f"Access(timeout_s={self.timeout_s})"


def is_engine(place: str) -> bool:
    """Whether a collection's place is the address of an engine elsewhere, not a folder."""
    return place.startswith((MILVUS, *POSTGRES))


def name_in(address: str) -> str:
    """What a collection is called in its address. Raises RemoteRefused for what is none."""
    parts = _parts_of(address)
    said = parse_qs(parts.query).get("collection")
    return said[0] if said else PurePosixPath(parts.fragment or parts.path).stem


def without_secrets(address: str) -> str:
    """An address for a person, whether it is one of an engine's or not: without what may be a password in it."""
    scheme, _, rest = address.partition("://")
    where, _, options = rest.partition("?")
    user, at, place = where.rpartition("@")
    said = "&".join(each for each in options.split("&") if not each.startswith("password"))
    return f"{scheme}://{user.partition(':')[0]}{at}{place}{'?' if said else ''}{said}"


def connect(address: str, access: Access) -> RemoteEngine:
    """The engine at an address. Raises ValueError for what is none, RemoteRefused for a wrong one, MissingExtra."""
    _parts_of(address)
    if address.startswith(MILVUS):
        try:
            from lookalike.remote import milvus
        except ModuleNotFoundError as error:
            raise _missing("Milvus", "milvus", error) from None
        return milvus.connect(address, token=access.milvus_token or "", timeout_s=access.timeout_s)
    if address.startswith(POSTGRES):
        try:
            from lookalike.remote import postgres
        except ModuleNotFoundError as error:
            raise _missing("PostgreSQL", "pgvector", error) from None
        password, passfile = access.postgres_password, access.postgres_passfile
        return postgres.connect(address, password=password, passfile=passfile, timeout_s=access.timeout_s)
    raise ValueError(f"{address} is no address of an engine; one begins with {MILVUS} or {POSTGRES[0]}")


def _parts_of(address: str) -> SplitResult:
    try:
        return urlsplit(address)
    except ValueError:  # whose words have the address in them
        raise RemoteRefused(f"this is no address: {without_secrets(address)}", hint="see docs/remote.md") from None


def _missing(what: str, extra: str, error: ModuleNotFoundError) -> Exception:
    """A part that is not installed; anything of ours that is missing is a mistake of ours."""
    return error if (error.name or "").startswith("lookalike") else MissingExtra(f"a collection on {what}", extra)
