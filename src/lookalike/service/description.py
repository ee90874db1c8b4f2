"""The OpenAPI description of the service: what FastAPI makes of the routes, with what it cannot know put right.

Errors are `application/problem+json` everywhere; bodies that a route reads itself are described; a token is a scheme.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from lookalike.service.clip_retrieval import KnnIn, MetadataIn
from lookalike.service.problems import MEDIA_TYPE
from lookalike.service.schema import ProblemOut, SearchIn

if TYPE_CHECKING:
    from fastapi import FastAPI

_SHAPES = "#/components/schemas/{model}"
_OUR_OWN: dict[str, type[BaseModel]] = {
    "SearchIn": SearchIn,
    "KnnIn": KnnIn,
    "MetadataIn": MetadataIn,
    "ProblemOut": ProblemOut,
}
"""Shapes that no route declares to FastAPI."""
_ERRORS = {"4XX": "The request cannot be answered as it is.", "5XX": "The service cannot answer now."}


def describe(app: FastAPI) -> None:
    """Let the description of `app` be put right when it is first asked for."""
    made_by_fastapi = app.openapi

    def put_right() -> dict[str, Any]:
        if app.openapi_schema is None:
            _put_right(made_by_fastapi())
        assert app.openapi_schema is not None
        return app.openapi_schema

    app.openapi = put_right  # type: ignore[method-assign]  # as FastAPI says to do it


def _put_right(described: dict[str, Any]) -> None:
    parts = described.setdefault("components", {})
    shapes = parts.setdefault("schemas", {})
    for name, shape in _OUR_OWN.items():
        made = shape.model_json_schema(ref_template=_SHAPES)
        shapes |= made.pop("$defs", {}) | {name: made}
    for unused in ("HTTPValidationError", "ValidationError"):
        shapes.pop(unused, None)
    parts["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    described["security"] = [{}, {"token": []}]  # on this computer alone none is asked for
    problem = {MEDIA_TYPE: {"schema": {"$ref": _SHAPES.format(model="ProblemOut")}}}
    errors = {status: {"description": said, "content": problem} for status, said in _ERRORS.items()}
    for operations in described["paths"].values():
        for operation in operations.values():
            operation["responses"].pop("422", None)
            operation["responses"] |= errors
