"""The application: routes, guard, errors as problems, and what is opened at the start and closed at the end."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI

import lookalike
from lookalike.core.errors import LookalikeError, MissingExtra, RemoteRefused, RemoteUnavailable
from lookalike.core.wording import Wording
from lookalike.service import (
    api,
    clip_retrieval,
    duplicates_api,
    duplicates_page,
    history_api,
    page,
    runs_api,
    watch,
)
from lookalike.service.closing import Closing
from lookalike.service.decoding import Decoding
from lookalike.service.description import describe
from lookalike.service.desk import AtDesk, Desk
from lookalike.service.entrance import Entrance
from lookalike.service.guard import Guard
from lookalike.service.jobs import Jobs
from lookalike.service.kept_pictures import KeptPictures
from lookalike.service.lanes import Lanes
from lookalike.service.problems import Problem, answer_with_problems
from lookalike.service.questions import answer, question_of
from lookalike.service.schema import Asked
from lookalike.service.shelf import Shelf
from lookalike.service.watch import Figures, Watch
from lookalike.store.tokens import Tokens

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from lookalike.service.settings import ServiceSettings


_LOG = logging.getLogger("lookalike.service")


def create_app(settings: ServiceSettings, closing: Closing | None = None) -> Guard:
    """The service as an ASGI application. Collections are opened when they are first asked for.

    The guard is outermost, so that errors nobody expected leave with its headers too. `closing`: where the server says
    that it is about to end.
    """
    closing = closing or Closing()
    figures, lanes = Figures(), Lanes(settings.lanes)

    @asynccontextmanager
    async def running(app: FastAPI) -> AsyncIterator[None]:
        decoding = Decoding()
        shelf = Shelf(settings, lanes, figures.together.observe)
        app.state.desk = desk = Desk(settings, lanes, decoding, shelf, KeptPictures(), figures, Jobs(), closing)
        closing.when_begun(desk.jobs.stop)
        preparing = asyncio.create_task(_prepare(desk)) if settings.prepares else None
        try:
            yield
        finally:
            if preparing is not None:
                preparing.cancel()
            desk.jobs.close()
            lanes.close()
            decoding.close()
            desk.shelf.close()

    app = FastAPI(
        title="lookalike",
        summary="Find pictures by words or by another picture.",
        version=lookalike.__version__,
        lifespan=running,
        openapi_url=f"{api.PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )
    app.include_router(api.router)
    app.include_router(runs_api.router)
    app.include_router(history_api.router)
    app.include_router(duplicates_api.router)
    app.include_router(clip_retrieval.router)
    app.include_router(watch.router)
    app.include_router(duplicates_page.router)
    app.include_router(page.router)
    app.mount("/static", page.static_files())
    app.add_api_route("/healthz", _alive, include_in_schema=False)
    app.add_api_route("/readyz", _ready, include_in_schema=False)
    describe(app)
    answer_with_problems(app, page.drawn_problem)
    tokens = None if settings.tokens is None else Tokens(settings.tokens)
    return Guard(Watch(Entrance(app, settings, tokens, lambda: lanes.are_full), figures), app, settings, closing)


async def _prepare(desk: Desk) -> None:
    """Ask every collection once, so that the first visitor does not wait for what has to be loaded."""
    for name in desk.shelf.names:
        try:
            await desk.lanes.run(desk.shelf.describe, name)
            await answer(question_of(Asked(q="a picture", k=1, collection=name), desk.settings), desk)
        except (MissingExtra, RemoteRefused, RemoteUnavailable) as error:  # whoever started it shall know at once
            _LOG.error("%s; %s", error, error.hint)
        except (LookalikeError, Problem):  # whoever asks it is told
            pass


async def _alive() -> dict[str, str]:
    """Whether the process answers."""
    return {"status": "alive"}


async def _ready(desk: AtDesk) -> dict[str, Any]:
    """Whether every collection can be asked, and it is not about to end."""
    if desk.closing.has_begun:
        raise Problem(503, "closing", Wording("closing"))
    for name in desk.shelf.names:
        try:
            opened = await desk.lanes.run(desk.shelf.collection, name)
            await desk.lanes.run(lambda opened=opened: opened.encoder)
        except Problem as error:
            if error.code != "empty":  # one that is still empty is served as it is
                raise
    return {"status": "ready"}
