"""When a picture was taken: dates as files write them, the zones they are in, and dates in file names.

Rules, in the order in which they are tried for a zone (as exiftool reads the tags, and as immich does since its issues
15639 and 20839: the offset of another date speaks for this one only where both name the same moment):

1. the offset written for this very date;
2. the offset of another date of the file that shows the same local time;
3. the difference to the time of the satellites, which is UTC, where that is an offset in use somewhere;
4. none: the local time stays as it is written. A zone is never made up from where the picture is looked at.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from lookalike.images.values import clean_text

if TYPE_CHECKING:
    from collections.abc import Sequence

_MOMENT = re.compile(
    r"(\d{4})(?:[:\-/.](\d{1,2})(?:[:\-/.](\d{1,2})"
    r"(?:[T ]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*(Z|UTC|[+-]\d{2}:?\d{2})?)?)?)?"
)
_OFFSET = re.compile(r"(Z|UTC)|([+-])(\d{1,2}):?(\d{2})?")
_FIRST = (0, 1, 1, 0, 0, 0)
"""What counts for the parts that a date leaves out."""
_OLDEST, _NEWEST = 1826, 2099
"""Years a photo can be of: the first there is was made in 1826."""
_NO_CLOCK = frozenset(datetime(year, 1, 1) for year in (1904, 1970))  # noqa: DTZ001 - a camera without a clock
_WIDEST_HOURS = 14
_ODD_OFFSETS = (-9.5, -3.5, 3.5, 4.5, 5.5, 5.75, 6.5, 8.75, 9.5, 10.5, 12.75)
"""Offsets in use that are no whole hours, in hours."""
_FIX_LAG = timedelta(minutes=3)
"""How far the last fix of the satellites may lie from the shutter."""

_DAY = r"((?:19|20)\d\d)([-_.]?)(0[1-9]|1[0-2])\2(0[1-9]|[12]\d|3[01])"
_TIME = r"([01]\d|2[0-3])([-_.:]?)([0-5]\d)\6([0-5]\d)(\d{3})?"
_NAMED_MOMENT = re.compile(rf"(?<!\d){_DAY}(?:[-_ T]|, | at )+{_TIME}(?!\d)")
_NAMED_DAY = re.compile(rf"(?<!\d){_DAY}(?!\d)")
_NAMED_MILLISECONDS = re.compile(r"(?:^|FB_IMG_|mmexport|received_)(1\d{12})(?!\d)")
_DAY_ONLY_PREFIX = re.compile(r"(?:IMG|VID|PANO|DSC|MVIMG|PIC|photo|image|scan|screenshot)[-_ ]?$", re.IGNORECASE)


def moment_of(written: Any) -> datetime | None:
    """A date as EXIF, XMP or a person writes it: "2020:01:31 12:00:00", ISO 8601, a year, a month, a day.

    With a zone where it names one. None for zeros, other fillers and what is no date.
    """
    found = _MOMENT.fullmatch(clean_text(written))
    if found is None:
        return None
    *numbers, parts, offset = found.groups()
    return _moment(
        [int(each or least) for each, least in zip(numbers, _FIRST, strict=True)], parts or "", zone_of(offset)
    )


def exif_moment(written: Any, parts_of_a_second: Any) -> datetime | None:
    """`moment_of` for a date and time of EXIF, whose fraction stands in a tag of its own."""
    moment = moment_of(written)
    if moment is None or len(clean_text(written)) < len("2020:01:31 12:00"):
        return None
    digits = clean_text(parts_of_a_second)
    return moment if moment.microsecond or not digits.isdecimal() else moment.replace(microsecond=_microseconds(digits))


def zone_of(written: Any) -> timezone | None:
    """The zone of an offset from UTC: "+02:00", "-0330", "Z". None for what is none."""
    found = _OFFSET.fullmatch(clean_text(written))
    if found is None:
        return None
    if found[1]:
        return UTC
    offset = timedelta(hours=int(found[3]), minutes=int(found[4] or 0))
    if offset > timedelta(hours=_WIDEST_HOURS):
        return None
    return timezone(-offset if found[2] == "-" else offset)


def zone_by_satellites(local: datetime, utc: datetime) -> timezone | None:
    """The zone in which a clock shows `local` when satellites say `utc`; None when no offset in use explains it."""
    ahead = local.replace(tzinfo=UTC) - utc
    hours = [*range(-12, _WIDEST_HOURS + 1), *_ODD_OFFSETS]
    nearest = min((timedelta(hours=each) for each in hours), key=lambda offset: abs(ahead - offset))
    return timezone(nearest) if abs(ahead - nearest) <= _FIX_LAG else None


def moment_in_name(name: str) -> datetime | None:
    """The date that cameras, phones and messengers put into a file name; with a zone where it is known to be UTC.

    A day without a time counts only where it cannot be a mere number: 2019-05-03, or IMG-20190503-WA0001.
    """
    stem = name.rsplit(".", 1)[0] if "." in name else name
    if found := _NAMED_MOMENT.search(stem):
        year, _, month, day, hour, _, minute, second, parts = found.groups()
        zone = UTC if stem.startswith("PXL_") else None  # Google's camera names its files in UTC
        return _moment((int(year), int(month), int(day), int(hour), int(minute), int(second)), parts or "", zone)
    if found := _NAMED_MILLISECONDS.search(stem):
        return datetime.fromtimestamp(int(found[1]) // 1000, UTC)
    for found in _NAMED_DAY.finditer(stem):
        if found[2] or _DAY_ONLY_PREFIX.search(stem[: found.start()]):
            return _moment((int(found[1]), int(found[3]), int(found[4]), 0, 0, 0), "", None)
    return None


def _moment(parts: Sequence[int], fraction: str, zone: timezone | None) -> datetime | None:
    year, month, day, hour, minute, second = parts
    if not _OLDEST <= year <= _NEWEST:
        return None
    try:
        moment = datetime(year, month, day, hour, minute, second, _microseconds(fraction), tzinfo=zone)
    except ValueError:
        return None
    return None if moment.replace(tzinfo=None) in _NO_CLOCK else moment


def _microseconds(digits: str) -> int:
    """Milliseconds are all that is kept."""
    return int(digits[:3].ljust(3, "0")) * 1000 if digits else 0
