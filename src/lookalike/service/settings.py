"""How a service runs: what it serves, whom it answers, what one request may cost."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lookalike.core.records import DecodeLimits

if TYPE_CHECKING:
    from lookalike.remote.opening import Access

LOCAL_NAMES = ("localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True, slots=True)
class Served:
    """One collection: the name it has in addresses, and where it lies: a path, or the address of an engine."""

    name: str
    path: Path | str


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """`collections`: the first is the one that is asked unless a request names another.

    `hosts`: names under which the service may be called (`Host` of a request), beside those of this computer; a page of
    another site that had its name point here is refused by it (DNS rebinding). `upload_bytes`: the largest picture that
    is taken as a question. `upload_pixels`: the same, as its header declares it. `upload_s`: seconds that decoding it
    may take. `device`: where encoders run. `lanes`: threads that work for requests, one a core unless given. `tokens`:
    the database of tokens; with one, who asks needs a token. `requests_a_second`: what one client may ask in the long
    run, 0 for no limit; `requests_at_once`: and at a stretch. `proxies`: addresses or networks of proxies that hand on
    what others ask; such a proxy, and nobody else, is believed which client it asks for and whether that came by HTTPS.
    `farewell_s`: how long it goes on answering once it is to end, so that a proxy can turn away from it. `history`: the
    database in which questions in words are kept, None for none. `prepares`: encoders and fields are
    loaded as soon as the service has started, so that the first visitor does not wait for them. `access`: passwords and
    time limits for engines elsewhere. `cache`: a folder for small pictures of collections there, None for none.
    """

    collections: tuple[Served, ...]
    host: str = "127.0.0.1"
    port: int = 8000
    hosts: tuple[str, ...] = ()
    upload_bytes: int = 25_000_000
    upload_pixels: int = 100_000_000
    upload_s: float = 10.0
    device: str = "auto"
    lanes: int | None = None
    tokens: Path | None = None
    requests_a_second: float = 0.0
    requests_at_once: int = 120
    proxies: tuple[str, ...] = ()
    farewell_s: float = 0.0
    history: Path | None = None
    prepares: bool = False
    access: Access | None = None
    cache: Path | None = None

    @property
    def is_remote(self) -> bool:
        """Whether others than this computer can reach it."""
        return not is_local(self.host) or bool(self.proxies)

    @property
    def upload_limits(self) -> DecodeLimits:
        """What decoding a picture that was sent may cost."""
        return DecodeLimits(max_pixels=self.upload_pixels, max_bytes=self.upload_bytes, timeout_s=self.upload_s)

    @property
    def allowed_hosts(self) -> frozenset[str]:
        """Names without their port, lower case."""
        return frozenset(name.casefold() for name in (*LOCAL_NAMES, *self.hosts))


def is_local(host: str) -> bool:
    """Whether an address is one of this computer's own, which no other can reach."""
    if host.casefold() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
