"""What became of a question: each outcome made on purpose, from vectors in a plane."""

from __future__ import annotations

import numpy as np

from lookalike.core.arrays import unit_vectors
from lookalike.evaluation.measured import evaluate_vectors
from lookalike.evaluation.outcomes import OUTCOMES, count_outcomes, outcomes_of
from lookalike.evaluation.questions import Asked


def turned(*degrees):
    angles = np.radians(degrees)
    return unit_vectors(np.stack([np.cos(angles), np.sin(angles)], axis=1))


def outcome(items, right, *, at=0.0, picture=None):
    """The outcome of one question that points to `at` degrees; `right` are the rows of `items` that answer it."""
    gains = np.zeros((1, len(items)), dtype=bool)
    gains[0, right] = True
    own = None if picture is None else np.array([picture])
    asked = Asked(("x",), own, len(items), lambda rows: gains[rows], own=own)
    queries = turned(at) if picture is None else items[[picture]]
    (found,) = outcomes_of(evaluate_vectors(queries, items, asked.right, own=own), asked, items)
    return found


def test_the_place_of_the_first_right_answer_is_told():
    apart = turned(*range(0, 180, 1))
    assert outcome(apart, [0]) == "first"
    assert outcome(apart, [9]) == "first page"
    assert outcome(apart, [60]) == "further down"
    assert outcome(apart, [150]) == "lost"


def test_a_copy_of_something_right_on_the_first_page_means_that_the_judgements_miss_it():
    """Row 20 is right and stands at 21; row 5 on the first page looks the same as it: one degree apart or less."""
    items = turned(*[float(place) / 10 for place in range(40)])
    assert outcome(items, [20]) == "unjudged copy"


def test_only_copies_of_the_query_picture_are_an_easy_question():
    """The picture at 0 degrees finds its copy at 1 degree; without the copy it finds the right one at 20."""
    items = turned(0, 1, 20, 90)
    assert outcome(items, [1], picture=0) == "copies"
    assert outcome(items, [1, 2], picture=0) == "first"
    assert outcome(items, [1]) == "first page"  # asked with words, it is no copy of anything


def test_every_outcome_is_counted_in_its_order():
    assert list(count_outcomes(("lost", "first", "lost"))) == list(OUTCOMES)
    assert count_outcomes(("lost", "first", "lost"))["lost"] == 2
