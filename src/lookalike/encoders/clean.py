"""What is done to words before a tokeniser sees them, by family, as in training.

The rules are open_clip's (`open_clip/tokenizer.py`: `basic_clean`, `whitespace_clean`, `canonicalize_text`, the last
from big_vision's SigLIP). open_clip runs the library ftfy first; here its character-level steps are done by a table
(ligatures, full-width forms, curly quotes, control characters, NFC). Its repair of text decoded with a wrong charset
(mojibake) is left out: a typed query is not mojibake, and guessing costs more than the rest of a query together.
"""

from __future__ import annotations

import html
import re
import string
import unicodedata
from typing import Literal, get_args

Cleaning = Literal["none", "whitespace", "lower", "canonicalize"]
CLEANINGS: tuple[str, ...] = get_args(Cleaning)

_CONTROL = (*range(0x09), 0x0B, *range(0x0E, 0x20), 0x7F, *range(0x206A, 0x2070), 0xFEFF, *range(0xFFF9, 0xFFFD))
_DIGRAPHS = "ĲĳŉǄǅǆǇǈǉǊǋǌǱǲǳﬀﬁﬂﬃﬄﬆ"  # letters that stand for two for reasons of old charsets or typography
_ANSI_COLOUR = re.compile("\033\\[[\\d;]*[a-zA-Z]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_DROP_PUNCTUATION = str.maketrans("", "", string.punctuation)


def _character_table() -> dict[int, str | None]:
    table: dict[int, str | None] = {ord(letters): unicodedata.normalize("NFKC", letters) for letters in _DIGRAPHS}
    table |= {code: unicodedata.normalize("NFKC", chr(code)) for code in range(0xFF01, 0xFFF0)}  # full and half width
    table |= {ord("ﬅ"): "ſt", 0x3000: " ", ord("ŉ"): "'n"}
    table |= dict.fromkeys(map(ord, "ʼ‘’‚‛"), "'") | dict.fromkeys(map(ord, "“”„‟"), '"')
    table |= dict.fromkeys(map(ord, "\u2028\u2029\u0085"), "\n")
    table |= dict.fromkeys(_CONTROL)
    return table


_CHARACTERS = _character_table()


def encodable(text: str) -> str:
    """`text` without lone surrogates, which no tokeniser takes; paired ones become their character."""
    if not _SURROGATE.search(text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def clean(text: str, how: Cleaning) -> str:
    """`text` as the family's tokeniser was trained on it; "none" leaves all to the tokeniser's own normaliser."""
    text = encodable(text)
    if how == "none":
        return text
    text = " ".join(_basic(text).split())
    if how == "lower":
        return text.lower()
    if how == "canonicalize":
        return " ".join(text.replace("_", " ").translate(_DROP_PUNCTUATION).lower().split())
    return text


def _basic(text: str) -> str:
    """Tidy characters, then read HTML entities twice, as open_clip does."""
    if "&" in text and "<" not in text:  # ftfy's own guess at HTML: entities, and no tags
        text = html.unescape(text)
    text = _ANSI_COLOUR.sub("", text.translate(_CHARACTERS))
    return html.unescape(html.unescape(unicodedata.normalize("NFC", text)))
