"""The language of filters: `price < 50 and colour in (red, pink) and not folder ~ "screenshots"` becomes a condition.

    filter     = filter "or" filter | filter "and" filter | "not" filter | "(" filter ")" | comparison
    comparison = field ("=" | "!=" | "<" | "<=" | ">" | ">=") value | field ["not"] "~" value
               | field ["not"] "in" "(" value, ... ")" | "has" field

"and" binds closer than "or", capitals make no difference. A field of odd characters stands in backquotes, a value of
several words or of odd characters in quotes, either kind; a quote inside is written twice, and a backslash is a letter
like any other. The kind of its field says what a value means; `filter_values.py` reads it. What a condition lets pass
is said in `lookalike.core.conditions`.

Promises: `FilterError`, which points at the place, and nothing else for whatever text; any text ends quickly, by the
limits below. Parsing is lark's (MIT), which says what could have come where something else did.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from datetime import datetime
from typing import TYPE_CHECKING, cast

from lookalike.core.conditions import FILE, METADATA, And, Compare, Contains, Has, In, Moments, Not, Or
from lookalike.core.errors import FilterError
from lookalike.core.fields import ITEM_FIELDS
from lookalike.core.wording import Wording
from lookalike.engine.filter_mistakes import EXAMPLE, KINDS, mistake, not_understood, unknown_field, unreadable_value
from lookalike.engine.filter_values import YES_OR_NO, bytes_of, moments_of, number_of, text_of_moments

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lark import Lark, Token, Tree

    from lookalike.core.conditions import Condition, Operator, Value
    from lookalike.core.fields import FieldKind

MAX_CHARACTERS = 20_000
"""Room for a list of a thousand ids; what is longer is hostile, or better a column of a catalogue."""
MAX_COMPARISONS = 100
"""Each may take the time of all items once more."""
MAX_DEPTH = 20
"""Parentheses and nots inside each other."""

_ODD = r"\s()\"`,=<>!~≤≥≠“”„«»"
_GRAMMAR = rf"""
    start: _either
    _either: _both | either
    either: _both (_OR _both)+
    _both: _negated | both
    both: _negated (_AND _negated)+
    _negated: negation | _LEFT _either _RIGHT | comparison | contains | among | has
    negation: NOT _negated
    comparison: field OPERATOR value
    contains: field NOT? _CONTAINS value | field EXCLUDES value
    among: field NOT? _IN _LEFT value (_COMMA value)* _RIGHT
    has: _HAS field
    field: WORD | FIELD
    value: WORD+ | TEXT
    _AND.2: /and(?![^{_ODD}])/i
    _OR.2: /or(?![^{_ODD}])/i
    NOT.2: /not(?![^{_ODD}])/i
    _IN.2: /in(?![^{_ODD}])/i
    _HAS.2: /has(?![^{_ODD}])/i
    OPERATOR.2: /!=|<>|==|<=|>=|[=<>≠≤≥]/
    EXCLUDES.2: "!~"
    _CONTAINS: "~"
    _LEFT: "("
    _RIGHT: ")"
    _COMMA: ","
    FIELD: /`([^`]|``)+`/
    TEXT: /"([^"]|"")*"|'([^']|'')*'|“[^”]*”|„[^“”]*[“”]|«[^»]*»/
    WORD: /[^{_ODD}'][^{_ODD}]*/
    %ignore /\s+/
"""
_SAME: Mapping[str, Operator] = {"==": "=", "<>": "!=", "≠": "!=", "≤": "<=", "≥": ">="}
_PLAIN_FIELD = re.compile(rf"(?!(?:and|or|not|in|has)\Z)[^{_ODD}'][^{_ODD}]*", re.IGNORECASE)


def parse(text: str, fields: Mapping[str, FieldKind], now: datetime | None = None) -> Condition:
    """The condition that `text` says. Raises FilterError.

    `fields`: those of the collection, as `fields_of` gives them. `now`: what today is; None for the clock's.
    """
    from lark.exceptions import UnexpectedInput

    if not text.strip():
        raise FilterError(Wording("filter_empty"), position=0, hint=Wording("for_example", example=EXAMPLE))
    if len(text) > MAX_CHARACTERS:
        raise mistake(Wording("filter_too_long", most=MAX_CHARACTERS), text, MAX_CHARACTERS)
    try:
        tree = _parser().parse(text)
    except UnexpectedInput as unexpected:
        raise not_understood(text, unexpected) from None
    return _Reading(text, fields, now or datetime.now().astimezone()).condition(cast("Tree[Token]", tree.children[0]))


def unparse(condition: Condition) -> str:
    """A text that `parse` makes this very condition of, given fields of its kinds.

    Raises ValueError for one that no text says: an empty And, Or or In, a time that no date means.
    """
    match condition:
        case And(parts):
            return _joined(" and ", parts, (And, Or))
        case Or(parts):
            return _joined(" or ", parts, (Or,))
        case Not(part):
            return f"not {_inner(part, (And, Or))}"
        case Compare(field, op, value):
            return f"{_field_text(field)} {op} {_value_text(value)}"
        case Contains(field, text):
            return f"{_field_text(field)} ~ {_value_text(text)}"
        case Has(field):
            return f"has {_field_text(field)}"
        case In(field, values):
            if not values:
                raise ValueError("a list without values")
            return f"{_field_text(field)} in ({', '.join(map(_value_text, values))})"


@functools.cache
def _parser() -> Lark:
    from lark import Lark

    return Lark(_GRAMMAR, parser="lalr", lexer="basic")


class _Reading:
    """Gives the tree of one text its meaning. A method for each rule of the grammar."""

    def __init__(self, text: str, fields: Mapping[str, FieldKind], now: datetime) -> None:
        self._text = text
        self._fields = fields
        self._now = now
        self._comparisons = 0

    def condition(self, tree: Tree[Token], depth: int = 0) -> Condition:
        rule, children = tree.data, [each for each in tree.children if not isinstance(each, str)]
        if rule in {"both", "either", "negation"}:
            if depth >= MAX_DEPTH:
                raise mistake(Wording("filter_too_deep", most=MAX_DEPTH), self._text, _start(tree))
            parts = tuple(self.condition(each, depth + 1) for each in children)
            return And(parts) if rule == "both" else Or(parts) if rule == "either" else Not(parts[0])
        self._comparisons += 1
        if self._comparisons > MAX_COMPARISONS:
            raise mistake(Wording("filter_too_many", most=MAX_COMPARISONS), self._text, _start(tree))
        read = {"comparison": self._comparison, "contains": self._contains, "among": self._among, "has": self._has}
        leaf = read[rule](tree, children[0], children[1:])
        is_negated = rule != "comparison" and any(isinstance(each, str) for each in tree.children)
        return Not(leaf) if is_negated else leaf

    def _comparison(self, tree: Tree[Token], field: Tree[Token], values: Sequence[Tree[Token]]) -> Condition:
        name, kind = self._field(field)
        token = cast("Token", tree.children[1])
        op = _SAME.get(token, cast("Operator", str(token)))
        if kind == "bool" and op not in {"=", "!="}:
            raise mistake(Wording("yes_or_no_has_no_order", name=name, sign=op), self._text, token.start_pos or 0)
        return Compare(name, op, self._value(values[0], name, kind))

    def _contains(self, _: Tree[Token], field: Tree[Token], values: Sequence[Tree[Token]]) -> Condition:
        name, kind = self._field(field)
        if kind not in {"text", "texts"}:
            what = Wording("not_text", name=name, kind=KINDS[kind])
            raise mistake(what, self._text, _start(field), hint=Wording("compare_with"))
        return Contains(name, str(self._value(values[0], name, kind)))

    def _among(self, _: Tree[Token], field: Tree[Token], values: Sequence[Tree[Token]]) -> Condition:
        name, kind = self._field(field)
        return In(name, tuple(self._value(value, name, kind) for value in values))

    def _has(self, _: Tree[Token], field: Tree[Token], __: Sequence[Tree[Token]]) -> Condition:
        return Has(self._field(field)[0])

    def _field(self, tree: Tree[Token]) -> tuple[str, FieldKind]:
        """The name by which the collection knows the field, and its kind."""
        token = cast("Token", tree.children[0])
        written = token[1:-1].replace("``", "`") if token.type == "FIELD" else str(token)
        for name in (written, unicodedata.normalize("NFC", written)):
            kind = self._kind(name)
            if kind is not None:
                return name, kind
        alike = {name for name in self._fields if _alike(name) == _alike(written)}
        if len(alike) == 1:
            name = alike.pop()
            return name, self._fields[name]
        raise unknown_field(self._text, token, written, self._fields)

    def _kind(self, name: str) -> FieldKind | None:
        if name in self._fields:
            return self._fields[name]
        if name.startswith(FILE):
            return ITEM_FIELDS.get(name[len(FILE) :])
        bare = name.removeprefix(METADATA)
        return None if bare in ITEM_FIELDS else self._fields.get(bare)

    def _value(self, tree: Tree[Token], name: str, kind: FieldKind) -> Value:
        text = _text_of(tree)
        if kind in {"text", "texts"}:
            if len(tree.children) > 1:
                hint = Wording("put_in_quotes", text=text)
                raise mistake(Wording("several_words"), self._text, _start(tree), hint=hint)
            return text
        readers: dict[str, Callable[[str], Value]] = {
            "bool": lambda text: YES_OR_NO[text.casefold()],
            "date": lambda text: moments_of(text, self._now),
            "int": bytes_of if name.removeprefix(FILE) == "size" else number_of,
            "float": number_of,
        }
        try:
            return readers[kind](text)
        except (KeyError, ValueError) as error:
            raise unreadable_value(self._text, _start(tree), name, kind, error) from None


def _alike(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _start(tree: Tree[Token]) -> int:
    """Where the text of a tree begins."""
    first = tree.children[0]
    while not isinstance(first, str):
        first = first.children[0]
    return first.start_pos or 0


def _text_of(tree: Tree[Token]) -> str:
    """What a value says, without its quotes."""
    first = cast("Token", tree.children[0])
    if first.type == "TEXT":
        quote = first[0]
        return first[1:-1].replace(quote * 2, quote) if quote in {'"', "'"} else str(first[1:-1])
    return " ".join(str(each) for each in tree.children)


# --- text again ------------------------------------------------------------------------------------


def _joined(word: str, parts: Sequence[Condition], inner: tuple[type, ...]) -> str:
    if len(parts) < 2:
        raise ValueError("and, or: of fewer than two")
    return word.join(_inner(part, inner) for part in parts)


def _inner(part: Condition, inner: tuple[type, ...]) -> str:
    return f"({unparse(part)})" if isinstance(part, inner) else unparse(part)


def _field_text(field: str) -> str:
    if _PLAIN_FIELD.fullmatch(field):
        return field
    return "`" + field.replace("`", "``") + "`"


def _value_text(value: Value) -> str:
    if isinstance(value, Moments):
        return text_of_moments(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return repr(value) if isinstance(value, (int, float)) else '"' + value.replace('"', '""') + '"'
