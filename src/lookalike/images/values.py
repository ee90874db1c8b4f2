"""Values that metadata may hold, made of whatever a file says: clean text, tags, ratings, positions.

Promises: JSON-ready, bounded, never an exception on what a damaged or hostile file gives.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST_NAME = 200
"""Characters of a camera, a lens, a title, a tag: longer ones are garbage."""
LONGEST_TEXT = 1_000
"""Characters of a caption that are kept."""
MOST_TAGS = 64
_BEST_RATING = 5
_COORDINATE_DIGITS = 7  # decimals of a degree: a centimetre


def clean_text(value: Any, longest: int = LONGEST_NAME) -> str:
    """One clean line; '' when it is not text."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if not isinstance(value, str):
        return ""
    head = value.split("\0", 1)[0][: 4 * longest].encode("utf-8", "replace").decode("utf-8")
    line = " ".join("".join(mark if mark.isprintable() else " " for mark in head).split())
    return line[:longest].rstrip()


def tag_list(values: Iterable[Any]) -> list[str]:
    """Clean, distinct, not empty, in their order."""
    tags = dict.fromkeys(text for value in values if (text := clean_text(value)))
    return list(tags)[:MOST_TAGS]


def rating(value: Any) -> int | None:
    """Stars from 1 to 5; -1 for rejected, as XMP has it; None for no rating (0 is none)."""
    try:
        stars = round(float(value))
    except (TypeError, ValueError, OverflowError):
        return None
    return stars if stars == -1 or 1 <= stars <= _BEST_RATING else None


def position(latitude: Any, longitude: Any) -> dict[str, float]:
    """Degrees, north and east positive; nothing for what is none: (0, 0) is what devices write without a fix."""
    try:
        north, east = float(latitude), float(longitude)
    except (TypeError, ValueError, OverflowError):
        return {}
    if not (math.isfinite(north) and math.isfinite(east)) or abs(north) > 90 or abs(east) > 180:
        return {}
    if north == 0 and east == 0:
        return {}
    return {"latitude": round(north, _COORDINATE_DIGITS), "longitude": round(east, _COORDINATE_DIGITS)}


def known(facts: dict[str, Any]) -> dict[str, Any]:
    """Without what is empty."""
    return {name: value for name, value in facts.items() if value not in ("", None, [])}
