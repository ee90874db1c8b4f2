"""Conditions as SQL of PostgreSQL: every node of `core.conditions` is a range of an item's facts, none is left out.

The table has the facts (`sorted_facts.py`) in an array `facts`, and in `keys` a digest of 64 bits of each, with an
index: what has to be equal is found by it. Whether any fact is less or more than something is decided by the least or
the most of its place (`least_at`, `most_at`), which binary search finds in the sorted array, and indexes on just these
expressions (`postgres_indexes.py`) in all items. Parts of text read the facts of their place in every item that nothing
else excludes. What a user gave are parameters, or hexadecimal digits; the SQL is made of nothing else but what stands
here.
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Any, NamedTuple

from lookalike.core.conditions import (
    METADATA,
    And,
    Compare,
    Contains,
    Has,
    In,
    Moments,
    Not,
    Or,
    folded,
    kind_in_metadata,
    place_of,
)
from lookalike.remote.sorted_facts import (
    BOOL,
    MOMENT,
    NUMBER,
    TEXT,
    before_all_at,
    behind_all_at,
    bool_bytes,
    fact,
    first_at,
    moment_bytes,
    number_bytes,
    utf8,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lookalike.core.conditions import Condition, Operator, Value
    from lookalike.core.fields import FieldKind
    from lookalike.remote.contract import Asked


class Where(NamedTuple):
    """A condition on the columns of the table, with the values of its `%s` in order."""

    sql: str
    values: tuple[Any, ...] = ()


ALWAYS, NEVER = Where("true"), Where("false")


def key_of(fact: bytes) -> int:
    """What `keys` has of a fact: 64 bits, as PostgreSQL's bigint."""
    return int.from_bytes(hashlib.blake2b(fact, digest_size=8).digest(), "big", signed=True)


def where_of(asked: Asked | None) -> Where:
    """Which items may answer."""
    if asked is None:
        return ALWAYS
    parts = [] if asked.condition is None else [_condition(asked.condition, asked.declared)]
    parts += [] if asked.below is None else [_below(asked.below)]
    return _joined(parts, "AND", ALWAYS)


def _condition(condition: Condition, declared: Mapping[str, FieldKind]) -> Where:
    match condition:
        case And(parts):
            return _joined([_condition(part, declared) for part in parts], "AND", ALWAYS)
        case Or(parts):
            return _joined([_condition(part, declared) for part in parts], "OR", NEVER)
        case Not(part):
            sql, values = _condition(part, declared)
            return Where(f"NOT {sql}", values)
        case Compare(field, "!=", value):
            return _condition(And((Has(field), Not(Compare(field, "=", value)))), declared)
        case _:
            place = place_of(condition.field, declared)
            return _leaf(condition, place, is_date=_is_date(place, declared))


def _is_date(place: str, declared: Mapping[str, FieldKind]) -> bool:
    if not place.startswith(METADATA):
        return place == "modified"
    return kind_in_metadata(place[len(METADATA) :], declared) == "date"


def _leaf(leaf: Compare | In | Contains | Has, place: str, *, is_date: bool) -> Where:
    match leaf:
        case Has():
            tag = MOMENT if is_date else TEXT
            return _compared_with(most_at(tag, place), ">", before_all_at(tag, place))
        case Contains(text=text):
            return _containing(place, folded(text))
        case In(values=values):
            return _joined([_compared(place, "=", value, is_date=is_date) for value in values], "OR", NEVER)
        case Compare(op=op, value=value):
            return _compared(place, op, value, is_date=is_date)


def _compared(place: str, op: Operator, value: Value, *, is_date: bool) -> Where:
    if isinstance(value, Moments):
        return _of_moments(place, op, value) if is_date else NEVER
    if isinstance(value, bool):
        return _equal(fact(BOOL, place, bool_bytes(value))) if op == "=" else NEVER
    if isinstance(value, str):
        return _of_values(TEXT, place, op, folded(value))
    return _of_values(NUMBER, place, op, number_bytes(value))


def _of_values(tag: bytes, place: str, op: Operator, value: bytes) -> Where:
    this = fact(tag, place, value)
    if op == "=":
        return _equal(this)
    return _compared_with(_extreme(op, tag, place), op, this)


def _of_moments(place: str, op: Operator, moments: Moments) -> Where:
    first = fact(MOMENT, place, moment_bytes(moments.first_ns))
    behind = fact(MOMENT, place, moment_bytes(moments.behind_ns))
    match op:
        case "=":
            within = Where("EXISTS (SELECT FROM unnest(facts) f WHERE f >= %s AND f < %s)", (first, behind))
            begins = _compared_with(most_at(MOMENT, place), ">=", first)
            ends = _compared_with(least_at(MOMENT, place), "<", behind)
            return _joined([begins, ends, within], "AND", ALWAYS)  # of several moments one may be before, one behind
        case "<" | ">=":
            return _compared_with(_extreme(op, MOMENT, place), op, first)
        case "<=":
            return _compared_with(least_at(MOMENT, place), "<", behind)
        case _:
            return _compared_with(most_at(MOMENT, place), ">=", behind)


def least_at(tag: bytes, place: str) -> str:
    """SQL: the least fact of a type at a place, or what is behind all of them."""
    before, behind = _hex(before_all_at(tag, place)), _hex(behind_all_at(tag, place))
    return f"least(facts[width_bucket({before}, facts) + 1], {behind})"


def most_at(tag: bytes, place: str) -> str:
    """SQL: the most of them, or what is before all."""
    before, behind = _hex(before_all_at(tag, place)), _hex(behind_all_at(tag, place))
    return f"greatest(facts[width_bucket({behind}, facts)], {before})"


def _extreme(op: Operator, tag: bytes, place: str) -> str:
    return least_at(tag, place) if op in {"<", "<="} else most_at(tag, place)


def _hex(raw: bytes) -> str:
    return f"'\\x{raw.hex()}'::bytea"


def _compared_with(expression: str, op: str, value: bytes) -> Where:
    return Where(f"({expression} {op} %s)", (value,))


def _equal(fact: bytes) -> Where:
    return Where("(keys @> ARRAY[%s::bigint] AND facts @> ARRAY[%s::bytea])", (key_of(fact), fact))


def _containing(place: str, text: bytes) -> Where:
    before, behind = _hex(before_all_at(TEXT, place)), _hex(behind_all_at(TEXT, place))
    there = f"unnest(facts[width_bucket({before}, facts) + 1 : width_bucket({behind}, facts)])"
    found = f"position(%s::bytea IN substring(f FROM {len(first_at(TEXT, place)) + 1})) > 0"
    return Where(f"EXISTS (SELECT FROM {there} f WHERE {found})", (text,))


def _below(path: bytes) -> Where:
    """`uri` is `path`, or inside it."""
    separator = "/" if b"://" in path else os.sep
    shown = os.fsdecode(path).rstrip(separator)
    this, inside, behind = (
        utf8(each) for each in (os.fsdecode(path), shown + separator, shown + chr(ord(separator) + 1))
    )
    return Where("(uri = %s OR uri >= %s AND uri < %s)", (this, inside, behind))


def _joined(parts: Sequence[Where], word: str, of_none: Where) -> Where:
    if len(parts) < 2:
        return parts[0] if parts else of_none
    return Where(f"({f' {word} '.join(part.sql for part in parts)})", tuple(v for part in parts for v in part.values))
