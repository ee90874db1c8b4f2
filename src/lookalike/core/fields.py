"""The fields lookalike gives of its own: what every item is known by, and what pictures say about themselves.

A field is a named typed fact about an item. A catalogue's own columns are fields too; their names and kinds are kept
with the collection that took them in.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

FieldKind: TypeAlias = Literal["int", "float", "bool", "text", "date", "texts"]
"""What the values of a field are.

A "date" is UTC nanoseconds since 1970 in columns and text by ISO 8601 in metadata and JSON (`date_text`, `date_ns`).
"texts" is a list of text: a comparison holds when it holds for any of them.
"""

ITEM_FIELDS: Mapping[str, FieldKind] = MappingProxyType(
    {
        "id": "text",
        "path": "text",
        "folder": "text",
        "name": "text",
        "extension": "text",
        "size": "int",
        "modified": "date",
        "width": "int",
        "height": "int",
        "format": "text",
    }
)
"""What is known about every item: these have columns of their own, or follow from them."""

PICTURE_FIELDS: Mapping[str, FieldKind] = MappingProxyType(
    {
        "taken": "date",
        "taken_from": "text",
        "camera": "text",
        "lens": "text",
        "latitude": "float",
        "longitude": "float",
        "city": "text",
        "country": "text",
        "orientation": "text",
        "colours": "texts",
        "tags": "texts",
        "rating": "int",
        "title": "text",
        "caption": "text",
    }
)
"""Keys of the metadata that reading a picture, and what lies beside it, can give."""

BESIDE = "beside"
"""Key under which an item's metadata keeps `Asset.beside`: no field to search by."""
STACK = "stack"
"""Key for the names of the other files of the same shot: a RAW file, the film of a live photo."""
FALLBACKS = frozenset({"json", "file name", "file time"})
"""Values of "taken_from" that give way to a date in the bytes."""

FIELDS: Mapping[str, FieldKind] = MappingProxyType({**ITEM_FIELDS, **PICTURE_FIELDS})

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PARTS_OF_A_SECOND = re.compile(r"[.,](\d+)")
_NS = 1_000_000_000
_NANOSECOND_DIGITS = 9


def of_place(said: Mapping[str, Any], by_bytes: Mapping[str, Any]) -> dict[str, Any]:
    """What the place of a picture adds to what its bytes say: all of it, a date to fall back on only when needed."""
    gives_way = said.get("taken_from") in FALLBACKS and "taken" in by_bytes
    return {name: value for name, value in said.items() if not (gives_way and name in ("taken", "taken_from"))}


def date_text(moment: datetime) -> str:
    """A moment as metadata keeps it: ISO 8601, whole seconds or milliseconds; without a zone when it has none."""
    return moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds")


def date_ns(text: str) -> int | None:
    """ISO 8601 -> UTC nanoseconds since 1970; a date without a zone is taken as if UTC. None for what is no date.

    Written for text of `date_text`, and what catalogues have: "2024-05-03", "2024-05-03 17:20", "...T17:20:11.5Z".
    """
    parts = _PARTS_OF_A_SECOND.search(text)
    whole = text if parts is None else text[: parts.start()] + text[parts.end() :]
    try:
        moment = datetime.fromisoformat(whole)
    except ValueError:
        return None
    seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH
    fraction = int(parts[1][:_NANOSECOND_DIGITS].ljust(_NANOSECOND_DIGITS, "0")) if parts else 0
    nanoseconds = seconds // timedelta(seconds=1) * _NS + fraction
    return nanoseconds if math.fabs(nanoseconds) < 2**63 else None
