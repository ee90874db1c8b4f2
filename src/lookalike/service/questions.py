"""From a request to a question: what was asked, in words, as a picture, an item or a vector, and how to answer it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from lookalike.core.errors import CannotDecode
from lookalike.core.records import Term
from lookalike.core.wording import Wording
from lookalike.engine.asking import SearchOptions, query_without_terms
from lookalike.engine.terms import as_query
from lookalike.service.problems import Problem
from lookalike.service.schema import Asked, SearchIn

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from lookalike.core.records import Query, Results, TermKind
    from lookalike.engine.any_collection import AnyCollection
    from lookalike.service.desk import Desk
    from lookalike.service.schema import TermIn
    from lookalike.service.settings import ServiceSettings

FIRST_PAGE = "start"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of which collection. `after`: a cursor, "start" for a first page, None for no pages."""

    terms: tuple[Term, ...]
    k: int
    options: SearchOptions
    after: str | None
    collection: str | None


def question_of(asked: Asked, settings: ServiceSettings, picture: bytes | None = None) -> Question:
    """The question in a request. Raises Problem for none, or too large a picture."""
    terms = [*_terms(asked)]
    if picture is not None:
        if len(picture) > settings.upload_bytes:
            raise too_large(settings)
        weight = asked.image_weight if isinstance(asked, SearchIn) else 1.0
        terms.append(Term("picture", picture, weight, label="(picture)"))
    if not terms:
        raise Problem(422, "no-question", Wording("nothing_asked"), hint=Wording("ask_with"))
    options = cast("SearchOptions", {name: getattr(asked, name) for name in SearchOptions.__annotations__})
    return Question(tuple(terms), asked.k, options, asked.after, asked.collection)


def too_large(settings: ServiceSettings) -> Problem:
    """The answer to an upload beyond the limit."""
    return Problem(413, "too-large", Wording("picture_too_large", most=settings.upload_bytes))


async def answer(question: Question, desk: Desk) -> Results:
    """Ask. Raises what `Collection.search` does, and Problem."""
    asking = await desk.shelf.asking(question.collection)
    collection = desk.shelf.collection(question.collection)
    began = time.perf_counter()
    terms = [await _decoded(term, collection, desk) for term in question.terms]
    desk.figures.stages.labels("decode").observe(time.perf_counter() - began)
    if any(term.kind == "picture" for term in terms):
        query = await desk.lanes.run(_prepared, terms, question, collection)
    else:  # microseconds: not worth waiting for a thread
        query = _prepared(terms, question, collection)
    if question.after is None:
        results = await asking.ask(query)
    else:
        after = None if question.after == FIRST_PAGE else question.after
        results = await desk.lanes.run(collection.search_page, query, question.k, after=after)
    desk.figures.answered(results)
    return results


def _prepared(terms: Sequence[Term], question: Question, collection: AnyCollection) -> Query:
    return as_query(
        tuple(terms), query_without_terms(question.k, question.options), lambda: collection.encoder.image_side
    )


async def _decoded(term: Term, collection: AnyCollection, desk: Desk) -> Term:
    if term.kind != "picture":
        return term
    try:
        side = await desk.lanes.run(lambda: collection.encoder.image_side)
        picture = await desk.decoding.lanes.run(desk.decoding.decode, term.value, side, desk.settings.upload_limits)
    except CannotDecode as error:
        why, hint = error.said
        raise CannotDecode(error.code, Wording("picture_unusable", why=why), hint=hint) from error
    return Term("picture", picture.pixels, term.weight, term.label)


def _terms(asked: Asked) -> list[Term]:
    terms = [_term(each) for each in asked.terms or ()] if isinstance(asked, SearchIn) else []
    if asked.q:
        terms.append(Term("text", asked.q))
    if asked.item:
        terms.append(Term("item", asked.item))
    if isinstance(asked, SearchIn) and asked.vector:
        terms.append(Term("vector", _vector(asked.vector)))
    return terms


def _term(asked: TermIn) -> Term:
    given = [name for name in ("text", "item", "vector") if getattr(asked, name) is not None]
    if len(given) != 1:
        raise Problem(422, "bad-value", "a term has exactly one of text, item and vector")
    value = getattr(asked, given[0])
    kind = cast("TermKind", given[0])
    return Term(kind, _vector(value) if kind == "vector" else value, asked.weight)


def _vector(numbers: list[float]) -> NDArray[np.float32]:
    """As the core takes it; what is too large for it becomes infinite, which the core refuses in words."""
    import numpy as np

    with np.errstate(over="ignore"):
        return np.asarray(numbers, np.float32)
