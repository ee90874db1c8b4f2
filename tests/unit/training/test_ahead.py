"""Results come in order from another thread, and its errors come to who waits."""

from __future__ import annotations

import itertools
import threading

import pytest

from lookalike.training.ahead import Ahead


def test_results_come_in_order_from_another_thread():
    count, threads = itertools.count(), set()

    def make():
        threads.add(threading.get_ident())
        return next(count)

    with Ahead(make) as ahead:
        assert [ahead.next() for _ in range(5)] == [0, 1, 2, 3, 4]
    assert threads.isdisjoint({threading.get_ident()})


def test_an_error_is_raised_where_the_result_is_awaited():
    def make():
        raise OSError("the disk is gone")

    with Ahead(make) as ahead, pytest.raises(OSError, match="the disk is gone"):
        ahead.next()


def test_leaving_ends_the_thread():
    before = threading.active_count()
    with Ahead(lambda: 1) as ahead:
        ahead.next()
    assert threading.active_count() == before
