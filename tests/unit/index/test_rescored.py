"""What an opened index gives is scored from the rows, whatever the file under it said."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike.core.arrays import unit_vectors
from lookalike.index.exact import ExactIndex
from lookalike.index.kinds import KINDS, OperatingPoint
from lookalike.index.opening import open_index
from lookalike.index.rescored import RescoredIndex


class Liar:
    """Candidates that are wrong in every way: outside the rows, forbidden, too few."""

    count = 100

    def __init__(self, rows) -> None:
        self.rows = rows

    def candidates(self, queries, fetch, effort, allowed):
        return np.tile(np.array(self.rows, dtype=np.int64), (len(queries), 1))


@pytest.fixture
def few(rows):
    return rows[:100]


def test_rows_out_of_range_and_forbidden_ones_never_come_out(few, queries):
    index = RescoredIndex(Liar([-7, 5, 3, 100, 2**40, -1, 9, 8]), few, OperatingPoint(1, 8))
    allowed = np.ones(100, dtype=np.bool_)
    allowed[8] = False
    found, _ = index.search(queries, 3, allowed=allowed)
    for answer in found:
        assert sorted(answer.tolist()) == [3, 5, 9]


def test_a_query_left_short_is_answered_exactly(few, queries):
    found = RescoredIndex(Liar([4, -1]), few, OperatingPoint(1, 8)).search(queries, 3)
    exact = ExactIndex(few).search(queries, 3)
    np.testing.assert_array_equal(found[0], exact[0])
    np.testing.assert_array_equal(found[1], exact[1])


def test_no_more_is_compared_when_all_that_is_allowed_was_found(few, queries):
    allowed = np.zeros(100, dtype=np.bool_)
    allowed[[4, 6]] = True
    found, scores = RescoredIndex(Liar([4, 6, 7]), few, OperatingPoint(1, 8)).search(queries, 3, allowed=allowed)
    assert sorted(found[0, :2].tolist()) == [4, 6]
    assert (found[:, 2] == -1).all()
    assert np.isneginf(scores[:, 2]).all()


def test_candidates_without_direction_hide_nobody(few, queries):
    spoilt = few.copy()
    spoilt[4], spoilt[6] = 0, np.nan
    found, scores = RescoredIndex(Liar([4, 6, 7, 9]), spoilt, OperatingPoint(1, 8)).search(queries, 2)
    assert sorted(found[0].tolist()) == [7, 9]
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("kind", KINDS)
def test_more_effort_finds_more_up_to_everything(built, rows, identity, kind):
    queries = unit_vectors(np.random.default_rng(2).standard_normal((40, 32)))
    index = open_index(built(kind, 1200), rows, identity=identity)
    truth = ExactIndex(rows).search(queries, 10)[1]

    def share(effort, fetch):
        return (index.search(queries, 10, effort=effort, fetch=fetch)[1] >= truth[:, -1:] - 1e-6).mean()

    assert share(1, 10) <= share(200, 400) + 0.02
    assert share(5000, 400) > 0.99


@pytest.mark.parametrize("kind", KINDS)
def test_scores_and_ties_are_those_of_the_exact_index(built, rows, queries, identity, kind):
    index = open_index(built(kind, 1000), rows, identity=identity)
    assert (index.count, index.dim, index.exact) == (1000, 32, False)
    found, scores = index.search(queries, 10)
    exact_rows, exact_scores = ExactIndex(rows[:1000]).search(queries, 1000)
    for query in range(len(queries)):
        of = dict(zip(exact_rows[query].tolist(), exact_scores[query].tolist(), strict=True))
        assert [of[row] for row in found[query].tolist()] == scores[query].tolist()


@pytest.mark.parametrize("kind", KINDS)
def test_a_mask_may_change_between_searches_unless_it_is_frozen(built, rows, queries, identity, kind):
    index = open_index(built(kind, 1200), rows, identity=identity)
    for seed, frozen in enumerate([False, True, True]):
        allowed = np.random.default_rng(seed).random(1200) < 0.5
        allowed.flags.writeable = not frozen
        for _ in range(2):
            found, _ = index.search(queries, 5, allowed=allowed)
            assert allowed[found].all()
        if not frozen:
            allowed[:] = ~allowed
            assert allowed[index.search(queries, 5, allowed=allowed)[0]].all()
