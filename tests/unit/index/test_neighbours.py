"""The join of rows with themselves: the nearest of each, with an index and without."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike.index.neighbours import cosines, nearest_rows


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    made = np.random.default_rng(3).standard_normal((500, 16)).astype(np.float32)
    made[499] = made[3] + 0.05
    return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float16)


def test_each_row_is_its_own_nearest_and_its_neighbours_follow_by_cosine(rows):
    asked = np.array([3, 40, 499])
    found, scores = nearest_rows(rows, None, asked, 5, None)
    np.testing.assert_array_equal(found[:, 0], asked)
    assert (found[0, 1], found[2, 1]) == (499, 3)
    wide = rows.astype(np.float64)
    wide /= np.linalg.norm(wide, axis=1, keepdims=True)
    expected = np.sort(wide[asked] @ wide.T, axis=1)[:, ::-1][:, :5]
    np.testing.assert_allclose(scores, expected, atol=1e-5)


def test_rows_that_are_not_allowed_are_never_found(rows):
    allowed = np.ones(500, bool)
    allowed[[3, 7]] = False
    found, scores = nearest_rows(rows, None, np.array([499, 7]), 500, allowed)
    assert not np.isin(found, [3, 7]).any()
    assert (found[:, -2:] == -1).all()
    assert np.isneginf(scores[:, -2:]).all()


def test_cosines_of_pairs_are_those_of_their_rows(rows):
    pairs = cosines(rows, np.array([3, 3]), np.array([499, 3]))
    assert pairs[0] > 0.9
    assert pairs[1] == pytest.approx(1, abs=1e-6)
    assert len(cosines(rows, np.empty(0, np.int64), np.empty(0, np.int64))) == 0
