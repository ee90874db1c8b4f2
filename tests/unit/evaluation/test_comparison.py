"""Paired comparison: against exact permutations, against theory, and at the edges."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from lookalike.evaluation.comparison import SWAPS, compare


def exact_p(gains: np.ndarray) -> float:
    """All sign changes of the differences, counted."""
    signs = np.array(list(itertools.product([-1.0, 1.0], repeat=len(gains))))
    return float((np.abs(signs @ gains) >= abs(gains.sum()) - 1e-12).mean())


@pytest.mark.parametrize("seed", range(6))
def test_p_is_that_of_all_permutations(seed):
    """10,000 throws know a p to one hundredth."""
    draw = np.random.default_rng(seed)
    before = draw.random(10)
    after = before + draw.normal(0.1, 0.2, 10)
    assert compare(before, after, seed).p == pytest.approx(exact_p(after - before), abs=0.02)


def test_a_small_gain_on_every_query_is_sure():
    before = np.random.default_rng(0).random(40)
    found = compare(before, before + 0.02)
    assert found.sure
    assert (found.better, found.equal, found.worse) == (40, 0, 0)
    assert found.p == pytest.approx(1 / (1 + SWAPS))
    assert (found.mean, found.low, found.high) == pytest.approx((0.02, 0.02, 0.02))


def test_equal_systems_differ_by_nothing():
    values = np.random.default_rng(1).random(30)
    found = compare(values, values)
    assert not found.sure
    assert (found.mean, found.p, found.equal) == (0.0, 1.0, 30)


def test_chance_is_called_sure_one_time_in_twenty():
    """Of 200 pairs of systems that differ by chance alone, between 1 and 10 % pass for a difference."""
    draw = np.random.default_rng(2)
    sure = sum(compare(draw.random(30), draw.random(30), seed).sure for seed in range(200))
    assert 2 <= sure <= 20


def test_swapping_the_two_turns_the_sign_and_nothing_else():
    draw = np.random.default_rng(3)
    one, other = draw.random(25), draw.random(25)
    there, back = compare(one, other, 5), compare(other, one, 5)
    assert (there.mean, there.better, there.p) == (-back.mean, back.worse, back.p)


def test_equal_seeds_give_equal_answers():
    draw = np.random.default_rng(4)
    one, other = draw.random(25), draw.random(25)
    assert compare(one, other, 7) == compare(one, other, 7)


def test_other_queries_cannot_be_paired():
    with pytest.raises(ValueError, match="paired"):
        compare(np.ones(3), np.ones(4))
