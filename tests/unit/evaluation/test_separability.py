"""Figures of a heat map, each against counting by hand."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike.evaluation.separability import Confusion, separability

PICTURES = np.array([0, 0, 0, 1, 1, 2])
TEXTS = np.array([0, 1, 1, 2, 3])
"""Two texts of class 1, and one, of class 3, that is of no picture."""


@pytest.fixture
def scores():
    return np.random.default_rng(3).normal(size=(6, 5)).astype(np.float32)


def test_means_are_those_of_the_blocks(scores):
    means = separability(scores, PICTURES, TEXTS).means
    assert means.shape == (4, 4)
    for row in range(3):
        for column in range(4):
            block = scores[row == PICTURES][:, column == TEXTS]
            assert means[row, column] == pytest.approx(block.mean(), abs=1e-6)
    assert np.isnan(means[3]).all()


def test_gap_is_in_standard_deviations_and_auc_counts_pairs(scores):
    figures = separability(scores, PICTURES, TEXTS)
    own = [scores[p, t] for p in range(6) for t in range(5) if PICTURES[p] == TEXTS[t]]
    other = [scores[p, t] for p in range(6) for t in range(5) if PICTURES[p] != TEXTS[t]]
    pairs = [(a > b) + 0.5 * (a == b) for a in own for b in other]
    assert figures.own == pytest.approx(np.mean(own), abs=1e-6)
    assert figures.other == pytest.approx(np.mean(other), abs=1e-6)
    assert figures.auc == pytest.approx(np.mean(pairs))
    spread = np.sqrt((np.var(own) + np.var(other)) / 2)
    assert figures.gap == pytest.approx((np.mean(own) - np.mean(other)) / spread, abs=1e-5)


def test_equal_scores_are_chance_and_fall_to_the_first_column():
    figures = separability(np.zeros((6, 5)), PICTURES, TEXTS)
    assert (figures.auc, figures.gap, figures.best) == (0.5, 0.0, 0.5)
    assert figures.confusions == (Confusion(2, 0, 1, 1), Confusion(1, 0, 2, 2))[::-1]


def test_confusions_count_pictures_whose_best_text_is_of_another_class():
    scores = np.zeros((6, 5))
    for picture, text in enumerate([0, 2, 4, 1, 0, 3]):
        scores[picture, text] = 1
    figures = separability(scores, PICTURES, TEXTS)
    assert figures.best == pytest.approx(3 / 6)
    assert set(figures.confusions) == {Confusion(0, 1, 1, 3), Confusion(0, 3, 1, 3), Confusion(1, 0, 1, 2)}
    assert figures.confusions[0] == Confusion(1, 0, 1, 2)
    low, high = figures.interval
    assert low <= 0.5 <= high


def test_pictures_of_a_class_without_a_text_count_in_nothing_but_the_means(scores):
    with_more = separability(scores, np.array([0, 0, 0, 1, 1, 5]), TEXTS)
    without = separability(scores[:5], PICTURES[:5], TEXTS)
    assert (with_more.auc, with_more.best, with_more.own) == (without.auc, without.best, without.own)


@pytest.mark.parametrize("texts", [[0, 0], [7, 8]])
def test_nothing_to_tell_apart_is_an_error(texts):
    with pytest.raises(ValueError, match="nothing to tell apart"):
        separability(np.zeros((2, 2)), np.array([0, 0]), np.array(texts))
