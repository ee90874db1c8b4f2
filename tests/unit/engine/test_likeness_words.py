"""Reasons are stored as data and said in three languages; what an earlier version wrote is said as it is."""

from __future__ import annotations

import re
import tomllib
from importlib.resources import files

import pytest

from lookalike.core.languages import LANGUAGES, plural_form
from lookalike.engine.likeness_words import codes, reasons_of, stored, why_alike, why_kept

REASONS = (("cropped", 62, 48), ("upper_left",), ("later", 0.4), ("formats", "JPEG", "PNG"))
WORDS = tomllib.loads((files("lookalike.engine") / "likeness_words.toml").read_text("utf-8"))
_FORM = re.compile("_(one|few|many)$")


def test_what_is_stored_comes_back_and_is_short():
    assert stored(REASONS) == '[["cropped",62,48],["upper_left"],["later",0.4],["formats","JPEG","PNG"]]'
    assert reasons_of(stored(REASONS)) == REASONS
    assert codes(REASONS) == {"cropped", "upper_left", "later", "formats"}


def test_a_sentence_of_an_earlier_version_is_said_as_it_is_in_every_language():
    old = reasons_of("cropped to 62% x 48%, with a border")
    assert codes(old) == {"said"}
    assert {why_alike(old, language) for language in LANGUAGES} == {"cropped to 62% x 48%, with a border"}


def test_all_languages_say_the_same_things_with_the_same_figures():
    def said(language: str) -> dict[str, set[str]]:
        return {_FORM.sub("", code): set(re.findall(r"{\d}", words)) for code, words in WORDS[language].items()}

    assert set(WORDS) == set(LANGUAGES)
    assert said("en") == said("ru") == said("uk")
    for language in LANGUAGES:
        forms = {plural_form(language, n) for n in range(30)}
        plural = {code for code in WORDS[language] if _FORM.search(code)}
        assert plural == {f"{_FORM.sub('', code)}_{form}" for code in plural for form in forms}


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "cropped to 62% x 48%, upper left part, 0.4 s later, saved as JPEG and PNG"),
        ("ru", "обрезана до 62 % × 48 %, левая верхняя часть, через 0,4 с, сохранены как JPEG и PNG"),
        ("uk", "обрізана до 62 % × 48 %, ліва верхня частина, через 0,4 с, збережені як JPEG і PNG"),
    ],
)
def test_reasons_are_one_line_in_each_language(language, words):
    assert why_alike(REASONS, language) == words


@pytest.mark.parametrize(
    ("language", "size", "words"),
    [
        ("en", 1, "the largest file, 1 byte"),
        ("en", 2000, "the largest file, 2,000 bytes"),
        ("ru", 21, "самый большой файл, 21 байт"),
        ("ru", 3, "самый большой файл, 3 байта"),
        ("uk", 2_000_012, "найбільший файл, 2\N{NO-BREAK SPACE}000\N{NO-BREAK SPACE}012 байтів"),
        ("uk", 22, "найбільший файл, 22 байти"),
    ],
)
def test_counts_stand_in_the_form_their_language_wants(language, size, words):
    assert why_kept((("largest_file", size),), language) == words


def test_why_one_is_kept_tells_what_decided_first_and_last():
    both = (("camera_wrote",), ("first_id",))
    assert why_kept(both) == "it still has what the camera wrote; of those the last by its id"
    assert why_kept(both, "ru") == "в ней сохранились данные камеры; среди таких — последняя по идентификатору"


def test_that_a_file_is_away_is_said_of_all_before_it():
    assert why_alike((("mirrored",), ("away",))) == "mirrored; a file is away: judged by the fingerprints alone"


def test_what_only_a_later_version_can_say_is_left_out_or_said_to_be_so():
    later = reasons_of('[["seen_in_a_mirror",3],["cropped"]]')
    assert why_alike(later) == "for a reason that only a later version of lookalike can tell"
    assert why_alike((*later, ("mirrored",)), "ru") == WORDS["ru"]["mirrored"]
    assert why_alike(()) == ""
