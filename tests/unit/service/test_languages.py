"""The page speaks English, Russian and Ukrainian, each with its own plurals."""

from __future__ import annotations

import pytest

from lookalike.core.languages import words_in
from lookalike.service import languages
from lookalike.service.languages import LANGUAGES, Words, choose


def test_all_languages_say_the_same_things():
    names = {language: set(words) for language, words in words_in(languages._WORDS).items()}
    assert set(names) == set(LANGUAGES)
    assert names["en"] == names["ru"] == names["uk"]


@pytest.mark.parametrize(
    ("language", "n", "said"),
    [
        ("en", 1, "1 picture"),
        ("en", 0, "0 pictures"),
        ("ru", 1, "1 картинка"),
        ("ru", 3, "3 картинки"),
        ("ru", 11, "11 картинок"),
        ("ru", 112, "112 картинок"),
        ("uk", 21, "21 картинка"),
        ("uk", 25, "25 картинок"),
        ("en", 12345, "12\N{NARROW NO-BREAK SPACE}345 pictures"),
    ],
)
def test_numbers_stand_in_the_form_their_language_wants(language, n, said):
    assert Words(language).counted("results", n) == said


@pytest.mark.parametrize(
    ("language", "n", "said"),
    [("en", 900, "900 bytes"), ("en", 3_400_000, "3.4 MB"), ("ru", 27_200, "27,2 кБ"), ("uk", 5_000_000_000, "5,0 ГБ")],
)
def test_sizes_stand_in_the_units_of_their_language(language, n, said):
    assert Words(language).size(n) == said.replace(" ", "\N{NO-BREAK SPACE}")


@pytest.mark.parametrize(("language", "said"), [("en", "0.23"), ("ru", "0,23"), ("uk", "0,23")])
def test_cosines_stand_with_the_mark_of_their_language(language, said):
    assert Words(language).cosine(0.234) == said


@pytest.mark.parametrize(
    ("asked", "kept", "accepted", "chosen"),
    [
        (None, None, "", "en"),
        (None, None, "de-DE,uk;q=0.8,en;q=0.5", "uk"),
        (None, "ru", "uk", "ru"),
        ("en", "ru", "uk", "en"),
        ("xx", None, "ru-RU", "ru"),
        (None, None, "en;q=x, ru;q=0.1, *", "ru"),
        (None, None, "en; q=0.3, uk; q=0.9", "uk"),
        (None, None, "ru;q=0, uk;q=0.1", "uk"),
    ],
)
def test_who_asks_gets_the_language_asked_for_kept_or_accepted(asked, kept, accepted, chosen):
    assert choose(asked, kept, accepted) == chosen
