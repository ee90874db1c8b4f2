"""Languages that pages speak: files of their words, and how each writes numbers and counts things (CLDR's rules)."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

LANGUAGES = ("en", "ru", "uk")
ENGLISH = "en"


@cache
def words_in(file: Path) -> dict[str, dict[str, str]]:
    """What a TOML file has for each language, in their order there: words by the codes they stand under."""
    import tomllib

    return tomllib.loads(file.read_text(encoding="utf-8"))


def plural_form(language: str, n: int) -> str:
    """Which form a language wants for `n` things: "one", "few" or "many"; English has no "few"."""
    if language == ENGLISH:
        return "one" if n == 1 else "many"
    if n % 10 == 1 and n % 100 != 11:
        return "one"
    return "few" if 2 <= n % 10 <= 4 and not 12 <= n % 100 <= 14 else "many"


def number(language: str, value: float) -> str:
    """A whole number with its thousands apart, any other with one decimal."""
    written = f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"
    if language == ENGLISH:
        return written
    return written.translate({ord(","): "\N{NO-BREAK SPACE}", ord("."): ","})
