"""The API under /api/v1: questions, items and their pictures, what a collection holds.

Routes are thin: they turn a request into a question, ask in a lane, and give back what the core answers, the same
objects as the command line's `--json`.
"""

from __future__ import annotations

import mimetypes
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import ValidationError
from starlette.datastructures import UploadFile

from lookalike.core.errors import SourceError
from lookalike.core.wording import Wording
from lookalike.encoders.load import default_models_dir
from lookalike.encoders.overview import overview
from lookalike.engine.fields import FREQUENT
from lookalike.service import thumbnails
from lookalike.service.asked_before import remember
from lookalike.service.desk import AtDesk
from lookalike.service.problems import SEE_OPENAPI, Problem, refusal
from lookalike.service.questions import answer, question_of, too_large
from lookalike.service.schema import (
    MOST,
    Asked,
    CollectionOut,
    EncodersOut,
    FailureOut,
    FieldOut,
    ItemOut,
    ResultsOut,
    SearchIn,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from lookalike.service.desk import Desk

PREFIX = "/api/v1"
_CHUNK = 1 << 18
_KEPT = "private, max-age=86400"
_SHOWN = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp", "image/avif", "image/bmp"})
"""Kinds of files that a browser may show; others, SVG with its scripts among them, are handed over as downloads."""
_POST_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/SearchIn"}},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["image"],
                    "properties": {
                        "image": {"type": "string", "format": "binary"},
                        "question": {"type": "string", "description": "the other options, as the JSON of a question"},
                    },
                }
            },
        },
    }
}
Named = Annotated[str | None, Query(description="the collection; the first one unless given", max_length=200)]

_PICTURE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The picture.", "content": {thumbnails.MEDIA_TYPE: {}}},
    304: {"description": "The picture that is there already is the newest."},
}
_FILE: dict[int | str, dict[str, Any]] = {200: {"description": "The file.", "content": {"*/*": {}}}}

router = APIRouter(prefix=PREFIX)


@router.get("/search", response_model=ResultsOut, tags=["search"])
async def search(asked: Annotated[Asked, Query()], request: Request, desk: AtDesk) -> Response:
    """Find pictures with words, or more like an item."""
    results = await answer(question_of(asked, desk.settings), desk)
    await remember(asked.q, asked.after, request, desk)
    return JSONResponse(results.as_dict())  # unchecked: its shape is held by tests, and load counts


@router.post("/search", response_model=ResultsOut, openapi_extra=_POST_BODY, tags=["search"])
async def search_with(request: Request, desk: AtDesk) -> Response:
    """Find pictures with words, items, vectors and weights (JSON), or with a picture (multipart, field `image`)."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().casefold()
    picture = None
    if kind == "multipart/form-data":
        asked, picture = await _read_form(request, desk)
    elif kind == "application/json":
        asked = _read_question(await request.body())
    else:
        raise Problem(415, "wrong-type", "a question is application/json or multipart/form-data")
    results = await answer(question_of(asked, desk.settings, picture), desk)
    await remember(asked.q, asked.after, request, desk)
    return JSONResponse(results.as_dict())


async def _read_form(request: Request, desk: Desk) -> tuple[SearchIn, bytes]:
    async with request.form(max_files=1, max_fields=4) as form:
        image, question = form.get("image"), form.get("question")
        if not isinstance(image, UploadFile):
            raise Problem(422, "no-question", "the form has no file called image")
        picture = await image.read(desk.settings.upload_bytes + 1)
        if len(picture) > desk.settings.upload_bytes:
            raise too_large(desk.settings)
        asked = _read_question(question.encode()) if isinstance(question, str) else SearchIn()
    return asked, picture


def _read_question(body: bytes) -> SearchIn:
    try:
        return SearchIn.model_validate_json(body)
    except ValidationError as error:
        raise Problem(422, "bad-value", refusal(error.errors()), hint=SEE_OPENAPI) from None


@router.get("/items/{id:path}/thumbnail", response_class=Response, responses=_PICTURE, tags=["items"])
async def thumbnail(
    id: str,
    request: Request,
    desk: AtDesk,
    collection: Named = None,
    size: Annotated[int, Query(ge=1, le=4000, description="longest side in pixels, rounded up")] = 320,
) -> Response:
    """The item's picture, small and upright, as WebP."""
    opened = await desk.lanes.run(desk.shelf.collection, collection)
    item = await desk.lanes.run(desk.shelf.item, opened, id)
    side = thumbnails.side_for(size)
    tag = f'"{thumbnails.name_of(item, side)}"'
    headers = {"ETag": tag, "Cache-Control": _KEPT}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    small = await desk.lanes.run(thumbnails.kept, opened, item, side)
    desk.figures.thumbnails.labels("kept" if small else "made").inc()
    if small is None:
        small = await desk.decoding.lanes.run(thumbnails.made, opened, item, side, desk.decoding)
    return Response(small, media_type=thumbnails.MEDIA_TYPE, headers=headers)


@router.get("/items/{id:path}/original", response_class=Response, responses=_FILE, tags=["items"])
async def original(id: str, desk: AtDesk, collection: Named = None) -> StreamingResponse:
    """The item's file as it lies there."""
    opened = await desk.lanes.run(desk.shelf.collection, collection)
    item = await desk.lanes.run(desk.shelf.item, opened, id)
    try:
        _, stream = await desk.lanes.run(opened.open_item, item.id)
    except (OSError, SourceError):
        raise Problem(404, "file-away", Wording("file_away", item=id)) from None
    name = item.uri.replace("\\", "/").rpartition("/")[2].encode("ascii", "replace").decode().replace('"', "'")
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    how = "inline" if kind in _SHOWN else "attachment"
    headers = {"Content-Disposition": f'{how}; filename="{name}"', "Cache-Control": _KEPT}
    return StreamingResponse(_chunks(stream), media_type=kind if kind in _SHOWN else None, headers=headers)


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    with stream:
        yield from iter(partial(stream.read, _CHUNK), b"")


@router.get("/items/{id:path}/similar", response_model=ResultsOut, tags=["items"])
async def similar(
    id: str, desk: AtDesk, collection: Named = None, k: Annotated[int, Query(ge=1, le=MOST)] = 10
) -> dict[str, Any]:
    """Pictures like the item's; it is not among them."""
    opened = await desk.lanes.run(desk.shelf.collection, collection)
    found = await desk.lanes.run(desk.shelf.item, opened, id)
    asked = Asked(item=found.id, k=min(k + 1, MOST), collection=collection)
    results = (await answer(question_of(asked, desk.settings), desk)).as_dict()
    others = [hit for hit in results["hits"] if hit["id"] != found.id][:k]
    results["hits"] = [{**hit, "rank": rank} for rank, hit in enumerate(others, 1)]
    return results


@router.get("/items/{id:path}", response_model=ItemOut, tags=["items"])
async def item(id: str, desk: AtDesk, collection: Named = None) -> dict[str, Any]:
    """All that is known about one item."""
    opened = await desk.lanes.run(desk.shelf.collection, collection)
    found = await desk.lanes.run(desk.shelf.item, opened, id)
    return await desk.lanes.run(opened.item, found.id)


@router.get("/fields", response_model=list[FieldOut], tags=["collections"])
async def fields(
    desk: AtDesk,
    collection: Named = None,
    where: Annotated[str | None, Query(max_length=8000, description="only of items that meet this filter")] = None,
    name: Annotated[list[str] | None, Query(max_length=100, description="only these fields")] = None,
    values: Annotated[int, Query(ge=1, le=MOST, description="frequent values of each field")] = FREQUENT,
) -> list[dict[str, Any]]:
    """What filters and orders may name, and what stands there, with counts."""
    if where is None and name is None and values == FREQUENT:
        found = (await desk.lanes.run(desk.shelf.describe, collection)).fields
    else:
        opened = await desk.lanes.run(desk.shelf.collection, collection)
        found = await desk.lanes.run(opened.fields, where, most=values, names=name or ())
    return [each.as_dict() for each in found]


@router.get("/failures", response_model=list[FailureOut], tags=["collections"])
async def failures(desk: AtDesk, collection: Named = None) -> list[dict[str, Any]]:
    """Files that were not taken in the last runs, each with its reason."""
    opened = await desk.lanes.run(desk.shelf.collection, collection)
    found = await desk.lanes.run(opened.failures)
    return [{"uri": each.uri, "code": each.code, "reason": each.reason} for each in found]


@router.get("/status", tags=["collections"])
async def status(desk: AtDesk, collection: Named = None) -> dict[str, Any]:
    """Counts and places of a collection, and how searches are served."""
    opened = await desk.lanes.run(desk.shelf.collection, collection)
    return await desk.lanes.run(opened.status)


@router.get("/collections", response_model=list[CollectionOut], tags=["collections"])
async def collections(desk: AtDesk) -> list[dict[str, Any]]:
    """What is served here."""
    return [await desk.lanes.run(_summary, name, desk) for name in desk.shelf.names]


@router.get("/encoders", response_model=EncodersOut, tags=["collections"])
async def encoders(desk: AtDesk) -> dict[str, Any]:
    """Encoders that lie on the computer of the service, as `encoders --json` tells of them."""
    told = await desk.lanes.run(overview, default_models_dir())
    return {"encoders": [each for each in told["encoders"] if each["installed"]], "own": told["own"]}


def _summary(name: str, desk: Desk) -> dict[str, Any]:
    try:
        told = desk.shelf.collection(name).status()
    except Problem:
        return {"name": name, "items": 0, "pictures": 0, "encoder": None}
    return {"name": name, "items": told["items"], "pictures": told["pictures"], "encoder": told["encoder"]}
