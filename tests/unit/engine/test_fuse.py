"""One order of what words and what meaning found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from lookalike.engine.fuse import fuse

COUNT, DIM = 200, 32


@dataclass(frozen=True)
class Shares:
    """Word scores as the store gives them."""

    by_row: np.ndarray
    named: tuple[int, ...] = ()

    def best(self, limit, allowed=None):
        rows = [row for row in range(len(self.by_row)) if self.by_row[row] > 0 or row in self.named]
        rows = [row for row in rows if allowed is None or allowed[row]]
        rows.sort(key=lambda row: (row not in self.named, -self.by_row[row], row))
        chosen = np.array(rows[:limit], np.int64)
        return chosen, self.by_row[chosen], np.isin(chosen, self.named)


@pytest.fixture(scope="module")
def stored() -> np.ndarray:
    vectors = np.random.default_rng(0).standard_normal((COUNT, DIM))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)


def words(shares: dict[int, float], *named: int) -> Shares:
    by_row = np.zeros(COUNT, np.float32)
    for row, share in shares.items():
        by_row[row] = share
    return Shares(by_row, named)


def nearest(stored, query) -> np.ndarray:
    return np.argsort(-(stored.astype(np.float32) @ query), kind="stable").astype(np.int64)


@pytest.fixture(scope="module")
def query(stored) -> np.ndarray:
    return stored[7].astype(np.float32)


def test_without_a_known_word_the_order_is_that_of_meaning(stored, query):
    near = nearest(stored, query)[:20]
    fused = fuse(stored, query, near, words({}), k=10)
    assert fused.rows.tolist() == near[:10].tolist()
    assert (np.diff(fused.cosines) <= 0).all()
    assert not fused.shares.any()
    assert not fused.exact.any()


def test_a_row_that_has_all_words_comes_before_the_nearest(stored, query):
    fused = fuse(stored, query, nearest(stored, query)[:20], words({150: 1.0}), k=3)
    assert fused.rows[0] == 150
    assert 7 in fused.rows


def test_a_few_of_the_words_do_not_outweigh_meaning(stored, query):
    assert fuse(stored, query, nearest(stored, query)[:20], words({150: 0.2}), k=3).rows[0] == 7


def test_among_equal_words_the_nearer_picture_comes_first(stored, query):
    far, near = nearest(stored, query)[[-1, 0]].tolist()
    assert fuse(stored, query, np.array([]).astype(int), words({far: 1.0, near: 1.0}), k=2).rows.tolist() == [near, far]


def test_pictures_like_those_that_the_words_found_come_next(stored, query):
    found = 150
    alike = stored.copy()
    alike[30] = alike[found]  # no title, but it looks the same
    fused = fuse(alike, query, np.arange(COUNT), words({found: 1.0}), k=COUNT).rows.tolist()
    apart = fuse(alike, query, np.arange(COUNT), words({}), k=COUNT).rows.tolist()
    assert fused.index(30) < apart.index(30)


def test_exact_names_are_first_whatever_else_speaks(stored, query):
    fused = fuse(stored, query, nearest(stored, query)[:20], words({150: 1.0, 3: 0.1}, 3, 9), k=5)
    assert set(fused.rows[:2].tolist()) == {3, 9}
    assert fused.exact.tolist() == [True, True, False, False, False]


def test_a_row_outside_the_mask_never_comes(stored, query):
    allowed = np.zeros(COUNT, bool)
    allowed[[150, 160]] = True
    near = np.array([160, -1, -1])
    fused = fuse(stored, query, near, words({150: 1.0, 7: 1.0}, 7), k=10, allowed=allowed)
    assert fused.rows.tolist() == [150, 160]


def test_nothing_found_is_nothing(stored, query):
    fused = fuse(stored, query, np.array([-1, -1]), words({}), k=10)
    assert len(fused.rows) == len(fused.cosines) == len(fused.shares) == len(fused.exact) == len(fused.scores) == 0


def test_cosines_are_those_of_the_question(stored, query):
    fused = fuse(stored, query, nearest(stored, query)[:20], words({150: 1.0}), k=10)
    np.testing.assert_allclose(fused.cosines, stored[fused.rows].astype(np.float32) @ query, atol=2e-3)
