"""What the place of a picture says about it: sidecar files, else a date in its name, else the time of the file.

A person's own program wrote the XMP sidecar, so it counts before what the bytes say. The JSON of Google Takeout and of
downloaders counts too, except for its date, which is known without a zone: where the bytes have one, that one stands
(`core.fields.FALLBACKS`). A text file is the caption.
"""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from lookalike.core.fields import date_text
from lookalike.images.cities import with_city
from lookalike.images.moments import moment_in_name, moment_of
from lookalike.images.values import LONGEST_TEXT, clean_text, known, position, rating, tag_list
from lookalike.images.xmp import read_xmp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

LARGEST_BYTES = 4 << 20
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DATES = ("taken", "date_taken", "DateTimeOriginal", "date", "datetime")
_TAGS = ("tags", "keywords", "Keywords", "Subject", "labels")
_LATITUDES, _LONGITUDES = ("latitude", "lat", "GPSLatitude"), ("longitude", "lon", "lng", "GPSLongitude")


def said_by_place(name: str, modified_ns: int, sidecars: Iterable[tuple[str, bytes]]) -> dict[str, Any]:
    """Keys of `core.fields`. `name`: of the file. `sidecars`: names and contents, in the order in which they count.

    There is a date as long as the file has a time: "taken_from" says where it is from.
    """
    facts: dict[str, Any] = {}
    for sidecar, content in sidecars:
        facts = {**_read(sidecar, content), **facts}
    if "taken" not in facts:
        facts |= _fallback_date(name, modified_ns)
    return with_city(facts)


def _read(name: str, content: bytes) -> dict[str, Any]:
    suffix = name.rsplit(".", 1)[-1].lower()
    readers: Mapping[str, Callable[[bytes], dict[str, Any]]] = {"xmp": read_xmp, "json": _json, "txt": _caption}
    facts = readers[suffix](content)
    return {**facts, "taken_from": suffix} if "taken" in facts else facts


def _fallback_date(name: str, modified_ns: int) -> dict[str, Any]:
    if (moment := moment_in_name(name)) is not None:
        return {"taken": date_text(moment), "taken_from": "file name"}
    try:
        moment = _EPOCH + timedelta(seconds=modified_ns // 1_000_000_000)
    except OverflowError:  # a disk full of wrong numbers
        return {}
    return {"taken": date_text(moment), "taken_from": "file time"}


def _caption(content: bytes) -> dict[str, Any]:
    return known({"caption": clean_text(content.decode("utf-8-sig", "replace"), LONGEST_TEXT)})


def _json(content: bytes) -> dict[str, Any]:
    try:
        said = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    if isinstance(said, list) and len(said) == 1:  # as exiftool writes it
        said = said[0]
    if not isinstance(said, dict):
        return {}
    return _takeout(said) if "photoTakenTime" in said else _plain(said)


def _takeout(said: Mapping[str, Any]) -> dict[str, Any]:
    """Google's own: "title" there is but the file's name; "geoData" is what the owner may have put right."""
    moment = None
    with suppress(TypeError, ValueError, OverflowError, KeyError):
        moment = _EPOCH + timedelta(seconds=int(said["photoTakenTime"]["timestamp"]))
    places = [place for name in ("geoData", "geoDataExif") if isinstance(place := said.get(name), dict)]
    found = (position(place.get("latitude"), place.get("longitude")) for place in places)
    people = said.get("people")
    return known(
        {
            "taken": "" if moment is None else date_text(moment),
            "caption": clean_text(said.get("description"), LONGEST_TEXT),
            "tags": tag_list(each.get("name") for each in people if isinstance(each, dict))
            if isinstance(people, list)
            else [],
            **next((each for each in found if each), {}),
        }
    )


def _plain(said: Mapping[str, Any]) -> dict[str, Any]:
    """Names that downloaders, galleries and exiftool use; others are left alone."""
    moment = next((found for name in _DATES if (found := moment_of(said.get(name)))), None)
    tags = _first(said, _TAGS)
    return known(
        {
            "taken": "" if moment is None else date_text(moment),
            "title": clean_text(said.get("title")),
            "caption": clean_text(_first(said, ("caption", "description")), LONGEST_TEXT),
            "tags": tag_list(tags.split(",") if isinstance(tags, str) else tags if isinstance(tags, list) else []),
            "rating": rating(_first(said, ("rating", "Rating"))),
            "city": clean_text(said.get("city")),
            "country": clean_text(said.get("country")),
            **position(_first(said, _LATITUDES), _first(said, _LONGITUDES)),
        }
    )


def _first(said: Mapping[str, Any], names: Iterable[str]) -> Any:
    return next((said[name] for name in names if said.get(name) is not None), None)
