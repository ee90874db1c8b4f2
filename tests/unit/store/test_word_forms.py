"""Forms of one word meet, in three languages and however they are written."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from lookalike.store.word_forms import LONGEST_WORD, asked_words, forms_of, name_of, words_of


def meet(one: str, other: str) -> bool:
    (first,), (second,) = words_of(one), words_of(other)
    return bool({*forms_of(first)} & {*forms_of(second)})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("shirts", "Shirt"),
        ("women's", "women’s"),
        ("dresses", "dress"),
        ("Café", "cafe"),
        ("ＳＵＭＭＥＲ", "summer"),
        ("рубашки", "Рубашка"),
        ("зелёные", "зеленый"),
        ("за́мок", "замок"),
        ("чёрная", "черное"),
        ("сорочки", "сорочці"),
        ("сорочок", "сорочці"),
        ("кіт", "кота"),
        ("стіл", "столами"),
        ("жіночі", "жіноча"),
        ("п'яти", "п’ять"),
        ("гір", "гора"),
    ],
)
def test_two_forms_of_a_word_meet(one, other):
    assert meet(one, other)


@pytest.mark.parametrize(("one", "other"), [("shirt", "short"), ("кот", "кит"), ("1234", "1235"), ("рубашка", "юбка")])
def test_other_words_do_not(one, other):
    assert not meet(one, other)


def test_a_decomposed_letter_is_the_letter():
    assert words_of("й ї é") == words_of("и\u0306 і\u0308 e\u0301")  # as file names come from a Mac


def test_a_word_with_hyphens_is_its_parts_and_itself():
    assert words_of("T-Shirt") == ["t", "shirt", "tshirt"]
    assert meet("tshirts", "TShirt")


def test_a_file_name_is_cut_into_words():
    assert words_of("IMG_1234.jpg") == ["img", "1234", "jpg"]


def test_words_that_say_nothing_are_not_asked_unless_there_are_no_others():
    assert asked_words("the dog on a beach") == ["dog", "beach"]
    assert asked_words("кот на окне") == ["кот", "окне"]
    assert asked_words("The Who") == ["who"]
    assert asked_words("on") == ["on"]


def test_a_name_is_the_whole_text_however_it_is_written():
    assert name_of("  Turtle CHECK, men ") == name_of("turtle check men") != name_of("turtle check")
    assert name_of("!?") == name_of("word " * 100) == ""


def test_no_word_is_endless():
    assert [len(word) for word in words_of("x" * 10_000)] == [LONGEST_WORD]


def test_text_that_no_file_may_hold_gives_words_all_the_same():
    assert words_of("a\ud800b \x00 c") == ["a", "b", "c"]


def test_many_threads_get_the_same_stems():
    words = [f"running{letter}s" for letter in "abcdefghij"] * 20
    alone = [forms_of(word) for word in words]
    forms_of.cache_clear()
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(forms_of, words)) == alone
