"""The batch size is found by timing, on whatever is being encoded anyway."""

from __future__ import annotations

import time

from lookalike.encoders.towers import BatchSize

SLOW_S = 1000.0
"""Beside what an input is said to need, what this machine is busy with meanwhile is nothing."""


def run(batch, waiting, seconds_each):
    """Encode `waiting` inputs on a machine that needs `seconds_each[size]` an input; the sizes of the runs."""
    sizes = []
    while waiting:
        size = batch.next(waiting)
        batch.took(size, time.perf_counter() - size * seconds_each.get(size, SLOW_S))
        waiting -= size
        sizes.append(size)
    return sizes


def test_the_fastest_size_wins_when_it_is_clearly_faster():
    batch = BatchSize((4, 8, 16))
    run(batch, 100, {4: 400, 8: 300, 16: 200})
    assert run(batch, 32, {}) == [16, 16]


def test_a_small_gain_is_not_worth_a_larger_batch():
    batch = BatchSize((4, 8, 16))
    run(batch, 100, {4: 300, 8: 295, 16: 290})
    assert batch.chosen == 4


def test_each_size_is_timed_twice_and_one_slow_run_is_forgiven():
    batch = BatchSize((4, 8))
    batch.took(8, time.perf_counter() - 80 * SLOW_S)
    assert run(batch, 40, {4: 300, 8: 200})[:4] == [4, 4, 8, 8]
    assert batch.chosen == 8


def test_few_inputs_are_one_run_and_teach_nothing():
    batch = BatchSize((4, 8, 16))
    assert run(batch, 3, {}) == [3]
    assert batch.trials == {}
