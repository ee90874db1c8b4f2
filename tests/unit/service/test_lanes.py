"""Questions that come together are asked together; one alone waits for nobody; too many are refused."""

from __future__ import annotations

import asyncio
import threading

import pytest

from lookalike.core.errors import QueryError
from lookalike.service.lanes import ASKED_TOGETHER, WAITING, Asking, Lanes
from lookalike.service.problems import Problem


class Answering:
    """Answers words with themselves, in calls whose sizes are kept; a bad word spoils the call it comes in."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.gate = threading.Event()

    def __call__(self, queries):
        self.gate.wait(120)
        self.sizes.append(len(queries))
        if "bad" in queries:
            raise QueryError("bad")
        return list(queries)


def asked(words, answering, *, lanes=1):
    """What each of `words`, asked at once, is answered with; the gate opens when all of them wait."""

    async def ask_all():
        made = Lanes(lanes)
        asking = Asking(answering, made)
        tasks = [asyncio.create_task(asking.ask(word)) for word in words]
        await asyncio.sleep(0.05)
        answering.gate.set()
        try:
            return await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            made.close()

    return asyncio.run(ask_all())


def test_a_question_alone_is_asked_alone():
    answering = Answering()
    assert asked(["one"], answering) == ["one"]
    assert answering.sizes == [1]


def test_questions_that_wait_are_asked_together_and_each_gets_its_own_answer():
    answering, words = Answering(), [f"word {number}" for number in range(20)]
    assert asked(words, answering) == words
    assert answering.sizes == [20]
    many = [f"word {number}" for number in range(2 * ASKED_TOGETHER)]
    answering = Answering()
    assert asked(many, answering) == many
    assert max(answering.sizes) == ASKED_TOGETHER


def test_a_question_that_cannot_be_answered_does_not_cost_the_others_theirs():
    outcomes = asked(["one", "bad", "two"], Answering())
    assert (outcomes[0], outcomes[2]) == ("one", "two")
    assert isinstance(outcomes[1], QueryError)


def test_more_than_may_wait_are_refused_at_once():
    outcomes = asked(["word"] * (WAITING + 40), Answering())
    refused = [each for each in outcomes if isinstance(each, Problem)]
    assert len(refused) >= 1
    assert {(each.status, each.headers["Retry-After"]) for each in refused} == {(503, "1")}
    assert outcomes.count("word") == len(outcomes) - len(refused) >= WAITING


def test_calls_are_refused_when_too_many_wait():
    async def crowd():
        lanes, gate = Lanes(1, waiting=2), threading.Event()
        tasks = [asyncio.create_task(lanes.run(gate.wait, 120)) for _ in range(3)]
        await asyncio.sleep(0.05)
        with pytest.raises(Problem, match="too many"):
            await lanes.run(gate.wait)
        gate.set()
        assert await asyncio.gather(*tasks) == [True] * 3
        assert lanes.waiting == 0
        lanes.close()

    asyncio.run(crowd())
