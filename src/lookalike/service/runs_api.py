"""Runs over the API: of indexing, and of looking for duplicates. Beyond this computer it takes a token to write."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import Field

from lookalike.core.wording import Wording
from lookalike.service.api import PREFIX
from lookalike.service.desk import AtDesk
from lookalike.service.jobs import Task, indexing, looking_for_duplicates, watched
from lookalike.service.problems import Problem
from lookalike.service.schema import JobOut, Shape

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from lookalike.service.jobs import Job

router = APIRouter(prefix=f"{PREFIX}/jobs", tags=["jobs"])
_EVENTS: dict[int | str, dict[str, Any]] = {200: {"description": "Events.", "content": {"text/event-stream": {}}}}
Number = Annotated[int, Path(ge=1)]


class JobIn(Shape):
    """What a run does: `index` looks at all that the collection knows unless paths are given, which only this computer
    may; `duplicates` at pictures that are new since the last such run.
    """

    task: Task = "index"
    paths: list[str] = Field(default_factory=list, max_length=100)
    retry_failed: bool = False
    collection: str | None = Field(default=None, max_length=200)


@router.post("", response_model=JobOut, status_code=201)
async def start(asked: JobIn, request: Request, response: Response, desk: AtDesk) -> dict[str, Any]:
    """Bring a collection up to date with its folders, take new ones in, or look for duplicates."""
    need_to_write(request)
    if asked.task != "index" and (asked.paths or asked.retry_failed):
        raise Problem(422, "bad-value", "paths and retry_failed are for the task index")
    if asked.paths and desk.settings.is_remote:
        raise Problem(403, "not-from-here", "new folders are named on the computer that serves them only")
    served = desk.shelf.served(asked.collection)
    if asked.task == "duplicates":
        work = looking_for_duplicates(await desk.lanes.run(desk.shelf.duplicates, served.name))
    else:
        collection = await desk.lanes.run(desk.shelf.collection, served.name)
        work = indexing(collection, asked.paths, retry_failed=asked.retry_failed)
    job = desk.jobs.start(served.name, asked.task, work)
    response.headers["Location"] = f"{PREFIX}/jobs/{job.number}"
    return job.as_dict()


@router.get("", response_model=list[JobOut])
async def runs(desk: AtDesk) -> list[dict[str, Any]]:
    """Runs of this process, the latest first."""
    return [job.as_dict() for job in desk.jobs.all()]


@router.get("/{number}", response_model=JobOut)
async def run(number: Number, desk: AtDesk) -> dict[str, Any]:
    """How far a run is."""
    return desk.jobs.job(number).as_dict()


@router.get("/{number}/events", response_class=StreamingResponse, responses=_EVENTS)
async def events(number: Number, desk: AtDesk) -> StreamingResponse:
    """The same as server-sent events, one for each change, until the run has ended."""
    return StreamingResponse(_told(desk.jobs.job(number)), media_type="text/event-stream")


@router.delete("/{number}", response_model=JobOut)
async def stop(number: Number, request: Request, desk: AtDesk) -> dict[str, Any]:
    """Stop a run soon; what it took is kept."""
    need_to_write(request)
    job = desk.jobs.job(number)
    job.stop.set()
    return job.as_dict()


async def _told(job: Job) -> AsyncIterator[bytes]:
    async for told in watched(job):
        yield b"data: " + json.dumps(told).encode() + b"\n\n"


def may_write(request: Request) -> bool:
    """Whether who asks may change something: without tokens everybody may."""
    return getattr(request.state, "scope", "write") == "write"


def need_to_write(request: Request) -> None:
    """Raises Problem for a token that may only ask."""
    if not may_write(request):
        raise Problem(403, "read-only-token", Wording("read_only_token"), hint=Wording("token_add_write"))
