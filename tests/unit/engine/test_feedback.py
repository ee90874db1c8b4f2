"""Rocchio: towards what is liked, away from what is disliked, by weights of its own for words and for pictures."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike.core.arrays import unit_vectors
from lookalike.core.errors import QueryError
from lookalike.core.records import Term
from lookalike.engine.feedback import FOR_PICTURES, FOR_WORDS, FeedbackWeights, weights_for, with_feedback

NONE = np.empty((0, 6), np.float32)


def drawn(n, seed):
    return unit_vectors(np.random.default_rng(seed).normal(size=(n, 6)))


def test_it_is_the_formula():
    query, liked, disliked = drawn(1, 0)[0], drawn(3, 1), drawn(2, 2)
    expected = query + 0.8 * liked.mean(0) - 0.4 * disliked.mean(0)
    moved = with_feedback(query, liked, disliked, FeedbackWeights(0.8, 0.4))
    assert np.allclose(moved, expected / np.linalg.norm(expected), atol=1e-6)
    assert moved.dtype == np.float32
    assert moved.shape == (6,)


def test_without_feedback_the_query_stays():
    query = drawn(1, 0)[0]
    assert np.allclose(with_feedback(query, NONE, NONE), query, atol=1e-7)


def test_it_comes_nearer_to_what_is_liked_and_goes_from_what_is_disliked():
    query, liked, disliked = drawn(1, 0)[0], drawn(1, 1), drawn(1, 2)
    assert with_feedback(query, liked, NONE) @ liked[0] > query @ liked[0]
    assert with_feedback(query, NONE, disliked) @ disliked[0] < query @ disliked[0]


def test_inputs_stay_as_they_are():
    query, liked, disliked = drawn(1, 0)[0], drawn(2, 1), drawn(2, 2)
    before = [each.copy() for each in (query, liked, disliked)]
    with_feedback(query, liked, disliked)
    assert all(np.array_equal(one, other) for one, other in zip(before, (query, liked, disliked), strict=True))


def test_a_query_of_which_nothing_is_left_is_an_error():
    query = drawn(1, 0)[0]
    with pytest.raises(QueryError, match="takes away all"):
        with_feedback(query, NONE, query[None], FeedbackWeights(1, 1))


def test_words_anywhere_in_a_query_have_the_weights_of_words():
    words, item = Term("text", "red"), Term("item", "5")
    assert weights_for([words]) == weights_for([item, words]) == FOR_WORDS
    assert weights_for([item]) == FOR_PICTURES
