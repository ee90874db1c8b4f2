"""What is wrong with a filter, said so that its writer finds the place and the remedy.

Only the filter itself and names of fields are ever shown, never what a collection holds.
"""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from lookalike.core.errors import FilterError
from lookalike.core.pointing import pointing
from lookalike.core.wording import Wording
from lookalike.engine.filter_values import FIRST_YEAR, LAST_YEAR, NotOfYears

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lark import Token
    from lark.exceptions import UnexpectedInput

    from lookalike.core.fields import FieldKind

EXAMPLE = "price < 50 and colour in (red, pink)"
KINDS: Mapping[FieldKind, Wording] = {
    "int": Wording("kind_number"),
    "float": Wording("kind_number"),
    "bool": Wording("kind_yes_or_no"),
    "text": Wording("kind_text"),
    "texts": Wording("kind_texts"),
    "date": Wording("kind_date"),
}
_WRITTEN_AS: Mapping[FieldKind, Wording] = {
    "int": Wording("write_number"),
    "float": Wording("write_number"),
    "bool": Wording("write_yes_or_no"),
    "date": Wording("write_date"),
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


def mistake(what: Wording, text: str, position: int, *, hint: Wording | None = None) -> FilterError:
    """The error about a place in the filter."""
    message = Wording("at_place", what=what, place=pointing(text, position))
    return FilterError(message, position=position, hint=hint or "")


def unknown_field(text: str, token: Token, written: str, fields: Iterable[str]) -> FilterError:
    """A name that the collection does not know; the nearest that it does is suggested."""
    shown = "".join(each for each in written[:_NAMED] if each.isprintable())
    known = {each.casefold(): each for each in fields}
    near = difflib.get_close_matches(written[:_NAMED].casefold(), known, n=1)
    if near:
        hint = Wording("did_you_mean", name=known[near[0]])
    else:
        hint = Wording("field_first" if written[:1].isdigit() else "fields_lists")
    return mistake(Wording("no_field", name=shown), text, token.start_pos or 0, hint=hint)


def unreadable_value(text: str, position: int, name: str, kind: FieldKind, error: Exception) -> FilterError:
    """A value that is none of its field's kind."""
    what = Wording("not_of_kind", name=name, kind=KINDS[kind])
    if isinstance(error, NotOfYears):
        years = Wording("years", first=str(FIRST_YEAR), last=str(LAST_YEAR))
        what = Wording("not_of_kind_for", name=name, kind=KINDS[kind], why=years)
    is_size = name.endswith("size") and kind == "int"
    return mistake(what, text, position, hint=Wording("write_size") if is_size else _WRITTEN_AS[kind])


def not_understood(text: str, unexpected: UnexpectedInput) -> FilterError:
    """Something stands where it cannot, or nothing where something should."""
    from lark.exceptions import UnexpectedToken

    if not isinstance(unexpected, UnexpectedToken):
        return _strange_character(text, unexpected.pos_in_stream or 0)
    token, expected = unexpected.token, frozenset(unexpected.expected)
    is_end = token.type == "$END"
    position = len(text.rstrip()) if is_end else token.start_pos or 0
    wanted = _wanted(expected) or _after_value(text[:position], is_end=is_end)
    what = Wording("filter_ends" if is_end else "here_should", wanted=Wording(wanted))
    return mistake(what, text, position, hint=_hint(text[:position].split(), str(token), expected))


def _strange_character(text: str, position: int) -> FilterError:
    if text[position] in _QUOTES:
        return mistake(Wording("quote_not_closed"), text, position, hint=Wording("quote_inside"))
    return mistake(Wording("no_meaning"), text, position, hint=Wording("not_equal_is"))


def _wanted(expected: frozenset[str]) -> str:
    """What could have come, from the names of terminals in the grammar, of which one tells: the code of its words; ""
    after a value.
    """
    for terminal, words in (
        ("OPERATOR", "wanted_sign"),
        ("FIELD", "wanted_field"),
        ("TEXT", "wanted_value"),
        ("_CONTAINS", "wanted_contains"),
    ):
        if terminal in expected:
            return words
    return "wanted_list" if expected == {"_LEFT"} else ""


def _after_value(before: str, *, is_end: bool) -> str:
    if _OPEN_LIST.search(before):
        return "wanted_comma"
    return "wanted_more" if is_end else "wanted_end"


def _hint(before: list[str], token: str, expected: frozenset[str]) -> Wording | None:
    last = [each.casefold() for each in (token, *reversed(before[-4:]))]
    other = next((word for word in last if word in _INSTEAD), None)
    word_before = before[-1][:_NAMED] if before else ""
    name, colon, value = word_before.partition(":")
    if other is not None:
        return Wording("write_instead", right=_INSTEAD[other], wrong=other)
    if token.casefold() in {"and", "or", "not", "in", "has"} and "TEXT" in expected:
        return Wording("value_in_quotes", word=token)
    if token.startswith(",") and word_before[-1:].isdigit():
        return Wording("decimal_point")
    if token and "WORD" in expected and "_AND" in expected:
        return Wording("missing_and", word=word_before)
    if name and colon and "OPERATOR" in expected:
        return Wording("write_equals", name=name, value=value)
    return Wording("for_example_and_words", example=EXAMPLE) if "OPERATOR" in expected else None
