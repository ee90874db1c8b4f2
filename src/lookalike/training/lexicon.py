"""Our own words: common English words, and captions, put into other languages for this project (Apache-2.0).

`data/lexicon.tsv`: a word a line, in the order of `LANGUAGES`; `|` between ways to say it, "-" for none.
`data/captions.tsv`: English, Russian, Ukrainian. Where they come from stands in `data/README.md`. They are in the
repository and in source packages, not in wheels, which have no use for them.
"""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

from lookalike.core.errors import SourceError

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
    place = resources.files("lookalike.training").joinpath("data", name)
    if not place.is_file():
        raise SourceError(
            f"the training room's {name} is not installed",
            hint="train from a clone or a source package: pip install --editable .",
        )
    return place.read_text(encoding="utf-8").splitlines()
