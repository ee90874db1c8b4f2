"""How answers may be asked for, beside the question itself: what `Collection.search` takes by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypedDict, get_args

from lookalike.core.records import Mode, Query
from lookalike.engine.paths import PathLike, absolute

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lookalike.core.conditions import Condition


class SearchOptions(TypedDict, total=False):
    """All of them may be left out.

    `folder`: only files at or below it. `where`: a filter, `price < 50 and taken >= 2024-05`. `mode`: "auto", "meaning"
    or "words". `min_relevance`: 0 to 1, or "usual" for what people are shown. `order`: fields to sort by, "taken desc,
    price". `variety`: 0 to 1. `like`, `unlike`: ids of items. `group_by`: a field whose equal values share one place,
    "" for none. `all_copies`: every place of a picture is an answer of its own.
    """

    folder: PathLike | None
    where: str | Condition | None
    mode: Mode
    min_relevance: float | Literal["usual"] | None
    order: str
    variety: float
    like: str | Sequence[str] | None
    unlike: str | Sequence[str] | None
    group_by: str | None
    all_copies: bool


def query_without_terms(k: int, options: SearchOptions) -> Query:
    """What the options say, as a Query. Raises ValueError for values that mean nothing."""
    given: dict[str, Any] = dict(options)
    if unknown := given.keys() - SearchOptions.__annotations__.keys():
        raise TypeError(f"search takes no {', '.join(sorted(unknown))}")
    if k < 1:
        raise ValueError(f"k is {k}; at least one answer must be asked for")
    if given.get("mode", "auto") not in get_args(Mode):
        raise ValueError(f"mode is {given['mode']!r}; it is one of {', '.join(get_args(Mode))}")
    for name in ("min_relevance", "variety"):
        value = given.get(name)
        if value not in {None, "usual"} and not (isinstance(value, (int, float)) and 0 <= value <= 1):
            raise ValueError(f"{name} is {value}; it goes from 0 to 1")
    folder = given.pop("folder", None)
    liked, disliked = _ids(given.pop("like", None)), _ids(given.pop("unlike", None))
    below = None if folder is None else absolute(folder)
    return Query(terms=(), k=k, folder=below, liked=liked, disliked=disliked, **given)


def _ids(given: str | Sequence[str] | None) -> tuple[str, ...]:
    """One id or several."""
    return (given,) if isinstance(given, str) else tuple(given or ())
