"""What a picture's EXIF says: when, with what, where.

Promises: JSON-ready values only, nothing that EXIF garbage can break. Leaves XMP and makers' notes alone.
Tag numbers: CIPA DC-008 (Exif 2.32).
"""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

_ORIENTATION = 0x0112
_MAKE, _MODEL, _DATE_TIME, _EXIF_IFD, _GPS_IFD = 0x010F, 0x0110, 0x0132, 0x8769, 0x8825
_LENS_MODEL = 0xA434
_DATES = ((0x9003, 0x9011), (0x9004, 0x9012))
"""When it was taken, when it was digitised; each with the tag of its offset from UTC."""
_MODIFIED_OFFSET = 0x9010
_NO_MOMENT = datetime(1970, 1, 1)  # noqa: DTZ001 - what a camera without a clock writes has no zone either
_LONGEST_TEXT = 200  # characters; longer ones are garbage


def read_metadata(image: Any) -> dict[str, Any]:
    """What an opened PIL image's EXIF says; only keys that are known.

    "taken": ISO 8601, with the offset from UTC where the camera wrote one. "camera", "lens": text.
    "gps": (latitude, longitude) in degrees, north and east positive.
    """
    try:
        exif = image.getexif()
        main, details, place = dict(exif), exif.get_ifd(_EXIF_IFD), exif.get_ifd(_GPS_IFD)
    except Exception:  # garbage raises anything from struct.error to RecursionError; it only costs the metadata
        return {}
    found = {
        "taken": _taken(main, details),
        "camera": _camera(_text(main.get(_MAKE)), _text(main.get(_MODEL))),
        "lens": _text(details.get(_LENS_MODEL)),
        "gps": _position(place),
    }
    return {key: value for key, value in found.items() if value}


def read_orientation(image: Any) -> int:
    """EXIF orientation 1-8 of an opened PIL image; 0 when it names none."""
    try:
        value = image.getexif().get(_ORIENTATION)
    except Exception:  # as above
        return 0
    return value if isinstance(value, int) and 1 <= value <= 8 else 0


def _text(value: Any) -> str:
    """A tag as one clean line; '' when it is not text."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if not isinstance(value, str):
        return ""
    line = value.split("\0", 1)[0].encode("utf-8", "replace").decode("utf-8")
    return "".join(mark for mark in line if mark.isprintable()).strip()[:_LONGEST_TEXT]


def _camera(make: str, model: str) -> str:
    """Maker and model; the maker once, where the model already begins with it."""
    if make and model and make.split(maxsplit=1)[0].casefold() != model.split(maxsplit=1)[0].casefold():
        return f"{make} {model}"
    return model or make


def _taken(main: dict[int, Any], details: dict[int, Any]) -> str:
    for date_tag, offset_tag in _DATES:
        if moment := _moment(details.get(date_tag), details.get(offset_tag)):
            return moment
    return _moment(main.get(_DATE_TIME), details.get(_MODIFIED_OFFSET))


def _moment(written: Any, offset: Any) -> str:
    """ISO 8601 of EXIF's "2020:01:31 12:00:00"; '' for zeros and other fillers."""
    text = _text(written)[:19].replace("-", ":").replace("T", " ")
    try:
        moment = datetime.strptime(text, "%Y:%m:%d %H:%M:%S")  # noqa: DTZ007 - the offset, where known, is added below
    except ValueError:
        return ""
    if moment == _NO_MOMENT:
        return ""
    try:
        zone = datetime.strptime(_text(offset), "%z").tzinfo
    except ValueError:
        zone = None
    return moment.replace(tzinfo=zone).isoformat()


def _position(place: dict[int, Any]) -> tuple[float, float] | None:
    """Degrees from GPS tags 1-4. Exactly (0, 0) is what cameras write without a fix: no position."""
    latitude = _degrees(place.get(2), place.get(1), "S", 90)
    longitude = _degrees(place.get(4), place.get(3), "W", 180)
    if latitude is None or longitude is None or (latitude == 0 and longitude == 0):
        return None
    return latitude, longitude


def _degrees(parts: Any, reference: Any, negative: str, limit: int) -> float | None:
    try:
        degrees, minutes, seconds = (float(part) for part in (*parts, 0, 0)[:3])
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    value = degrees + minutes / 60 + seconds / 3600
    if not math.isfinite(value) or not 0 <= value <= limit:
        return None
    return round(-value if _text(reference).upper().startswith(negative) else value, 7)
