"""Maximal marginal relevance, against its formula worked out one by one."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike.core.arrays import unit_vectors
from lookalike.engine.variety import diverse


def drawn(n=40, dim=8, seed=0):
    draw = np.random.default_rng(seed)
    vectors = unit_vectors(draw.normal(size=(n, dim)))
    return vectors, np.sort(draw.random(n).astype(np.float32))[::-1].copy()


def by_hand(vectors, scores, k, weight):
    """As the docstring says it, pair by pair."""
    chosen = [int(np.argmax(scores))]
    low, span = float(scores.min()), float(scores.max() - scores.min())
    least = min(float(vectors[chosen[0]] @ each) for each in vectors)
    while len(chosen) < min(k, len(scores)):
        gains = {}
        for row in set(range(len(scores))) - set(chosen):
            alike = max(float(vectors[row] @ vectors[other]) for other in chosen)
            gains[row] = weight * (scores[row] - low) / span - (1 - weight) * (alike - least) / (1 - least)
        chosen.append(max(gains, key=gains.get))
    return chosen


@pytest.mark.parametrize("weight", [0.0, 0.3, 0.7, 1.0])
def test_it_is_the_formula(weight):
    vectors, scores = drawn()
    assert diverse(vectors, scores, 12, weight).tolist() == by_hand(vectors, scores, 12, weight)


def test_only_scores_keep_the_order_and_the_best_is_always_first():
    vectors, scores = drawn()
    assert diverse(vectors, scores, 40, 1).tolist() == list(range(40))
    assert diverse(vectors, scores[::-1], 3, 0)[0] == 39


def test_of_ten_copies_one_comes_before_anything_else():
    vectors, scores = drawn(20)
    vectors[1:10] = vectors[0]
    assert set(diverse(vectors, scores, 11, 0.1).tolist()[1:]) == set(range(10, 20))


def test_a_weight_means_the_same_whatever_the_spread_of_scores_is():
    vectors, scores = drawn()
    assert diverse(vectors, scores, 10).tolist() == diverse(vectors, 0.2 + scores / 50, 10).tolist()


def test_each_hit_is_chosen_once_also_when_all_are_equal():
    same = np.tile(unit_vectors(np.ones(4)), (5, 1))
    assert diverse(same, np.full(5, 0.3, np.float32), 9, 0.5).tolist() == [0, 1, 2, 3, 4]


def test_nothing_in_nothing_out():
    assert diverse(np.empty((0, 4), np.float32), np.empty(0, np.float32), 10).tolist() == []
    assert diverse(*drawn(3), 0).tolist() == []


def test_wrong_arguments():
    vectors, scores = drawn(3)
    with pytest.raises(ValueError, match="weight"):
        diverse(vectors, scores, 2, 1.5)
    with pytest.raises(ValueError, match="3 vectors and 2"):
        diverse(vectors, scores[:2], 2)
