"""What the IPTC records of a picture say: keywords, title, caption, place and date, as press photos have them.

Promises: JSON-ready values only, nothing that garbage can break. Datasets: IPTC-NAA IIM 4.2, record 2; they stand in
Photoshop's resource 0x0404 of a JPEG or PSD, and in tag 33723 of a TIFF.
"""

from __future__ import annotations

import re
from typing import Any

from lookalike.core.fields import date_text
from lookalike.images.moments import moment_of
from lookalike.images.values import LONGEST_TEXT, clean_text, known, tag_list

_MARK = 0x1C
_TITLE, _DATE_CREATED, _TIME, _KEYWORD, _CAPTION, _CITY, _COUNTRY = 5, 55, 60, 25, 120, 90, 101
_UTF8 = b"\x1b%G"
_MOST_RECORDS = 1_000
_DAY = re.compile(r"(\d{4})(\d\d)(\d\d)")
_CLOCK = re.compile(r"(\d\d)(\d\d)(\d\d)([+-]\d{4})?")


def read_iptc(block: Any) -> dict[str, Any]:
    """Keys of `core.fields`, those that are known. `block`: bytes, or anything else for none."""
    if not isinstance(block, bytes):
        return {}
    records = _records(block)
    encoding = "utf-8" if records.get((1, 90), [b""])[0] == _UTF8 else None

    def texts(dataset: int) -> list[str]:
        return [_decoded(value, encoding) for value in records.get((2, dataset), [])]

    def first(dataset: int, longest: int = LONGEST_TEXT) -> str:
        return clean_text(next(iter(texts(dataset)), ""), longest)

    return known(
        {
            "taken": _taken(first(_DATE_CREATED), first(_TIME)),
            "city": first(_CITY),
            "country": first(_COUNTRY),
            "tags": tag_list(texts(_KEYWORD)),
            "title": first(_TITLE),
            "caption": first(_CAPTION),
        }
    )


def _records(block: bytes) -> dict[tuple[int, int], list[bytes]]:
    """Values by record and dataset, up to the first thing that is no record."""
    found: dict[tuple[int, int], list[bytes]] = {}
    at = 0
    for _ in range(_MOST_RECORDS):
        head = block[at : at + 5]
        if len(head) < 5 or head[0] != _MARK:
            break
        size = int.from_bytes(head[3:5], "big")
        if size & 0x8000:  # a size that follows in as many bytes; nothing we read is so long
            break
        found.setdefault((head[1], head[2]), []).append(block[at + 5 : at + 5 + size])
        at += 5 + size
    return found


def _decoded(value: bytes, encoding: str | None) -> str:
    """Text says its encoding rarely; most writers mean UTF-8, old ones Latin-1."""
    try:
        return value.decode(encoding or "utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _taken(day: str, time: str) -> str:
    date, clock = _DAY.fullmatch(day), _CLOCK.fullmatch(time)
    if date is None:
        return ""
    text = "-".join(date.groups())
    if clock is not None:
        text += f" {clock[1]}:{clock[2]}:{clock[3]}{clock[4] or ''}"
    moment = moment_of(text)
    return "" if moment is None else date_text(moment)
