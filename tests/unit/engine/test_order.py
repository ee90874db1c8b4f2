"""Sorting by fields: missing values last, ties stable, values compared as filters do."""

from __future__ import annotations

import pytest

from lookalike.core.errors import QueryError
from lookalike.core.fields import FIELDS
from lookalike.core.records import Hit
from lookalike.engine.order import SortKey, order_by, parse_order

FIELDS_HERE = {**FIELDS, "price": "float", "brand": "text"}


def hit(id, score=0.5, **metadata):
    relevance = metadata.pop("relevance", None)
    uri = metadata.pop("uri", f"/photos/{id}.jpg")
    return Hit(1, score, relevance, id, uri, metadata.pop("width", None), None, metadata)


def ids(hits, *keys, declared=None, **functions):
    ordered = order_by(hits, keys, declared, **functions)
    assert [each.rank for each in ordered] == list(range(1, len(ordered) + 1))
    return "".join(each.id for each in ordered)


def test_what_is_missing_comes_last_in_both_directions():
    hits = [hit("a"), hit("b", price=3), hit("c", price=None), hit("d", price=1.5), hit("e", price=float("nan"))]
    assert ids(hits, SortKey("price"), declared={"price": "float"}) == "dbace"
    assert ids(hits, SortKey("price", descending=True), declared={"price": "float"}) == "bdace"


def test_ties_keep_their_order_and_the_next_key_decides():
    hits = [hit("a", n=1, m=1), hit("b", n=0, m=1), hit("c", n=1, m=0), hit("d", n=0, m=1)]
    assert ids(hits, SortKey("n")) == "bdac"
    assert ids(hits, SortKey("n", descending=True)) == "acbd"
    assert ids(hits, SortKey("n", descending=True), SortKey("m")) == "cabd"


def test_dates_compare_as_moments_not_as_text():
    hits = [
        hit("a", taken="2024-05-03T10:00:00+02:00"),
        hit("b", taken="2024-05-03T09:00:00"),
        hit("c", taken="2024-05-03 07:59:59Z"),
        hit("d", taken="some day"),
        hit("e"),
    ]
    assert ids(hits, SortKey("taken")) == "cabde"
    assert ids(hits, SortKey("taken", descending=True)) == "bacde"


def test_text_compares_without_capitals_and_numbers_as_numbers():
    assert ids([hit("a", brand="zeta"), hit("b", brand="Alpha"), hit("c", brand="beta")], SortKey("brand")) == "bca"
    assert (
        ids([hit("a", price=10), hit("b", price=9), hit("c", price="8")], SortKey("price"), declared={"price": "int"})
        == "bac"
    )
    assert ids([hit("a", x="10"), hit("b", x=9), hit("c", x=True)], SortKey("x")) == "cba"


def test_of_several_values_the_least_or_the_greatest_counts():
    hits = [hit("a", tags=["m"]), hit("b", tags=["z", "b"]), hit("c", tags=[])]
    assert ids(hits, SortKey("tags")) == "bac"
    assert ids(hits, SortKey("tags", descending=True)) == "bac"


def test_facts_of_the_hit_and_of_its_file():
    hits = [
        hit("a", 0.1, uri="/x/Z.png", width=10),
        hit("b", 0.9, uri="/y/a.jpg", width=5),
        hit("c", 0.5, relevance=0.2),
    ]
    assert ids(hits, SortKey("width")) == "bac"
    assert ids(hits, SortKey("name")) == "bca"
    assert ids(hits, SortKey("folder"), SortKey("id")) == "cab"
    assert ids(hits, SortKey("extension")) == "bca"
    assert ids(hits, SortKey("score", descending=True)) == "bca"
    assert ids(hits, SortKey("relevance", descending=True)) == "cab"
    assert ids(hits, SortKey("size"), fact_of=lambda each, name: {"size": ord(each.id)}[name]) == "abc"
    assert ids(list(reversed(hits)), SortKey("size")) == "cba"


def test_a_catalogues_column_goes_before_the_fact_of_that_name():
    hits = [hit("a", width=5), hit("b", width=9)]
    hits = [Hit(1, 0.5, None, each.id, each.uri, each.width, None, {"width": -each.width}) for each in hits]
    assert ids(hits, SortKey("width")) == "ab"
    assert ids(hits, SortKey("width"), declared={"width": "int"}) == "ba"
    assert ids(hits, SortKey("file.width"), declared={"width": "int"}) == "ab"


def test_an_order_is_read():
    assert parse_order("taken DESC, price", FIELDS_HERE) == (SortKey("taken", descending=True), SortKey("price"))
    assert parse_order("relevance,score asc", FIELDS_HERE) == (SortKey("relevance", descending=True), SortKey("score"))
    assert parse_order("file.size, metadata.brand", FIELDS_HERE) == (SortKey("file.size"), SortKey("metadata.brand"))


@pytest.mark.parametrize(
    ("text", "message", "hint", "caret"),
    [
        ("prise", "no field prise", "price", 0),
        ("taken, rellevance desc", "no field rellevance", "relevance", 7),
        ("zzzzzz", "no field", "lookalike fields", 0),
        ("", "names of fields", "taken desc", 0),
        ("price,", "names of fields", "taken desc", 6),
        ("price upwards", "names of fields", "taken desc", 0),
    ],
)
def test_an_order_that_cannot_be_read_is_pointed_at(text, message, hint, caret):
    with pytest.raises(QueryError, match=message) as caught:
        parse_order(text, FIELDS_HERE)
    assert hint in caught.value.hint
    assert str(caught.value).splitlines()[-1].index("^") == caret + 2
