"""Progress says how far, how fast, how long still and how many were skipped; looking does not flatter the rate."""

from __future__ import annotations

import pytest

from lookalike.cli import progress as module
from lookalike.cli.progress import Pace, describe, display
from lookalike.engine.reports import Progress


def at(seconds, done, *, total=1000, skipped=0, stage="take"):
    return Progress(stage=stage, done=done, total=total, encoded=done, skipped=skipped, seconds=seconds)


def told(*events):
    pace = Pace()
    for event in events:
        pace.note(event)
    return describe(events[-1], pace)


def test_while_folders_are_looked_through_there_is_no_end_to_tell():
    assert told(at(1, 12_345, total=None, stage="look")) == "looking for changes: 12,345 files"


def test_rate_and_time_left_count_from_where_taking_began():
    line = told(at(1, 500, stage="look"), at(1, 500), at(11, 600, skipped=2))
    assert line == "taking pictures in: 600 of 1,000, 10 a second, about 40 s left, 2 skipped"


@pytest.mark.parametrize("stage", ["look", "take", "finish", "index", "write"])
def test_every_stage_has_words(stage):
    assert told(at(1, 0, stage=stage)).endswith(": 0 of 1,000")


def test_there_is_no_rate_before_there_is_something_to_measure():
    assert told(at(1, 500), at(1.1, 510)) == "taking pictures in: 510 of 1,000"


def test_outside_a_terminal_there_is_a_plain_line_now_and_then(monkeypatch, capfd):
    monkeypatch.setattr(module, "PLAIN_EVERY_S", 0.0)
    with display() as shown:
        shown.show(at(1, 0))
        shown.show(at(2, 100))
    assert capfd.readouterr().err.splitlines() == [
        "taking pictures in: 0 of 1,000",
        "taking pictures in: 100 of 1,000, 100 a second, about 9 s left",
    ]
