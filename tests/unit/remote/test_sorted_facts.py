from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from lookalike.remote.contract import RemoteItem
from lookalike.remote.sorted_facts import MOMENT, NUMBER, TEXT, behind_all_at, fact, facts_of, first_at, number_bytes

NUMBERS = st.one_of(
    st.floats(allow_nan=False), st.integers(), st.integers(-(10**320), 10**320), st.integers(2**53 - 5, 2**53 + 5)
)


def within_floats(value):
    try:
        float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
    return value


@given(NUMBERS, NUMBERS)
def test_numbers_whole_and_broken_are_in_the_order_of_their_values(one, other):
    """Exactly; whole numbers beyond all floats are as infinite ones."""
    values = [within_floats(each) for each in (one, other)]
    its = [number_bytes(each) for each in (one, other)]
    assert (its[0] < its[1], its[0] == its[1]) == (values[0] < values[1], values[0] == values[1])


def test_facts_of_one_place_are_no_others():
    """Not of a place whose name goes on, nor of another type."""
    item = RemoteItem(
        "1", "/p/a.b.JPG", b"/p", b"a.b.JPG", 5, 7, None, None, 4, None, "", {"a": 1, "a\xfe": 2, "ab": "x"}
    )
    facts = facts_of(item)
    assert facts == sorted(set(facts))
    for tag, place, count in (
        (NUMBER, "metadata.a", 1),
        (TEXT, "metadata.a", 1),
        (TEXT, "metadata.ab", 1),
        (NUMBER, "metadata.ab", 0),
        (MOMENT, "modified", 1),
        (TEXT, "modified", 0),
        (TEXT, "height", 0),
        (TEXT, "format", 0),
    ):
        assert sum(first_at(tag, place) <= each < behind_all_at(tag, place) for each in facts) == count, (tag, place)
    assert fact(TEXT, "extension", b"jpg") in facts
    assert fact(TEXT, "folder", b"/p") in facts
