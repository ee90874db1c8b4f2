"""Who may ask, and how much: host names, origins, sizes, and the headers that keep a page to itself.

A page of another site cannot read or change anything here: a request that a browser sends on another site's behalf
carries an `Origin` or `Sec-Fetch-Site` that says so, and one that reached us by a foreign name (DNS rebinding) carries
that name as its `Host`. Both are refused before anything is done.
"""

from __future__ import annotations

import ipaddress
import uuid
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request

from lookalike.core.wording import Wording
from lookalike.service.problems import Problem, problem

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from lookalike.service.closing import Closing
    from lookalike.service.settings import ServiceSettings

_FORM_BYTES = 1_000_000
"""What a body may have beside its picture."""
_DRAINED = 4
"""Times the largest request that are read of one that is refused; a sender of more is cut off."""
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; img-src 'self' blob: data:; style-src 'self'; script-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # with "no-referrer" forms of our own page come with the origin "null"
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


class Guard:
    """Outermost part of the application: numbers requests, refuses what may not be asked, adds the headers.

    `site`: what draws the page of a refusal, here and in the parts between.
    """

    def __init__(self, app: ASGIApp, site: FastAPI, settings: ServiceSettings, closing: Closing) -> None:
        self._app = app
        self._site = site
        self._closing = closing
        self._hosts = settings.allowed_hosts
        self._is_remote = settings.is_remote
        self._most = settings.upload_bytes + _FORM_BYTES

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope.setdefault("state", {})["number"] = number = uuid.uuid4().hex[:12]
        scope["app"] = self._site
        refused = self._refused(scope)

        async def guarded_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                headers["X-Request-Id"] = number
                if self._closing.has_begun:  # so that the next request of this client goes where it will be answered
                    headers["Connection"] = "close"
            await send(message)

        if refused:
            answer = problem(Request(scope), refused.status, refused.code, refused.said)
            await self._drain(receive)
            await answer(scope, receive, guarded_send)
        else:
            await self._app(scope, self._counted(receive), guarded_send)

    def _refused(self, scope: Scope) -> Problem | None:
        headers = Headers(scope=scope)
        host = _name(headers.get("host", ""))
        if host not in self._hosts and not (self._is_remote and _is_number(host)):
            return Problem(421, "unknown-host", Wording("unknown_host"))
        if scope["method"] not in _SAFE:
            origin, site = headers.get("origin"), headers.get("sec-fetch-site", "same-origin")
            foreign = origin is not None and urlsplit(origin).netloc != headers.get("host")
            if foreign or site not in {"same-origin", "none"}:
                return Problem(403, "other-site", Wording("other_site"))
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > self._most:
            return self._too_large()
        return None

    def _too_large(self) -> Problem:
        return Problem(413, "too-large", Wording("request_too_large", most=self._most))

    async def _drain(self, receive: Receive) -> None:
        """Take what is still coming and throw it away: who is cut off while sending sees no answer."""
        taken, more = 0, True
        while more and taken < _DRAINED * self._most:
            message = await receive()
            taken += len(message.get("body", b""))
            more = message.get("more_body", False)

    def _counted(self, receive: Receive) -> Receive:
        """`receive` that raises Problem where more comes than is allowed, announced or not."""
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self._most:
                raise self._too_large()
            return message

        return counted


def _is_number(host: str) -> bool:
    """Whether a host is an address itself: no name that someone could have point here."""
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def _name(host: str) -> str:
    """The name in a `Host` header, without its port."""
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0].casefold()
