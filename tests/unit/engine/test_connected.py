"""A part that is told to make one group makes that group, whichever of its items is kept."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from lookalike.core.records import LIKENESS_KINDS
from lookalike.engine.connected import Part, parts
from lookalike.engine.grouping import groups
from lookalike.store.likenesses import PairRecord

PICTURES = 7


def pair(first: int, second: int, kind: str = "copy") -> PairRecord:
    return PairRecord(first, second, kind, 0.9, "", 1)


def test_pictures_that_are_all_alike_in_one_way_make_one_group():
    found = parts([pair(1, 2), pair(4, 5), pair(1, 3), pair(2, 3)], [6], [], LIKENESS_KINDS)
    assert found == [Part((1, 2, 3), "copy"), Part((4, 5), "copy"), Part((6,), "same")]


def test_what_is_kept_decides_in_chains_in_mixtures_and_after_decisions():
    assert parts([pair(1, 2), pair(2, 3)], [], [], LIKENESS_KINDS) == [Part((1, 2, 3), None)]
    mixed = [pair(1, 2), pair(1, 3, "edited"), pair(2, 3, "edited")]
    assert parts(mixed, [], [], LIKENESS_KINDS) == [Part((1, 2, 3), None)]
    assert parts([pair(1, 2)], [3], [2, 3], LIKENESS_KINDS) == [Part((1, 2), None), Part((3,), None)]


def test_shots_that_lie_in_several_places_make_more_than_one_group():
    burst = pair(1, 2, "burst")
    assert parts([burst], [1], [], LIKENESS_KINDS) == [Part((1, 2), None)]
    assert parts([burst], [1], [], ["burst"]) == [Part((1, 2), "burst")]


_pairs = st.lists(
    st.tuples(st.integers(1, PICTURES), st.integers(1, PICTURES), st.sampled_from(LIKENESS_KINDS[1:])),
    max_size=9,
    unique_by=lambda each: (min(each[:2]), max(each[:2])),
)


@settings(max_examples=300)
@given(
    drawn=_pairs,
    several=st.sets(st.integers(1, PICTURES), max_size=3),
    kinds=st.sets(st.sampled_from(LIKENESS_KINDS), min_size=1),
    data=st.data(),
)
def test_any_order_of_items_makes_the_group_that_was_told(drawn, several, kinds, data):
    pairs = [pair(min(a, b), max(a, b), kind) for a, b, kind in drawn if a != b and kind in kinds]
    found = parts(pairs, several, [], kinds)
    pictures = [picture for part in found for picture in part.pictures]
    assert len(pictures) == len(set(pictures))
    items = {number: [f"{number}a", f"{number}b"][: 1 + (number in several)] for number in range(1, PICTURES + 1)}
    ids = [id for its in items.values() for id in its]
    rank = {id: place for place, id in enumerate(data.draw(st.permutations(ids)))}
    made = groups(pairs, items, rank, kinds=kinds)
    for part in found:
        inside = [group for group in made if {item.picture for item in group.items} & set(part.pictures)]
        assert all({item.picture for item in group.items} <= set(part.pictures) for group in inside)
        if part.kind is not None:
            (group,) = inside
            assert (group.kind, sorted({item.picture for item in group.items})) == (part.kind, [*part.pictures])
    assert all(any(set(part.pictures) >= {item.picture for item in group.items} for part in found) for group in made)
