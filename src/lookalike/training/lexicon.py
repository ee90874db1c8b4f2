"""Our own words: common English words, and captions, put into other languages for this project (Apache-2.0).

`data/lexicon.tsv`: a word a line, in the order of `LANGUAGES`; `|` between ways to say it, "-" for none.
`data/captions.tsv`: English, Russian, Ukrainian. Where they come from stands in `data/README.md`.
"""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

LANGUAGES = ("en", "ru", "uk", "de", "fr", "es", "pl", "cs", "zh", "ja", "tr", "vi")
CAPTION_LANGUAGES = LANGUAGES[:3]


def lexicon() -> Iterator[tuple[str, str, str]]:
    """(language, word, the English word it stands for), English itself among the languages."""
    for line in _lines("lexicon.tsv"):
        cells = line.split("\t")
        for language, cell in zip(LANGUAGES, cells, strict=True):
            words = (word.strip() for word in cell.split("|"))
            yield from ((language, word, cells[0]) for word in words if word not in {"", "-"})


def captions() -> Iterator[tuple[str, str, str]]:
    """(language, caption, the English caption it says)."""
    for line in _lines("captions.tsv"):
        english, *others = line.split("\t")
        yield from ((language, said, english) for language, said in zip(CAPTION_LANGUAGES[1:], others, strict=True))


def _lines(name: str) -> list[str]:
    text = resources.files("lookalike.training").joinpath("data", name).read_text(encoding="utf-8")
    return text.splitlines()
