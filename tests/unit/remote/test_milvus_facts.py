"""Facts as text for Milvus: the order of the values, parts as parts of the whole, and no character with a meaning."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from lookalike.remote.contract import RemoteItem
from lookalike.remote.milvus_facts import (
    coded,
    coded_moment,
    in_several,
    key_of,
    moment_beginnings,
    prepared_facts,
    several_of,
    token,
)
from lookalike.remote.sorted_facts import TEXT, utf8

TEXTS = st.text(st.characters(exclude_categories=()), max_size=8) | st.text(
    "a-0=A`~ \ud7ff\ud800\ue000\ue0ff\ue100", max_size=6
)
MOMENTS = st.integers(-(2**63), 2**63 - 1)


@given(TEXTS, TEXTS)
def test_coded_text_has_the_order_of_its_utf8(one, other):
    assert (coded(one).encode() < coded(other).encode()) == (utf8(one) < utf8(other))
    assert (coded(one) == coded(other)) == (one == other)


@given(TEXTS, TEXTS)
def test_a_part_is_coded_as_a_part_of_the_whole_and_nothing_else_is(part, whole):
    assert (coded(part) in coded(whole)) == (part in whole)


@given(TEXTS)
def test_coded_text_and_keys_hold_nothing_that_a_filter_gives_a_meaning(text):
    assert not set(coded(text)) & set("\"'\\%_ :\0\n\r")
    assert key_of(TEXT, text).isascii()
    assert key_of(TEXT, text).isidentifier()
    assert token("s", text).isalnum()


@given(st.text(max_size=5), st.text(max_size=5))
def test_different_fields_have_different_keys(one, other):
    assert (key_of(TEXT, one) == key_of(TEXT, other)) == (one == other)


@given(MOMENTS, MOMENTS, MOMENTS)
def test_moments_have_the_order_of_time_and_the_beginnings_of_exactly_the_time_asked_for(one, first, behind):
    assert (coded_moment(one) < coded_moment(first)) == (one < first)
    beginnings = tuple(moment_beginnings(coded_moment(first), coded_moment(behind)))
    assert coded_moment(one).startswith(beginnings) == (first <= one < behind)


def test_a_day_a_month_and_a_year_are_one_beginning():
    for first, behind in (((2024, 5, 3), (2024, 5, 4)), ((2024, 12, 1), (2025, 1, 1)), ((2024, 1, 1), (2025, 1, 1))):
        times = [int(datetime(*day, tzinfo=UTC).timestamp()) * 10**9 for day in (first, behind)]
        assert len(list(moment_beginnings(*map(coded_moment, times)))) == 1


def test_several_values_of_fields_whose_keys_look_alike_to_like_stay_apart():
    assert "_" not in in_several(key_of(TEXT, "metadata.x y"), ":a")
    assert in_several(key_of(TEXT, "x y"), ":a") != in_several(key_of(TEXT, "xA20By"), ":a")


def test_one_value_stands_alone_and_several_with_the_least_and_the_most():
    item = RemoteItem("a", "/x", b"", b"", 1, 0, None, None, None, None, "", metadata={"c": ["red", "Blue"], "d": "x"})
    facts = prepared_facts(item)
    key = key_of(TEXT, "metadata.c")
    assert facts[key_of(TEXT, "metadata.d")] == ":x"
    assert several_of(facts) == f" {in_several(key, ':blue')} {in_several(key, ':red')} "
    assert (facts[key], facts[f"least_{key}"], facts[f"most_{key}"]) == (" :blue :red ", ":blue", ":red")
