"""The page for people: searches, one item, the state of a collection. Every state is an address, and works without
JavaScript; a little of it adds endless scroll, dropping pictures, keys and a dialog.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request, Response, UploadFile
from fastapi.responses import RedirectResponse, StreamingResponse
from pydantic import ValidationError

from lookalike.core.errors import LookalikeError
from lookalike.service import archive, asked_before, facets, thumbnails
from lookalike.service.desk import AtDesk
from lookalike.service.drawing import drawn, words_of
from lookalike.service.entrance import COOKIE, SIGN_IN
from lookalike.service.jobs import indexing
from lookalike.service.page_state import PageState
from lookalike.service.problems import Problem, refusal
from lookalike.service.questions import FIRST_PAGE, answer, question_of, too_large
from lookalike.service.runs_api import need_to_write
from lookalike.store.tokens import Tokens

if TYPE_CHECKING:
    from starlette.staticfiles import StaticFiles

    from lookalike.core.records import Results
    from lookalike.core.wording import Said
    from lookalike.service.desk import Desk

_HERE = Path(__file__).parent
_YEAR_S = 31_536_000

router = APIRouter(include_in_schema=False)


@router.get("/")
async def search(
    request: Request, desk: AtDesk, after: Annotated[str, Query(max_length=8000)] = FIRST_PAGE
) -> Response:
    """The search page: `?q=...` is a search, with filters, order and liked items in the address too."""
    state = PageState.of(request)
    words = words_of(request)
    shown: dict[str, Any] = {"state": state, "facets": [], "results": None, "error": None, "status": None}
    try:
        described = await desk.lanes.run(desk.shelf.at_hand, state.collection)
        shown["status"] = described.status
        shown["facets"] = facets.facets_of(described.fields, state.choices)
        if state.is_question:
            shown["results"] = await _ask(state, desk, after)
            shown["facets"] = await desk.lanes.run(_counted, shown["facets"], state, desk)
            await asked_before.remember(state.q, after, request, desk)
    except (LookalikeError, ValidationError, ValueError, Problem) as error:
        shown["error"] = words.told(_said(error))
    if request.headers.get("x-fragment"):
        return drawn("results.html", request, words, **shown)
    shown["suggested"] = await asked_before.suggested(request, desk)
    return drawn("search.html", request, words, **shown)


@router.get("/more")
async def more(request: Request, desk: AtDesk, after: Annotated[str, Query(max_length=8000)]) -> Response:
    """The next pictures of a search, as the piece of the page that holds them."""
    state = PageState.of(request)
    results = await _ask(state, desk, after)
    return drawn("hits.html", request, words_of(request), state=state, results=results)


@router.get("/item/{id:path}")
async def item(id: str, request: Request, desk: AtDesk) -> Response:
    """One item with all that is known about it."""
    state = PageState.of(request)
    collection = await desk.lanes.run(desk.shelf.collection, state.collection)
    found = await desk.lanes.run(desk.shelf.item, collection, id)
    facts = await desk.lanes.run(collection.item, found.id)
    whole = "item.html" if not request.headers.get("x-fragment") else "facts.html"
    return drawn(whole, request, words_of(request), state=state, item=facts)


@router.post("/download")
async def download(
    request: Request,
    desk: AtDesk,
    id: Annotated[list[str], Form(max_length=archive.MOST)],
    collection: Annotated[str, Form()] = "",
) -> StreamingResponse:
    """The files of the items that were picked, as one zip file."""
    opened = await desk.lanes.run(desk.shelf.collection, collection or None)
    headers = {"Content-Disposition": 'attachment; filename="lookalike.zip"'}
    pieces = archive.archive(opened, id, words_of(request).language)
    return StreamingResponse(pieces, media_type="application/zip", headers=headers)


@router.post("/status")
async def bring_up_to_date(request: Request, desk: AtDesk, retry: Annotated[str, Form()] = "") -> Response:
    """Start a run over all that the collection knows, and show how far it is."""
    need_to_write(request)
    state = PageState.of(request)
    served = desk.shelf.served(state.collection)
    collection = await desk.lanes.run(desk.shelf.collection, served.name)
    with suppress(Problem):  # one runs already: that one is shown
        desk.jobs.start(served.name, "index", indexing(collection, [], retry_failed=bool(retry)))
    return RedirectResponse(state.address("/status"), 303)


@router.post("/history")
async def forget(request: Request, desk: AtDesk) -> Response:
    """Let go of what the visitor asked before."""
    await desk.lanes.run(asked_before.kept(desk).forget, asked_before.asker_of(request))
    return RedirectResponse(PageState.of(request).address("/status"), 303)


@router.get("/status")
async def status(request: Request, desk: AtDesk) -> Response:
    """What the collection holds, how far a run is, and the files that were not taken."""
    state = PageState.of(request)
    collection = await desk.lanes.run(desk.shelf.collection, state.collection)
    told = await desk.lanes.run(collection.status)
    failures = await desk.lanes.run(collection.failures)
    name = desk.shelf.served(state.collection).name
    job = next((each for each in desk.jobs.all() if each.collection == name), None)
    shown = {"status": told, "failures": failures, "job": job, "suggested": await asked_before.suggested(request, desk)}
    return drawn("status.html", request, words_of(request), state=state, **shown)


@router.get(SIGN_IN)
async def sign_in(request: Request, to: str = "/") -> Response:
    """The page that asks for a token."""
    return drawn("sign_in.html", request, words_of(request), state=PageState(), to=to, is_wrong=False)


@router.post(SIGN_IN)
async def take_token(
    request: Request, desk: AtDesk, token: Annotated[str, Form(max_length=200)], to: Annotated[str, Form()] = "/"
) -> Response:
    """Keep the token in a cookie, which no script can read, and go on."""
    onward = to if to.startswith("/") and not to.startswith(("//", "/\\")) else "/"
    if desk.settings.tokens and not await desk.lanes.run(Tokens(desk.settings.tokens).bearer_of, token.strip()):
        refused = drawn("sign_in.html", request, words_of(request), state=PageState(), to=onward, is_wrong=True)
        refused.status_code = 401
        return refused
    answer = RedirectResponse(onward, 303)
    is_secure = request.url.scheme == "https"
    answer.set_cookie(COOKIE, token.strip(), max_age=_YEAR_S, httponly=True, samesite="strict", secure=is_secure)
    return answer


@router.post("/pictures")
async def take_picture(request: Request, image: UploadFile, desk: AtDesk) -> Response:
    """Keep a picture for a while, and go to the search with it: so that this search has an address too."""
    data = await image.read(desk.settings.upload_bytes + 1)
    if len(data) > desk.settings.upload_bytes:
        raise too_large(desk.settings)
    number = desk.pictures.keep(data)
    asked = [
        (name, value) for name, value in request.query_params.multi_items() if name not in {"q", "picture", "item"}
    ]
    return RedirectResponse(f"/?{urlencode([*asked, ('picture', number)])}", 303)


@router.get("/pictures/{number}")
async def picture(number: str, desk: AtDesk) -> Response:
    """A picture that was searched with, small: so that the page shows what it was asked."""
    data = desk.pictures[number]
    small = await desk.decoding.lanes.run(
        thumbnails.small, data, thumbnails.SIDES[0], desk.settings.upload_limits, desk.decoding
    )
    return Response(small, media_type=thumbnails.MEDIA_TYPE, headers={"Cache-Control": "private, max-age=3600"})


async def _ask(state: PageState, desk: Desk, after: str) -> Results:
    asked = state.question().model_copy(update={"after": after})
    if not state.picture:
        return await answer(question_of(asked, desk.settings), desk)
    question = question_of(asked, desk.settings, desk.pictures[state.picture])
    return await answer(question, desk)


def _counted(offered: list[facets.Facet], state: PageState, desk: Desk) -> list[facets.Facet]:
    """Facets with the counts under the filters of the address."""
    return facets.counted(offered, state.choices, state.where or None, desk.shelf.collection(state.collection).fields)


def _said(error: Exception) -> Said:
    if isinstance(error, ValidationError):
        return refusal(error.errors()), ""
    return error.said if isinstance(error, LookalikeError | Problem) else (str(error), "")


def drawn_problem(request: Request, status: int, said: Said) -> Response:
    """An error as a page, for who came with a browser."""
    words = words_of(request)
    state = PageState(collection=request.query_params.get("collection"))
    shown: dict[str, Any] = {"facets": [], "results": None, "status": None}
    told = drawn("search.html", request, words, state=state, error=words.told(said), **shown)
    told.status_code = status
    return told


def static_files() -> StaticFiles:
    """The style, the script and the drawings of the page."""
    from starlette.staticfiles import StaticFiles

    return StaticFiles(directory=_HERE / "static")
