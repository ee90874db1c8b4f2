"""What is wrong with a filter, said so that its writer finds the place and the remedy.

Only the filter itself and names of fields are ever shown, never what a collection holds.
"""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from lookalike.core.errors import FilterError
from lookalike.core.pointing import pointing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lark import Token
    from lark.exceptions import UnexpectedInput

    from lookalike.core.fields import FieldKind

EXAMPLE = "price < 50 and colour in (red, pink)"
KINDS: Mapping[FieldKind, str] = {
    "int": "a number",
    "float": "a number",
    "bool": "yes or no",
    "text": "text",
    "texts": "a list of text",
    "date": "a date",
}
_WRITTEN_AS: Mapping[FieldKind, str] = {
    "int": "write 50 or 2.5",
    "float": "write 50 or 2.5",
    "bool": "write yes or no",
    "date": "write 2024, 2024-05, 2024-05-03, 2024-05-03T17:20, today, or -7d for seven days ago",
}
_INSTEAD = {
    "&&": "and",
    "&": "and",
    "||": "or",
    "|": "or",
    "like": "~",
    "ilike": "~",
    "contains": "~",
    "matches": "~",
    "is": "=",
    "equals": "=",
    "between": ">= and <=",
    ":": "=",
}
"""How other languages say it, and this one."""
_QUOTES = "\"'`“„«"
_OPEN_LIST = re.compile(r"\bin\s*\([^()]*\Z", re.IGNORECASE)
_NAMED = 64
"""Letters of an unknown name that are compared with the known ones, and shown."""


def mistake(message: str, text: str, position: int, *, hint: str = "") -> FilterError:
    """The error about a place in the filter."""
    return FilterError(f"{message}\n{pointing(text, position)}", position=position, hint=hint)


def unknown_field(text: str, token: Token, written: str, fields: Iterable[str]) -> FilterError:
    """A name that the collection does not know; the nearest that it does is suggested."""
    shown = "".join(each for each in written[:_NAMED] if each.isprintable())
    known = {each.casefold(): each for each in fields}
    near = difflib.get_close_matches(written[:_NAMED].casefold(), known, n=1)
    if near:
        hint = f"did you mean {known[near[0]]}?"
    elif written[:1].isdigit():
        hint = "the field comes first, then the value"
    else:
        hint = "lookalike fields shows what there is"
    return mistake(f"there is no field {shown}", text, token.start_pos or 0, hint=hint)


def unreadable_value(text: str, position: int, name: str, kind: FieldKind, error: Exception) -> FilterError:
    """A value that is none of its field's kind."""
    detail = f": {error}" if "from" in str(error) else ""
    hint = _WRITTEN_AS[kind]
    if name.endswith("size") and kind == "int":
        hint = "write 5000000, 5 MB or 5 MiB"
    return mistake(f"{name} is {KINDS[kind]}, which this is not{detail}", text, position, hint=hint)


def not_understood(text: str, unexpected: UnexpectedInput) -> FilterError:
    """Something stands where it cannot, or nothing where something should."""
    from lark.exceptions import UnexpectedToken

    if not isinstance(unexpected, UnexpectedToken):
        return _strange_character(text, unexpected.pos_in_stream or 0)
    token, expected = unexpected.token, frozenset(unexpected.expected)
    is_end = token.type == "$END"
    position = len(text.rstrip()) if is_end else token.start_pos or 0
    wanted = _wanted(expected) or _after_value(text[:position], is_end=is_end)
    message = f"the filter ends where {wanted} should follow" if is_end else f"here {wanted} should stand"
    return mistake(message, text, position, hint=_hint(text[:position].split(), str(token), expected))


def _strange_character(text: str, position: int) -> FilterError:
    if text[position] in _QUOTES:
        hint = "a quote inside a text is written twice, or the text put into the other kind of quotes"
        return mistake("this quote is not closed", text, position, hint=hint)
    return mistake("this has no meaning here", text, position, hint="not equal is !=, the opposite is not (...)")


def _wanted(expected: frozenset[str]) -> str:
    """What could have come, from the names of terminals in the grammar, of which one tells; "" after a value."""
    for terminal, words in (
        ("OPERATOR", "=, !=, <, <=, >, >=, ~ or in"),
        ("FIELD", "a field"),
        ("TEXT", "a value"),
        ("_CONTAINS", "~ or in"),
    ):
        if terminal in expected:
            return words
    return "a list in parentheses" if expected == {"_LEFT"} else ""


def _after_value(before: str, *, is_end: bool) -> str:
    if _OPEN_LIST.search(before):
        return "a comma or )"
    return "and, or, or )" if is_end else "and, or, or the end"


def _hint(before: list[str], token: str, expected: frozenset[str]) -> str:
    last = [each.casefold() for each in (token, *reversed(before[-4:]))]
    other = next((word for word in last if word in _INSTEAD), None)
    word_before = before[-1][:_NAMED] if before else ""
    name, colon, value = word_before.partition(":")
    if other is not None:
        return f"write {_INSTEAD[other]} instead of {other}"
    if token.casefold() in {"and", "or", "not", "in", "has"} and "TEXT" in expected:
        return f'as a value it stands in quotes: "{token}"'
    if token.startswith(",") and word_before[-1:].isdigit():
        return "parts of a number stand behind a point: 2.5"
    if token and "WORD" in expected and "_AND" in expected:
        return f"is there an and missing before {word_before}? A value of several words stands in quotes"
    if name and colon and "OPERATOR" in expected:
        return f"write {name} = {value}"
    return f"for example: {EXAMPLE}; words to look for belong into the query" if "OPERATOR" in expected else ""
