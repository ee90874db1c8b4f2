"""Words as they are compared: a text becomes folded words, and a word its stems.

Promises: case, ё and е, kinds of apostrophes, stress marks, accents of Latin letters and Unicode's ways of writing one
letter make no difference; what is indexed and what is asked go the same way. English and Russian stems are Snowball's.
Snowball has no Ukrainian: its words are written with Russian letters and stemmed so, which brings 76 % of the pairs of
forms together; where pymorphy3 and its dictionary are installed, all stems of a word's forms are taken from there
(96 %; both of 96 everyday words, docs/benchmarks/hybrid.md). That dictionary is under GPL-3.0 and so no dependency of
ours. A collection may be written with it and read without it.
Left to others: Chinese, Japanese and Thai are not cut into words.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST_WORD = 60
"""Characters of a word that count: longer ones are codes."""
LONGEST_NAME = 200
"""Characters of a text that is taken for a name; a longer one is a description."""
WORDS_KEPT = 200_000
"""Words whose stems are remembered: about 40 MB when full."""

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*(?:-[^\W_]+(?:'[^\W_]+)*)*")
_CYRILLIC = re.compile("[Ѐ-ӿ]")
_UKRAINIAN_ONLY = re.compile("[іїєґ']")
_FOLDED = str.maketrans(
    {**dict.fromkeys("’ʼ‘`´＇′", "'"), "\N{COMBINING ACUTE ACCENT}": None, "ё": "е", "‐": "-", "‑": "-"}
)
_AS_RUSSIAN = str.maketrans({"і": "и", "ї": "и", "є": "е", "ґ": "г", "'": None})
_STEMMING = threading.Lock()
"""The stemmers keep the word they work on in themselves."""

STOP_WORDS = frozenset(
    "a an and are as at be by for from in is it its of on or that the this to was with"  # noqa: SIM905 as one reads them
    " и в во на с со из у к ко о об от до по за для без под над при про или это"
    " і й та в у на з із зі зо до від о об для без під над при про по за або це".split()
)
"""Words of a question that say nothing by themselves in the three languages."""


def words_of(text: str) -> list[str]:
    """The folded words of a text in order. Of a word with hyphens: its parts, and all of them as one word."""
    words = []
    for found in _WORD.findall(_folded(text)):
        if "-" in found:
            words += [each[:LONGEST_WORD] for each in found.split("-")]
        words.append(found.replace("-", "")[:LONGEST_WORD])
    return words


def asked_words(text: str) -> list[str]:
    """The distinct words of a question, without those that say nothing, unless there are no others."""
    words = list(dict.fromkeys(words_of(text)))
    return [word for word in words if word not in STOP_WORDS] or words


def name_of(text: str) -> str:
    """The whole text as one word, to be found by exactly this text; "" when it is none, or too long for a name."""
    if len(text) > LONGEST_NAME:
        return ""
    return "_".join(_WORD.findall(_folded(text))).replace("'", "").replace("-", "_")


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().translate(_FOLDED) if not text.isascii() else text.lower()


@lru_cache(WORDS_KEPT)
def forms_of(word: str) -> tuple[str, ...]:
    """The stems of a folded word: two words mean the same when they have one in common. At least one."""
    if _CYRILLIC.search(word):
        with _STEMMING:
            return tuple(dict.fromkeys(filter(None, _cyrillic_forms(word)))) or (word,)
    if not word.isascii():
        letters = unicodedata.normalize("NFKD", word)
        word = "".join(letter for letter in letters if not unicodedata.combining(letter))
    if any(map(str.isdigit, word)):
        return (word.replace("'", ""),)
    with _STEMMING:
        return (_stemmer("english").stemWord(word).replace("'", "") or word,)


def _cyrillic_forms(word: str) -> Sequence[str]:
    russian = _stemmer("russian").stemWord
    forms = [word]
    dictionary = _ukrainian() if _UKRAINIAN_ONLY.search(word) else None
    if dictionary is not None:
        forms += [form.word for form in dictionary.parse(word)[0].lexeme]
    return [russian(form.translate(_AS_RUSSIAN)) for form in forms]


@cache
def _stemmer(language: str) -> Any:
    import snowballstemmer

    return snowballstemmer.stemmer(language)


@cache
def _ukrainian() -> Any:
    """The Ukrainian dictionary; None where it is not installed. It takes half a second to open, and 30 MB."""
    try:
        import pymorphy3
        import pymorphy3_dicts_uk
    except ImportError:
        return None
    return pymorphy3.MorphAnalyzer(path=pymorphy3_dicts_uk.get_path(), lang="uk")
