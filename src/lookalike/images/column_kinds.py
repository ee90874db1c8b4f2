"""What the cells of a column are: numbers, dates, yes and no, or text. Found out from all of them, never from a few.

Promises: nothing is lost by a guess. A column is a number only if every cell is one that reads back as it was written,
so product codes keep their leading zeros ("00601"), phone numbers their plus and "1E5" its letter. What could be read
in two ways (1,234; 03/05/2024) stays text until somebody says what it is. A kind that was said is read more freely
("15.00 USD" as a number), and cells that do not fit it are counted.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from lookalike.core.fields import date_ns

if TYPE_CHECKING:
    from collections.abc import Callable

    from lookalike.core.fields import FieldKind

MISSING = frozenset({"", "-", "n/a", "na", "nan", "nil", "none", "null", "#n/a", "?"})
"""Cells that say nothing in a column of numbers or dates; in text only the empty one does."""
_EXAMPLE = 40
_YES, _NO = frozenset({"true", "yes"}), frozenset({"false", "no"})

_WHOLE = r"-?(?:0|[1-9]\d{0,17})"
_EXACT_WHOLE = r"-?(?:0|[1-9]\d{0,14})"  # what a float64 keeps to the last digit
_TIME = r"(?:[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?(?:Z|[+-]\d{2}(?::?\d{2})?)?)?"
_FORMS: dict[str, tuple[FieldKind, re.Pattern[str]]] = {
    "whole": ("int", re.compile(_WHOLE, re.ASCII)),
    "point": ("float", re.compile(rf"{_EXACT_WHOLE}(?:\.\d+)?", re.ASCII)),
    "comma": ("float", re.compile(rf"{_EXACT_WHOLE}(?:,\d+)?", re.ASCII)),
    "yes or no": ("bool", re.compile("true|false|yes|no", re.IGNORECASE)),
    "year first": ("date", re.compile(rf"\d{{4}}-\d{{2}}-\d{{2}}{_TIME}", re.ASCII)),
    "day.month": ("date", re.compile(rf"(?:0?[1-9]|[12]\d|3[01])\.(?:0?[1-9]|1[0-2])\.\d{{4}}{_TIME}", re.ASCII)),
    "day/month": ("date", re.compile(rf"(?:0?[1-9]|[12]\d|3[01])/(?:0?[1-9]|1[0-2])/\d{{4}}{_TIME}", re.ASCII)),
    "month/day": ("date", re.compile(rf"(?:0?[1-9]|1[0-2])/(?:0?[1-9]|[12]\d|3[01])/\d{{4}}{_TIME}", re.ASCII)),
}
"""Ways to write a value, the plainest first."""
_SURELY_DECIMAL = re.compile(r".*,(?:\d{1,2}|\d{4,})")
_DATE = re.compile(r"(\d{1,4})[./-](\d{1,2})[./-](\d{1,4})(.*)", re.DOTALL)
_COMPACT_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})")
_NUMBER = re.compile(r"-?\d[\d\s.,'’]*|-?[.,]\d+")


@dataclass(frozen=True, slots=True)
class ColumnPlan:
    """How a column is read: `name` as the table has it, `field` as filters call it, its kind and the way it is written.

    `way` is "" where values come typed, "said" where the kind was said. `filled` of the cells say something, `unread`
    said something else than the kind. `example`: one cell.
    """

    name: str
    field: str
    kind: FieldKind
    way: str
    filled: int = 0
    unread: int = 0
    example: str = ""


@dataclass(slots=True)
class ColumnScan:
    """Sees every cell of a column once.

    `said`: the kind a user said; `told`: the one the table itself tells. `typed`: cells come as JSON has them, and text
    is text or a date.
    """

    name: str
    said: FieldKind | None = None
    told: FieldKind | None = None
    typed: bool = False
    filled: int = 0
    unread: int = 0
    example: str = ""
    _ways: list[str] | None = None
    _types: set[type] = field(default_factory=set)
    _surely_decimal: bool = False

    def see(self, value: Any) -> None:
        """Take one more cell into account."""
        if value is None or value == "":
            return
        self.filled += 1
        if not self.example:
            self.example = _shown(value)
        if self.said is not None:
            self.unread += said_value(self.said, value) is None
        if self.said is not None or self.told is not None:
            return
        self._types.add(type(value))
        if isinstance(value, str) and self._ways != []:
            self._narrow(value)

    def plan(self, field_name: str, *, decimal_comma: bool) -> ColumnPlan:
        """The outcome. `decimal_comma`: the table's cells are not parted by commas, so that 1,234 is a fraction."""
        if self.said is not None:
            kind, way = self.said, "said"
        elif self.told is not None:
            kind, way = self.told, ""
        else:
            kind, way = self._found(decimal_comma=decimal_comma)
        return ColumnPlan(self.name, field_name, kind, way, self.filled, self.unread, self.example)

    def _narrow(self, value: str) -> None:
        value = value.strip()
        if value.lower() in MISSING:
            return
        ways = self._ways
        if ways is None:
            ways = ["year first"] if self.typed else list(_FORMS)
        self._ways = [way for way in ways if _FORMS[way][1].fullmatch(value)]
        if "comma" in self._ways and not self._surely_decimal:
            self._surely_decimal = _SURELY_DECIMAL.fullmatch(value) is not None

    def _found(self, *, decimal_comma: bool) -> tuple[FieldKind, str]:
        if self._types <= {str}:
            ways = self._ways or []
            unclear = {"day/month", "month/day"} <= set(ways)
            way = next(iter(ways), None)
            if way is None or unclear or (way == "comma" and not (decimal_comma or self._surely_decimal)):
                return "text", ""
            return _FORMS[way][0], way
        if self._types <= {bool}:
            return "bool", ""
        if self._types <= {int, float}:
            return ("float" if float in self._types else "int"), ""
        return ("texts" if self._types <= {list, str} else "text"), ""


def reader(plan: ColumnPlan) -> Callable[[Any], Any] | None:
    """What makes a cell the value of its field, None for no value; None where cells are taken as they are."""
    if plan.way == "said":
        return partial(said_value, plan.kind)
    if plan.way:
        return partial(_read, plan.way)
    return {"texts": _texts, "text": _text, "float": _float}.get(plan.kind)


def said_value(kind: FieldKind, value: Any) -> Any:
    """A cell as a kind that somebody said it is; None when it cannot be read so."""
    if value is None or (isinstance(value, str) and kind != "text" and value.strip().lower() in MISSING):
        return None
    if kind in {"int", "float"}:
        return _number(kind, value)
    if kind == "bool":
        word = str(value).strip().lower()
        return True if word in _YES | {"1"} else False if word in _NO | {"0"} else None
    if kind == "date":
        return _moment(value, str(value).strip())
    return _texts(value) if kind == "texts" else _text(value)


def _read(way: str, cell: str) -> Any:
    """A cell in the way its column is written."""
    cell = cell.strip()
    if cell.lower() in MISSING or not _FORMS[way][1].fullmatch(cell):
        return None
    if way == "whole":
        return int(cell)
    if way in {"point", "comma"}:
        return float(cell.replace(",", "."))
    if way == "yes or no":
        return cell.lower() in _YES
    return _moment(cell, cell, month_first=way == "month/day")


def _number(kind: FieldKind, value: Any) -> int | float | None:
    """The number in a cell that may also have a currency and marks between thousands."""
    if isinstance(value, bool | list | dict):
        return None
    found = _NUMBER.search(str(value)) if isinstance(value, str) else None
    text = re.sub(r"[\s'’]", "", found[0]) if found else str(value)
    if found:
        mark = max(text.rfind("."), text.rfind(","))
        thousands = mark >= 0 and (text.count(text[mark]) > 1 or (kind == "int" and len(text) - mark == 4))
        whole, part = (text, "") if mark < 0 or thousands else (text[:mark], text[mark + 1 :])
        text = re.sub(r"[.,]", "", whole) + ("." + part if part else "")
    try:
        number = float(text)
        if kind == "float":
            return number if number - number == 0 else None
        return int(text) if text.lstrip("-").isdigit() else int(number) if number.is_integer() else None
    except (ValueError, OverflowError):
        return None


def _moment(value: Any, text: str, *, month_first: bool = False) -> str | None:
    """ISO 8601 text of a date in one of the ways, None for what is none, like the 30th of February."""
    if isinstance(value, date | datetime):
        return value.isoformat()
    parts = _DATE.fullmatch(text)
    compact = _COMPACT_DATE.fullmatch(text)
    if compact:
        text = "-".join(compact.groups())
    elif parts and len(parts[1]) != 4:
        first, second = int(parts[1]), int(parts[2])
        day, month = (second, first) if (month_first or second > 12) and "/" in text else (first, second)
        text = f"{parts[3]:0>4}-{month:02d}-{day:02d}{parts[4]}"
    text = text.replace(" ", "T", 1)
    return text if date_ns(text) is not None else None


def _texts(value: Any) -> list[str] | None:
    if isinstance(value, str):
        mark = next((each for each in "|;," if each in value), None)
        value = value.split(mark) if mark else [value]
    elif not isinstance(value, list | tuple):
        value = [value]
    return [text for each in value if each is not None and (text := _text(each).strip())] or None


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, list | dict | bool) else str(value)


def _float(value: Any) -> float | None:
    try:
        return float(value) if isinstance(value, int | float) and value - value == 0 else None
    except OverflowError:  # a whole number of more than 308 digits
        return None


def _shown(value: Any) -> str:
    text = " ".join(_text(value).split())
    return text if len(text) <= _EXAMPLE else text[: _EXAMPLE - 1] + "…"
