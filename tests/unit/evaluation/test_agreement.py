"""How far judgements can be trusted."""

from __future__ import annotations

import pytest

from lookalike.evaluation.agreement import agreement, bands
from lookalike.evaluation.judged_pairs import JudgedPair


def pairs(grades, likeness=0.5):
    return [
        JudgedPair("q", f"item {number}", grade, "person", likeness, "anna", "text", "")
        for number, grade in enumerate(grades)
    ]


def test_kappa_of_a_worked_example():
    """Cohen's own layout: of 50 pairs both say yes to 20 and no to 15; one says yes to 25, the other to 30."""
    first = pairs([1] * 20 + [1] * 5 + [0] * 10 + [0] * 15)
    second = pairs([1] * 20 + [0] * 5 + [1] * 10 + [0] * 15)
    found = agreement(first, second)
    assert (found.pairs, found.agreed) == (50, 0.7)
    assert found.kappa == pytest.approx((0.7 - 0.5) / 0.5)


def test_kappa_is_1_for_equal_and_negative_for_opposite_judges():
    assert agreement(pairs([1, 0, 1]), pairs([1, 0, 1])).kappa == 1
    assert agreement(pairs([1, 0]), pairs([0, 1])).kappa == -1


def test_two_who_always_say_one_thing_have_no_kappa():
    found = agreement(pairs([1, 1]), pairs([1, 1]))
    assert (found.agreed, found.kappa) == (1, None)


def test_only_pairs_that_both_judged_count():
    assert agreement(pairs([1, 0, 1]), pairs([1])).pairs == 1
    assert agreement(pairs([1]), []) is None


def test_bands_say_what_share_was_confirmed_the_likeliest_first():
    found = bands([*pairs([1, 1, 0, 1], 0.72), *pairs([0], 0.65), *pairs([1], 0.7)])
    assert [(band.low, band.high, band.judged, band.confirmed) for band in found] == [
        (0.7, 0.75, 5, 4),
        (0.65, 0.7, 1, 0),
    ]
    assert found[0].share == 0.8


def test_the_interval_of_a_band_is_wilsons():
    """8 of 10: 0.490 and 0.943 (Newcombe 1998, method 3)."""
    low, high = bands(pairs([1] * 8 + [0] * 2))[0].between
    assert (round(low, 3), round(high, 3)) == (0.49, 0.943)
    assert bands(pairs([1] * 3))[0].between[1] == 1
