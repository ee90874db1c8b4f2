"""Functions of ours, called in processes of their own: what works on many small arrays keeps one core busy, not several
threads of one process.

Promises: results in the order of what was given; the processes end with this one, however it ends, and Ctrl-C is not
for them.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar

from lookalike.core.child_processes import ended, started
from lookalike.core.closing import Closing
from lookalike.core.errors import LookalikeError

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator, Sequence

_LIBRARIES = ("OMP", "OPENBLAS")
"""That would start threads for each core: each of these processes has one."""

Given = TypeVar("Given")
Result = TypeVar("Result")


class OwnProcesses(Closing):
    """A context manager; up to `count` processes, each started when there is something to do."""

    def __init__(self, count: int) -> None:
        self._idle: SimpleQueue[_Process] = SimpleQueue()
        self._processes = [_Process() for _ in range(count)]
        for process in self._processes:
            self._idle.put(process)
        self._threads = ThreadPoolExecutor(count)

    def map(self, function: Callable[[Given], Result], given: Sequence[Given]) -> Iterator[Result]:
        """`function` of each, in this order. What it is given is pickled; it is found by its name in its module.

        A single one is called here, which is sooner. Raises what the function raises, and LookalikeError when a process
        dies.
        """
        if len(given) <= 1:
            return map(function, given)
        return self._threads.map(partial(self._called, function), given)

    def close(self) -> None:
        """End the processes when each has done what it has in hand; what waits is dropped."""
        self._threads.shutdown(cancel_futures=True)
        for process in self._processes:
            process.end()

    def _called(self, function: Callable[[Given], Result], given: Given) -> Result:
        process = self._idle.get()
        try:
            return process.call(function, given)
        finally:
            self._idle.put(process)


class _Process:
    """One process. Used by one thread at a time."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def call(self, function: Callable[[Given], Result], given: Given) -> Result:
        if self._process is None:
            self._process = started(__name__)
            assert self._process.stdin is not None
            pickle.dump(sys.path, self._process.stdin)
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            pickle.dump((function, given), process.stdin, pickle.HIGHEST_PROTOCOL)
            process.stdin.flush()
            is_error, answer = pickle.load(process.stdout)  # noqa: S301 - of our own process
        except (OSError, EOFError, pickle.UnpicklingError) as error:  # it may end amid an answer
            raise LookalikeError(
                f"a process that compares pictures ended by itself (exit status {process.wait()})",
                hint="look again: what was compared is kept; lookalike doctor tells how much memory there is",
            ) from error
        if is_error:
            raise answer
        result: Result = answer
        return result

    def end(self) -> None:
        if self._process is None:
            return
        self._process.kill()
        ended(self._process)


def serve() -> None:
    """Answer calls until standard input closes: what the process does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for library in _LIBRARIES:
        os.putenv(f"{library}_NUM_THREADS", "1")  # none of them is loaded yet
    with os.fdopen(os.dup(1), "wb") as answers:
        os.dup2(2, 1)  # what libraries print goes nowhere
        while True:
            try:
                function, given = pickle.load(sys.stdin.buffer)  # noqa: S301 - the parent wrote it
            except EOFError:
                return
            answer: tuple[bool, Any]
            try:
                answer = False, function(given)
            except Exception as error:  # it belongs to the caller
                answer = True, error
            pickle.dump(answer, answers, pickle.HIGHEST_PROTOCOL)
            answers.flush()
