"""Our own words are whole: every line has every language, each in its own letters."""

from __future__ import annotations

import re

import pytest

from lookalike.training import lexicon

LETTERS = {"ru": r"[а-яё]", "uk": r"[а-яіїєґ]", "zh": r"[\u3400-\u9fff]", "ja": r"[\u3040-\u30ff\u3400-\u9fff]"}


@pytest.fixture(scope="module")
def words():
    return list(lexicon.lexicon())


def test_every_language_has_a_word_for_nearly_everything(words):
    english = {word for language, word, _ in words if language == "en"}
    for language in lexicon.LANGUAGES:
        assert len({said for known, _, said in words if known == language}) > 0.99 * len(english) > 4000


def test_words_are_in_the_letters_of_their_language(words):
    """A few names stay Latin everywhere: wii, bmx."""
    for language, letters in LETTERS.items():
        strange = [word for known, word, _ in words if known == language and not re.search(letters, word.lower())]
        assert len(strange) < 20, strange
    assert not [word for language, word, _ in words if language == "uk" and re.search("[ыэёъ]", word.lower())]
    assert not [word for language, word, _ in words if language == "ru" and re.search("[іїєґ]", word.lower())]


def test_one_word_is_said_in_several_ways(words):
    assert {word for language, word, said in words if (language, said) == ("ru", "cat")} >= {"кот", "кошка"}


def test_a_caption_of_ours_belongs_to_an_english_one_that_only_its_key_names(monkeypatch):
    monkeypatch.setattr(
        lexicon, "_lines", lambda _: [f"{lexicon.caption_key('A dog runs.')}\tсобака бежит\tсобака біжить"]
    )
    assert list(lexicon.captions(["a cat", " A  dog runs "])) == [
        ("ru", "собака бежит", " A  dog runs "),
        ("uk", "собака біжить", " A  dog runs "),
    ]
    assert not list(lexicon.captions(["a cat"]))


def test_every_caption_of_ours_has_a_key_and_two_languages():
    for line in lexicon._lines("captions.tsv"):
        assert re.fullmatch(r"[0-9a-f]{12}\t[^\t]*[а-яё][^\t]*\t[^\t]*[а-яіїєґ][^\t]*", line, re.IGNORECASE), line
