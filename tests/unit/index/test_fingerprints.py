"""Fingerprints near each other meet, in every turn, and each pair belongs to one of the two."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike.core.turns import TURNS, turned
from lookalike.index.fingerprints import BUCKET_AT_MOST, distances, near_prints

RADIUS = 31


def random_prints(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 32), dtype=np.uint8)


def flipped(bits: np.ndarray, count: int, random: np.random.Generator) -> np.ndarray:
    every = np.unpackbits(bits)
    every[random.permutation(256)[:count]] ^= 1
    return np.packbits(every)


def found(bits: np.ndarray, is_new: np.ndarray, radius: int = RADIUS) -> dict[tuple[int, int], tuple[int, int]]:
    """(asked, found) -> (distance, turn) over all tables."""
    pairs = {}
    for some in near_prints(bits, is_new, radius):
        for asked, other, distance, turn in zip(some.asked, some.found, some.distance, some.turn, strict=True):
            pairs[int(asked), int(other)] = (int(distance), int(turn))
    return pairs


@pytest.mark.parametrize("turn", range(TURNS))
def test_what_differs_in_a_few_bits_is_found_in_every_turn(turn):
    random = np.random.default_rng(turn)
    bits = random_prints(2000)
    for copy in range(1000, 1100):
        bits[copy] = flipped(turned(bits[copy - 1000][None])[turn, 0], 16, random)
    pairs = found(bits, np.ones(len(bits), bool))
    assert set(pairs) >= {(copy, copy - 1000) for copy in range(1000, 1100)}
    for copy in range(1000, 1100):
        distance, back = pairs[copy, copy - 1000]
        assert distance == 16
        assert distances(turned(bits[copy][None])[back, 0], bits[copy - 1000]) == 16


def test_most_of_what_differs_in_all_bits_of_the_radius_is_found_and_nothing_beyond_it():
    random = np.random.default_rng(1)
    bits = random_prints(4000)
    for copy in range(2000, 3000):
        bits[copy] = flipped(bits[copy - 2000], RADIUS + (copy % 2), random)
    pairs = found(bits, np.ones(len(bits), bool))
    assert all(distance <= RADIUS for distance, _ in pairs.values())
    assert len(pairs) >= 490  # of 500 within the radius, by chance


def test_each_pair_comes_from_the_new_one_or_the_later_of_two_new_ones():
    bits = np.repeat(random_prints(1), 6, axis=0)
    is_new = np.array([False, True, False, True, False, True])
    pairs = found(bits, is_new)
    assert set(pairs) == {
        (1, 0),
        (1, 2),
        (1, 4),
        (3, 0),
        (3, 2),
        (3, 4),
        (3, 1),
        (5, 0),
        (5, 2),
        (5, 4),
        (5, 1),
        (5, 3),
    }
    assert not found(bits, np.zeros(6, bool))
    assert not found(bits[:0], is_new[:0])


def test_thousands_of_equal_ones_cost_each_a_few_pairs_and_hang_together():
    bits = np.repeat(random_prints(1), 3000, axis=0)
    cut, partners = 0, np.zeros(3000, np.int64)
    reached = np.zeros(3000, bool)
    for some in near_prints(bits, np.ones(3000, bool), RADIUS):
        cut += some.cut
        pairs = np.unique(np.stack([some.asked, some.found]), axis=1)
        partners = np.maximum(partners, np.bincount(pairs[0], minlength=3000))
        reached[pairs[0][pairs[1] == 0]] = True
    assert cut > 0
    assert partners.max() <= BUCKET_AT_MOST
    assert reached[1:].all()  # each met the first one


def test_distances_count_the_bits_that_differ():
    bits = random_prints(50)
    expected = np.unpackbits(bits[:, None] ^ bits[None], axis=2).sum(axis=2)
    np.testing.assert_array_equal(distances(bits[:, None], bits[None]), expected)
