"""Where the synchronous core runs: a bounded pool of threads, and questions that arrive together asked together.

A question that comes alone starts at once. Those that come while all lanes are taken wait, and the next free lane
takes all of them in one call: they share the encoder's run and the pass over the rows, so throughput grows with load
and a lone question never waits for company. More than may wait are refused quickly (503): an answer that would come
too late is worth less than one that says so.
"""

from __future__ import annotations

import asyncio
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from lookalike.core.cores import usable_cores
from lookalike.core.errors import LookalikeError
from lookalike.core.wording import Wording
from lookalike.service.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lookalike.core.records import Query, Results

T = TypeVar("T")

ASKED_TOGETHER = 32
"""Questions in one call: as many texts as encoders take at once."""
WAITING = 256
"""Calls and questions that may wait in all."""


def too_busy() -> Problem:
    """How a request is refused while too many wait."""
    return Problem(503, "busy", Wording("busy"), hint=Wording("ask_again"), headers={"Retry-After": "1"})


class Lanes:
    """Threads for calls of the core. Use from one event loop."""

    def __init__(self, count: int | None = None, waiting: int = WAITING) -> None:
        self.count = count or usable_cores()
        self.waiting = 0
        self.questions = 0  # that wait to be asked together, of all collections
        self._most = waiting
        self._pool = ThreadPoolExecutor(self.count, thread_name_prefix="lane")

    @property
    def are_full(self) -> bool:
        """Whether whoever comes now is refused."""
        return self.waiting + self.questions >= self._most + self.count

    async def run(self, call: Callable[..., T], *arguments: Any, **named: Any) -> T:
        """`call(...)` in a thread. Raises Problem when too many wait, and whatever the call raises."""
        if self.waiting >= self._most + self.count:
            raise too_busy()
        self.waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._pool, partial(call, *arguments, **named))
        finally:
            self.waiting -= 1

    def close(self) -> None:
        """Wait for what runs; drop what waits."""
        self._pool.shutdown(cancel_futures=True)


class Asking:
    """Questions to one collection, asked together where they come together; `told` hears how many in each call."""

    def __init__(
        self,
        answer: Callable[[Sequence[Query]], list[Results]],
        lanes: Lanes,
        told: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._answer = answer
        self._lanes = lanes
        self._told = told
        self._waiting: deque[tuple[Query, asyncio.Future[Results]]] = deque()
        self._running: set[asyncio.Task[None]] = set()

    async def ask(self, query: Query) -> Results:
        """The answer to one question. Raises what `Collection.search` does, and Problem when too many wait."""
        if self._lanes.are_full:
            raise too_busy()
        answer: asyncio.Future[Results] = asyncio.get_running_loop().create_future()
        self._waiting.append((query, answer))
        self._lanes.questions += 1
        if len(self._running) < self._lanes.count:
            task = asyncio.create_task(self._ask_waiting())
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        return await answer

    async def _ask_waiting(self) -> None:
        while self._waiting:
            taken = [self._waiting.popleft() for _ in range(min(ASKED_TOGETHER, len(self._waiting)))]
            self._lanes.questions -= len(taken)
            asked = [(query, answer) for query, answer in taken if not answer.done()]  # who asked may have left
            if not asked:
                continue
            queries = [query for query, _ in asked]
            self._told(len(queries))
            try:
                outcomes: Sequence[Results | Exception] = await self._lanes.run(self._answered, queries)
            except Exception as error:  # whatever it is, it belongs to whoever asked
                outcomes = [error] * len(asked)
            for (_, answer), outcome in zip(asked, outcomes, strict=True):
                if answer.done():
                    continue
                if isinstance(outcome, Exception):
                    answer.set_exception(outcome)
                else:
                    answer.set_result(outcome)

    def _answered(self, queries: Sequence[Query]) -> list[Results | Exception]:
        """What each question is answered with; one that cannot be answered does not cost the others theirs."""
        try:
            return [*self._answer(queries)]
        except (LookalikeError, ValueError) as error:
            if len(queries) == 1:
                return [error]
            return [outcome for query in queries for outcome in self._answered([query])]
