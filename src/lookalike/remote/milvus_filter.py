"""Conditions in Milvus' filter language, over the prepared facts of `milvus_facts.py`: every node, none left out.

Nothing that a user gave reaches the text as it is: names are identifiers and values are coded by then.

What Milvus makes of `not` over a key that an item does not have differs between its versions. So no expression here
depends on it: a comparison is only ever asked to be true, negations go down to the leaves, and each of these says what
the absence of the key means by `exists`, which is true or false.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

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
from lookalike.remote.milvus_facts import (
    LEAST,
    MARK,
    MOST,
    coded,
    coded_moment,
    coded_number,
    in_several,
    key_of,
    moment_beginnings,
)
from lookalike.remote.sorted_facts import BOOL, MOMENT, NUMBER, TEXT, bool_bytes, number_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lookalike.core.conditions import Condition, Operator, Value
    from lookalike.core.fields import FieldKind
    from lookalike.remote.contract import Asked

ID, PLACE, PICTURE, SEVERAL = "id", "place", "picture", "several"
"""Columns: an item's coded id, its coded address, what all items of its picture have in common, in hexadecimal digits,
and the facts of which it has several (`several_of`)."""
EVERY, NONE = f'{ID} >= ""', f'{ID} < ""'
"""True of every item, and of none."""
_OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}
_ANY, _ALL = " or ", " and "
_FEW = 50
"""Values of one comparison."""


def filter_of(asked: Asked | None) -> str:
    """Which items may answer; "" for all."""
    if asked is None:
        return ""
    parts = [] if asked.condition is None else [_expression(asked.condition, asked.declared, negated=False)]
    parts += [] if asked.below is None else [_below(asked.below)]
    return _joined(parts, _ALL, "")


def showing(pictures: Sequence[bytes], asked: Asked | None) -> str:
    """Which items show one of some pictures, and may answer."""
    any_of = _joined(_alone(PICTURE, [each.hex() for each in pictures]), _ANY, NONE)
    return _joined([any_of, *filter(None, [filter_of(asked)])], _ALL, NONE)


def _expression(condition: Condition, declared: Mapping[str, FieldKind], *, negated: bool) -> str:
    match condition:
        case And(parts) | Or(parts):
            every = isinstance(condition, And) is not negated
            some = [_expression(part, declared, negated=negated) for part in parts]
            return _joined(some, _ALL if every else _ANY, EVERY if every else NONE)
        case Not(part):
            return _expression(part, declared, negated=not negated)
        case Compare(field, "!=", value):
            has_another = And((Has(field), Not(Compare(field, "=", value))))
            return _expression(has_another, declared, negated=negated)
        case _:
            return _leaf(condition, declared, negated=negated)


def _leaf(leaf: Compare | In | Contains | Has, declared: Mapping[str, FieldKind], *, negated: bool) -> str:
    place = place_of(leaf.field, declared)
    is_date = _is_date(place, declared)
    match leaf:
        case Has():
            there = f"exists {key_of(MOMENT if is_date else TEXT, place)}"
            return f"(not {there})" if negated else there
        case Contains(text=text):
            key = key_of(TEXT, place)
            return _of_key(key, [f'{key} like "%{_code(folded(text))}%"'], negated=negated)
        case In(values=values):
            return _equal(place, values, is_date=is_date, negated=negated)
        case Compare(op="=", value=value):
            return _equal(place, (value,), is_date=is_date, negated=negated)
        case Compare(op=op, value=value):
            return _ordered(place, op, value, is_date=is_date, negated=negated)


def _is_date(place: str, declared: Mapping[str, FieldKind]) -> bool:
    if not place.startswith(METADATA):
        return place == "modified"
    return kind_in_metadata(place[len(METADATA) :], declared) == "date"


def _equal(place: str, values: Sequence[Value], *, is_date: bool, negated: bool) -> str:
    """Any of the values is one of these, which are of one type; or, negated, none is."""
    if not values or (isinstance(values[0], Moments) and not is_date):
        return EVERY if negated else NONE
    if isinstance(values[0], Moments):
        key = key_of(MOMENT, place)
        return _of_key(key, [_within(key, each) for each in values if isinstance(each, Moments)], negated=negated)
    tag = _tag(values[0])
    key = key_of(tag, place)
    codes = sorted({MARK + _written(tag, value) for value in values})
    among_several = [f'{SEVERAL} like "% {in_several(key, code)} %"' for code in codes]
    return _of_key(key, [*_alone(key, codes), *among_several], negated=negated)


def _alone(key: str, codes: Sequence[str]) -> list[str]:
    """Tests of one value. A few are compared by themselves: milvus-lite reads whole items where `in` finds no key."""
    if len(codes) > _FEW:
        return [f"{key} in [{', '.join(map(_quoted, codes))}]"]
    return [f"{key} == {_quoted(code)}" for code in codes]


def _within(key: str, moments: Moments) -> str:
    """One moment that is in the time asked for, or several of which one begins as it does."""
    first, behind = coded_moment(moments.first_ns), coded_moment(moments.behind_ns)
    alone = f"({key} >= {_quoted(MARK + first)} and {key} < {_quoted(MARK + behind)})"
    beginnings = [in_several(key, MARK + beginning) for beginning in moment_beginnings(first, behind)]
    among_several = [f'{SEVERAL} like "% {beginning}%"' for beginning in beginnings]
    return _joined([alone, *among_several], _ANY, NONE)


def _ordered(place: str, op: Operator, value: Value, *, is_date: bool, negated: bool) -> str:
    """Any of the values is so; of several the least or the most tells."""
    if isinstance(value, bool) or (isinstance(value, Moments) and not is_date):
        return EVERY if negated else NONE
    if isinstance(value, Moments):
        tag = MOMENT
        op, code = _of_moments(op, value)
    else:
        tag = _tag(value)
        code = _written(tag, value)
    key, asked = key_of(tag, place), _quoted(MARK + code)
    wanted = _OPPOSITE[op] if negated else op
    alone = f"{key} {wanted} {asked}"
    if wanted in {"<", "<="}:  # several begin with a blank, less than any mark
        alone = f'({key} >= "{MARK}" and {alone})'
    of_several = f"{LEAST if op in {'<', '<='} else MOST}{key} {wanted} {asked}"
    absent = [f"not exists {key}"] if negated else []
    return _joined([alone, of_several, *absent], _ANY, NONE)


def _of_moments(op: Operator, moments: Moments) -> tuple[Operator, str]:
    first, behind = coded_moment(moments.first_ns), coded_moment(moments.behind_ns)
    match op:
        case "<" | ">=":
            return op, first
        case "<=":
            return "<", behind
        case _:
            return ">=", behind


def _tag(value: Value) -> bytes:
    return BOOL if isinstance(value, bool) else TEXT if isinstance(value, str) else NUMBER


def _written(tag: bytes, value: Value) -> str:
    if tag == TEXT:
        return _code(folded(str(value)))
    assert isinstance(value, (int, float)), "moments are no values of one point"
    return coded_number(bool_bytes(bool(value)) if tag == BOOL else number_bytes(value))


def _code(text: bytes) -> str:
    return coded(text.decode("utf-8", "surrogatepass"))


def _of_key(key: str, any_of: Sequence[str], *, negated: bool) -> str:
    """Any of some tests of a key; or, negated, none, which is so as well where there is no such key."""
    tests = _joined(any_of, _ANY, NONE)
    return f"(not exists {key} or not {tests if len(any_of) > 1 else f'({tests})'})" if negated else tests


def _below(path: bytes) -> str:
    """The address is `path`, or inside it."""
    separator = "/" if b"://" in path else os.sep
    shown = os.fsdecode(path)
    folder = shown.rstrip(separator)
    itself = {coded(shown), coded(folder)}
    return f'({PLACE} in [{", ".join(map(_quoted, sorted(itself)))}] or {PLACE} like "{coded(folder + separator)}%")'


def _quoted(code: str) -> str:
    return f'"{code}"'


def _joined(parts: Sequence[str], word: str, of_none: str) -> str:
    if len(parts) < 2:
        return parts[0] if parts else of_none
    return f"({word.join(parts)})"
