"""What people type in many ways is one query, and no query is unknown."""

from __future__ import annotations

import pytest
from tokenizers import Tokenizer

from lookalike.training.vocabulary import rows, train_tokeniser

TEXTS = [
    "a grand piano",
    "a piano on a stage",
    "собака на снегу",
    "чорний собака і м'яч",
    "зелёный мяч",
    "一只狗在雪地里",
]


@pytest.fixture(scope="module")
def tokeniser():
    return train_tokeniser(TEXTS, 400, 32)


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ("Grand_Piano", "grand piano"),
        ("ｇｒａｎｄ piano", "grand piano"),
        ("  grand \n piano ", "grand piano"),
        ("СОБАКА", "собака"),
        ("зелёный", "зеленый"),
        ("ЗЕЛЁНЫЙ", "зеленый"),
        ("соба\u0301ка", "собака"),
        ("м’яч", "м'яч"),
        ("мʼяч", "м'яч"),
        ("м`яч", "м'яч"),
        ("cобaкa", "собака"),
        ("MЯЧ", "мяч"),
        ("чopний", "чорний"),
    ],
    ids=str,
)
def test_ways_of_typing_are_one_query(tokeniser, typed, plain):
    """Case, width, spaces, yo, stress, apostrophes, and Latin letters among Cyrillic ones."""
    assert rows(tokeniser, [typed]).tolist() == rows(tokeniser, [plain]).tolist()


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a cat", "a cat"),
        ("кот c a cat", "кот c a cat"),
        ("йод", "йод"),
        ("Café Việt", "café việt"),
        ("ein Mädchen", "ein mädchen"),
    ],
    ids=str,
)
def test_letters_that_mean_something_stay(tokeniser, text, kept):
    assert Tokenizer.from_str(tokeniser).normalizer.normalize_str(text) == kept


def test_a_whole_sentence_without_spaces_is_never_one_subword(tokeniser):
    told = Tokenizer.from_str(train_tokeniser(["一只狗在雪地里"] * 50, 400, 32)).encode("一只狗在雪地里")
    assert sum(token > 2 for token in told.ids) == 2


def test_no_text_is_unknown_and_rows_have_one_length(tokeniser):
    texts = ["", "🐕 на снегу", "dog " * 50]
    found = rows(tokeniser, texts)
    assert found.shape == (3, 32)
    assert found[0].tolist() == [1, 2] + [0] * 30
    assert Tokenizer.from_str(tokeniser).decode(found[1]).strip() == "🐕 на снегу"
