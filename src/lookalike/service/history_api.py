"""The part of the API about what was asked before: who asked it may see it and let go of it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from lookalike.service.api import PREFIX
from lookalike.service.asked_before import asker_of, kept
from lookalike.service.desk import AtDesk
from lookalike.service.schema import AskedBeforeOut, ForgottenOut
from lookalike.store.history import KEPT

router = APIRouter(prefix=f"{PREFIX}/history", tags=["history"])


@router.get("", response_model=list[AskedBeforeOut])
async def history(
    request: Request, desk: AtDesk, k: Annotated[int, Query(ge=1, le=KEPT)] = 100
) -> list[dict[str, Any]]:
    """What you asked in words, the latest first."""
    found = await desk.lanes.run(kept(desk).latest, asker_of(request), k)
    return [each.as_dict() for each in found]


@router.delete("", response_model=ForgottenOut)
async def forget(
    request: Request,
    desk: AtDesk,
    question: Annotated[str | None, Query(max_length=4000, description="this one; all unless given")] = None,
) -> dict[str, int]:
    """Let go of what you asked."""
    return {"forgotten": await desk.lanes.run(kept(desk).forget, asker_of(request), question)}
