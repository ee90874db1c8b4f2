"""Texts of a catalogue as an encoder is given them: a template filled, words in their ground form, stop words left out.

Every step is off unless it is asked for: what each is worth was measured (docs/benchmarks/texts.md).
The steps follow each other in that order. Where words are changed, letters become small and marks between words go.

Ground forms of English words are those of nouns, by the endings of their plural, as in the rules of detachment of
WordNet (Miller 1995; morphy(7WN)), but for words that have no singular. Those of Russian and Ukrainian words come from
pymorphy3 and its dictionaries: the extra `lemmas`, which leaves out the Ukrainian one because that is under GPL-3.0.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from lookalike.core.errors import LookalikeError, MissingExtra
from lookalike.store.word_forms import STOP_WORDS, WORDS_KEPT

if TYPE_CHECKING:
    from collections.abc import Mapping

_FIELD = re.compile(r"(\s*[,;:|/-]?\s*\(?)\{(\w+)\}(\)?)")
"""A field of a template, with the mark before it and brackets around it: they go when it is empty."""
_MARKS = " ,;:|/-"
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_CYRILLIC = re.compile("[Ѐ-ӿ]")
_UKRAINIAN_ONLY = re.compile("[іїєґІЇЄҐ]")
_ENDINGS = (("ches", "ch"), ("shes", "sh"), ("sses", "ss"), ("xes", "x"), ("zes", "z"), ("ies", "y"), ("men", "man"))
_SHORTEST_PLURAL = 4
_NOT_PLURAL = frozenset(
    "jeans trousers pants shorts tights leggings sunglasses glasses goggles clothes briefs boxers pyjamas"  # noqa: SIM905 as one reads them
    " pajamas overalls dungarees scissors binoculars canvas christmas series always adidas asics".split()
)
"""Words that end in -s and have no singular, or mean something else with it."""


@dataclass(frozen=True, slots=True)
class TextPreparation:
    """What is done to texts. `template`: how the fields of an item make its text, such as "{title}, {category}"; ""
    takes the first of them.
    """

    template: str = ""
    lemmas: bool = False
    stop_words: bool = False

    def item_text(self, fields: Mapping[str, str]) -> str:
        """The text of an item. A field of the template that it lacks is left out, with the mark before it."""
        if not self.template:
            return self.query_text(next(iter(fields.values()), ""))
        filled = _FIELD.sub(lambda found: _filled(found, fields), self.template)
        return self.query_text(filled.strip(_MARKS))

    def query_text(self, text: str) -> str:
        """A question, or any text that has no fields. Raises MissingExtra, LookalikeError without a dictionary."""
        if not (self.lemmas or self.stop_words):
            return text
        words = _WORD.findall(text.lower())
        if self.lemmas:
            ukrainian = bool(_UKRAINIAN_ONLY.search(text))
            words = [lemma(word, ukrainian=ukrainian) for word in words]
        if self.stop_words:
            words = [word for word in words if word not in STOP_WORDS] or words
        return " ".join(words) or text

    def fields(self) -> tuple[str, ...]:
        """Names of the fields that the template asks for, each once."""
        return tuple(dict.fromkeys(name for _, name, _ in _FIELD.findall(self.template)))

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready, to be written beside what was made with it."""
        return asdict(self)


def _filled(found: re.Match[str], fields: Mapping[str, str]) -> str:
    before, name, behind = found.groups()
    value = fields.get(name, "").strip()
    return f"{before}{value}{behind}" if value else ""


@lru_cache(WORDS_KEPT)
def lemma(word: str, *, ukrainian: bool = False) -> str:
    """The ground form of a word in small letters. `ukrainian`: its text is. Raises as `TextPreparation.query_text`."""
    if _CYRILLIC.search(word):
        found: str = _dictionary("uk" if ukrainian else "ru").parse(word)[0].normal_form
        return found
    return word if word in _NOT_PLURAL or not word.isascii() else _singular(word)


def _singular(word: str) -> str:
    """An English noun without the ending of its plural or genitive; other words as they are."""
    word = word.replace("’", "'").removesuffix("'s")
    for ending, instead in _ENDINGS:
        if word.endswith(ending) and len(word) > len(ending):
            return word[: -len(ending)] + instead
    if len(word) >= _SHORTEST_PLURAL and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


@cache
def _dictionary(language: str) -> Any:
    """It takes half a second to open, and 30 MB."""
    try:
        import pymorphy3
    except ImportError:
        raise MissingExtra("ground forms of Russian and Ukrainian words", "lemmas") from None
    try:
        return pymorphy3.MorphAnalyzer(lang=language)
    except ValueError as error:
        raise LookalikeError(
            f"the dictionary of the words' ground forms ({language}) is not installed",
            hint=f"pip install pymorphy3-dicts-{language}",
        ) from error
