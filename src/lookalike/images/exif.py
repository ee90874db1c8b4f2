"""What a picture's EXIF says: when, with what, where, and what Windows' file properties add to it.

Promises: JSON-ready values only, nothing that EXIF garbage can break. Leaves makers' notes alone, and to
`embedded` what else speaks in the file. Tag numbers: CIPA DC-008 (Exif 2.32); 0x9C9B to 0x9C9E: Microsoft.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from lookalike.core.fields import date_text
from lookalike.images.moments import exif_moment, zone_by_satellites, zone_of
from lookalike.images.values import LONGEST_TEXT, clean_text, known, position, rating, tag_list

if TYPE_CHECKING:
    from collections.abc import Mapping

_ORIENTATION = 0x0112
_EXIF_IFD, _GPS_IFD = 0x8769, 0x8825
_MAKE, _MODEL, _LENS_MODEL = 0x010F, 0x0110, 0xA434
_DESCRIPTION, _RATING = 0x010E, 0x4746
_WINDOWS_TITLE, _WINDOWS_COMMENT, _WINDOWS_KEYWORDS = 0x9C9B, 0x9C9C, 0x9C9E
_DATES = ((0x9003, 0x9291, 0x9011), (0x9004, 0x9292, 0x9012), (0x0132, 0x9290, 0x9010))
"""When it was taken, digitised, changed: date, parts of a second, offset from UTC."""
_TIME_ZONE_OFFSET = 0x882A
"""Whole hours from UTC (TIFF/EP), of old cameras."""
_LATITUDE_REF, _LATITUDE, _LONGITUDE_REF, _LONGITUDE, _GPS_TIME, _GPS_DATE = 1, 2, 3, 4, 7, 29
_FILLERS = ("olympus digital camera", "sony dsc", "minolta digital camera", "samsung", "digital camera", "untitled")
"""Captions that cameras give to every picture."""


@dataclass(frozen=True, slots=True)
class ExifFacts:
    """`values`: keys of `core.fields`. `changed`: the date to fall back on when nothing else in the file has one."""

    values: dict[str, Any] = field(default_factory=dict)
    changed: str = ""


def read_exif(exif: Any) -> ExifFacts:
    """What a PIL `Exif` says; only what it says."""
    try:
        main, details, place = dict(exif), exif.get_ifd(_EXIF_IFD), exif.get_ifd(_GPS_IFD)
    except Exception:  # garbage raises anything from struct.error to RecursionError; it only costs the metadata
        return ExifFacts()
    tags = {**main, **details}
    taken, changed = _dates(tags, place)
    values = {
        "taken": taken,
        "camera": camera(main.get(_MAKE), main.get(_MODEL)),
        "lens": clean_text(tags.get(_LENS_MODEL)),
        **_position(place),
        "rating": rating(main.get(_RATING)),
        "title": _windows_text(main.get(_WINDOWS_TITLE)),
        "caption": _caption(main.get(_DESCRIPTION)) or _windows_text(main.get(_WINDOWS_COMMENT)),
        "tags": tag_list(_windows_text(main.get(_WINDOWS_KEYWORDS)).split(";")),
    }
    return ExifFacts(known(values), changed)


def read_orientation(image: Any) -> int:
    """EXIF orientation 1-8 of an opened PIL image; 0 when it names none."""
    try:
        value = image.getexif().get(_ORIENTATION)
    except Exception:  # as above
        return 0
    return value if isinstance(value, int) and 1 <= value <= 8 else 0


def camera(make: Any, model: Any) -> str:
    """Maker and model; the maker once, where the model already begins with it."""
    maker, name = clean_text(make), clean_text(model)
    if maker and name and maker.split(maxsplit=1)[0].casefold() != name.split(maxsplit=1)[0].casefold():
        return f"{maker} {name}"
    return name or maker


def _caption(written: Any) -> str:
    text = clean_text(written, LONGEST_TEXT)
    return "" if text.casefold() in _FILLERS else text


def _dates(tags: Mapping[int, Any], place: Mapping[int, Any]) -> tuple[str, str]:
    """When it was taken, and the next best: when the file was changed, when the satellites saw it."""
    clocks = [
        (exif_moment(tags.get(date), tags.get(parts)), zone_of(tags.get(offset))) for date, parts, offset in _DATES
    ]
    satellites = _satellite_time(place)
    taken = ""
    if (first := next((clock for clock in clocks[:2] if clock[0]), None)) is not None:
        moment, own = first
        assert moment is not None
        zone = own or _zone_of_others(moment, clocks) or _whole_hours(tags.get(_TIME_ZONE_OFFSET))
        if zone is None and moment.tzinfo is None and satellites is not None:
            zone = zone_by_satellites(moment, satellites)
        taken = _with_zone(moment, zone)
    changed, zone = clocks[2]
    if changed is not None:
        return taken, _with_zone(changed, zone)
    return taken, date_text(satellites) if satellites is not None else ""


def _with_zone(moment: datetime, zone: timezone | None) -> str:
    return date_text(moment if moment.tzinfo or zone is None else moment.replace(tzinfo=zone))


def _zone_of_others(moment: datetime, clocks: list[tuple[datetime | None, timezone | None]]) -> timezone | None:
    """The offset of a date that shows the same second."""
    second = moment.replace(microsecond=0)
    return next((zone for other, zone in clocks if zone and other and other.replace(microsecond=0) == second), None)


def _whole_hours(written: Any) -> timezone | None:
    hours = written[0] if isinstance(written, tuple) and written else written
    return timezone(timedelta(hours=hours)) if isinstance(hours, int) and -12 <= hours <= 14 else None


def _satellite_time(place: Mapping[int, Any]) -> datetime | None:
    """Date and time of GPS: UTC."""
    day = exif_moment(f"{clean_text(place.get(_GPS_DATE))} 00:00:00", None)
    try:
        hours, minutes, seconds = (float(part) for part in place[_GPS_TIME])
        since = timedelta(hours=hours, minutes=minutes, seconds=int(seconds))
    except (KeyError, TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    if day is None or day.tzinfo is not None or not timedelta(0) <= since < timedelta(days=1):
        return None
    return day.replace(tzinfo=UTC) + since


def _position(place: Mapping[int, Any]) -> dict[str, float]:
    """Both coordinates or none; half a position, or one without its hemisphere, says nothing."""
    latitude = _degrees(place.get(_LATITUDE), place.get(_LATITUDE_REF), "NS")
    longitude = _degrees(place.get(_LONGITUDE), place.get(_LONGITUDE_REF), "EW")
    return position(latitude, longitude)


def _degrees(parts: Any, reference: Any, hemispheres: str) -> float | None:
    hemisphere = clean_text(reference)[:1].upper()
    try:
        degrees, minutes, seconds = (float(part) for part in (*parts, 0, 0)[:3])
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    value = degrees + minutes / 60 + seconds / 3600
    if not hemisphere or hemisphere not in hemispheres or not value >= 0:
        return None
    return -value if hemisphere == hemispheres[1] else value


def _windows_text(written: Any) -> str:
    """UTF-16 in bytes, as Windows writes its properties."""
    if isinstance(written, tuple):
        try:
            written = bytes(written)
        except (TypeError, ValueError):
            return ""
    return clean_text(written.decode("utf-16-le", "ignore"), LONGEST_TEXT) if isinstance(written, bytes) else ""
