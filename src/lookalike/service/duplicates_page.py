"""The part of the page about duplicates: groups side by side, decisions about them, and the copies behind one hit.

Works without a script, which adds keys. Files are not moved from here: the page names the command that does it.
"""

from __future__ import annotations

import shlex
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, cast

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from lookalike.core.records import LIKENESS_KINDS, LikenessKind
from lookalike.service.desk import AtDesk
from lookalike.service.drawing import drawn, words_of
from lookalike.service.jobs import looking_for_duplicates
from lookalike.service.page_state import PageState
from lookalike.service.problems import Problem
from lookalike.service.runs_api import may_write, need_to_write

if TYPE_CHECKING:
    from pathlib import Path

    from lookalike.engine.duplicates import Duplicates
    from lookalike.engine.duplicates_report import GroupPage
    from lookalike.service.desk import Desk

ALL = "all"
KINDS = (ALL, *LIKENESS_KINDS)
PAGE = 20
"""Groups drawn at once."""
_DECIDED = 50
"""Decisions that are listed, the latest."""
_COPIES = 100
_After = Annotated[str | None, Query(max_length=8000)]
_Id = Annotated[str, Form(min_length=1, max_length=4000)]

router = APIRouter(include_in_schema=False)


@router.get("/duplicates")
async def duplicates(request: Request, desk: AtDesk, after: _After = None) -> Response:
    """Groups that were found, of one kind or of all; the run that looks for more; decisions that can be taken back."""
    state, name = _state(request), desk.shelf.served(request.query_params.get("collection")).name
    page = await _groups(state, desk, after)
    counts = page.counts if state.kind == ALL else (await _groups(_all(state), desk, None, 1)).counts
    known = await desk.lanes.run(desk.shelf.duplicates, name)
    decided = await desk.lanes.run(_decided, desk, name, known)
    command = _command(desk.shelf.served(name).path, state) if may_write(request) else ""
    jobs = (each for each in desk.jobs.all() if each.collection == name and each.task == "duplicates")
    shown: dict[str, Any] = {"page": page, "counts": {**counts, ALL: sum(counts.values())}, "kinds": KINDS}
    shown |= {"decided": decided, "job": next(jobs, None), "may_write": may_write(request), "command": command}
    return drawn("duplicates.html", request, words_of(request), state=state, **shown)


@router.get("/duplicates/more")
async def more(request: Request, desk: AtDesk, after: _After = None) -> Response:
    """The next groups, as the piece of the page that holds them."""
    state = _state(request)
    page = await _groups(state, desk, after)
    return drawn("groups.html", request, words_of(request), state=state, page=page, may_write=may_write(request))


@router.post("/duplicates")
async def look(request: Request, desk: AtDesk) -> Response:
    """Start a look at what is new, and show how far it is."""
    need_to_write(request)
    state = _state(request)
    served = desk.shelf.served(state.collection)
    known = await desk.lanes.run(desk.shelf.duplicates, served.name)
    with suppress(Problem):  # a run is on already: its end is waited for
        desk.jobs.start(served.name, "duplicates", looking_for_duplicates(known))
    return RedirectResponse(state.address("/duplicates"), 303)


@router.post("/duplicates/apart")
async def apart(request: Request, desk: AtDesk, first: _Id, second: _Id, undo: Annotated[str, Form()] = "") -> Response:
    """Remember that two items are no duplicates, or forget it, and go back to the list."""
    need_to_write(request)
    state = PageState.of(request)
    known = await desk.lanes.run(desk.shelf.duplicates, state.collection)
    await desk.lanes.run(known.undo_not_same if undo else known.not_same, first, second)
    return RedirectResponse(state.back(), 303)


@router.post("/duplicates/keep")
async def keep(request: Request, desk: AtDesk, item: _Id) -> Response:
    """Remember which item of a group is kept, and go back to the list."""
    need_to_write(request)
    state = PageState.of(request)
    known = await desk.lanes.run(desk.shelf.duplicates, state.collection)
    await desk.lanes.run(known.keep, item)
    return RedirectResponse(state.back(), 303)


@router.get("/copies/{id:path}")
async def copies(
    id: str, request: Request, desk: AtDesk, at: Annotated[list[str] | None, Query(max_length=_COPIES)] = None
) -> Response:
    """An item and others side by side, which an answer said are copies of it; what is gone meanwhile is left out."""
    state = PageState.of(request)
    collection = await desk.lanes.run(desk.shelf.collection, state.collection)
    first = await desk.lanes.run(desk.shelf.item, collection, id)
    items = [await desk.lanes.run(collection.item, first.id)]
    for uri in at or ():
        with suppress(Problem):
            other = await desk.lanes.run(desk.shelf.item, collection, uri)
            items.append(await desk.lanes.run(collection.item, other.id))
    whole = "copies.html" if not request.headers.get("x-fragment") else "side_by_side.html"
    return drawn(whole, request, words_of(request), state=state, items=items, may_write=may_write(request))


def _decided(desk: Desk, name: str | None, known: Duplicates) -> list[tuple[str, str, str]]:
    """The latest decisions: two ids, and both in words, by their files where these are known."""
    collection = desk.shelf.collection(name)

    def named(id: str) -> str:
        with suppress(Problem):
            return desk.shelf.item(collection, id).uri
        return id

    decided = known.decided_apart()[:_DECIDED]
    return [(first, second, f"{named(first)}\n{named(second)}") for first, second in decided]


def _command(path: Path | str, state: PageState) -> str:
    """What moves all of the groups shown but the ones to keep, said without moving anything."""
    of_kind = "" if state.kind == ALL else f" --kind {state.kind}"
    where = f" --where {shlex.quote(state.where)}" if state.where else ""
    return f"lookalike duplicates --collection {shlex.quote(str(path))}{of_kind}{where} --move-to ~/Duplicates"


def _state(request: Request) -> PageState:
    state = PageState.of(request)
    return state if state.kind in LIKENESS_KINDS else _all(state)


def _all(state: PageState) -> PageState:
    return replace(state, kind=ALL)


async def _groups(state: PageState, desk: Desk, after: str | None, k: int = PAGE) -> GroupPage:
    known = await desk.lanes.run(desk.shelf.duplicates, state.collection)
    kinds = LIKENESS_KINDS if state.kind == ALL else (cast("LikenessKind", state.kind),)
    return await desk.lanes.run(known.groups, kinds, state.where or None, after=after, limit=k)
