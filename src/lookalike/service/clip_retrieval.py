"""clip-retrieval's interface, so that its unmodified `ClipClient` works against this service.

`/knn-service` answers words, a base64 picture, the address of one, or an embedding; `/indices-list` names the
collections; `/metadata` tells about items by their ids. What of its options has no meaning here (models for safety,
violence and beauty, its multilingual CLIP) is taken and changes nothing; `deduplicate` shows copies once, which is what
happens here anyway, and without it every copy. "url" is the address of an item, "caption" its caption or title. From
the behaviour of client and server, clip-retrieval 2.45.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr, ValidationError

from lookalike.core.errors import QueryError
from lookalike.service.desk import AtDesk
from lookalike.service.problems import Problem
from lookalike.service.questions import answer, question_of, too_large
from lookalike.service.schema import MOST, SearchIn

if TYPE_CHECKING:
    from lookalike.core.records import Hit
    from lookalike.service.desk import Desk

router = APIRouter(tags=["clip-retrieval"])


def _body(shape: str) -> dict[str, Any]:
    """The description of a body that a route reads itself."""
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{shape}"}}}
    return {"requestBody": {"required": True, "content": content}}


class KnnIn(BaseModel):
    """What `ClipClient` sends; what it sends beside that is passed over."""

    model_config = ConfigDict(extra="ignore")

    text: str | None = Field(default=None, max_length=4000)
    image: str | None = None
    image_url: str | None = Field(default=None, max_length=4000)
    embedding_input: list[float] | None = Field(default=None, max_length=8192)
    indice_name: str | None = Field(default=None, max_length=200)
    num_images: Annotated[int, Field(ge=1)] = 100
    num_result_ids: Annotated[int, Field(ge=1)] = 100
    deduplicate: bool = True


class MetadataIn(BaseModel):
    """Ids of items of a collection."""

    ids: list[StrictStr | StrictInt] = Field(max_length=MOST)
    indice_name: str | None = Field(default=None, max_length=200)


@router.post("/knn-service", openapi_extra=_body("KnnIn"))
async def knn(request: Request, desk: AtDesk) -> list[dict[str, Any]]:
    """Items like the words, picture or embedding, best first: `id`, `similarity`, `url`, `caption` and metadata."""
    try:
        asked = KnnIn.model_validate_json(await request.body())  # the client declares no content type
    except ValidationError as error:
        raise Problem(422, "bad-value", "; ".join(each["msg"] for each in error.errors())) from None
    k = min(asked.num_images, asked.num_result_ids, MOST)
    question = SearchIn(
        q=asked.text or None,
        vector=asked.embedding_input or None,
        k=k,
        all_copies=not asked.deduplicate,
        mode="meaning",
        collection=asked.indice_name,
    )
    picture = await _picture(asked, desk)
    results = await answer(question_of(question, desk.settings, picture), desk)
    return [_as_theirs(hit) for hit in results]


@router.get("/indices-list")
async def indices(desk: AtDesk) -> list[str]:
    """Names of the collections."""
    return desk.shelf.names


@router.post("/metadata", openapi_extra=_body("MetadataIn"))
async def metadata(request: Request, desk: AtDesk) -> list[dict[str, Any]]:
    """What is known about items; ids that are not there are passed over."""
    try:
        asked = MetadataIn.model_validate_json(await request.body())
    except ValidationError as error:
        raise Problem(422, "bad-value", "; ".join(each["msg"] for each in error.errors())) from None
    collection = await desk.lanes.run(desk.shelf.collection, asked.indice_name)

    def told() -> list[dict[str, Any]]:
        found = []
        for id in map(str, asked.ids):
            try:
                facts = collection.item(id)
            except QueryError:
                continue
            found.append({"id": id, "metadata": {"url": facts["uri"], **facts["metadata"]}})
        return found

    return await desk.lanes.run(told)


async def _picture(asked: KnnIn, desk: Desk) -> bytes | None:
    if asked.image:
        try:
            data = base64.b64decode(asked.image, validate=True)
        except (binascii.Error, ValueError):
            raise Problem(422, "bad-value", "image: it is no base64 text") from None
        if len(data) > desk.settings.upload_bytes:
            raise too_large(desk.settings)
        return data
    if asked.image_url:
        raise Problem(
            403,
            "no-addresses",
            "this service fetches nothing from the web",
            hint="fetch the picture and send it as image, in base64",
        )
    return None


def _as_theirs(hit: Hit) -> dict[str, Any]:
    caption = hit.metadata.get("caption") or hit.metadata.get("title") or ""
    return {**hit.metadata, "id": hit.id, "similarity": hit.score, "url": hit.uri, "caption": caption}
