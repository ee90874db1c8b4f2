"""The measurement of the relevance cut-off: its names are whole, its fit and its shares are right."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from cutoff_cases import NAMES, Case
from cutoff_fit import chances, fit, kept, separation, share, shown, threshold

from lookalike.engine.relevance import FACTS


@pytest.fixture(scope="module")
def cases():
    """Questions whose right answers come first, and have larger facts."""
    random = np.random.default_rng(0)
    made = []
    for number in range(400):
        there = number % 2 == 0
        right = np.arange(10) < (random.integers(1, 10) if there else 0)
        facts = random.standard_normal((10, len(FACTS))) + 3.0 * right[:, None]
        case = Case("present" if there else "absent", "en", "mixed", 100, number % 20, right.astype(np.float64))
        case.facts = facts
        made.append(case)
    return made


def test_every_class_is_named_once_in_every_language_and_has_a_kind():
    with NAMES.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    assert len({(row["set"], row["class"]) for row in rows}) == len(rows)
    assert all(row[column].strip() for row in rows for column in ("en", "ru", "uk", "kinds"))


def test_what_is_fitted_tells_right_from_wrong(cases):
    weights = fit(cases)

    def value(case):
        return chances(case, weights)

    assert separation(cases, value) > 0.9
    least = threshold(cases, value, 0.9)
    assert (kept(cases, value)[0] >= least).mean() == pytest.approx(0.9, abs=0.02)
    assert (shown(cases, value, "absent")[0] < least).mean() > 0.8


def test_answers_that_nobody_knows_of_teach_nothing(cases):
    half = [Case(**vars(case) | {"right": np.where(np.arange(10) < 5, case.right, np.nan)}) for case in cases]
    first = [Case(**vars(case) | {"right": case.right[:5], "facts": case.facts[:5]}) for case in cases]
    assert fit(half).weights == pytest.approx(fit(first).weights, abs=1e-4)


def test_an_interval_stands_around_its_share_and_repeats_of_one_thing_make_it_no_narrower():
    values = np.random.default_rng(0).random(200) < 0.3
    own = np.arange(200)
    mean, low, high = share(values, own)
    assert low < mean == values.mean() < high
    _, repeated_low, repeated_high = share(np.repeat(values, 5), np.repeat(own, 5))
    assert repeated_high - repeated_low == pytest.approx(high - low, abs=0.01)
