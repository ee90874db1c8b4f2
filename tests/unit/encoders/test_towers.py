"""The batch size is found by timing, on whatever is being encoded anyway."""

from __future__ import annotations

import time

from lookalike.encoders.towers import BatchSize


def run(batch, waiting, seconds_each):
    """Encode `waiting` inputs on a machine that needs `seconds_each[size]` an input; the sizes of the runs."""
    sizes = []
    while waiting:
        size = batch.next(waiting)
        batch.took(size, time.perf_counter() - size * seconds_each.get(size, 1.0))
        waiting -= size
        sizes.append(size)
    return sizes


def test_the_fastest_size_wins_when_it_is_clearly_faster():
    batch = BatchSize((4, 8, 16))
    run(batch, 100, {4: 0.4, 8: 0.3, 16: 0.2})
    assert run(batch, 32, {}) == [16, 16]


def test_a_small_gain_is_not_worth_a_larger_batch():
    batch = BatchSize((4, 8, 16))
    run(batch, 100, {4: 0.30, 8: 0.295, 16: 0.29})
    assert batch.chosen == 4


def test_each_size_is_timed_twice_and_one_slow_run_is_forgiven():
    batch = BatchSize((4, 8))
    batch.took(8, time.perf_counter() - 80)
    assert run(batch, 40, {4: 0.3, 8: 0.2})[:4] == [4, 4, 8, 8]
    assert batch.chosen == 8


def test_few_inputs_are_one_run_and_teach_nothing():
    batch = BatchSize((4, 8, 16))
    assert run(batch, 3, {}) == [3]
    assert batch.trials == {}
