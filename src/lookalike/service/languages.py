"""The languages of the page: which one a visitor gets, and what it says there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lookalike.core.languages import ENGLISH, LANGUAGES, number, plural_form, words_in
from lookalike.core.wording import Wording, said
from lookalike.engine.likeness_words import why_alike, why_kept

if TYPE_CHECKING:
    from lookalike.core.wording import Said
    from lookalike.engine.likeness_words import Reasons

_WORDS = Path(__file__).with_name("words.toml")
_THOUSAND = 1000


@dataclass(frozen=True, slots=True)
class Told:
    """An error in words. `language`: English where there are no other words for it."""

    language: str
    detail: str
    hint: str


class Words:
    """What the page says in one language."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._words = words_in(_WORDS)[language]

    def __call__(self, name: str, /, **values: object) -> str:
        """The words of a name, filled in. Raises KeyError for a name there is not: a mistake of a template."""
        return self._words[name].format(**values) if values else self._words[name]

    def field(self, name: str) -> str:
        """What a field is called; one that has no words here by its own name."""
        return self._words.get(f"field_{name}", name)

    def value(self, field: str, value: object) -> str:
        """A value of a field as people say it: the names of colours are ours, all else is the collection's own."""
        return self._words.get(f"value_{value}", str(value)) if field == "colours" else str(value)

    def counted(self, name: str, n: int) -> str:
        """`n` things, in the form that the language wants for that number (CLDR's plural rules)."""
        return self(f"{name}_{plural_form(self.language, n)}", n=f"{n:,}".replace(",", "\N{NARROW NO-BREAK SPACE}"))

    def alike(self, reasons: Reasons) -> str:
        """Why pictures are alike, or what a look for duplicates left out."""
        return why_alike(reasons, self.language)

    def kept(self, reasons: Reasons) -> str:
        """Why one of them is kept."""
        return why_kept(reasons, self.language)

    def cosine(self, value: float) -> str:
        """With two decimals."""
        return f"{value:.2f}" if self.language == ENGLISH else f"{value:.2f}".replace(".", ",")

    def size(self, n: int) -> str:
        """`n` bytes in the unit that leaves few digits, thousands of the one below it."""
        unit, *larger = self("size_units").split()
        left: float = n
        for each in larger:
            if left < _THOUSAND:
                break
            unit, left = each, left / _THOUSAND
        return f"{number(self.language, left)}\N{NO-BREAK SPACE}{unit}"

    def told(self, what: Said) -> Told:
        """What happened and what to do."""
        language = self.language if isinstance(what[0], Wording) else ENGLISH
        return Told(language, *(said(each, language) for each in what))

    def skipped(self, code: str) -> str:
        """Why a file was not taken, in a word or two; "" where the reason itself has to do."""
        return "" if self.language == ENGLISH else self._words.get(f"skipped_{code.replace('-', '_')}", "")

    @property
    def others(self) -> list[tuple[str, str]]:
        """Every language: its code and its own name."""
        return [(code, words["language"]) for code, words in words_in(_WORDS).items()]


def choose(asked: str | None, kept: str | None, accepted: str) -> str:
    """The language asked for, else the one kept from before, else the first the browser accepts that there is."""
    for wanted in (asked, kept):
        if wanted in LANGUAGES:
            return str(wanted)
    return next((code for code in _preferred(accepted) if code in LANGUAGES), LANGUAGES[0])


def _preferred(accepted: str) -> list[str]:
    """Language codes of an `Accept-Language` header, best first, none that is refused (RFC 9110, section 12.5.4)."""
    ranked: list[tuple[float, int, str]] = []
    for place, part in enumerate(accepted.split(",")[:20]):
        tag, _, weight = part.replace(" ", "").casefold().partition(";q=")
        try:
            worth = float(weight) if weight else 1.0
        except ValueError:
            continue
        if worth > 0:
            ranked.append((-worth, place, tag.partition("-")[0]))
    return [code for _, _, code in sorted(ranked)]
