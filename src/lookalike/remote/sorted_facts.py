"""What filters ask about an item, as short byte strings in one order: what a filter says is then a range of them.

A fact is a tag for the type of the value, the place (`core.conditions.place_of`), a byte that UTF-8 never has, and the
value so written that the order of the bytes is the order of the values: folded text as it is; numbers exactly, whole
and broken ones among each other; moments in nanoseconds. So a database that compares nothing but bytes answers every
node of `core.conditions` as these are meant. A value has a fact as text, and one as what else it is; text that can be
read as a date has one as a moment too, whatever the field is declared as, because declarations change.
"""

from __future__ import annotations

import math
import os
import struct
from typing import TYPE_CHECKING, Any

from lookalike.core.conditions import METADATA, folded, text_of
from lookalike.core.fields import date_ns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lookalike.remote.contract import RemoteItem

TEXT, NUMBER, BOOL, MOMENT = b"t", b"n", b"b", b"d"
"""Tags: the types of values."""
_BEFORE, _BEGIN, _END = b"\xfd", b"\xfe", b"\xff"
"""Behind a place: before all that is at this place, in it, and behind all of it. In no UTF-8: longer places that begin
with this one come before all three."""
_HALF_OF_64_BITS = 2**63


def facts_of(item: RemoteItem) -> list[bytes]:
    """All facts about an item, sorted, each once."""
    facts: set[bytes] = {fact(MOMENT, "modified", moment_bytes(item.modified_ns))}
    for place, value in (*_of_file(item), *_of_metadata(item)):
        facts.add(fact(TEXT, place, folded(text_of(value))))
        if isinstance(value, bool):
            facts.add(fact(BOOL, place, bool_bytes(value)))
        elif not isinstance(value, str):
            facts.add(fact(NUMBER, place, number_bytes(value)))
        elif (moment := date_ns(value)) is not None:
            facts.add(fact(MOMENT, place, moment_bytes(moment)))
    return sorted(facts)


def utf8(text: str) -> bytes:
    """Text as bytes in the order of its characters, lone surrogates like any."""
    return text.encode("utf-8", "surrogatepass")


def fact(tag: bytes, place: str, value: bytes) -> bytes:
    """A value of a type at a place."""
    return first_at(tag, place) + value


def split_fact(fact: bytes) -> tuple[bytes, str, bytes]:
    """Tag, place and value of a fact."""
    place, value = fact[1:].split(_BEGIN, 1)
    return fact[:1], place.decode("utf-8", "surrogatepass"), value


def first_at(tag: bytes, place: str) -> bytes:
    """Before every fact of a type at a place, and the beginning of each."""
    return tag + utf8(place) + _BEGIN


def before_all_at(tag: bytes, place: str) -> bytes:
    """Before every fact of a type at a place, and no fact itself."""
    return tag + utf8(place) + _BEFORE


def behind_all_at(tag: bytes, place: str) -> bytes:
    """Behind every fact of a type at a place, and no fact itself."""
    return tag + utf8(place) + _END


def number_bytes(value: float) -> bytes:
    """A number in order: the next float below it or itself, and what a whole number is more than that.

    Whole numbers beyond the floats (more than 308 digits) count as infinite.
    """
    if not isinstance(value, int):
        return _float_bytes(value) + b"\0\0"
    try:
        low = float(value)
    except OverflowError:
        return _float_bytes(math.inf if value > 0 else -math.inf) + b"\0\0"
    if int(low) > value:
        low = math.nextafter(low, -math.inf)
    more = value - int(low)
    length = (more.bit_length() + 7) // 8
    return _float_bytes(low) + length.to_bytes(2, "big") + more.to_bytes(length, "big")


def bool_bytes(value: bool) -> bytes:  # noqa: FBT001 it is the value
    """False before true."""
    return b"\1" if value else b"\0"


def moment_bytes(ns: int) -> bytes:
    """UTC nanoseconds since 1970, of 64 bits; those beyond are its ends."""
    return min(max(ns + _HALF_OF_64_BITS, 0), 2**64 - 1).to_bytes(8, "big")


def _float_bytes(value: float) -> bytes:
    """IEEE 754 in order of value: the sign turned over, and of negative ones all bits (-0.0 is 0.0)."""
    bits = int.from_bytes(struct.pack(">d", value + 0.0), "big")
    turned = bits ^ (2**64 - 1) if bits >= _HALF_OF_64_BITS else bits ^ _HALF_OF_64_BITS
    return turned.to_bytes(8, "big")


def _of_file(item: RemoteItem) -> Iterator[tuple[str, Any]]:
    """The facts about every file that are text or numbers, of its shown path what local collections make of it."""
    behind_folder = max(item.uri.rfind(os.sep), item.uri.rfind("/")) + 1
    folder, name = item.uri[:behind_folder], item.uri[behind_folder:]
    yield from (("id", item.id), ("path", item.uri), ("name", name), ("folder", folder.rstrip(os.sep) or folder))
    extension = os.path.splitext(name)[1][1:]
    known = {"extension": extension, "format": item.format, "width": item.width, "height": item.height}
    yield from ((place, value) for place, value in known.items() if value not in {"", None})
    yield "size", item.size


def _of_metadata(item: RemoteItem) -> Iterator[tuple[str, Any]]:
    for name, value in item.metadata.items():
        for each in value if isinstance(value, (list, tuple)) else (value,):
            if isinstance(each, (str, int, float)):
                yield METADATA + name, each
