"""What is a sign, what belongs together, what is a picture; and errors point at the place."""

from __future__ import annotations

from pathlib import Path

import pytest

from lookalike.core.errors import QueryError
from lookalike.core.records import Crop, PictureAt, Term
from lookalike.engine.query_language import MAX_TERMS, parse_query


def picture_at(word):
    """Every name that ends like a picture is one."""
    return Path(word) if word.endswith((".jpg", ".png")) else None


def parsed(given, **functions):
    return [(term.kind, term.value, term.weight) for term in parse_query(given, **functions)]


PHRASES = [
    "t-shirt",
    "a dog in the snow",
    "C++",
    "-20 degrees",
    "black-and-white",
    "dog +cat",
    "dog- cat",
    "AT&T",
    "16:9 wallpaper",
    "4:30 pm",
    "2001: a space odyssey",
    "5:",
    "1:1",
    "item: a list",
    'the "best" dog',
    "собака-поводырь",
    "a – b",
    "words [1,2,3,4]",
    "50% off",
    "https",
    "e = m c ^ 2",
]


@pytest.mark.parametrize("phrase", PHRASES)
def test_plain_words_are_plain_words(phrase):
    assert parsed(phrase) == parsed([phrase]) == parsed([phrase], picture_at=picture_at) == [("text", phrase, 1)]


@pytest.mark.parametrize("words", [["a", "dog", "in", "the", "snow"], ["a dog", "in the snow"]])
def test_words_of_a_command_line_without_a_sign_are_one_phrase(words):
    assert parsed(words) == [("text", "a dog in the snow", 1)]


def test_the_query_of_the_manual():
    words = ["golden retriever", "+", "./pool.jpg", "-", "fruit"]
    terms = [
        ("text", "golden retriever", 1),
        ("picture", PictureAt(Path("pool.jpg")), 1),
        ("text", "fruit", -1),
    ]
    assert parsed(words, picture_at=picture_at) == terms
    assert parsed('"golden retriever" + ./pool.jpg - fruit', picture_at=picture_at) == terms
    assert parsed("golden retriever + ./pool.jpg - fruit", picture_at=picture_at) == terms


def test_in_a_list_an_element_is_quoted_in_a_text_quotes_are():
    assert parsed(["black", "-", "white"]) == parsed("black - white") == [("text", "black", 1), ("text", "white", -1)]
    assert parsed(["black - white"]) == parsed('"black - white"') == [("text", "black - white", 1)]
    assert parsed(['"black"']) == [("text", '"black"', 1)]


@pytest.mark.parametrize("quoted", ['"a - b"', "“a - b”", "„a - b“", "„a - b”", "«a - b»"])
def test_quotes_of_all_keyboards_make_words(quoted):
    assert parsed(f"dog + {quoted} - 2:{quoted}") == [("text", "dog", 1), ("text", "a - b", 1), ("text", "a - b", -2)]


def test_in_quotes_nothing_is_a_picture_an_item_or_a_weight():
    assert parsed('"a.jpg" + "item:5" + "2:dog"', picture_at=picture_at) == [
        ("text", "a.jpg", 1),
        ("text", "item:5", 1),
        ("text", "2:dog", 1),
    ]


def test_weights():
    given = '2:dog + 0.5:./a.jpg - .25:item:x7 + 3:"9 balls"'
    expected = [("text", 2), ("picture", 0.5), ("item", -0.25), ("text", 3)]
    assert [(kind, weight) for kind, _, weight in parsed(given, picture_at=picture_at)] == expected
    assert parsed(["2:golden", "retriever", "-", "cat"]) == [("text", "golden retriever", 2), ("text", "cat", -1)]


def test_items_also_with_blanks_in_their_ids():
    assert parsed("item:abc - item:d/2") == [("item", "abc", 1), ("item", "d/2", -1)]
    assert parsed(["item:SKU 12"]) == parsed('item:"SKU 12"') == [("item", "SKU 12", 1)]


def test_several_pictures_and_names_with_blanks():
    pictures = [("picture", PictureAt(Path("my pool.jpg")), 1), ("picture", PictureAt(Path("b.png")), -1)]
    assert parsed("my pool.jpg - b.png", picture_at=picture_at) == pictures
    assert parsed(["my pool.jpg", "-", "b.png"], picture_at=picture_at) == pictures


@pytest.mark.parametrize(
    ("text", "crop"),
    [
        ("./a.jpg[1,2,30,40]", Crop(1, 2, 30, 40)),
        ("./a.jpg[ 1.5, 0, 30, 40 ]", Crop(1.5, 0, 30, 40)),
        ("./a.jpg[10%,20%,50%,50%]", Crop(10, 20, 50, 50, percent=True)),
    ],
)
def test_a_part_of_a_picture(text, crop):
    expected = Term("picture", PictureAt(Path("a.jpg"), crop), 1.0, label=text)
    assert parse_query(text, picture_at=picture_at) == parse_query([text], picture_at=picture_at) == (expected,)


def test_without_the_functions_there_are_words_and_items_only():
    assert parsed("./a.jpg + /etc/passwd + item:5") == [
        ("text", "./a.jpg", 1),
        ("text", "/etc/passwd", 1),
        ("item", "5", 1),
    ]
    with pytest.raises(QueryError, match="not fetched"):
        parse_query("dog + https://example.org/a.jpg")


def test_addresses_are_fetched_by_the_function_given():
    terms = parse_query(["http://x.org/a.jpg[1%,2%,3%,4%]", "-", "HTTPS://x.org"], fetch=str.encode)
    assert terms[0].value == PictureAt(b"http://x.org/a.jpg", Crop(1, 2, 3, 4, percent=True))
    assert terms[1].value == PictureAt(b"HTTPS://x.org")


def test_all_terms_may_be_taken_away():
    assert parsed("- fruit - meat") == [("text", "fruit", -1), ("text", "meat", -1)]


@pytest.mark.parametrize(
    ("given", "message", "caret"),
    [
        ("dog + ", "nothing follows", 4),
        ("-", "nothing follows", 0),
        ("dog + - cat", "two signs in a row", 6),
        (["dog", "-", "-", "cat"], "two signs in a row", 6),
        ("dog - 0:cat", "a weight is", 6),
        ("101:cat", "a weight is", 0),
        ('dog + "cat', "never closed", 6),
        ('dog + ""', "nothing between the quotes", 6),
        ("dog + a.jpg[1,2]", "a part of a picture is", 11),
        ("a.jpg[1,2,3%,4]", "a part of a picture is", 5),
        ("a.jpg[-1,2,3,4]", "a part of a picture is", 5),
        ("a.jpg[]", "a part of a picture is", 5),
        ("a.jpg[1,2,0,4]", "has no size", 5),
        (["dog", "a.jpg"], "is not words", 4),
        (["2:a.jpg", "dog"], "is not words", 0),
        (["cat", "+", "dog", "item:5"], "is not words", 10),
        (" + ".join(["dog"] * (MAX_TERMS + 1)), "at most 50 terms", 300),
    ],
)
def test_an_error_points_at_the_place(given, message, caret):
    with pytest.raises(QueryError, match=message) as caught:
        parse_query(given, picture_at=picture_at)
    whole = given if isinstance(given, str) else " ".join(given)
    _, excerpt, pointer = str(caught.value).split("\n")
    pointed = pointer.index("^")
    assert excerpt[pointed:].rstrip().startswith(whole[caret : caret + 10].rstrip()) or len(whole) > 100
    assert len(whole) > 100 or pointed == caret + 2


@pytest.mark.parametrize("given", ["", "  ", "\n", [], [""], ["", " "]])
def test_an_empty_query_is_an_error(given):
    with pytest.raises(QueryError, match="empty"):
        parse_query(given)
