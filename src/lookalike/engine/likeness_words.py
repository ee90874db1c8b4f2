"""Why two pictures belong together, and why one of them is kept: reasons as data, and their words in three languages.

A reason is a code with the figures that its words name: `("cropped", 62, 62)`. Programs ask for codes; a sentence is
made of the words in `likeness_words.toml` where a person reads it. In a collection reasons stand as compact JSON. A
text that is none is a sentence which an earlier version wrote: it is said as it is until the next look.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypeAlias

from lookalike.core.languages import ENGLISH, number, plural_form, words_in

Reason: TypeAlias = tuple[str | float, ...]
"""A code, then figures: numbers, or names that are the same in every language."""
Reasons: TypeAlias = tuple[Reason, ...]

SAID = "said"
"""Code of a sentence that stands for itself, in English."""
UNKNOWN: Reason = ("unknown",)
SAME_PICTURE: Reasons = (("same_picture",),)
SAME_BYTES: Reasons = (("same_bytes",),)
SAME_PIXELS: Reasons = (("same_pixels",),)
_WORDS = Path(__file__).with_name("likeness_words.toml")
_STORED_LIKE = "[["
_AFTER_ALL = ("away",)
"""Codes of what is said of all that stands before."""


def stored(reasons: Reasons) -> str:
    """Reasons as a collection keeps them."""
    return json.dumps(reasons, separators=(",", ":"), ensure_ascii=False)


def reasons_of(text: str) -> Reasons:
    """What `stored` made, or a sentence of an earlier version."""
    if not text.startswith(_STORED_LIKE):
        return ((SAID, text),)
    return tuple(tuple(reason) for reason in json.loads(text))


def codes(reasons: Reasons) -> set[str]:
    """What is said, without the figures."""
    return {str(reason[0]) for reason in reasons}


def why_alike(reasons: Reasons, language: str = ENGLISH) -> str:
    """The reasons of a likeness in one line, without capital and full stop. "" for none.

    What only a later version has words for is left out; where nothing else is left, that is said.
    """
    known = [reason for reason in reasons if _is_known(reason, language)]
    said = ""
    for reason in known or [UNKNOWN for _ in reasons[:1]]:
        between = "; " if reason[0] in _AFTER_ALL else ", "
        said += (between if said else "") + _in_words(reason, language)
    return said


def why_kept(reasons: Reasons, language: str = ENGLISH) -> str:
    """Why one is kept: what put it before the others, and, if that did not put it before all, what decided then."""
    said = [_in_words(reason, language) for reason in reasons]
    return said[0] if len(said) == 1 else words_in(_WORDS)[language]["of_those"].format(*said)


def _is_known(reason: Reason, language: str) -> bool:
    try:
        _in_words(reason, language)
    except (KeyError, IndexError):  # of a code, or of a figure
        return False
    return True


def _in_words(reason: Reason, language: str) -> str:
    code, *figures = reason
    if code == SAID:
        return str(figures[0])
    words = words_in(_WORDS)[language]
    if code not in words:
        whole = [figure for figure in figures if isinstance(figure, int)]
        code = f"{code}_{plural_form(language, whole[-1])}"
    return words[code].format(*(each if isinstance(each, str) else number(language, each) for each in figures))
