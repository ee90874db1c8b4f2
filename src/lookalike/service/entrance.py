"""Who may come in: tokens, sessions of the page, and how often one client may ask.

On this computer alone no token is asked for. A service that others can reach answers only to a token: programs send
it as `Authorization: Bearer`, the page keeps it in a cookie that no script reads. Every client has a bucket of requests
that fills again with time (token bucket); who has emptied it is told when to come back. While more wait than may,
whoever comes is refused here, at the price of a line or two: in overload the cores belong to those who are answered.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from http.cookies import CookieError, SimpleCookie
from math import ceil
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import RedirectResponse

from lookalike.core.wording import Wording
from lookalike.service.lanes import too_busy
from lookalike.service.problems import Problem, problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

    from lookalike.service.settings import ServiceSettings
    from lookalike.store.tokens import Token, Tokens

COOKIE = "lookalike_token"
SIGN_IN = "/sign-in"
_OPEN = ("/healthz", "/readyz", "/static/", SIGN_IN)
"""What is answered without a token: nothing there tells of a picture."""
_NEVER_FULL = ("/metrics",)
"""What is answered in overload too: whoever watches over the service has to see it."""
_TOKENS_KEPT_S = 5.0
"""How long a token is taken for good without looking again: so long may one live after it was removed."""
_CLIENTS_KEPT = 10_000


class Entrance:
    """Part of the application between the guard and the routes. `is_full`: whether all that may wait do."""

    def __init__(
        self, app: ASGIApp, settings: ServiceSettings, tokens: Tokens | None, is_full: Callable[[], bool]
    ) -> None:
        self._app = app
        self._tokens = tokens
        self._is_full = is_full
        self._buckets = Buckets(settings.requests_a_second, settings.requests_at_once)
        self._known: OrderedDict[str, tuple[float, Token | None]] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            self._admit(scope)
        except Problem as refused:
            request = Request(scope)
            if refused.status == 401 and "text/html" in request.headers.get("accept", ""):
                onward = quote(request.url.path + (f"?{request.url.query}" if request.url.query else ""))
                await RedirectResponse(f"{SIGN_IN}?to={onward}", 303)(scope, receive, send)
                return
            answer = problem(request, refused.status, refused.code, refused.said, refused.headers)
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _admit(self, scope: Scope) -> None:
        """Raises Problem for who may not come in now."""
        headers, path = Headers(scope=scope), scope["path"]
        client = (scope.get("client") or ("", 0))[0]
        if not path.startswith(("/healthz", "/readyz", "/static/")) and (wait_s := self._buckets.take(client)):
            raise Problem(
                429,
                "too-many",
                Wording("too_many_requests"),
                hint=Wording("come_back", n=ceil(wait_s)),
                headers={"Retry-After": f"{ceil(wait_s)}"},
            )
        if path.startswith(_OPEN):
            return
        if self._is_full() and not path.startswith(_NEVER_FULL):
            raise too_busy()
        if self._tokens is None:
            return
        secret = _secret_of(headers)
        bearer = self._bearer_of(secret) if secret else None
        if bearer is None:
            raise Problem(
                401,
                "no-token",
                Wording("unknown_token" if secret else "needs_token"),
                hint=Wording("token_add"),
                headers={"WWW-Authenticate": 'Bearer realm="lookalike"'},
            )
        scope.setdefault("state", {}).update(scope=bearer.scope, asker=bearer.name)

    def _bearer_of(self, secret: str) -> Token | None:
        now = time.monotonic()
        kept = self._known.get(secret)
        if kept is None or now - kept[0] > _TOKENS_KEPT_S:
            assert self._tokens is not None
            self._known[secret] = kept = (now, self._tokens.bearer_of(secret))
            if len(self._known) > _CLIENTS_KEPT:
                self._known.popitem(last=False)
        return kept[1]


class Buckets:
    """A bucket of requests for each client. `a_second` 0: no limit."""

    def __init__(self, a_second: float, at_once: int) -> None:
        self._rate = a_second
        self._most = float(at_once)
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str) -> float:
        """Take one request out; the seconds to wait where there is none, at least 1, else 0."""
        if not self._rate:
            return 0.0
        now = time.monotonic()
        left, then = self._left.pop(client, (self._most, now))
        left = min(self._most, left + (now - then) * self._rate)
        wait_s = 0.0 if left >= 1 else max(1.0, (1 - left) / self._rate)
        self._left[client] = (left - (wait_s == 0.0), now)
        if len(self._left) > _CLIENTS_KEPT:
            self._left.popitem(last=False)
        return wait_s


def _secret_of(headers: Headers) -> str:
    """The token in a request's headers, else in its cookie; "" for none."""
    scheme, _, given = headers.get("authorization", "").partition(" ")
    if scheme.casefold() == "bearer":
        return given.strip()
    try:
        cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return cookie.value if cookie else ""
