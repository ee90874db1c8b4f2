"""Errors as answers: every failure is one object of RFC 9457, `application/problem+json`.

    {"type": "about:blank", "title": "Bad Request", "status": 400, "code": "bad-filter", "detail": "...", "hint": "...",
     "position": 12, "local": {"language": "ru", "detail": "...", "hint": "..."}, "request": "f3a9..."}

`code` is a stable short word for programs, `detail` says what happened, `hint` what to do, both in English; `local`
says it to who asks in another language. Nothing of the machine stands in them but what the user's own request named; an
error nobody expected says only its request's number, which the log has too.
"""

from __future__ import annotations

import logging
from dataclasses import asdict
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from lookalike.core import errors
from lookalike.core.languages import ENGLISH
from lookalike.core.wording import Wording
from lookalike.service.drawing import words_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fastapi import FastAPI, Request, Response

    from lookalike.core.wording import Said

_LOG = logging.getLogger("lookalike.service")
MEDIA_TYPE = "application/problem+json"

_STATUS: tuple[tuple[type[Exception], int, str], ...] = (
    (errors.FilterError, 400, "bad-filter"),
    (errors.QueryError, 400, "bad-query"),
    (errors.CannotDecode, 415, "not-a-picture"),  # but for those below
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
_OF_PICTURES = {
    "too-big": (413, "too-large"),
    "too-large": (413, "too-large"),
    "too-slow": (503, "too-slow"),
    "out-of-memory": (503, "no-memory"),
}
"""Codes of `CannotDecode` that tell of limits, not of the picture: in overload any may meet the last two."""
_TOO_LONG = {"string_too_long": "too_long", "too_long": "too_many"}
"""Pydantic's types of errors that a visitor can meet, and our words; of others its own are told."""
_NAMES = {"q": Wording("name_q"), "where": Wording("name_where"), "order": Wording("name_order")}
SEE_OPENAPI = Wording("see_openapi")


class Problem(Exception):
    """A failure with its answer. `headers` go with it, such as `Retry-After`."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str | Wording,
        *,
        hint: str | Wording = "",
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(str(detail))
        self.status = status
        self.code = code
        self.said = (detail, hint)
        self.headers = headers or {}


def answer_with_problems(app: FastAPI, drawn: Callable[[Request, int, Said], Response]) -> None:
    """Let `app` answer every error with a problem; `drawn` makes a page of it (status, what is said) for browsers."""
    app.state.drawn_problem = drawn
    app.add_exception_handler(Problem, _of_problem)
    app.add_exception_handler(errors.LookalikeError, _of_error)
    app.add_exception_handler(ValueError, _of_error)
    app.add_exception_handler(RequestValidationError, _of_validation)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(Exception, _of_surprise)


def problem(
    request: Request,
    status: int,
    code: str,
    said: Said,
    headers: dict[str, str] | None = None,
    *,
    position: int | None = None,
) -> Response:
    """The answer: an object, or a page where a browser went to an address. What is empty is left out."""
    request.state.code = code
    if "text/html" in request.headers.get("accept", "") and "app" in request.scope:
        page: Response = request.app.state.drawn_problem(request, status, said)
        page.headers.update(headers or {})
        return page
    title, (detail, hint) = HTTPStatus(status).phrase, map(str, said)
    body = {"type": "about:blank", "title": title, "status": status, "code": code, "detail": detail}
    more = {"hint": hint, "position": position, "local": _local(request, said)}
    body |= {name: value for name, value in more.items() if value not in ("", None)}
    body["request"] = getattr(request.state, "number", "")
    headers = {"Vary": "Accept-Language, Cookie", **(headers or {})}
    return JSONResponse(body, status, headers=headers, media_type=MEDIA_TYPE)


def _local(request: Request, said: Said) -> dict[str, str] | None:
    """The same in the language of who asks, where that is another than English and has words for it."""
    told = words_of(request).told(said)
    return None if told.language == ENGLISH else asdict(told)


def status_and_code(error: Exception) -> tuple[int, str]:
    """What an error of ours is as a problem."""
    if isinstance(error, errors.CannotDecode) and error.code in _OF_PICTURES:
        return _OF_PICTURES[error.code]
    return next((status, code) for kind, status, code in _STATUS if isinstance(error, kind))


async def _of_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return problem(request, error.status, error.code, error.said, error.headers)


async def _of_error(request: Request, error: Exception) -> Response:
    status, code = status_and_code(error)
    if status >= 500 and not isinstance(error, errors.CannotDecode):
        _LOG.error("request %s failed", getattr(request.state, "number", ""), exc_info=error)
    said = error.said if isinstance(error, errors.LookalikeError) else (str(error), "")
    return problem(request, status, code, said, position=getattr(error, "position", None))


async def _of_validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    told = [{**each, "loc": each["loc"][1:] or each["loc"]} for each in error.errors()]
    return problem(request, 422, "bad-value", (refusal(told), SEE_OPENAPI))


async def _of_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = {404: "not-found", 405: "wrong-method"}.get(error.status_code, "refused")
    headers = dict(error.headers) if error.headers else None
    detail = Wording("not_found") if code == "not-found" else str(error.detail)
    return problem(request, error.status_code, code, (detail, ""), headers)


async def _of_surprise(request: Request, error: Exception) -> Response:
    _LOG.error("request %s failed", getattr(request.state, "number", ""), exc_info=error)
    return problem(request, 500, "unexpected", (Wording("unexpected"), ""))


def in_short(error: OSError | errors.LookalikeError) -> str | Wording:
    """Why a file cannot be had, without its path."""
    return (error.strerror or Wording("file_unreadable")) if isinstance(error, OSError) else error.said[0]


def refusal(found: Sequence[Mapping[str, Any]]) -> Wording:
    """Why values were not taken, of pydantic's errors about them."""
    first = found[0]
    name = str(first["loc"][0]) if first["loc"] else "body"
    if len(found) == 1 and first["type"] in _TOO_LONG:
        return Wording(_TOO_LONG[first["type"]], name=_NAMES.get(name, name), most=first["ctx"]["max_length"])
    told = [f"{'.'.join(map(str, each['loc'])) or 'body'}: {each['msg']}" for each in found]
    return Wording("not_taken", told="; ".join(told))
