"""Items with all kinds of metadata, conditions of all kinds, and what is met by hand: for the tests of filters."""

from __future__ import annotations

import operator
import os
import unicodedata
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from lookalike.core.conditions import And, Compare, Contains, Has, In, Moments, Not, Or

if TYPE_CHECKING:
    import random

    from lookalike.core.conditions import Condition
    from lookalike.store.collection_store import ItemRecord

DECLARED = {"size": "text", "sold_on": "date", "mess": "date", "цена": "int"}
DATE_FIELDS = {"taken", "sold_on", "mess", "modified"}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WORDS = [
    "red",
    "Red",
    "pink",
    "Rosé",
    "Rose\u0301",
    "ПЛЯЖ",
    "пляж",
    "straße",
    "STRASSE",
    "",
    "a b",
    "5",
    "true",
    "'; --",
]
DATES = [
    "2024-05-03",
    "2024-05-03T17:20:11.5",
    "2024-05-31T23:59:59+05:00",
    "1969-12-31T23:59:59Z",
    "never",
    "2024-06-01",
]
NUMBERS = [0, 1, 5, -3, 0.1, 2.5, 5.0, -0.0, 1e15, 7, 8, 9, 10, 11, 12]
HUGE = [2**53, 2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63) + 1, 2.0**53]
TYPES = {
    **dict.fromkeys(["price", "stock", "mixed", "file.size", "width", "height", "цена"], 1),
    **dict.fromkeys(["taken", "sold_on", "modified"], 3),
    "sold": 2,
}
OPERATORS = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def drawn_metadata(draw: random.Random, one: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """What bytes and place say of an item: (picture_metadata, metadata)."""
    kinds = {
        "price": lambda: draw.choice(NUMBERS),
        "stock": lambda: draw.choice(HUGE),
        "mixed": lambda: draw.choice([*HUGE, 0.5]),
        "sold": lambda: draw.random() < 0.5,
        "colour": lambda: draw.choice(WORDS),
        "title": lambda: f"{draw.choice(WORDS)} {one} {draw.choice(WORDS)}",
        "tags": lambda: draw.choice([[], draw.choice(WORDS), draw.sample(WORDS, 2), [None, "red"]]),
        "taken": lambda: draw.choice(DATES),
        "sold_on": lambda: draw.choice(DATES),
        "mess": lambda: draw.choice([*WORDS, *NUMBERS, *DATES, True, ["red", 5], {"red": 5}, [["red"]]]),
        "odd": lambda: draw.choice([*WORDS, *NUMBERS, *DATES, True, False]),
        "size": lambda: draw.choice(["S", "M", "L"]),
        "цена": lambda: draw.randrange(9),
    }
    both = []
    for share in (0.3, 0.7):
        values = {
            name: None if draw.random() < 0.1 else kind() for name, kind in kinds.items() if draw.random() < share
        }
        both.append(values)
    return both[0], both[1]


def drawn_condition(draw: random.Random, depth: int = 3) -> Condition:
    if depth and draw.random() < 0.6:
        parts = tuple(drawn_condition(draw, depth - 1) for _ in range(draw.randrange(4)))
        return draw.choice([And(parts), Or(parts), Not(drawn_condition(draw, depth - 1))])
    own = [
        "price",
        "stock",
        "mixed",
        "sold",
        "colour",
        "title",
        "tags",
        "taken",
        "sold_on",
        "mess",
        "odd",
        "size",
        "цена",
    ]
    files = ["id", "path", "folder", "name", "extension", "file.size", "modified", "width", "height", "format"]
    field = draw.choice([*own, *own, *files, "nobody", "metadata.size"])
    values = drawn_values(draw, None if draw.random() < 0.2 else TYPES.get(field, 0))
    match draw.randrange(6):
        case 0:
            return Has(field)
        case 1:
            return Contains(field, draw.choice([*WORDS, "e", "1", "photo", ".JP", "RED 1", "пл"]))
        case 2:
            return In(field, tuple(values))
        case _:
            return Compare(field, draw.choice([*OPERATORS, "=", "!="]), values[0])


def drawn_values(draw: random.Random, type_: int | None) -> list[Any]:
    """Values of one type: 0 text, 1 numbers, 2 true and false, 3 dates, None any."""
    moments = [(1714694400, 86400), (1714521600, 31 * 86400), (-86400, 86400), (-(2**33), 2**33)]
    of_one_type = [
        [*WORDS, "photo 7.jpg", os.path.abspath(os.sep + "photos"), "jpg", "PNG", "s"],
        [*NUMBERS, *HUGE, 10**30, -(10.0**300), 40, 1000],
        [True, False],
        [Moments(first * 10**9, (first + length) * 10**9) for first, length in moments],
    ]
    values = draw.choice(of_one_type) if type_ is None else of_one_type[type_]
    return draw.sample(values, draw.randrange(1, len(values) + 1))


def is_met(condition: Condition, item: ItemRecord) -> bool:
    """By hand."""
    match condition:
        case And(parts):
            return all(is_met(part, item) for part in parts)
        case Or(parts):
            return any(is_met(part, item) for part in parts)
        case Not(part):
            return not is_met(part, item)
        case Compare(field, "!=", asked):
            return is_met(Has(field), item) and not is_met(Compare(field, "=", asked), item)
    values = values_of(condition.field, item)
    is_date = condition.field in DATE_FIELDS
    match condition:
        case Has():
            return any(as_date(value) is not None for value in values) if is_date else bool(values)
        case Contains(text=text):
            return any(fold(text) in fold(as_text(value)) for value in values if not isinstance(value, datetime))
        case In(values=asked):
            return any(compares("=", value, each, is_date=is_date) for value in values for each in asked)
        case Compare(op=op, value=asked):
            return any(compares(op, value, asked, is_date=is_date) for value in values)
    raise AssertionError(condition)


def values_of(field: str, item: ItemRecord) -> list[Any]:
    """All values under a field; `modified` as a datetime."""
    head, name = os.path.split(item.uri)
    facts = {
        "id": item.id,
        "path": item.uri,
        "folder": head,
        "name": name,
        "extension": os.path.splitext(name)[1][1:].lower() or None,
        "file.size": item.size,
        "modified": datetime.fromtimestamp(item.modified_ns // 10**9, UTC),
        "width": item.width,
        "height": item.height,
        "format": item.format or None,
    }
    of_file = next((name for name in (field, field.removeprefix("file.")) if name in facts), None)
    if of_file is not None:
        return [] if facts[of_file] is None else [facts[of_file]]
    value = item.metadata.get(field.removeprefix("metadata."))
    values = value if isinstance(value, list) else [value]
    return [each for each in values if isinstance(each, (str, int, float, bool))]


def as_date(value: Any) -> datetime | None:
    if isinstance(value, datetime):
        return value
    try:
        date = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def compares(op: str, value: Any, asked: Any, *, is_date: bool) -> bool:
    if isinstance(asked, Moments):
        date = as_date(value) if is_date else None
        return date is not None and compares_date(op, (date - EPOCH) // timedelta(microseconds=1) * 1000, asked)
    if isinstance(value, datetime):
        return False
    if isinstance(asked, str):
        return OPERATORS[op](fold(as_text(value)), fold(asked))
    if isinstance(asked, bool) or isinstance(value, (bool, str)):
        return isinstance(asked, bool) and isinstance(value, bool) and op == "=" and value is asked
    return OPERATORS[op](value, asked)


def compares_date(op: str, ns: int, asked: Moments) -> bool:
    return {
        "=": asked.first_ns <= ns < asked.behind_ns,
        "<": ns < asked.first_ns,
        "<=": ns < asked.behind_ns,
        ">": ns >= asked.behind_ns,
        ">=": ns >= asked.first_ns,
    }[op]


def as_text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value == int(value) and abs(value) <= 2**53 else str(value)


def fold(text: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
