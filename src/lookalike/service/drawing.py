"""Pages out of templates: the words of the visitor's language, and what templates may call."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from fastapi.responses import HTMLResponse

from lookalike.service.languages import Words, choose

if TYPE_CHECKING:
    from fastapi import Request
    from jinja2 import Environment

    from lookalike.core.records import Hit
    from lookalike.service.desk import Desk
    from lookalike.service.page_state import PageState

LANGUAGE_COOKIE = "language"
_TEMPLATES = Path(__file__).with_name("templates")
_YEAR_S = 31_536_000
_SIDE = 320  # pixels of a thumbnail in the grid, sharp on most screens at the height of a row
_COPIES = 30
"""Copies of one hit that an address names: it has to stay short."""


def words_of(request: Request) -> Words:
    """What the page says, in the language of who asks."""
    chosen = choose(
        request.query_params.get("lang"),
        request.cookies.get(LANGUAGE_COOKIE),
        request.headers.get("accept-language", ""),
    )
    return Words(chosen)


def drawn(template: str, request: Request, words: Words, **values: Any) -> HTMLResponse:
    """A page, or a piece of one, made from a template."""
    desk: Desk = request.app.state.desk
    with desk.figures.stages.labels("render").time():
        text = _templates().get_template(template).render(say=words, **values)
    answer = HTMLResponse(text, headers={"Vary": "Accept-Language, Cookie, X-Fragment", "Cache-Control": "no-cache"})
    if request.query_params.get("lang") == words.language:
        answer.set_cookie(LANGUAGE_COOKIE, words.language, max_age=_YEAR_S, httponly=True, samesite="lax")
    return answer


def _thumb(id: str, collection: str | None, side: int = _SIDE) -> str:
    asked = {"size": side} | ({"collection": collection} if collection else {})
    return f"/api/v1/items/{quote(id)}/thumbnail?{urlencode(asked)}"


def _original(id: str, collection: str | None) -> str:
    return f"/api/v1/items/{quote(id)}/original" + (f"?{urlencode({'collection': collection})}" if collection else "")


def _name(uri: str) -> str:
    return uri.replace("\\", "/").rstrip("/").rpartition("/")[2]


def _alt(hit: Hit) -> str:
    """What a screen reader says for a picture: its title or caption, else the name of its file."""
    told = hit.metadata.get("title") or hit.metadata.get("caption")
    return str(told) if told else _name(hit.uri)


def _copies(hit: Hit) -> list[str]:
    """Where else the picture of a hit is seen."""
    found = hit.metadata.get("copies")
    return found if isinstance(found, list) else []


def _beside(hit: Hit, state: PageState) -> str:
    """The address at which a hit and its copies stand side by side."""
    address = state.address(f"/copies/{quote(hit.id)}")
    named = urlencode([("at", uri) for uri in _copies(hit)[:_COPIES]], errors="surrogateescape")
    return f"{address}{'&' if '?' in address else '?'}{named}"


@cache
def _templates() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    templates = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.globals |= {
        "thumb": _thumb,
        "original": _original,
        "alt": _alt,
        "name": _name,
        "copies": _copies,
        "beside": _beside,
    }
    return templates
