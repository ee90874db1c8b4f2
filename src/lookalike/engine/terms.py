"""From what a user hands over to a Query, and from a Query's terms to one unit vector.

A str is always words: nobody's query changes its meaning because a file of that name exists.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from lookalike.core.arrays import unit_vectors
from lookalike.core.errors import QueryError
from lookalike.core.records import PictureAt, Query, Term
from lookalike.core.wording import Wording
from lookalike.engine.query_language import ITEM
from lookalike.engine.query_pictures import is_image, read_pictures

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lookalike.core.arrays import Vectors
    from lookalike.core.protocols import Encoder
    from lookalike.engine.moment import Moment

SHORTEST = 1e-6
"""Sums of unit vectors shorter than this are what rounding left of nothing."""


def as_query(given: Any, how: Query, side: Callable[[], int]) -> Query:
    """A Query from a str, Path, bytes, PIL image, uint8 (h, w, 3) array, float (dim,) array, tuple of Terms or Query.

    `how`: the rest of the question, without terms; a Query is taken as it is. `side` gives what the encoder looks at:
    pictures are decoded as they are when they are indexed.
    Raises QueryError for anything else, for a Query without terms, and for words of nothing but white space.
    """
    query = given if isinstance(given, Query) else replace(how, terms=terms_of(given))
    if not query.terms or any(term.kind == "text" and not term.value.strip() for term in query.terms):
        raise QueryError(Wording("query_empty"), hint=Wording("query_like"))
    return replace(query, terms=read_pictures(query.terms, side))


def terms_of(given: Any) -> tuple[Term, ...]:
    """What was handed over as terms, pictures not read yet. Raises QueryError for what is none."""
    return given if isinstance(given, tuple) and given and _are_terms(given) else (_term(given),)


def _are_terms(given: tuple[Any, ...]) -> bool:
    return all(isinstance(each, Term) for each in given)


def describe(query: Query) -> str:
    """The query as a person would write it."""
    parts = []
    for position, term in enumerate(query.terms):
        sign = "- " if term.weight < 0 else "+ " if position else ""
        weight = "" if abs(term.weight) == 1 else f"{abs(term.weight):g}:"
        shown = term.label or {"text": term.value, "item": f"{ITEM}{term.value}"}.get(term.kind, f"({term.kind})")
        parts.append(f"{sign}{weight}{shown}")
    return " ".join(parts)


def query_vectors(encoder: Encoder, snapshot: Moment, queries: Sequence[Query]) -> Vectors:
    """One unit vector a query: (q, dim). All words go through the text tower together, all pictures likewise.

    Raises NoTextTower, QueryError for an unknown item or terms that cancel each other out.
    """
    import numpy as np

    terms = [term for query in queries for term in query.terms]
    texts = [term.value for term in terms if term.kind == "text"]
    pictures = [term.value for term in terms if term.kind == "picture"]
    from_texts = iter(encoder.encode_texts(texts)) if texts else iter(())
    from_pictures = iter(encoder.encode_images(pictures)) if pictures else iter(())
    vectors = []
    for query in queries:
        parts = []
        for term in query.terms:
            if term.kind == "text":
                vector = next(from_texts)
            elif term.kind == "picture":
                vector = next(from_pictures)
            elif term.kind == "item":
                vector = _item_vector(snapshot, str(term.value))
            else:
                vector = _given_vector(term.value, encoder.dim)
            parts.append((term.weight, vector))
        vectors.append(_with_feedback(snapshot, query, _together(query, parts)))
    return np.array(vectors, dtype=np.float32) if vectors else np.empty((0, encoder.dim), dtype=np.float32)


def _together(query: Query, parts: Sequence[tuple[float, Vectors]]) -> Vectors:
    """The unit vector (dim,) of the weighted sum of unit vectors."""
    import numpy as np

    weight, vector = parts[0]
    if len(parts) == 1 and weight > 0:
        return vector
    total = np.sum([weight * vector for weight, vector in parts], axis=0)
    if not float(total @ total) > SHORTEST**2:  # also catches NaN
        raise QueryError(Wording("parts_cancel", query=describe(query)))
    return cast("Vectors", unit_vectors(total)[0])


def _with_feedback(snapshot: Moment, query: Query, vector: Vectors) -> Vectors:
    """The vector moved by what was liked and disliked."""
    if not query.liked and not query.disliked:
        return vector
    import numpy as np

    from lookalike.engine.feedback import weights_for, with_feedback

    liked, disliked = (
        np.array([_item_vector(snapshot, id) for id in ids], np.float32).reshape(-1, len(vector))
        for ids in (query.liked, query.disliked)
    )
    return with_feedback(vector, liked, disliked, weights_for(query.terms))


def _given_vector(value: Any, dim: int) -> Vectors:
    try:
        return cast("Vectors", unit_vectors(value, dim)[0])
    except ValueError as error:
        raise QueryError(f"the query vector cannot be used: {error}") from error


def _item_vector(snapshot: Moment, given: str) -> Vectors:
    from lookalike.engine.items import find_item

    rows = snapshot.rows_of_item(given) or snapshot.rows_of_item(find_item(snapshot, given).id)
    if not rows:
        raise QueryError(Wording("item_without_vector", given=given), hint=Wording("index_makes_missing"))
    return cast("Vectors", unit_vectors(snapshot.rows[rows[0]])[0])


def _term(given: Any) -> Term:
    if isinstance(given, str):
        return Term("text", given)
    if isinstance(given, (Path, os.PathLike)):
        return Term("picture", PictureAt(Path(os.fsdecode(given))), label=os.fsdecode(given))
    if isinstance(given, (bytes, bytearray, memoryview)):
        return Term("picture", PictureAt(bytes(given)), label="(picture)")
    return _array_term(given)


def _array_term(given: Any) -> Term:
    import numpy as np

    if is_image(given):
        return Term("picture", given, label="(picture)")
    if isinstance(given, np.ndarray):
        if given.dtype == np.uint8 and given.ndim == 3 and given.shape[2] == 3:
            return Term("picture", np.ascontiguousarray(given), label="(picture)")
        if given.ndim == 1 and np.issubdtype(given.dtype, np.floating):
            return Term("vector", given, label="(vector)")
        raise QueryError(
            f"an array of shape {given.shape} and type {given.dtype} is neither a picture nor a vector",
            hint="a picture is uint8 (height, width, 3); a vector is float (dim,)",
        )
    raise QueryError(
        f"a query cannot be made from {type(given).__name__}",
        hint="give words (str), a Path, bytes, a PIL image, a uint8 (h, w, 3) array or a float vector",
    )
