"""Conditions on what is known about an item: the tree that a filter is.

What an item has under a field is nothing, one value, or several (a list). Values are whole and broken numbers, true and
false, text, and dates; an object, null and an empty list are nothing. What each node says is the same wherever it is
answered, by columns, by SQL or by hand:

- `Compare`: any of the values compares so. Numbers compare with numbers, true and false (only = and !=) with each
  other, `Moments` with the readable dates of a field of kind "date". Text compares by its `folded` form, so that men is
  Men; numbers, true and false are text there as JSON writes them (5, not 5.0). "!=": there is a value, and none that
  is equal. Whatever is compared, an item without a value is not met.
- `In`: any of the values is equal to any of those.
- `Contains`: the folded text is somewhere in any of the values, as text.
- `Has`: there is a value; of a field of kind "date", a readable one.
- `Not` is plain negation: it is met by items that have no value. `And()` is met by every item, `Or()` by none.

A field is named as `place_of` says.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from lookalike.core.fields import ITEM_FIELDS, PICTURE_FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lookalike.core.fields import FieldKind

Operator: TypeAlias = Literal["=", "!=", "<", "<=", ">", ">="]

EXACT = 2**53
"""Whole numbers up to here are themselves as float64."""
FILE = "file."
"""Before the name of a fact about every file, so that no catalogue's column is meant."""
METADATA = "metadata."
"""Before a name of the metadata, so that no fact about every file is meant."""


@dataclass(frozen=True, slots=True)
class Moments:
    """The time from `first_ns` up to, not including, `behind_ns`: a day, a month. UTC nanoseconds since 1970, 64 bits.

    A date compares as the whole of it: "> 2024-05" is from June on, "= 2024-05" all of May.
    """

    first_ns: int
    behind_ns: int


Value: TypeAlias = bool | int | float | str | Moments


@dataclass(frozen=True, slots=True)
class And:
    """All of `parts`."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any of `parts`."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Not `part`."""

    part: Condition


@dataclass(frozen=True, slots=True)
class Compare:
    """A value of `field`, `op`, `value`."""

    field: str
    op: Operator
    value: Value


@dataclass(frozen=True, slots=True)
class In:
    """A value of `field` is one of `values`, which are of one type."""

    field: str
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Contains:
    """`text` is in a value of `field`."""

    field: str
    text: str


@dataclass(frozen=True, slots=True)
class Has:
    """There is a value of `field`."""

    field: str


Condition: TypeAlias = And | Or | Not | Compare | In | Contains | Has


def folded(text: str) -> bytes:
    """Text as it is compared: without capitals, accents composed, as UTF-8 (surrogates stay)."""
    if text.isascii():
        return text.lower().encode()
    composed = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
    return composed.encode("utf-8", "surrogatepass")


def text_of(value: str | float) -> str:
    """A value of JSON as text: true and false in words, and 5 and 5.0, which JSON does not tell apart, are 5."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) <= EXACT:
        return str(int(value))
    return repr(value)


def place_of(field: str, declared: Mapping[str, FieldKind]) -> str:
    """What a field's name means: a fact about every file, or `METADATA` and a name in the metadata.

    `declared`: the columns of the collection's catalogues, with their kinds. One of them that is called as a fact about
    every file is, such as `size`, goes before it; the other is `file.size` then. `metadata.NAME` is always metadata.
    """
    if field.startswith(METADATA):
        return field
    if field.startswith(FILE) and field[len(FILE) :] in ITEM_FIELDS:
        return field[len(FILE) :]
    return field if field in ITEM_FIELDS and field not in declared else METADATA + field


def kind_in_metadata(name: str, declared: Mapping[str, FieldKind]) -> FieldKind | None:
    """The kind that a name of the metadata is known to have; None when only its values tell."""
    return declared.get(name) or PICTURE_FIELDS.get(name)


def fields_in(condition: Condition) -> Iterator[str]:
    """The fields that a condition asks about, as often as it does."""
    match condition:
        case And(parts) | Or(parts):
            for part in parts:
                yield from fields_in(part)
        case Not(part):
            yield from fields_in(part)
        case _:
            yield condition.field
