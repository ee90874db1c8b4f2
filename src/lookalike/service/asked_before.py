"""What was asked before: kept only with `--history`, shown to who asked it and to nobody else.

Each token has its own; where none is asked for, there is that of this computer. Only words are kept, as they were
typed, of questions that were answered; no pictures, items, filters or answers.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from fastapi import Request

from lookalike.core.errors import LookalikeError
from lookalike.core.wording import Wording
from lookalike.service.problems import Problem
from lookalike.service.questions import FIRST_PAGE
from lookalike.store.history import History

if TYPE_CHECKING:
    from lookalike.service.desk import Desk

SUGGESTED = 50
"""Questions that the page offers below its search field."""
_LOG = logging.getLogger("lookalike.service")


async def remember(words: str | None, after: str | None, request: Request, desk: Desk) -> None:
    """Keep the words of a question that was answered, where that is wanted. Never costs the answer."""
    if desk.settings.history is None or not words or not words.strip() or after not in {None, FIRST_PAGE}:
        return
    try:
        await desk.lanes.run(History(desk.settings.history).note, asker_of(request), words)
    except (LookalikeError, Problem):
        _LOG.exception("a question could not be kept")


async def suggested(request: Request, desk: Desk) -> list[str]:
    """What the page offers to ask again; nothing where nothing is kept."""
    if desk.settings.history is None:
        return []
    try:
        found = await desk.lanes.run(History(desk.settings.history).latest, asker_of(request), SUGGESTED)
    except (LookalikeError, Problem):
        _LOG.exception("what was asked before could not be read")
        return []
    return [each.question for each in found]


def asker_of(request: Request) -> str:
    """Who asks: the name of a token, "" for this computer."""
    return str(getattr(request.state, "asker", ""))


def kept(desk: Desk) -> History:
    """What is kept. Raises Problem where nothing is."""
    if desk.settings.history is None:
        raise Problem(404, "no-history", Wording("no_history"), hint=Wording("serve_history"))
    return History(desk.settings.history)
