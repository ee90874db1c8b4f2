"""Text becomes the condition it says, and mistakes are shown where they are, with the remedy."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lookalike.core.conditions import And, Compare, Contains, Has, In, Moments, Not, Or
from lookalike.core.errors import FilterError
from lookalike.core.fields import FIELDS as FIELDS_OF_ALL
from lookalike.engine.filter_language import EXAMPLE, MAX_CHARACTERS, MAX_COMPARISONS, MAX_DEPTH, parse, unparse

FIELDS = {
    "price": "float",
    "stock": "int",
    "size": "int",
    "sold": "bool",
    "colour": "text",
    "folder": "text",
    "tags": "texts",
    "taken": "date",
    "Artist": "text",
    "цена за кг": "int",
    "кольор": "text",
    "metadata.name": "text",
}
DOCUMENTS = Path(__file__).parents[3] / "docs"
NOW = datetime(2024, 3, 31, 23, 30, tzinfo=UTC)
DAY = 86_400 * 10**9
MAY_3 = 19_846 * DAY
HOUR = DAY // 24

red, cheap, beach = Compare("colour", "=", "red"), Compare("price", "<", 50), Compare("tags", "=", "beach")


def said(text: str):
    return parse(text, FIELDS, NOW)


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("price < 50", cheap),
        ("colour=red", red),
        ("COLOUR = 'red'", red),
        ('colour = "red"', red),
        ("colour = “red”", red),
        ("colour = «red»", red),
        ("colour == red", red),
        ("colour <> red", Compare("colour", "!=", "red")),
        ("price ≤ 2.5", Compare("price", "<=", 2.5)),
        ("price>=-1e3", Compare("price", ">=", -1000.0)),
        ("stock = 5", Compare("stock", "=", 5)),
        ("stock < 99999999999999999999", Compare("stock", "<", 1e20)),
        ("price < 50 and colour = red or tags = beach", Or((And((cheap, red)), beach))),
        ("price < 50 AND (colour = red Or tags = beach)", And((cheap, Or((red, beach))))),
        ("not price < 50 and colour = red", And((Not(cheap), red))),
        ("not (price < 50 and colour = red)", Not(And((cheap, red)))),
        ("not not price < 50", Not(Not(cheap))),
        ("colour in (red, 'light blue')", In("colour", ("red", "light blue"))),
        ("colour not in (red)", Not(In("colour", ("red",)))),
        ("stock in(1,2)", In("stock", (1, 2))),
        ("folder ~ \"C:\\new 'x'\"", Contains("folder", "C:\\new 'x'")),
        ("folder !~ x or folder not ~ x", Or((Not(Contains("folder", "x")), Not(Contains("folder", "x"))))),
        ("has price", Has("price")),
        ("sold = yes or sold != FALSE", Or((Compare("sold", "=", True), Compare("sold", "!=", False)))),
        ("`цена за кг` > 5", Compare("цена за кг", ">", 5)),
        ("КОЛЬОР = червоний", Compare("кольор", "=", "червоний")),
        ("artist = Кам'янець", Compare("Artist", "=", "Кам'янець")),
        (
            "colour = 'it''s' or colour = \"a\"\"b\"",
            Or((Compare("colour", "=", "it's"), Compare("colour", "=", 'a"b'))),
        ),
        ("file.size < 10 MB", Compare("file.size", "<", 10_000_000)),
        ("size < 1.5KiB", Compare("size", "<", 1536)),
        ("metadata.colour = red", Compare("metadata.colour", "=", "red")),
        ("metadata.name = x", Compare("metadata.name", "=", "x")),
        ("colour = 2024-05", Compare("colour", "=", "2024-05")),
        ("colour = 'and'", Compare("colour", "=", "and")),
        ("colour = android and has price", And((Compare("colour", "=", "android"), Has("price")))),
    ],
)
def test_what_text_says(text, condition):
    assert said(text) == condition
    assert said(unparse(condition)) == condition


@pytest.mark.parametrize(
    ("text", "moments"),
    [
        ("2024", Moments(19_723 * DAY, 20_089 * DAY)),
        ("2024-05", Moments(MAY_3 - 2 * DAY, MAY_3 + 29 * DAY)),
        ("2024-05-03", Moments(MAY_3, MAY_3 + DAY)),
        ("2024-5-3", Moments(MAY_3, MAY_3 + DAY)),
        ("2024-05-03T17", Moments(MAY_3 + 17 * HOUR, MAY_3 + 18 * HOUR)),
        ("2024-05-03 17:20", Moments(MAY_3 + 17 * HOUR + HOUR // 3, MAY_3 + 17 * HOUR + HOUR // 3 + HOUR // 60)),
        ("2024-05-03T17:20:30Z", Moments(MAY_3 + 62_430 * 10**9, MAY_3 + 62_431 * 10**9)),
        ("2024-05-03T17:20:30.25", Moments(MAY_3 + 6_243_025 * 10**7, MAY_3 + 6_243_026 * 10**7)),
        ("2024-05-03T01:00+03:00", Moments(MAY_3 - 2 * HOUR, MAY_3 - 2 * HOUR + HOUR // 60)),
        ("today", Moments(19_813 * DAY, 19_814 * DAY)),
        ("yesterday", Moments(19_812 * DAY, 19_813 * DAY)),
        ("-7d", Moments(19_806 * DAY, 19_807 * DAY)),
        ("-2w", Moments(19_799 * DAY, 19_800 * DAY)),
        ("-1m", Moments(19_782 * DAY, 19_783 * DAY)),
        ("-1y", Moments(19_447 * DAY, 19_448 * DAY)),
    ],
)
def test_a_date_is_all_the_time_that_it_means(text, moments):
    condition = Compare("taken", "=", moments)
    assert said(f"taken = {text}") == condition
    assert said(f"taken in ('{text}')") == In("taken", (moments,))
    assert said(unparse(condition)) == condition


@pytest.mark.parametrize(
    ("text", "at", "message", "hint"),
    [
        ("colr = red", "colr", "there is no field colr", "did you mean colour?"),
        ("has кольр", "кольр", "there is no field кольр", "did you mean кольор?"),
        ("50 > price", "50", "there is no field 50", "the field comes first"),
        ("xyz = 1", "xyz", "there is no field xyz", "lookalike fields"),
        ("price < fifty", "fifty", "price is a number", "write 50"),
        ("price < 1e999", "1e999", "price is a number", "write 50"),
        ("size < 10 MBs", "10", "size is a number", "5 MB"),
        ("sold = maybe", "maybe", "sold is yes or no", "yes or no"),
        ("sold > yes", ">", "> does not compare", ""),
        ("price ~ 5", "price", "looks inside text", "compare it"),
        ("taken = 03.05.2024", "03", "taken is a date", "2024-05-03"),
        ("taken = 2024-02-30", "2024", "taken is a date", "2024-05-03"),
        ("taken < 1500", "1500", "from 1678 to 2261", ""),
        ("taken > -99999y", "-99999y", "taken is a date", ""),
        ("colour = light blue", "light", "several words", 'quotes: "light blue"'),
        ("folder ~ new york", "new", "several words", 'quotes: "new york"'),
        ("price < 50 colour = red", "= red", "and, or, or the end", "and missing before colour"),
        ("price < 50 && colour = red", "= red", "and, or, or the end", "and instead of &&"),
        ("colour like red", "like", "~ or in", "~ instead of like"),
        ("colour = in", "in", "a value", 'in quotes: "in"'),
        ("price < 2,5", ",", "and, or, or the end", "point"),
        ("colour in red", "red", "a list in parentheses", ""),
        ("colour in (red", None, "a comma or )", ""),
        ("(price < 5", None, "and, or, or )", ""),
        ("price <", None, "a value", ""),
        ("colour", None, "=, !=", EXAMPLE),
        ("colour:red", None, "=, !=", "colour = red"),
        ("and price < 5", "and", "a field", ""),
        ("colour = 'red", "'red", "not closed", "twice"),
        ("price ! 5", "!", "no meaning", "!="),
        ("", "", "empty", EXAMPLE),
        ("  ", "", "empty", EXAMPLE),
    ],
)
def test_a_mistake_is_shown_where_it_is_with_its_remedy(text, at, message, hint):
    with pytest.raises(FilterError) as caught:
        said(text)
    error = caught.value
    assert message in str(error)
    assert hint in error.hint
    assert error.position == (len(text) if at is None else text.index(at))
    if text.strip():
        shown, caret = str(error).splitlines()[-2:]
        assert shown.strip() == text
        assert caret.index("^") - shown.index(text) == error.position


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a" * (MAX_CHARACTERS + 1), "characters"),
        (" and ".join(["has price"] * (MAX_COMPARISONS + 1)), "comparisons"),
        ("not " * (MAX_DEPTH + 1) + "has price", "inside each other"),
    ],
)
def test_what_is_too_much_is_refused(text, message):
    with pytest.raises(FilterError, match=message):
        said(text)


def test_the_most_that_is_allowed_is_understood():
    assert said(" and ".join(["has price"] * MAX_COMPARISONS)) == And((Has("price"),) * MAX_COMPARISONS)
    assert isinstance(said("not " * MAX_DEPTH + "has price"), Not)


EXAMPLES = re.findall(
    r"^```filter\n(.*?)^```$", (DOCUMENTS / "filters.md").read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
)


@pytest.mark.parametrize("text", [line for block in EXAMPLES for line in block.splitlines()])
def test_examples_of_the_documents_are_understood(text):
    fields = {**FIELDS_OF_ALL, **FIELDS, "in_stock": "bool", "discount": "int", "metadata.size": "text"}
    condition = parse(text, fields, NOW)
    assert parse(unparse(condition), fields, NOW) == condition


@pytest.mark.parametrize("condition", [And(()), Or((red,)), In("colour", ()), Compare("taken", "=", Moments(1, 5))])
def test_what_no_text_says_cannot_be_written(condition):
    with pytest.raises(ValueError):
        unparse(condition)
