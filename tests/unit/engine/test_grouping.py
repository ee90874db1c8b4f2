"""Groups are stars around what is rather kept, whatever the order of the pairs."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from lookalike.core.records import LIKENESS_KINDS
from lookalike.engine.grouping import groups, unjudged
from lookalike.store.likenesses import PairRecord

PICTURES = 8


def pair(first: int, second: int, kind: str = "copy", sure: float = 0.9) -> PairRecord:
    return PairRecord(first, second, kind, sure, f"{kind} of each other", 1)


def items_of(*pictures: int) -> dict[int, list[str]]:
    return {picture: [f"item{picture}"] for picture in pictures}


def rank_of(items: dict[int, list[str]]) -> dict[str, int]:
    """Lower numbers of pictures are rather kept."""
    return {id: place for place, id in enumerate(id for picture in sorted(items) for id in items[picture])}


def members(made) -> list[list[str]]:
    return [[item.id for item in group.items] for group in made]


def grouped(pairs, items=None, **options):
    items = items or items_of(*range(1, PICTURES))
    return groups(pairs, items, rank_of(items), **options)


def test_a_chain_is_no_group():
    made = grouped([pair(1, 2), pair(2, 3), pair(3, 4)])
    assert members(made) == [["item1", "item2"], ["item3", "item4"]]


def test_the_one_rather_kept_is_the_centre():
    items = items_of(1, 2, 3)
    made = groups([pair(1, 3), pair(2, 3)], items, {"item3": 0, "item1": 1, "item2": 2})
    assert members(made) == [["item3", "item1", "item2"]]


def test_a_group_is_of_its_weakest_kind_and_as_sure_as_its_least_sure_pair():
    made = grouped([pair(1, 2, "copy", 0.6), pair(1, 3, "edited", 0.8), pair(1, 4, "edited", 0.7)])
    assert (made[0].kind, made[0].sure, made[0].why) == ("edited", 0.7, "edited of each other")
    assert [item.kind for item in made[0].items[1:]] == ["edited", "edited", "copy"]


def test_items_of_one_picture_are_the_same():
    made = grouped([], {1: ["a", "b"], 2: ["c"]})
    assert members(made) == [["a", "b"]]
    assert (made[0].kind, made[0].sure) == ("same", 1.0)


def test_copies_of_one_shot_are_one_shot_of_a_burst():
    made = grouped([pair(1, 2), pair(1, 3, "burst"), pair(2, 3, "burst")])
    assert members(made) == [["item1", "item2"], ["item1", "item3"]]
    assert [group.kind for group in made] == ["copy", "burst"]


def test_what_was_decided_apart_is_in_no_group_of_the_other():
    made = grouped([pair(1, 2), pair(1, 3), pair(2, 3)], apart={frozenset(("item1", "item2"))})
    assert members(made) == [["item1", "item3"]]


def test_equal_files_that_were_decided_apart_stay_apart():
    assert not grouped([], {1: ["a", "b"]}, apart={frozenset(("a", "b"))})


def test_only_pairs_of_the_kinds_asked_for_count():
    pairs = [pair(1, 2, "copy"), pair(1, 3, "edited"), pair(4, 5, "burst")]
    assert members(grouped(pairs, kinds=["copy"])) == [["item1", "item2"]]
    assert members(grouped(pairs, kinds=["burst"])) == [["item4", "item5"]]


def test_pairs_of_pictures_that_are_seen_nowhere_count_for_nothing():
    assert not grouped([pair(1, 2)], items_of(1))


def test_two_that_are_like_a_third_one_are_looked_at():
    order, every = {1: 0, 2: 1, 3: 2}, {1, 2, 3}
    assert unjudged([pair(1, 2), pair(2, 3)], order, every) == [(1, 3)]
    assert unjudged([pair(1, 2), pair(2, 3, "burst")], order, every) == []
    for new in every:
        assert unjudged([pair(1, 2), pair(2, 3)], order, {new}) == [(1, 3)]
    assert unjudged([pair(1, 2), pair(2, 3)], order, {4}) == []


def test_what_is_like_the_best_one_is_compared_too_or_it_is_lost_when_another_is_kept():
    assert unjudged([pair(1, 2), pair(1, 3)], {1: 0, 2: 1, 3: 2}, {3}) == [(2, 3)]


def test_of_many_that_are_like_one_only_pairs_with_the_best_are_looked_at():
    order = {picture: picture for picture in range(60)}
    assert unjudged([pair(0, other) for other in range(1, 50)], order, order) == []
    pairs = [pair(other, 50) for other in range(1, 50)]
    assert unjudged(pairs, order, order) == [(1, other) for other in range(2, 50)]
    assert unjudged(pairs, order, {7}) == [(1, 7)]


_pairs = st.lists(
    st.tuples(st.integers(1, PICTURES), st.integers(1, PICTURES), st.sampled_from(LIKENESS_KINDS), st.integers(1, 9)),
    max_size=24,
    unique_by=lambda each: (min(each[:2]), max(each[:2])),
)


def _records(drawn) -> list[PairRecord]:
    return [pair(min(a, b), max(a, b), kind, sure / 10) for a, b, kind, sure in drawn if a != b]


@settings(max_examples=150)
@given(drawn=_pairs, order=st.permutations(range(1, PICTURES + 1)), data=st.data())
def test_any_pairs_make_stars_and_their_order_does_not_matter(drawn, order, data):
    pairs = _records(drawn)
    items = {picture: [f"{picture}a", f"{picture}b"][: 1 + picture % 2] for picture in range(1, PICTURES + 1)}
    rank = {id: place for place, id in enumerate(id for picture in order for id in items[picture])}
    made = groups(pairs, items, rank)
    assert made == groups(data.draw(st.permutations(pairs)), items, rank)
    picture_of = {id: picture for picture, ids in items.items() for id in ids}
    kind_of = {(each.first, each.second): each.kind for each in pairs}
    for bursts in (False, True):
        inside = [item.id for group in made if (group.kind == "burst") == bursts for item in group.items]
        assert len(inside) == len(set(inside))
    for group in made:
        centre = group.items[0]
        assert len(group.items) > 1
        assert group.kind == max((item.kind for item in group.items[1:]), key=LIKENESS_KINDS.index)
        for item in group.items[1:]:
            assert rank[centre.id] < rank[item.id]
            one, other = sorted((picture_of[centre.id], picture_of[item.id]))
            assert item.kind == ("same" if one == other else kind_of[one, other])
            assert (item.kind == "burst") == (group.kind == "burst")
