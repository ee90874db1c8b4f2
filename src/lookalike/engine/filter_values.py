"""Values in filters: what a person writes for a number, a size, yes or no, a moment, and how each is written again.

A date may be of any precision, and means all of it: 2024, 2024-05, 2024-05-03, 2024-05-03T17:20, with seconds, parts
of seconds and a zone; without a zone it is compared as it stands, as dates of photos are. `today`, `yesterday` and -7d,
-2w, -3m, -1y (after beets, github.com/beetbox/beets) are whole days, counted from the day that `now` is in.
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, datetime, timedelta

from lookalike.core.conditions import Moments

YES_OR_NO = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
_NUMBER = re.compile(r"[+-]?(\d{1,40}\.?\d{0,40}|\.\d{1,40})(e[+-]?\d{1,3})?", re.ASCII | re.IGNORECASE)
_SIZE = re.compile(r"(\d{1,20}(?:\.\d{1,20})?)\s*([kmgt]?i?b)", re.ASCII | re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_DATE = re.compile(
    r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2})"
    r"(?:[T ](\d{1,2})(?::(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)?(Z|[+-]\d{2}:?\d{2})?)?)?)?",
    re.ASCII | re.IGNORECASE,
)
_AGO = re.compile(r"-(\d{1,5})([dwmy])", re.ASCII | re.IGNORECASE)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NS = 1_000_000_000
FIRST_YEAR, LAST_YEAR = 1678, 2261
"""The years that nanoseconds of 64 bits hold in whole."""


class NotOfYears(ValueError):
    """A date outside of those years."""


def number_of(text: str) -> int | float:
    """Raises ValueError for what is no number. A whole number of more than 64 bits becomes a float."""
    if not _NUMBER.fullmatch(text):
        raise ValueError("no number")
    value = float(text)
    if not abs(value) < float("inf"):
        raise ValueError("no number that counts")
    whole = int(text) if re.fullmatch(r"[+-]?\d+", text) else None
    return value if whole is None or not -(2**63) <= whole < 2**63 else whole


def bytes_of(text: str) -> int | float:
    """A number of bytes, or a size with its unit: kB, MB, GB, TB count by 1000, KiB, MiB, GiB, TiB by 1024."""
    sized = _SIZE.fullmatch(text)
    if sized is None:
        return number_of(text)
    unit = sized[2].lower().removesuffix("b")
    step = 1024 if unit.endswith("i") else 1000
    size = number_of(sized[1]) * step ** _POWERS[unit.removesuffix("i")]
    return int(size) if size == int(size) and size < 2**63 else size


def moments_of(text: str, now: datetime) -> Moments:
    """The time that a date means. Raises ValueError for what is no date, or of no year from 1678 to 2261."""
    day = _day_of(text.casefold(), now)
    if day is not None:
        return _from(_within(day), timedelta(days=1))
    parts = _DATE.fullmatch(text)
    if parts is None:
        raise ValueError("no date")
    year, month, day_, hour, minute, second = (int(each or 0) for each in parts.groups()[:6])
    if parts[2] is None:
        first = _within(datetime(year, 1, 1, tzinfo=UTC))
        return _from(first, first.replace(year=year + 1) - first)
    if parts[3] is None:
        first = _within(datetime(year, month, 1, tzinfo=UTC))
        return _from(first, timedelta(days=monthrange(year, month)[1]))
    moment = _within(datetime(year, month, day_, hour, minute, second, tzinfo=UTC))
    if parts[8]:
        moment = _within(moment - _offset(parts[8]))
    if parts[7]:
        step = 10 ** (9 - len(parts[7]))
        first_ns = _ns(moment) + int(parts[7]) * step
        return Moments(first_ns, first_ns + step)
    lengths = (parts[6], timedelta(seconds=1)), (parts[5], timedelta(minutes=1)), (parts[4], timedelta(hours=1))
    return _from(moment, next((length for given, length in lengths if given), timedelta(days=1)))


def text_of_moments(moments: Moments) -> str:
    """The shortest date that means just that time. Raises ValueError where none does."""
    seconds, fraction = divmod(moments.first_ns, _NS)
    moment = _EPOCH + timedelta(seconds=seconds)
    texts = [
        f"{moment:{form}}" for form in ("%Y", "%Y-%m", "%Y-%m-%d", "%Y-%m-%dT%H", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S")
    ]
    texts += [f"{texts[-1]}.{f'{fraction:09d}'[:digits]}" for digits in range(1, 10)]
    for text in texts:
        if moments_of(text, moment) == moments:
            return text
    raise ValueError(f"no date means {moments}")


def _day_of(text: str, now: datetime) -> datetime | None:
    """The day that a word means, at its beginning; None for another word."""
    today = datetime(now.year, now.month, now.day, tzinfo=UTC)
    if text in {"today", "yesterday"}:
        return today - timedelta(days=text == "yesterday")
    ago = _AGO.fullmatch(text)
    if ago is None:
        return None
    number, unit = int(ago[1]), ago[2].lower()
    try:
        if unit in "dw":
            return today - timedelta(days=number * (7 if unit == "w" else 1))
        months = today.year * 12 + today.month - 1 - number * (12 if unit == "y" else 1)
        year, month = months // 12, months % 12 + 1
        return today.replace(year=year, month=month, day=min(today.day, monthrange(year, month)[1]))
    except (OverflowError, ValueError) as error:
        raise ValueError("too long ago") from error


def _within(moment: datetime) -> datetime:
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise NotOfYears(f"dates are from {FIRST_YEAR} to {LAST_YEAR}")
    return moment


def _offset(zone: str) -> timedelta:
    if zone in "Zz":
        return timedelta()
    minutes = int(zone[1:3]) * 60 + int(zone[-2:])
    return timedelta(minutes=-minutes if zone[0] == "-" else minutes)


def _from(first: datetime, length: timedelta) -> Moments:
    return Moments(_ns(first), _ns(first) + length // timedelta(seconds=1) * _NS)


def _ns(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(seconds=1) * _NS
