"""One picture from the web, guarded: `fetch_picture(address, allow_private=False) -> bytes`.

Whoever names an address must not make this computer ask what only it can reach (SSRF), wait for ever or run full:

- Only http and https. The host's name is looked up once, and the socket is connected to the very address that was
  checked, so a name that changes its address between two look-ups (DNS rebinding) gains nothing. The system's own
  resolver reads the host, so odd ways to write an address (2130706433, 0x7f.1, 0177.0.0.1) are judged by what
  they lead to. If any address of a host is not public, the host is refused.
- Each redirect is checked like the first address. Proxies, cookies and passwords are neither read nor sent.
- One time limit for everything (look-up, connecting, redirects, headers, body), one limit of size. What comes back must
  be a picture by its first bytes, whatever its server calls it; a page is not read to its end.

The idea of checking the address on the socket itself is that of advocate and requests-hardened.
"""

from __future__ import annotations

import http.client
import ipaddress
import queue
import socket
import ssl
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urljoin, urlsplit

from lookalike.core.errors import SourceError
from lookalike.images.sniff import HEAD_BYTES, picture_format

if TYPE_CHECKING:
    from collections.abc import Iterator
    from urllib.parse import SplitResult

TIMEOUT_S = 20.0
"""For everything together: look-up, redirects and reading."""
MAX_BYTES = 64_000_000
"""Larger than photographs on the web are; smaller than would hurt."""
MAX_REDIRECTS = 5
_CHUNK = 1 << 16
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PLAIN = "/%:@!$&'()*+,;=~-._?[]"  # stays as it is in the path of an address; all else is written as %XX
_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # IPv4 as networks without it see it (RFC 6052)
_PUBLIC_V6 = ipaddress.ip_network("2000::/3")  # all that was ever given out (RFC 4291)
_TUNNELS = (ipaddress.ip_network("2002::/16"), ipaddress.ip_network("2001::/32"))  # 6to4, Teredo: IPv4 inside


def fetch_picture(
    address: str, *, allow_private: bool = False, timeout_s: float = TIMEOUT_S, max_bytes: int = MAX_BYTES
) -> bytes:
    """The bytes of the picture at `address`.

    `allow_private` admits hosts of this computer and its local network. Raises SourceError.
    """
    deadline = time.monotonic() + timeout_s
    for _ in range(MAX_REDIRECTS + 1):
        try:
            data, onward = _get(address, deadline, max_bytes, allow_private=allow_private)
            if onward is None:
                return data
            address = urljoin(address, onward)
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = "it took too long" if time.monotonic() >= deadline else error
            raise SourceError(f"{address} cannot be fetched: {reason}", hint="check the address") from error
    raise SourceError(f"{address} redirects more than {MAX_REDIRECTS} times", hint="give the picture's own address")


def is_public(place: str) -> bool:
    """Whether an address, as the resolver writes it, belongs to a host on the internet that anybody can reach."""
    address = ipaddress.ip_address(place.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        if address in _NAT64:
            address = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        elif address not in _PUBLIC_V6 or any(address in tunnel for tunnel in _TUNNELS):
            return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def _get(address: str, deadline: float, max_bytes: int, *, allow_private: bool) -> tuple[bytes, str | None]:
    """The body, or where the answer points to instead."""
    parts = urlsplit(address)
    with _connected(parts, deadline, allow_private=allow_private) as connection:
        path = quote(parts.path or "/", safe=_PLAIN) + (f"?{quote(parts.query, safe=_PLAIN)}" if parts.query else "")
        connection.request("GET", path, headers={"User-Agent": "lookalike", "Accept": "image/*"})
        answer = connection.getresponse()
        if answer.status in _REDIRECTS and (onward := answer.getheader("Location")):
            return b"", onward
        if answer.status != http.client.OK:
            raise SourceError(f"{address} answers {answer.status} {answer.reason}", hint="check the address")
        return _body(address, answer, deadline, max_bytes), None


@contextmanager
def _connected(parts: SplitResult, deadline: float, *, allow_private: bool) -> Iterator[http.client.HTTPConnection]:
    """A connection whose socket is to an address that was checked, and is shut when the time is over."""
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise SourceError(f"{parts.geturl()} is not an http or https address", hint="give the address of a picture")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    line = _open_line(_places(parts.hostname, port, deadline, allow_private=allow_private), deadline)
    if parts.scheme == "https":
        trust = ssl.create_default_context()
        line = trust.wrap_socket(line, server_hostname=parts.hostname, do_handshake_on_connect=False)
    clock = threading.Timer(_left(deadline), _shut, [line])  # each read alone may be quick and all of them endless
    clock.daemon = True
    clock.start()
    try:
        if isinstance(line, ssl.SSLSocket):
            line.do_handshake()
        connection = http.client.HTTPConnection(parts.hostname, port)
        connection.sock = line
        yield connection
    finally:
        clock.cancel()
        line.close()


def _places(host: str, port: int, deadline: float, *, allow_private: bool) -> list[Any]:
    """Where the host is, as `socket.getaddrinfo` gives it: looked up once, every address checked."""
    places = _looked_up(host, port, _left(deadline))
    for *_, place in places:
        if not allow_private and not is_public(str(place[0])):
            raise SourceError(
                f"{host} is in a private network ({place[0]}); nothing is fetched from there",
                hint="add --allow-private-url if that is what you want",
            )
    return places


def _looked_up(host: str, port: int, timeout_s: float) -> list[Any]:
    """The resolver knows no time limit: it is asked in a thread that is left behind when the time is over."""
    answers: queue.SimpleQueue[list[Any] | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except Exception as error:  # raised again by the caller
            answers.put(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=timeout_s)
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(answer, Exception):
        raise answer
    return answer


def _open_line(places: list[Any], deadline: float) -> socket.socket:
    """A socket connected to the first of the places that answers: IPv6 may be known and not work."""
    failure: OSError = OSError("the host has no address")
    for family, kind, protocol, _, place in places:
        line = socket.socket(family, kind, protocol)
        try:
            line.settimeout(_left(deadline))
            line.connect(place)
        except OSError as error:
            line.close()
            failure = error
        except BaseException:
            line.close()
            raise
        else:
            return line
    raise failure


def _body(address: str, answer: http.client.HTTPResponse, deadline: float, max_bytes: int) -> bytes:
    data = bytearray()
    while chunk := answer.read1(_CHUNK):
        data += chunk
        if len(data) > max_bytes or (answer.length or 0) > max_bytes:
            raise SourceError(f"{address} is larger than {max_bytes / 1e6:g} MB", hint="download it yourself first")
        if len(data) >= HEAD_BYTES:
            _check_is_picture(address, data)
    _left(deadline)  # a line that was shut looks like the end of an answer
    if answer.length:  # the connection ended before what was announced
        raise http.client.IncompleteRead(bytes(data), answer.length)
    _check_is_picture(address, data)
    return bytes(data)


def _check_is_picture(address: str, data: bytearray) -> None:
    if picture_format(bytes(data[:HEAD_BYTES])) is None:
        raise SourceError(f"{address} is not a picture", hint="give the address of the picture itself, not of its page")


def _shut(line: socket.socket) -> None:
    with suppress(OSError):  # it was closed in the same moment
        socket.socket.shutdown(line, socket.SHUT_RDWR)  # the socket itself: a TLS one first stops encrypting


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
