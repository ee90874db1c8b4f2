"""What errors say, as data: a code and the values that its words name. The words stand in `wording.toml`, in English,
Russian and Ukrainian.

`str` of a wording is English: what programs, the command line and the API say. A page says it in its visitor's
language. Values are filled in as they are, numbers as the language writes them, wordings inside in its words; where a
sentence counts something, that is the value `n`, and its forms stand under `CODE_one`, `CODE_few`, `CODE_many`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

from lookalike.core.languages import ENGLISH, number, plural_form, words_in

Said: TypeAlias = "tuple[str | Wording, str | Wording]"
"""What happened, and what to do about it."""
_WORDS = Path(__file__).with_name("wording.toml")


class Wording:
    """A sentence: `Wording("no_item", given="p1")`. Raises KeyError when it is said and has no words: our mistake."""

    __slots__ = ("code", "values")

    def __init__(self, code: str, /, **values: object) -> None:
        self.code = code
        self.values = values

    def __str__(self) -> str:
        return self.in_language(ENGLISH)

    def in_language(self, language: str) -> str:
        """The sentence in one of `core.languages.LANGUAGES`."""
        words = words_in(_WORDS)[language]
        code = self.code
        if code not in words:
            n = self.values["n"]
            assert isinstance(n, int)
            code = f"{code}_{plural_form(language, n)}"
        return words[code].format(**{name: _shown(value, language) for name, value in self.values.items()})


def said(what: str | Wording, language: str) -> str:
    """A sentence in a language; one that is text already as it is."""
    return what.in_language(language) if isinstance(what, Wording) else what


def _shown(value: object, language: str) -> str:
    if isinstance(value, Wording):
        return value.in_language(language)
    return number(language, value) if isinstance(value, int | float) else str(value)
