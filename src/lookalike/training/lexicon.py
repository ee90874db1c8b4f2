"""Our own words: common English words, and captions, put into other languages for this project (Apache-2.0).

`data/lexicon.tsv`: a word a line, in the order of `LANGUAGES`; `|` between ways to say it, "-" for none.
`data/captions.tsv`: the key of an English caption of COCO, which is not ours to copy, and what it says in Russian and
Ukrainian. Where they come from stands in `data/README.md`.
"""

from __future__ import annotations

import hashlib
from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LANGUAGES = ("en", "ru", "uk", "de", "fr", "es", "pl", "cs", "zh", "ja", "tr", "vi")
CAPTION_LANGUAGES = ("ru", "uk")
_KEY_BYTES = 6


def lexicon() -> Iterator[tuple[str, str, str]]:
    """(language, word, the English word it stands for), English itself among the languages."""
    for line in _lines("lexicon.tsv"):
        cells = line.split("\t")
        for language, cell in zip(LANGUAGES, cells, strict=True):
            words = (word.strip() for word in cell.split("|"))
            yield from ((language, word, cells[0]) for word in words if word not in {"", "-"})


def captions(english: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    """(language, caption, the one of the `english` captions it says): those of them that were put into other words."""
    known = {caption_key(caption): caption for caption in english}
    for line in _lines("captions.tsv"):
        key, *others = line.split("\t")
        if key in known:
            yield from ((language, said, known[key]) for language, said in zip(CAPTION_LANGUAGES, others, strict=True))


def caption_key(english: str) -> str:
    """Twelve hex digits that stand for an English caption, whatever its spaces and final full stop."""
    return hashlib.blake2b(" ".join(english.split()).rstrip(" .").encode(), digest_size=_KEY_BYTES).hexdigest()


def _lines(name: str) -> list[str]:
    text = resources.files("lookalike.training").joinpath("data", name).read_text(encoding="utf-8")
    return text.splitlines()
