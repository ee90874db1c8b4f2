"""Metrics: worked examples by hand, and a slow oracle written from the definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lookalike.evaluation.metrics import METRICS, bootstrap_interval, ceiling, depth_of, judge, per_query, top_rows

# --- the oracle: one query, plain Python, nothing shared with the code under test -------------------


def oracle(scores: list[float], gains: list[float], own: int, metric: str) -> float:
    """The metric of one query, from its definition; NaN when nothing is relevant."""
    name, k = metric.split("@", maxsplit=1)[0], int(metric.split("@")[1])
    items = [i for i in range(len(scores)) if i != own]
    ranking = sorted(items, key=lambda i: (-scores[i], i))
    relevant = {i for i in items if gains[i] > 0}
    if not relevant:
        return math.nan
    found = [i for i in ranking[:k] if i in relevant]
    if name == "hit":
        return float(bool(found))
    if name == "precision":
        return len(found) / k
    if name == "recall":
        return len(found) / len(relevant)
    if name == "map":
        total = 0.0
        for rank, item in enumerate(ranking[:k], start=1):
            if item in relevant:
                total += sum(each in relevant for each in ranking[:rank]) / rank
        return total / min(k, len(relevant))
    if name == "mrr":
        return max((1 / rank for rank, item in enumerate(ranking[:k], start=1) if item in relevant), default=0.0)
    worth = [gains[i] for i in ranking[:k]]
    best = sorted((gains[i] for i in items), reverse=True)[:k]
    return sum(g / math.log2(r + 1) for r, g in enumerate(worth, 1)) / sum(
        g / math.log2(r + 1) for r, g in enumerate(best, 1)
    )


@st.composite
def judged_queries(draw):
    queries, items = draw(st.integers(1, 5)), draw(st.integers(1, 14))
    few_scores = st.sampled_from([-1.0, -0.25, 0.0, 0.25, 0.5, 1.0])  # few values: ties are the rule
    scores = [[draw(few_scores) for _ in range(items)] for _ in range(queries)]
    gains = [[draw(st.sampled_from([0.0, 0.0, 1.0, 2.5])) for _ in range(items)] for _ in range(queries)]
    own = [draw(st.integers(-1, items - 1)) for _ in range(queries)]
    return np.array(scores, dtype=np.float32), np.array(gains), np.array(own)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(judged_queries(), st.sampled_from([*METRICS, "hit@3", "map@3", "mrr@3", "ndcg@20", "recall@20", "precision@20"]))
def test_every_metric_equals_the_oracle(case, metric):
    scores, gains, own = case
    values = per_query(judge(scores, gains, 20, own=own), metric)
    expected = [oracle(scores[q].tolist(), gains[q].tolist(), own[q], metric) for q in range(len(scores))]
    np.testing.assert_allclose(values, expected, rtol=0, atol=1e-12)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(judged_queries(), st.integers(1, 16))
def test_top_rows_is_a_stable_sort(case, k):
    scores, _, _ = case
    for row, query in zip(top_rows(scores, k).tolist(), scores.tolist(), strict=True):
        expected = sorted(range(len(query)), key=lambda i: (-query[i], i))[:k]
        assert row == expected + [-1] * (k - len(expected))


# --- by hand ----------------------------------------------------------------------------------------


def test_a_worked_example():
    """Relevant: items 0, 2 and 5. Ranking by score: 2, 1, 0, 3, 4, 5, so they stand at ranks 1, 3 and 6."""
    scores = np.array([[0.7, 0.8, 0.9, 0.6, 0.5, 0.4]])
    judged = judge(scores, np.array([[1, 0, 1, 0, 0, 1]]), 10)
    assert per_query(judged, "hit@1").tolist() == [1.0]
    assert per_query(judged, "precision@5").tolist() == [2 / 5]
    assert per_query(judged, "recall@5").tolist() == [2 / 3]
    assert per_query(judged, "map@5").tolist() == pytest.approx([(1 / 1 + 2 / 3) / 3])
    assert per_query(judged, "map@10").tolist() == pytest.approx([(1 / 1 + 2 / 3 + 3 / 6) / 3])
    best = 1 + 1 / math.log2(3) + 1 / math.log2(4)
    assert per_query(judged, "ndcg@10").tolist() == pytest.approx([(1 + 1 / math.log2(4) + 1 / math.log2(7)) / best])


def test_map_at_k_divides_by_k_where_more_than_k_items_are_relevant():
    """Two of three relevant items fill both ranks of map@2: nothing better was possible."""
    judged = judge(np.array([[3.0, 2.0, 1.0]]), np.ones((1, 3)), 2)
    assert per_query(judged, "map@2").tolist() == [1.0]


def test_graded_gains_count_linearly():
    """Gains 1 then 3 where 3 then 1 was possible."""
    judged = judge(np.array([[2.0, 1.0]]), np.array([[1.0, 3.0]]), 2)
    expected = (1 + 3 / math.log2(3)) / (3 + 1 / math.log2(3))
    assert per_query(judged, "ndcg@2").tolist() == pytest.approx([expected])


@pytest.mark.parametrize("metric", METRICS)
def test_right_and_wrong_count_as_gains_of_1_and_0(metric):
    draw = np.random.default_rng(5)
    scores, right = draw.random((20, 30)), draw.random((20, 30)) < 0.3
    own = draw.integers(-1, 30, 20)
    yes_or_no, graded = (judge(scores, gains, 10, own=own) for gains in (right, right.astype(np.float64)))
    assert np.array_equal(per_query(yes_or_no, metric), per_query(graded, metric), equal_nan=True)
    assert np.array_equal(ceiling(yes_or_no, metric), ceiling(graded, metric), equal_nan=True)


def test_the_ceiling_is_the_value_of_the_best_order():
    draw = np.random.default_rng(6)
    gains = draw.choice([0.0, 0.0, 1.0, 3.0], (20, 30))
    for metric in METRICS:
        best = per_query(judge(gains, gains, 10), metric)
        assert np.array_equal(ceiling(judge(draw.random((20, 30)), gains, 10), metric), best, equal_nan=True)


def test_equal_scores_rank_by_the_lower_row():
    judged = judge(np.array([[0.5, 0.5, 0.5]]), np.array([[0, 1, 0]]), 3)
    assert per_query(judged, "hit@1").tolist() == [0.0]
    assert per_query(judged, "map@3").tolist() == [0.5]


def test_the_query_itself_is_neither_an_answer_nor_relevant():
    """Item 0 is the query; of the two others one is relevant and ranks first."""
    judged = judge(np.array([[1.0, 0.9, 0.1]]), np.array([[1, 1, 0]]), 3, own=np.array([0]))
    assert judged.relevant.tolist() == [1]
    assert per_query(judged, "map@3").tolist() == [1.0]


def test_a_query_whose_only_relevant_item_is_itself_has_no_value():
    judged = judge(np.array([[1.0, 0.9]]), np.array([[1, 0]]), 2, own=np.array([0]))
    assert all(np.isnan(per_query(judged, metric)).all() for metric in ("hit@1", "map@2", "ndcg@2"))


def test_precision_divides_by_k_even_where_there_are_fewer_items():
    assert per_query(judge(np.array([[1.0, 0.5]]), np.ones((1, 2)), 5), "precision@5").tolist() == [2 / 5]


def test_no_items_and_no_queries_are_fine():
    assert np.isnan(per_query(judge(np.empty((2, 0)), np.empty((2, 0)), 5), "hit@5")).all()
    assert per_query(judge(np.empty((0, 3)), np.empty((0, 3)), 5), "hit@5").shape == (0,)


def test_inputs_stay_as_they_are():
    scores, gains = np.array([[1.0, 0.5]]), np.array([[1.0, 1.0]])
    judge(scores, gains, 2, own=np.array([0]))
    assert scores.tolist() == [[1.0, 0.5]]
    assert gains.tolist() == [[1.0, 1.0]]


@pytest.mark.parametrize("metric", ["accuracy@5", "hit", "hit@", "hit@0", "hit@x", "hit@11"])
def test_unknown_metrics_and_depths_are_refused(metric):
    with pytest.raises(ValueError, match=metric.split("@", maxsplit=1)[0]):
        per_query(judge(np.ones((1, 2)), np.ones((1, 2)), 10), metric)


def test_what_cannot_be_ranked_is_refused():
    with pytest.raises(ValueError, match="shape"):
        judge(np.ones((1, 2)), np.ones((1, 3)), 5)
    with pytest.raises(ValueError, match="not a number"):
        judge(np.array([[np.nan, 1.0]]), np.ones((1, 2)), 5)
    with pytest.raises(ValueError, match="negative"):
        judge(np.ones((1, 2)), np.array([[-1.0, 1.0]]), 5)


def test_depth_is_that_of_the_deepest_metric():
    assert depth_of(METRICS) == 10


# --- intervals ------------------------------------------------------------------------------------


def test_an_interval_repeats_for_its_seed_and_moves_with_another():
    values = np.random.default_rng(0).random(50)
    assert bootstrap_interval(values, 1) == bootstrap_interval(values, 1)
    assert bootstrap_interval(values, 1) != bootstrap_interval(values, 2)


def test_an_interval_is_as_wide_as_theory_says():
    """Of 400 coin throws: mean +- 1.96 * sqrt(p (1 - p) / n), within a tenth of its width."""
    values = np.tile([0.0, 1.0, 1.0, 1.0], 100)
    low, high = bootstrap_interval(values, 7, n=4000)
    half = 1.96 * math.sqrt(0.75 * 0.25 / 400)
    assert low == pytest.approx(0.75 - half, abs=0.2 * half)
    assert high == pytest.approx(0.75 + half, abs=0.2 * half)


def test_95_of_100_intervals_hold_the_truth():
    """Over 300 samples of a known mean, between 91 and 98 % of the intervals contain it."""
    draw = np.random.default_rng(3)
    held = 0
    for seed in range(300):
        low, high = bootstrap_interval((draw.random(60) < 0.4).astype(float), seed, n=500)
        held += low <= 0.4 <= high
    assert 0.91 <= held / 300 <= 0.98


def test_a_paired_difference_is_seen_where_two_intervals_overlap():
    """A small gain on every query is certain, though queries differ widely from each other."""
    first = np.random.default_rng(4).random(40)
    second = first + 0.02
    assert bootstrap_interval(first, 0)[1] > bootstrap_interval(second, 0)[0]
    assert bootstrap_interval(second - first, 0) == pytest.approx((0.02, 0.02))


def test_groups_are_drawn_whole():
    """Ten values of each of four classes, equal within a class: no more is known than four values tell."""
    values = np.repeat([0.0, 0.2, 0.6, 1.0], 10)
    classes = np.repeat([7, 3, 5, 1], 10)
    low, high = bootstrap_interval(values, 0, groups=classes)
    assert high - low > 2 * np.subtract(*bootstrap_interval(values, 0)[::-1])
    assert bootstrap_interval(values, 0, groups=np.arange(40)) == bootstrap_interval(values, 0)


def test_an_interval_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        bootstrap_interval(np.array([]), 0)
    with pytest.raises(ValueError, match="a number"):
        bootstrap_interval(np.array([1.0, np.nan]), 0)
