"""Hits in another order than that of their scores: by date, price or any field; what has no value comes last.

    parse_order("taken desc, price", fields) -> tuple[SortKey, ...]
    order_by(hits, keys, declared, fact_of=...) -> list[Hit]

Whoever sorts cuts first: the newest of a thousand pictures that hardly fit the question are no answer to it. That is
the caller's part (`engine.relevance`), and so is giving facts about a file that a hit does not carry (`fact_of`).

Promises: hits without a value are last in both directions, hits that are equal keep their order, ranks count anew from
1. Fields are named, and their values compared, as filters do (`core.conditions`). Of a list the least counts when it
ascends, the greatest when it descends.
"""

from __future__ import annotations

import difflib
import math
import os
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from lookalike.core.conditions import METADATA, folded, kind_in_metadata, place_of
from lookalike.core.errors import QueryError
from lookalike.core.fields import ITEM_FIELDS, date_ns
from lookalike.core.pointing import pointing
from lookalike.core.wording import Wording

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lookalike.core.fields import FieldKind
    from lookalike.core.records import Hit

OF_THE_QUERY = ("relevance", "score")
"""What a hit has of the query; these descend unless told otherwise, as everybody expects."""
_DIRECTIONS = {"": None, "asc": False, "desc": True}
_KEY = re.compile(r"(\S+?)(?:\s+(asc|desc))?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SortKey:
    """A field to sort by."""

    field: str
    descending: bool = False


def parse_order(text: str, fields: Mapping[str, FieldKind]) -> tuple[SortKey, ...]:
    """What `--sort` says: names of fields with commas between, `asc` or `desc` behind a name.

    `fields`: those of the collection. Raises QueryError, which names the nearest field.
    """
    keys = []
    place = 0
    for part in text.split(","):
        found = _KEY.fullmatch(part.strip())
        at = place + len(part) - len(part.lstrip())
        if found is None:
            raise QueryError(
                Wording("at_place", what=Wording("not_an_order"), place=pointing(text, at)),
                hint=Wording("order_like", example="taken desc, price"),
            )
        field = found[1]
        if field not in OF_THE_QUERY and not _is_known(field, fields):
            near = difflib.get_close_matches(field, [*fields, *OF_THE_QUERY], n=1)
            hint = Wording("did_you_mean", name=near[0]) if near else Wording("fields_lists")
            what = Wording("no_field", name=field)
            raise QueryError(Wording("at_place", what=what, place=pointing(text, at)), hint=hint)
        direction = _DIRECTIONS[(found[2] or "").lower()]
        keys.append(SortKey(field, field in OF_THE_QUERY if direction is None else direction))
        place += len(part) + 1
    return tuple(keys)


def order_by(
    hits: Sequence[Hit],
    keys: Sequence[SortKey],
    declared: Mapping[str, FieldKind] | None = None,
    *,
    fact_of: Callable[[Hit, str], Any] | None = None,
) -> list[Hit]:
    """The hits in the order of `keys`, the first one first.

    `declared`: the columns of the collection's catalogues, with their kinds. `fact_of(hit, name)` gives the facts about
    a file: size, modified (UTC nanoseconds since 1970) and format; without it hits have none of them.
    """
    ordered = list(hits)
    for key in reversed(keys):
        values = [_comparable(hit, key, declared or {}, fact_of) for hit in ordered]
        there = [(value, hit) for value, hit in zip(values, ordered, strict=True) if value is not None]
        missing = [hit for value, hit in zip(values, ordered, strict=True) if value is None]
        there.sort(key=lambda pair: pair[0], reverse=key.descending)  # stable in both directions
        ordered = [hit for _, hit in there] + missing
    return [replace(hit, rank=rank) for rank, hit in enumerate(ordered, 1)]


def _is_known(field: str, fields: Mapping[str, FieldKind]) -> bool:
    return field in fields or place_of(field, fields) in {*ITEM_FIELDS, *(METADATA + name for name in fields)}


def _comparable(
    hit: Hit, key: SortKey, declared: Mapping[str, FieldKind], fact_of: Callable[[Hit, str], Any] | None
) -> tuple[int, Any] | None:
    """What a hit is sorted by: numbers come before text where a field has both; None when there is nothing."""
    if key.field in OF_THE_QUERY and key.field not in declared:
        value, kind = getattr(hit, key.field), None
    else:
        place = place_of(key.field, declared)
        if place.startswith(METADATA):
            name = place[len(METADATA) :]
            value, kind = hit.metadata.get(name), kind_in_metadata(name, declared)
        else:
            value, kind = _fact(hit, place, fact_of), ITEM_FIELDS[place]
    several = value if isinstance(value, (list, tuple)) else [value]
    values = [each for each in (_one(value, kind) for value in several) if each is not None]
    return (max if key.descending else min)(values, default=None)


def _one(value: Any, kind: FieldKind | None) -> tuple[int, Any] | None:
    if kind == "date" and isinstance(value, str):
        value = date_ns(value)
    if isinstance(value, str):
        return None if kind in ("int", "float", "bool") else (1, folded(value))
    if not isinstance(value, (bool, int, float)) or (isinstance(value, float) and math.isnan(value)):
        return None
    return (0, value)


def _fact(hit: Hit, name: str, fact_of: Callable[[Hit, str], Any] | None) -> Any:
    match name:
        case "id" | "width" | "height":
            return getattr(hit, name)
        case "path":
            return hit.uri
        case "folder":
            return os.path.dirname(hit.uri)
        case "name":
            return os.path.basename(hit.uri)
        case "extension":
            return os.path.splitext(hit.uri)[1][1:].lower()
        case _:
            return fact_of(hit, name) if fact_of else None
