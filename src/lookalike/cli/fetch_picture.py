"""One picture from the web, guarded: used only after `--allow-url`.

Only http and https; every address of the host must be public, which is checked at each redirect and on the very
socket that answers (a name may change its address between two look-ups); one time limit and one size limit for all.
What comes back must be a picture by its first bytes, whatever its server calls it.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import time
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from lookalike.core.errors import SourceError

if TYPE_CHECKING:
    from urllib.parse import SplitResult

TIMEOUT_S = 20.0
"""For everything together: look-up, redirects and reading."""
MAX_BYTES = 64_000_000
"""Larger than photographs on the web are; smaller than would hurt."""
MAX_REDIRECTS = 5
_CHUNK = 1 << 16
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


def fetch_picture(address: str, *, allow_private: bool = False, timeout_s: float = TIMEOUT_S) -> bytes:
    """The bytes of the picture at `address`.

    `allow_private` admits hosts of this computer and its local network. Raises SourceError.
    """
    deadline = time.monotonic() + timeout_s
    for _ in range(MAX_REDIRECTS + 1):
        try:
            data, onward = _get(address, deadline, allow_private=allow_private)
        except (OSError, http.client.HTTPException) as error:
            reason = "it took too long" if isinstance(error, TimeoutError) else error
            raise SourceError(f"{address} cannot be fetched: {reason}", hint="check the address") from error
        if onward is None:
            return _picture(address, data)
        address = urljoin(address, onward)
    raise SourceError(f"{address} redirects more than {MAX_REDIRECTS} times", hint="give the picture's own address")


def _get(address: str, deadline: float, *, allow_private: bool) -> tuple[bytes, str | None]:
    """The body, or where the answer points to instead."""
    parts = urlsplit(address)
    connection = _connect(parts, deadline, allow_private=allow_private)
    line = connection.sock  # kept here: the connection lets go of it when the server is going to close
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("GET", path, headers={"User-Agent": "lookalike", "Accept": "image/*"})
        answer = connection.getresponse()
        if answer.status in _REDIRECTS and (onward := answer.getheader("Location")):
            return b"", onward
        if answer.status != http.client.OK:
            raise SourceError(f"{address} answers {answer.status} {answer.reason}", hint="check the address")
        return _body(address, answer, line, deadline), None
    finally:
        connection.close()


def _connect(parts: SplitResult, deadline: float, *, allow_private: bool) -> http.client.HTTPConnection:
    """A connection whose socket is to an address that was checked: the name is looked up exactly once."""
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise SourceError(f"{parts.geturl()} is not an http or https address", hint="give the address of a picture")
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    family, kind, protocol, _, place = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)[0]
    if not allow_private and not ipaddress.ip_address(place[0]).is_global:
        raise SourceError(
            f"{parts.hostname} is in a private network ({place[0]}); nothing is fetched from there",
            hint="add --allow-private-url if that is what you want",
        )
    line = socket.socket(family, kind, protocol)
    try:
        line.settimeout(_left(deadline))
        line.connect(place)
        if secure:
            line = ssl.create_default_context().wrap_socket(line, server_hostname=parts.hostname)
    except BaseException:
        line.close()
        raise
    connection = http.client.HTTPConnection(parts.hostname, port)
    connection.sock = line
    return connection


def _body(address: str, answer: http.client.HTTPResponse, line: socket.socket, deadline: float) -> bytes:
    data = bytearray()
    while chunk := answer.read1(_CHUNK):
        data += chunk
        if len(data) > MAX_BYTES:
            raise SourceError(
                f"{address} is larger than {MAX_BYTES // 1_000_000} MB", hint="download it yourself first"
            )
        line.settimeout(_left(deadline))
    return bytes(data)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _picture(address: str, data: bytes) -> bytes:
    from lookalike.images.sniff import picture_format

    if picture_format(data) is None:
        raise SourceError(f"{address} is not a picture", hint="give the address of the picture itself, not of its page")
    return data
