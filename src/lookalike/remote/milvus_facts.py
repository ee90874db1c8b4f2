"""What filters ask about an item, as text that Milvus compares: the prepared facts beside an item's record.

Milvus compares text byte by byte and numbers as doubles, cannot ask whether any element of a list is less than
something, and its LIKE knows `%` and `_` in every text. So each fact of `sorted_facts.py` is written as text whose
order is the order of the values and in which nothing has a meaning of its own (`coded`), under a key that is an
identifier of its filter language. A key holds all values of one type at one place:

- one value: `:` and the value. `:rosé`
- several: each with the mark before it, between blanks, in order: ` :blue :red `; beside it the least and the most of
  them under keys of their own. A blank is less than the mark, so one comparison tells one value from several.

All values of places with several stand once more, behind their keys, in one text that every item has (`several_of`):
where no item of a file has a key, milvus-lite answers LIKE about it by reading whole items.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING

from lookalike.remote.sorted_facts import BOOL, MOMENT, NUMBER, TEXT, facts_of, split_fact, utf8

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lookalike.remote.contract import RemoteItem

LEAST, MOST = "least_", "most_"
"""Before the key of a place with several values, for its least and its most."""
MARK = ":"
"""Before every value."""

_LETTERS = {TEXT: "t_", NUMBER: "n_", BOOL: "b_", MOMENT: "d_"}
_NOT_PLAIN = re.compile("[^0-9A-Za-z\xa1-\ud7fe\ue100-\U0010ffff]")
"""Characters with a meaning for JSON, LIKE, or a filter's text; and those that `_pair` writes with."""
_NO_IDENTIFIER = re.compile("[^0-9A-Za-z]")
_SHOWN = 0xE000
"""First of 256 characters of Unicode's private area: they are the second half of a pair."""
_LOW_PAIR = 0xD7FF
_NS = 1_000_000_000
_HALF_OF_64_BITS = 2**63
_MOMENT_DIGITS = 23
"""Year, month and day (from 0), hour, minute, second, nanosecond."""


def key_of(tag: bytes, place: str) -> str:
    """The key for values of a type (a tag of `sorted_facts`) at a place (of `core.conditions`): an identifier."""
    return _LETTERS[tag] + _NO_IDENTIFIER.sub(lambda found: f"_{ord(found[0]):x}_", place)


def coded(text: str) -> str:
    """Text in letters, digits and pairs of characters, in the same order, a part of it as a part of the whole."""
    return text if text.isascii() and text.isalnum() else _NOT_PLAIN.sub(_pair, text)


def coded_number(number: bytes) -> str:
    """A number of `sorted_facts.number_bytes`."""
    return number.hex()


def coded_moment(ns: int) -> str:
    """UTC nanoseconds since 1970 as digits of the calendar: all of a month has the same beginning, and no other."""
    seconds, fraction = divmod(min(max(ns, -_HALF_OF_64_BITS), _HALF_OF_64_BITS - 1), _NS)
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    day = f"{at.year:04}{at.month - 1:02}{at.day - 1:02}"
    return f"{day}{at.hour:02}{at.minute:02}{at.second:02}{fraction:09}"


def moment_beginnings(first: str, behind: str) -> Iterator[str]:
    """The beginnings that moments from `first` up to, not including, `behind` have: one for a day, a month, a year."""
    at, end = int(first), int(behind)
    while at < end:
        zeros = 0
        while at % 10 ** (zeros + 1) == 0 and at + 10 ** (zeros + 1) <= end:
            zeros += 1
        beginning = f"{at:0{_MOMENT_DIGITS}}"[: _MOMENT_DIGITS - zeros]
        if _is_in_calendar(beginning.ljust(_MOMENT_DIGITS, "0")):
            yield beginning
        at += 10**zeros


def _is_in_calendar(digits: str) -> bool:
    """False for what is behind the end of a year, a month, a day: no moment begins so."""
    return digits[4:6] <= "11" and digits[6:8] <= "30" and digits[8:10] <= "23" and max(digits[10], digits[12]) <= "5"


def prepared_facts(item: RemoteItem) -> dict[str, str]:
    """Keys and their text for an item."""
    prepared = {}
    for (tag, place), facts in groupby(map(split_fact, facts_of(item)), key=lambda fact: fact[:2]):
        key = key_of(tag, place)
        values = [MARK + _written(tag, value) for _, _, value in facts]
        prepared[key] = values[0] if len(values) == 1 else f" {' '.join(values)} "
        if len(values) > 1:
            prepared[LEAST + key], prepared[MOST + key] = values[0], values[-1]
    return prepared


def several_of(facts: Mapping[str, str]) -> str:
    """Of prepared facts those with several values, each as `in_several`, between blanks; a blank for none."""
    each = (in_several(key, value) for key, text in facts.items() if text[0] == " " for value in text.split())
    return " ".join(["", *each, ""])


def in_several(key: str, value: str) -> str:
    """A value behind its key; LIKE knows `_`, which is written otherwise."""
    return key.replace("_", ".") + value


def _written(tag: bytes, value: bytes) -> str:
    if tag == TEXT:
        return coded(value.decode("utf-8", "surrogatepass"))
    if tag == MOMENT:
        return coded_moment(int.from_bytes(value, "big") - _HALF_OF_64_BITS)
    return coded_number(value)


def token(kind: str, word: str) -> str:
    """A stem ("s") or a name ("n") as a word that every analyzer leaves whole."""
    return kind + utf8(word).hex()


def _pair(found: re.Match[str]) -> str:
    """A character that is not plain: a sign that sorts where it does, and one or two that tell which."""
    code = ord(found[0])
    if code >= _LOW_PAIR:
        return chr(_LOW_PAIR) + "".join(chr(_SHOWN + half) for half in divmod(code - _LOW_PAIR, 256))
    sign = "-" if code < ord("0") else "=" if code < ord("A") else "`" if code < ord("a") else "~"
    return sign + chr(_SHOWN + code)
