"""The test file of class names is whole and clean in every language."""

from __future__ import annotations

import csv
import re
import unicodedata

import pytest
from builtin_quality import NAMES, NO_LANGUAGE

LANGUAGES = ("en", "ru", "uk", "de", "fr", "es", "pl", "cs", "zh", "ja", "tr", "vi")
CLASSES = {"caltech101": 101, "imagenette": 10}
WRITTEN_IN = {"ru": "А-яЁё", "uk": "А-яІіЇїЄєҐґ'", "zh": "\u4e00-\u9fff", "ja": "\u3040-\u30ff\u4e00-\u9fff・"}


@pytest.fixture(scope="module")
def rows():
    with NAMES.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def test_every_class_has_a_name_in_every_language(rows):
    assert [key for key in rows[0] if key not in NO_LANGUAGE] == list(LANGUAGES)
    for name, count in CLASSES.items():
        assert len({row["class"] for row in rows if row["set"] == name}) == count
    assert len(rows) == sum(CLASSES.values())
    assert all(row[language] for row in rows for language in LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_names_are_clean_text_and_no_two_things_share_one(rows, language):
    names = [row[language] for row in rows]
    assert [name for name in names if name != unicodedata.normalize("NFC", name.strip())] == []
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("language", WRITTEN_IN)
def test_names_are_in_the_letters_of_their_language(rows, language):
    strange = re.compile(f"[^{WRITTEN_IN[language]} -]")
    assert [row[language] for row in rows if strange.search(row[language])] == []


def test_russian_and_ukrainian_do_not_borrow_each_others_letters(rows):
    assert not [row["ru"] for row in rows if re.search("[іїєґІЇЄҐ]", row["ru"])]
    assert not [row["uk"] for row in rows if re.search("[ыэёъЫЭЁЪ]", row["uk"])]


def test_a_name_that_fits_other_classes_too_names_known_ones(rows):
    known = {row["class"] for row in rows}
    named = {each for row in rows for each in row["also"].split()}
    assert named
    assert named <= known
