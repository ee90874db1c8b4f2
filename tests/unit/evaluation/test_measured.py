"""Vectors measured against vectors: figures worked out by hand, and what is kept of every query."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike.core.arrays import unit_vectors
from lookalike.evaluation import measured as measured_module
from lookalike.evaluation.measured import evaluate_vectors
from lookalike.evaluation.metrics import METRICS


def turned(*degrees):
    """Unit vectors in a plane: the cosine of two is that of the angle between them."""
    angles = np.radians(degrees)
    return unit_vectors(np.stack([np.cos(angles), np.sin(angles)], axis=1))


def table(rows):
    """`right` of a matrix."""
    matrix = np.array(rows)
    return lambda some: matrix[some]


def test_a_worked_example():
    """The query at 0 degrees ranks items 1, 0, 2; items 0 and 2 are right."""
    found = evaluate_vectors(
        turned(0), turned(30, 10, 60), table([[True, False, True]]), ("hit@1", "precision@2", "mrr@5")
    )
    assert {name: values.tolist() for name, values in found.values.items()} == {
        "hit@1": [0.0],
        "precision@2": [0.5],
        "mrr@5": [0.5],
        "cosine_right": [pytest.approx((np.cos(np.pi / 6) + 0.5) / 2, abs=1e-6)],
        "cosine_wrong": [pytest.approx(np.cos(np.pi / 18), abs=1e-6)],
    }
    assert (found.first.tolist(), found.best.tolist(), found.relevant.tolist()) == ([2], [0], [2])
    assert found.answers[0, :4].tolist() == [1, 0, 2, -1]
    assert found.gains[0, :3].tolist() == [0.0, 1.0, 1.0]
    assert found.scores[0, :3].tolist() == sorted(found.scores[0, :3].tolist(), reverse=True)
    assert found.ceilings == {"hit@1": 1.0, "precision@2": 1.0, "mrr@5": 1.0}


def test_the_ceiling_is_what_the_best_order_would_reach():
    """Ten right items: recall@5 can be a half at most; one right item: precision@5 a fifth."""
    many = evaluate_vectors(turned(0), turned(*range(10)), table([[True] * 10]), ("recall@5", "precision@5"))
    one = evaluate_vectors(turned(0), turned(0, 90), table([[False, True]]), ("recall@5", "precision@5"))
    assert many.ceilings == {"recall@5": 0.5, "precision@5": 1.0}
    assert one.ceilings == {"recall@5": 1.0, "precision@5": 0.2}


def test_a_query_without_a_right_item_is_left_out_and_the_others_keep_their_positions():
    found = evaluate_vectors(turned(0, 5, 90), turned(0, 90), table([[True, False], [False, False], [False, True]]))
    assert (found.queries, found.left_out, found.asked.tolist()) == (2, 1, [0, 2])
    assert all(len(values) == 2 for values in found.values.values())


def test_the_query_itself_is_neither_answer_nor_counted():
    items = turned(0, 20, 90)
    same = table(np.ones((3, 3), dtype=bool))
    found = evaluate_vectors(items, items, same, own=np.arange(3))
    assert found.relevant.tolist() == [2, 2, 2]
    assert found.answers[:, 0].tolist() == [1, 0, 1]
    assert found.values["cosine_right"][0] == pytest.approx((np.cos(np.radians(20)) + 0) / 2, abs=1e-6)


def test_where_nothing_is_wrong_there_is_no_cosine_with_it():
    items = turned(0, 20, 90)
    none = evaluate_vectors(items, items, table(np.ones((3, 3), dtype=bool)), own=np.arange(3))
    assert np.isnan(none.values["cosine_wrong"]).all()
    assert "cosine_right" in none.means()
    for figures in (none.means(), none.intervals(0), none.against(none)):
        assert "cosine_wrong" not in figures
    some = evaluate_vectors(turned(0, 0), turned(0, 60), table([[True, True], [True, False]]))
    assert some.means()["cosine_wrong"] == pytest.approx(0.5, abs=1e-6)
    assert some.intervals(0)["cosine_wrong"] == pytest.approx([0.5, 0.5], abs=1e-6)
    told = some.against(some)
    assert (list(told), told["cosine_wrong"].equal) == (list(some.values), 1)


def test_graded_gains_are_ranked_by_ndcg():
    graded = evaluate_vectors(turned(0), turned(10, 20), table([[1.0, 3.0]]), ("ndcg@2",))
    turned_round = evaluate_vectors(turned(0), turned(20, 10), table([[1.0, 3.0]]), ("ndcg@2",))
    assert graded.values["ndcg@2"][0] < turned_round.values["ndcg@2"][0] == 1.0


def test_slices_give_what_one_piece_gives(monkeypatch):
    """Many queries are ranked a slice at a time; nothing of that shows."""
    draw = np.random.default_rng(0)
    queries, items = (unit_vectors(draw.standard_normal((n, 8))) for n in (50, 40))
    right = table(draw.random((50, 40)) < 0.1)
    whole = evaluate_vectors(queries, items, right)
    monkeypatch.setattr(measured_module, "_SCORES_AT_ONCE", 7 * 40)
    parts = evaluate_vectors(queries, items, right)
    assert whole.means() == pytest.approx(parts.means())
    for name in ("asked", "first", "best", "relevant", "answers"):
        assert np.array_equal(getattr(whole, name), getattr(parts, name)), name


def test_the_rank_of_the_first_right_answer_agrees_with_the_answers():
    draw = np.random.default_rng(1)
    queries, items = (unit_vectors(draw.integers(1, 4, (n, 3))) for n in (30, 60))  # few directions: many ties
    found = evaluate_vectors(queries, items, table(draw.random((30, 60)) < 0.1), ("mrr@60",))
    np.testing.assert_allclose(found.values["mrr@60"], 1 / found.first)
    for row in range(found.queries):
        assert found.answers[row, found.first[row] - 1] == found.best[row]


def test_no_queries_and_no_answerable_ones_have_no_figures():
    none = evaluate_vectors(np.empty((0, 2), np.float32), turned(0), table(np.empty((0, 1), bool)))
    lost = evaluate_vectors(turned(0), turned(0), table([[False]]))
    for found in (none, lost):
        assert (found.queries, found.means(), found.intervals(0)) == (0, None, None)
    assert (none.left_out, lost.left_out) == (0, 1)
    assert lost.against(lost) == {}


def test_two_encoders_are_compared_on_the_same_queries():
    items = turned(0, 90)
    right = table([[True, False], [False, True]])
    bad, good = evaluate_vectors(turned(60, 30), items, right), evaluate_vectors(turned(0, 90), items, right)
    differences = good.against(bad)
    assert tuple(differences)[: len(METRICS)] == METRICS
    assert (differences["hit@1"].mean, differences["hit@1"].better) == (1.0, 2)
    with pytest.raises(ValueError, match="different queries"):
        good.against(evaluate_vectors(turned(0, 0), items, table([[False, False], [False, True]])))
