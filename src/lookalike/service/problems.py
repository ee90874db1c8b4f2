"""Errors as answers: every failure is one object of RFC 9457, `application/problem+json`.

    {"type": "about:blank", "title": "Bad Request", "status": 400, "code": "bad-query", "detail": "...", "hint": "...",
     "position": 12, "request": "f3a9..."}

`code` is a stable short word for programs, `detail` says what happened, `hint` what to do. Nothing of the machine
stands in them but what the user's own request named; an error nobody expected says only its request's number, which
the log has too.
"""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from lookalike.core import errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import FastAPI, Request, Response

_LOG = logging.getLogger("lookalike.service")
MEDIA_TYPE = "application/problem+json"

_STATUS: tuple[tuple[type[Exception], int, str], ...] = (
    (errors.FilterError, 400, "bad-filter"),
    (errors.QueryError, 400, "bad-query"),
    (errors.CannotDecode, 415, "not-a-picture"),
    (errors.NoTextTower, 422, "no-words"),
    (errors.CollectionNotFound, 404, "no-collection"),
    (errors.CollectionBusy, 409, "busy"),
    (errors.CollectionReadOnly, 409, "read-only"),
    (errors.EncoderMismatch, 409, "other-encoder"),
    (errors.SourceError, 422, "bad-source"),
    (errors.OutOfSpace, 507, "no-space"),
    (errors.MissingExtra, 501, "not-installed"),
    (errors.NotForRemote, 501, "not-for-remote"),
    (errors.RemoteUnavailable, 503, "engine-away"),
    (errors.RemoteRefused, 502, "engine-refused"),
    (errors.LookalikeError, 500, "failed"),
    (ValueError, 422, "bad-value"),
)
"""The first line whose class fits; more special ones stand before."""


class Problem(Exception):
    """A failure with its answer. `headers` go with it, such as `Retry-After`."""

    def __init__(
        self, status: int, code: str, detail: str, *, hint: str = "", headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.hint = hint
        self.headers = headers or {}


def answer_with_problems(app: FastAPI, drawn: Callable[[Request, int, str, str], Response]) -> None:
    """Let `app` answer every error with a problem; `drawn` makes a page of it (status, detail, hint) for browsers."""
    app.state.drawn_problem = drawn
    app.add_exception_handler(Problem, _of_problem)
    app.add_exception_handler(errors.LookalikeError, _of_error)
    app.add_exception_handler(ValueError, _of_error)
    app.add_exception_handler(RequestValidationError, _of_validation)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(Exception, _of_surprise)


def problem(
    request: Request, status: int, code: str, detail: str, headers: dict[str, str] | None = None, **more: Any
) -> Response:
    """The answer: an object, or a page where a browser went to an address. What of `more` is empty is left out."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "code": code, "detail": detail}
    body |= {name: value for name, value in more.items() if value not in ("", None)}
    request.state.code = code
    if "text/html" in request.headers.get("accept", "") and "app" in request.scope:
        page: Response = request.app.state.drawn_problem(request, status, detail, more.get("hint", ""))
        page.headers.update(headers or {})
        return page
    body["request"] = getattr(request.state, "number", "")
    return JSONResponse(body, status, headers=headers, media_type=MEDIA_TYPE)


def status_and_code(error: Exception) -> tuple[int, str]:
    """What an error of ours is as a problem."""
    return next((status, code) for kind, status, code in _STATUS if isinstance(error, kind))


async def _of_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return problem(request, error.status, error.code, str(error), error.headers, hint=error.hint)


async def _of_error(request: Request, error: Exception) -> Response:
    status, code = status_and_code(error)
    if status >= 500:
        _LOG.error("request %s failed", getattr(request.state, "number", ""), exc_info=error)
    hint, position = getattr(error, "hint", ""), getattr(error, "position", None)
    return problem(request, status, code, str(error), hint=hint, position=position)


async def _of_validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    told = [f"{'.'.join(map(str, each['loc'][1:])) or each['loc'][0]}: {each['msg']}" for each in error.errors()]
    return problem(request, 422, "bad-value", "; ".join(told), hint="see /api/v1/openapi.json for what is taken")


async def _of_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = {404: "not-found", 405: "wrong-method"}.get(error.status_code, "refused")
    headers = dict(error.headers) if error.headers else None
    return problem(request, error.status_code, code, str(error.detail), headers)


async def _of_surprise(request: Request, error: Exception) -> Response:
    _LOG.error("request %s failed", getattr(request.state, "number", ""), exc_info=error)
    return problem(request, 500, "unexpected", "something unexpected happened; the log tells more under this request")
