"""Functions called in processes of their own."""

from __future__ import annotations

import math
import operator
import os
import time
from concurrent.futures import CancelledError

import pytest

from lookalike.core.errors import LookalikeError
from lookalike.engine.own_processes import OwnProcesses


def test_results_come_in_the_order_of_what_was_given():
    with OwnProcesses(2) as processes:
        given = [0.05, *range(40)]
        assert list(processes.map(math.exp, given)) == [math.exp(each) for each in given]
        assert list(processes.map(hex, range(3))) == ["0x0", "0x1", "0x2"]


def test_several_are_called_elsewhere_and_a_single_one_here():
    with OwnProcesses(2) as processes:
        here = os.getpgid(0)
        assert list(processes.map(os.getpgid, [0])) == [here]
        assert here not in processes.map(os.getpgid, [0, 0, 0])
        assert list(processes.map(hex, [])) == []


def test_what_a_function_raises_is_raised_here_and_the_next_call_is_answered():
    with OwnProcesses(1) as processes:
        with pytest.raises(ValueError, match=r"math domain error|nonnegative"):
            list(processes.map(math.sqrt, [4.0, -1.0]))
        assert list(processes.map(math.sqrt, [4.0, 9.0])) == [2.0, 3.0]


def test_a_process_that_dies_is_an_error_that_says_so():
    with OwnProcesses(1) as processes, pytest.raises(LookalikeError, match="exit status 3"):
        list(processes.map(os._exit, [3, 3]))


def test_large_things_go_there_and_come_back():
    large = [bytes(9_000_000), b"small"]
    with OwnProcesses(2) as processes:
        assert list(processes.map(operator.length_hint, large)) == [9_000_000, 5]
        assert list(processes.map(bytes, large)) == large


def test_what_waits_is_dropped_when_they_are_closed():
    processes = OwnProcesses(1)
    results = processes.map(time.sleep, [0.2] * 10_000)
    next(results)
    processes.close()
    with pytest.raises(CancelledError):
        list(results)
