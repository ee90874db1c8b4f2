"""Choices of the page become filters of the language, whatever is in them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookalike.core.conditions import And, Compare, In
from lookalike.engine.fields import FieldFacts
from lookalike.engine.filter_language import parse
from lookalike.service.facets import Facet, choices_in, counted, facets_of, filter_of

KINDS = {"price": "float", "colour": "text", "taken": "date"}


def test_choices_of_one_field_are_joined_by_or_and_fields_by_and():
    choices = choices_in([("f.colour", "red"), ("q", "x"), ("f.colour", "light blue"), ("f.price", "10..50")])
    condition = parse(filter_of(choices, None), KINDS)
    assert condition == parse('colour in (red, "light blue") and price >= 10 and price <= 50', KINDS)


def test_an_open_range_has_one_end_and_an_empty_one_says_nothing():
    assert parse(filter_of(choices_in([("f.price", "10..")]), None), KINDS) == Compare("price", ">=", 10)
    assert filter_of(choices_in([("f.price", "..")]), None) is None


def test_the_filter_of_the_address_is_kept_whole():
    condition = parse(filter_of({"colour": ["red"]}, "price < 5 or price > 9"), KINDS)
    assert isinstance(condition, And)
    assert condition.parts[1] == In("colour", ("red",))


@given(st.text(min_size=1, max_size=30).filter(lambda text: ".." not in text and text.strip()))
def test_no_value_is_more_than_a_value(value):
    try:
        condition = parse(filter_of({"colour": [value]}, None), KINDS)
    except ValueError as error:  # pragma: no cover - shown by hypothesis
        pytest.fail(str(error))
    assert isinstance(condition, In)
    assert condition.field == "colour"


def test_facets_show_what_people_pick_from_and_keep_what_was_picked():
    facts = [
        FieldFacts("title", "text", 9, frequent=(("a", 2),), distinct=9),
        FieldFacts("colour", "text", 9, frequent=(("red", 5), ("blue", 4)), distinct=2),
        FieldFacts("sku", "text", 9, frequent=(("x1", 1),), distinct=9),
        FieldFacts("price", "float", 9, least=1.0, most=20.0),
        FieldFacts("rating", "int", 9, least=3, most=3),
    ]
    found = {facet.name: facet for facet in facets_of(facts, {"colour": ["blue", "gold"], "price": ["2..5"]})}
    assert set(found) == {"colour", "price"}
    assert found["colour"].values == (("red", 5, False), ("blue", 4, True), ("gold", 0, True))
    assert (found["price"].start, found["price"].end, found["price"].least) == ("2", "5", "1")


def test_counts_are_under_what_was_chosen_of_the_other_fields():
    asked = []

    def facts_under(where, *, most, names):
        asked.append((where, names))
        found = {"colour": (("red", 3), ("blue", 2)), "kind": (("shoe", 1),), "shop": ()}
        return [FieldFacts(name, "text", 5, frequent=found[name], distinct=2) for name in names]

    offered = [
        Facet("colour", "text", (("red", 9, False),)),
        Facet("kind", "text", (("shoe", 9, True),)),
        Facet("shop", "text", (("a", 9, False),)),
        Facet("price", "float", least="1", most="9"),
    ]
    choices = {"kind": ["shoe", "hat"], "price": ["2..5"]}
    found = {facet.name: facet.values for facet in counted(offered, choices, None, facts_under)}
    in_range = '`price` >= "2" and `price` <= "5"'
    assert asked == [(f'`kind` in ("shoe", "hat") and {in_range}', ["colour", "shop"]), (in_range, ["kind"])]
    assert found == {
        "colour": (("red", 3, False), ("blue", 2, False)),
        "kind": (("shoe", 1, True), ("hat", 0, True)),
        "price": (),
    }


def test_few_values_are_shown_at_once_and_the_chosen_ones_always():
    facet = Facet("colour", "text", tuple((str(number), 20 - number, number == 11) for number in range(12)))
    assert [value for value, _, _ in facet.at_once] == ["0", "1", "2", "3", "4", "5", "11"]
    assert [value for value, _, _ in facet.further] == ["6", "7", "8", "9", "10"]


def test_a_filter_alone_stays_as_it_was_typed():
    assert filter_of({}, "price < ( 5") == "price < ( 5"
