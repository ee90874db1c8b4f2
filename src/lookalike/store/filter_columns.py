"""Conditions answered from columns: a million items in milliseconds, without reading a row of SQLite.

What the nodes mean is said in `lookalike.core.conditions`; `filter_sql.py` says the same in SQL, slower, and about
everything. What a set of columns cannot tell, because a field is not in it, or is of another kind than what it is
compared with, is `NotInColumns`.
"""

from __future__ import annotations

import math
from functools import reduce
from typing import TYPE_CHECKING, Any, TypeAlias

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
from lookalike.store.columns import NO_NUMBER
from lookalike.store.folded_texts import COMPARED, FEW

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from lookalike.core.conditions import Condition, Operator
    from lookalike.core.fields import FieldKind
    from lookalike.store.columns import Chosen, Columns
    from lookalike.store.folded_texts import FoldedTexts

    Leaf: TypeAlias = Compare | In | Contains | Has

_MOST = -NO_NUMBER
_LEAST_MOMENT = NO_NUMBER + 1
_WORDS = frozenset({"text", "texts", "bytes", "plain"})


class NotInColumns(LookupError):
    """The columns do not tell: ask SQL."""


def chosen_by(columns: Columns, condition: Condition, declared: Mapping[str, FieldKind]) -> Chosen:
    """Entries that meet a condition, as a new array. `declared`: the fields of catalogues, for `place_of`.

    Raises NotInColumns; OSError, ValueError or IndexError where the set was replaced in between, or is damaged.
    """
    import numpy as np

    match condition:
        case And(parts):
            every = np.ones(len(columns), dtype=np.bool_)
            return reduce(np.logical_and, (chosen_by(columns, part, declared) for part in parts), every)
        case Or(parts):
            none = np.zeros(len(columns), dtype=np.bool_)
            return reduce(np.logical_or, (chosen_by(columns, part, declared) for part in parts), none)
        case Not(part):
            return np.logical_not(chosen_by(columns, part, declared))
        case Compare(field, "!=", value):
            return chosen_by(columns, And((Has(field), Not(Compare(field, "=", value)))), declared)
        case _:
            place = place_of(condition.field, declared)
            return _of_field(columns, condition, place, _is_date(place, declared))


def _is_date(place: str, declared: Mapping[str, FieldKind]) -> bool:
    if not place.startswith(METADATA):
        return place == "modified"
    return kind_in_metadata(place[len(METADATA) :], declared) == "date"


def _of_field(columns: Columns, leaf: Leaf, place: str, is_date: bool) -> Chosen:  # noqa: FBT001 a fact about `place`
    import numpy as np

    if place == "path" or not columns.knows(place):
        raise NotInColumns(place)
    if place not in columns:
        return np.zeros(len(columns), dtype=np.bool_)
    kind = columns.kind(place)
    if (kind == "date") != is_date:  # written before a catalogue declared its fields otherwise
        raise NotInColumns(place)
    if kind in _WORDS:
        if _type_asked(leaf) not in {str, None}:
            raise NotInColumns(place)
        return _of_words(columns, place, _text_test(leaf))
    return _of_numbers(leaf, kind, columns.numbers(place))


def _type_asked(leaf: Leaf) -> type | None:
    """What values are compared with: str, float (any number), bool or Moments; None when only for being there."""
    match leaf:
        case Has():
            return None
        case Contains():
            return str
        case In(values=values):
            value = values[0] if values else ""
        case Compare(value=value):
            pass
    return float if type(value) is int else type(value)


# --- text ------------------------------------------------------------------------------------------


def _text_test(leaf: Leaf) -> Callable[[FoldedTexts], Chosen]:
    match leaf:
        case Has():
            return lambda texts: texts.present()
        case Contains(text=text):
            return lambda texts: texts.containing(folded(text))
        case In(values=values):
            return lambda texts: texts.among([folded(str(value)) for value in values])
        case Compare(op=op, value=value):
            return lambda texts: texts.compared(op, folded(str(value)))


def _of_words(columns: Columns, place: str, test: Callable[[FoldedTexts], Chosen]) -> Chosen:
    if columns.kind(place) == "plain":
        return test(columns.plain(place))
    words = columns.words(place)
    hit = test(words.folded)
    if words.owners is None:
        return _with_codes(words.codes, hit)
    import numpy as np

    chosen = np.zeros(len(columns), dtype=np.bool_)
    chosen[words.owners[_with_codes(words.codes, hit)]] = True
    return chosen


def _with_codes(codes: NDArray[Any], hit: Chosen) -> Chosen:
    """Where the word of a code is hit: bool (words,)."""
    import numpy as np

    hits = np.flatnonzero(hit)
    if len(hits) <= FEW:
        return reduce(np.logical_or, (codes == code for code in hits), np.zeros(len(codes), dtype=np.bool_))
    by_code = np.append(hit, np.False_)
    chosen: Chosen = by_code[codes]  # the last place answers for -1, no word
    return chosen


# --- numbers and dates -----------------------------------------------------------------------------


def _of_numbers(leaf: Leaf, kind: str, values: NDArray[Any]) -> Chosen:
    """For the kinds int, float, bool and date."""
    asked = _type_asked(leaf)
    if asked is None:
        return _present(values)
    if kind == "date" and asked is Moments:
        return _of_values(leaf, lambda op, value: _compare_moments(values, op, value))
    if kind == "bool" and asked is bool:
        return _of_values(leaf, lambda op, value: (values == int(value)) & (op == "="))
    if kind not in {"int", "float"} or asked is not float:
        raise NotInColumns(leaf.field)
    if isinstance(leaf, In) and len(leaf.values) > FEW:
        return _is_in(values, leaf.values)
    return _of_values(leaf, lambda op, value: _compare_number(values, op, value))


def _present(values: NDArray[Any]) -> Chosen:
    import numpy as np

    none = NO_NUMBER if values.dtype.itemsize == 8 else -1
    chosen: Chosen = ~np.isnan(values) if values.dtype.kind == "f" else values != none
    return chosen


def _of_values(leaf: Leaf, test: Callable[[Operator, Any], Chosen]) -> Chosen:
    import numpy as np

    if isinstance(leaf, Compare):
        return test(leaf.op, leaf.value)
    assert isinstance(leaf, In), "only these have values to compare with"
    return reduce(np.logical_or, (test("=", each) for each in leaf.values))


def _compare_moments(values: NDArray[Any], op: Operator, moments: Moments) -> Chosen:
    first, behind = max(moments.first_ns, _LEAST_MOMENT), max(moments.behind_ns, _LEAST_MOMENT)
    chosen: Chosen
    match op:
        case "=":
            chosen = (values >= first) & (values < behind)
        case "<":
            chosen = (values < first) & (values != NO_NUMBER)
        case "<=":
            chosen = (values < behind) & (values != NO_NUMBER)
        case ">":
            chosen = values >= behind
        case _:
            chosen = values >= first
    return chosen


def _is_in(values: NDArray[Any], asked: Sequence[Any]) -> Chosen:
    import numpy as np

    exact = {value for each in asked if (value := _exactly(each, values.dtype.kind)) is not None}
    return np.isin(values, np.array(sorted(exact), dtype=values.dtype))


def _compare_number(values: NDArray[Any], op: Operator, asked: float) -> Chosen:
    """Exactly, as Python compares whole and broken numbers: numpy would round one to the other's kind."""
    import numpy as np

    exact = _exactly(asked, values.dtype.kind)
    if op == "=" and exact is None:
        return np.zeros(len(values), dtype=np.bool_)
    if exact is None:
        op, exact = _nearest(op, asked, values.dtype.kind)
    chosen: Chosen = COMPARED[op](values, exact)
    return chosen & (values != NO_NUMBER) if values.dtype.kind == "i" and op in {"<", "<="} else chosen


def _exactly(asked: float, kind: str) -> float | None:
    """The same number as numpy's kind "i" (int64) or "f" (float64) has it; None when it has none."""
    if kind == "f":
        near = _as_float(asked)
        return near if near == asked else None
    within = NO_NUMBER < asked < _MOST
    return int(asked) if within and int(asked) == asked else None


def _nearest(op: Operator, asked: float, kind: str) -> tuple[Operator, float]:
    """For a number that the kind does not have: a comparison with the next one below, which says the same."""
    above = op in {">", ">="}
    if kind == "f":
        near = _as_float(asked)
        below = near if near < asked else math.nextafter(near, -math.inf)
    else:
        below = NO_NUMBER if asked <= NO_NUMBER else _MOST - 1 if asked >= _MOST else math.floor(asked)
    return (">" if above else "<="), below


def _as_float(number: float) -> float:
    try:
        return float(number)
    except OverflowError:  # a whole number of more than 308 digits
        return math.copysign(math.inf, number)
