"""What the planner chooses, and that it says why in a sentence."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lookalike.engine.plan import (
    BaseState,
    Near,
    QueryState,
    Wishes,
    choose_spec,
    exact_search_ms,
    outgrown,
    plan,
)
from lookalike.index.kinds import KINDS, OperatingPoint, default_spec, efforts

GIB = 1 << 30
MILLION = 1_000_000


def base(kind: str = "ivf-rabitq", count: int = MILLION, ms: float = 1.0, effort: int = 32) -> BaseState:
    return BaseState(default_spec(kind, count, 512), OperatingPoint(effort, 100), count, ms)


def query(allowed: int, count: int = MILLION, **changes) -> QueryState:
    return QueryState(
        **({"count": count, "allowed": allowed, "dim": 512, "k": 10, "base": base(count=count)} | changes)
    )


def is_sentence(text: str) -> bool:
    return len(text.split()) > 3 and "{" not in text


# --- which index a collection gets -----------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 1, 24, 3_000, 10_000])
def test_a_small_collection_gets_none(count):
    choice = choose_spec(count, 512, memory_bytes=8 * GIB)
    assert choice.spec is None
    assert is_sentence(choice.reason)


def test_ten_million_pictures_get_short_codes():
    choice = choose_spec(10 * MILLION, 512, memory_bytes=8 * GIB)
    assert choice.spec.kind == "ivf-rabitq"
    assert "10,000,000" in choice.reason


def test_a_million_pictures_get_a_byte_a_number_where_there_is_memory_and_else_bits():
    kinds = [choose_spec(MILLION, 256, memory_bytes=memory).spec for memory in (4 * GIB, GIB // 2, GIB // 16)]
    assert [(spec.kind, spec.bits) for spec in kinds] == [("ivf-sq8", 0), ("ivf-rabitq", 2), ("ivf-rabitq", 1)]


def test_what_tuning_found_in_an_earlier_version_is_laid_out_anew():
    wishes = Wishes(kind="ivf-rabitq", spec={"kind": "ivf-rabitq", "nlist": 77}, spec_count=MILLION)
    assert choose_spec(MILLION, 512, memory_bytes=GIB, wishes=wishes).spec == default_spec("ivf-rabitq", MILLION, 512)


def test_no_choice_needs_more_memory_than_there_is():
    from lookalike.index.kinds import estimated_bytes

    for count in (50_000, 100_000, MILLION):
        for memory in (64 << 20, GIB, 64 * GIB):
            spec = choose_spec(count, 512, memory_bytes=memory).spec
            assert estimated_bytes(spec, count, 512) <= max(memory, 120 * count)  # codes and lists at the very least


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_that_was_asked_for_is_taken(kind):
    choice = choose_spec(500, 64, memory_bytes=GIB, wishes=Wishes(kind=kind))
    assert choice.spec == default_spec(kind, 500, 64)
    assert "asked" in choice.reason


def test_no_index_can_be_asked_for():
    assert choose_spec(MILLION, 512, memory_bytes=GIB, wishes=Wishes(kind="exact")).spec is None


def test_what_tuning_found_holds_until_the_collection_has_doubled():
    spec = default_spec("ivf-rabitq", 77_777, 512)
    wishes = Wishes(kind="ivf-rabitq", spec=spec.as_dict(), spec_count=100_000)
    assert choose_spec(120_000, 512, memory_bytes=GIB, wishes=wishes).spec == spec
    assert choose_spec(MILLION, 512, memory_bytes=GIB, wishes=wishes).spec == default_spec("ivf-rabitq", MILLION, 512)


def test_that_tuning_found_no_index_best_holds_until_the_collection_has_doubled():
    wishes = Wishes(kind="exact", spec_count=100_000)
    kept = choose_spec(200_000, 512, memory_bytes=GIB, wishes=wishes)
    assert kept.spec is None
    assert "tuning" in kept.reason
    assert choose_spec(MILLION, 512, memory_bytes=GIB, wishes=wishes) == choose_spec(MILLION, 512, memory_bytes=GIB)


def test_wishes_survive_being_kept_and_words_of_later_versions_are_passed_over():
    wishes = Wishes(target_recall=0.99, kind="hnsw", memory_bytes=GIB)
    assert Wishes.from_dict(wishes.as_dict() | {"colour": "red"}) == wishes


# --- how a query is answered -----------------------------------------------------------------------


def test_without_an_index_all_allowed_pictures_are_compared():
    assert plan(query(24, count=24, base=None)).strategy == "exact"
    assert "8 of 24" in plan(query(8, count=24, base=None)).reason


def test_without_a_filter_the_index_is_searched_at_its_operating_point():
    way = plan(query(MILLION))
    assert (way.strategy, way.effort, way.fetch) == ("index", 32, 100)
    assert is_sentence(way.reason)


def test_few_allowed_pictures_are_compared_one_by_one_and_many_go_through_the_index():
    assert [plan(query(allowed)).strategy for allowed in (0, 5, 100, 5_000)] == ["exact"] * 4
    assert plan(query(MILLION // 2)).strategy == "masked index"


@pytest.mark.parametrize("share", [0.5, 0.3])
def test_a_filter_makes_the_index_look_further(share):
    way = plan(query(int(MILLION * share)))
    assert way.effort >= 32 / share
    assert f"{int(MILLION * share):,} of 1,000,000" in way.reason


def test_more_answers_take_more_candidates_and_effort():
    way = plan(query(MILLION, k=100))
    assert way.fetch == 1000
    assert way.effort > 32


def test_an_effort_that_was_asked_for_is_obeyed():
    assert plan(query(MILLION, effort=7)).effort == 7


def test_an_index_that_would_be_searched_whole_is_not_searched():
    whole = base(effort=efforts(default_spec("ivf-rabitq", MILLION, 512), MILLION)[-1])
    assert plan(query(MILLION, base=whole)).strategy == "exact"


def test_a_graph_is_left_for_the_exact_search_sooner_than_lists():
    allowed = 100_000
    assert plan(query(allowed, base=base("hnsw", ms=8))).strategy == "exact"
    assert plan(query(allowed, base=base("ivf-rabitq", ms=8))).strategy == "masked index"


def test_a_mask_that_leaves_out_what_is_near_makes_the_index_look_harder():
    half = MILLION // 2
    for share, times in ((0.9, 1), (0.5, 1), (0.4, 1), (0.25, 2), (0.06, 8)):
        way = plan(query(half, near=Near(share, depth=0.0001)))
        assert way.effort == 64 * times
        assert (f"{times} times as far" in way.reason) == (times > 1)


def test_lists_are_visited_until_they_reach_to_the_answers():
    way = plan(query(MILLION // 2, base=base(effort=2, ms=0.05), near=Near(0.5, depth=0.1)))
    assert way.effort >= 0.1 * default_spec("ivf-rabitq", MILLION, 512).nlist


@pytest.mark.parametrize("kind", ["ivf-rabitq", "ivf-flat", "hnsw", "annoy"])
@pytest.mark.parametrize("near", [Near(0.008, 0.5), Near(0.0, 1.0)])
def test_where_nothing_near_is_allowed_no_index_is_searched(kind, near):
    state = query(MILLION // 2, base=base(kind, ms=0.001, effort=16), near=near)
    assert plan(replace(state, near=None)).strategy == "masked index"
    assert plan(state).strategy == "exact"
    assert "near the query" in plan(state).reason
    assert plan(replace(state, effort=7)).effort == 7


def test_pictures_newer_than_the_index_are_named():
    assert "5,000 newer" in plan(query(MILLION + 5_000, count=MILLION + 5_000, base=base())).reason


# --- when it is built again ------------------------------------------------------------------------


def test_an_index_that_serves_all_its_rows_is_kept():
    assert outgrown(MILLION, 0, 512, base()) is None
    assert outgrown(MILLION + 100, 1000, 512, base()) is None


def test_new_pictures_that_cost_more_than_the_index_outgrow_it():
    newer = 30_000
    assert exact_search_ms(newer, 512) > 1.0
    assert f"{newer:,}" in outgrown(MILLION + newer, 0, 512, base())


def test_a_large_index_is_not_built_again_for_a_few_new_pictures():
    assert outgrown(10 * MILLION + 30_000, 0, 512, base(count=10 * MILLION)) is None


def test_removed_pictures_outgrow_it():
    assert "400,000 of its 1,000,000" in outgrown(MILLION, 400_000, 512, base())


@pytest.mark.parametrize("kind", ["flat", "fp16", "sq8"])
def test_a_flat_index_is_not_asked_under_a_filter(kind):
    """Its byte a component cannot tell apart what lies far from a query: 0.18 of the right ones were found there."""
    base = BaseState(default_spec(kind, 100_000, 512), OperatingPoint(1, 20), 100_000, ms=5.0)
    assert plan(QueryState(100_000, 50_000, 512, 10, base=base)).strategy == "exact"
    assert plan(QueryState(100_000, 50_000, 512, 10, base=base, effort=1)).strategy == "masked index"
