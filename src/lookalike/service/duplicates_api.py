"""The part of the API about duplicates: groups that a look for them found, and what people decide about these.

Decisions are short writes, stored at once. Files are moved by `lookalike duplicates` alone, never from here.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from lookalike.core.records import LIKENESS_KINDS
from lookalike.service.api import PREFIX, Named
from lookalike.service.desk import AtDesk
from lookalike.service.runs_api import need_to_write
from lookalike.service.schema import ApartIn, ApartOut, GroupsAsked, GroupsOut, KeepIn, KeptOut, UndoneOut

router = APIRouter(prefix=f"{PREFIX}/duplicates", tags=["duplicates"])
Id = Annotated[str, Query(min_length=1, max_length=4000)]


@router.get("", response_model=GroupsOut)
async def groups(asked: Annotated[GroupsAsked, Query()], desk: AtDesk) -> dict[str, Any]:
    """Groups that the looks for duplicates so far found, those of the strongest kind first."""
    found = await desk.lanes.run(desk.shelf.duplicates, asked.collection)
    kinds = asked.kind or LIKENESS_KINDS
    page = await desk.lanes.run(found.groups, kinds, asked.where, after=asked.after, limit=asked.k)
    return page.as_dict()


@router.post("/apart", response_model=ApartOut)
async def apart(asked: ApartIn, request: Request, desk: AtDesk) -> dict[str, str]:
    """Remember that two items are no duplicates of each other: they are never proposed again."""
    need_to_write(request)
    found = await desk.lanes.run(desk.shelf.duplicates, asked.collection)
    first, second = await desk.lanes.run(found.not_same, asked.first, asked.second)
    return {"first": first, "second": second}


@router.delete("/apart", response_model=UndoneOut)
async def forget_apart(
    request: Request, desk: AtDesk, first: Id, second: Id, collection: Named = None
) -> dict[str, bool]:
    """Take that back."""
    need_to_write(request)
    found = await desk.lanes.run(desk.shelf.duplicates, collection)
    return {"undone": await desk.lanes.run(found.undo_not_same, first, second)}


@router.post("/keep", response_model=KeptOut)
async def keep(asked: KeepIn, request: Request, desk: AtDesk) -> dict[str, str]:
    """Remember which item of a group is kept, whatever rule is asked for later."""
    need_to_write(request)
    found = await desk.lanes.run(desk.shelf.duplicates, asked.collection)
    return {"item": await desk.lanes.run(found.keep, asked.item)}


@router.delete("/keep", response_model=UndoneOut)
async def forget_keep(request: Request, desk: AtDesk, item: Id, collection: Named = None) -> dict[str, bool]:
    """Take that back."""
    need_to_write(request)
    found = await desk.lanes.run(desk.shelf.duplicates, collection)
    return {"undone": await desk.lanes.run(found.undo_keep, item)}
