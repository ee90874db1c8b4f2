"""`lookalike watch` follows folders until Ctrl-C."""

from __future__ import annotations

import json
import shutil
import signal
import threading
import time
from contextlib import suppress

import pytest

import lookalike
from lookalike.cli import interrupt
from lookalike.core.errors import CollectionBusy

PATIENCE_S = 300


@pytest.fixture(autouse=True)
def grace(monkeypatch):
    """A busy machine may end a watch later than a person would wait."""
    monkeypatch.setattr(interrupt, "GRACE_S", PATIENCE_S)


def change_then_interrupt(collection, change) -> threading.Thread:
    """A thread that waits for the first look, changes something, waits for the look that takes it, and interrupts."""

    def has_looked(seen, items: int) -> bool:
        if (seen.status()["items"], len(seen.status()["roots"])) != (items, 2):
            return False
        with suppress(CollectionBusy):
            seen._store.writer().close()  # the look has ended
            return True
        return False

    def run() -> None:
        with lookalike.open(collection) as seen:
            for items, then in ((24, change), (25, lambda: signal.raise_signal(signal.SIGINT))):
                end = time.monotonic() + PATIENCE_S
                while not has_looked(seen, items) and time.monotonic() < end:
                    time.sleep(0.05)
                then()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_each_look_is_a_line_of_json_and_ctrl_c_ends_it_well(call, indexed, drawn, tmp_path):
    taken = tmp_path / "taken"
    taken.mkdir()
    thread = change_then_interrupt(indexed, lambda: shutil.copy(min(drawn.iterdir()), taken / "new.jpg"))
    ended = call("watch", taken, "--json")
    thread.join()
    looks = [json.loads(line) for line in ended.out.splitlines()]
    assert looks[0]["added"] == 0
    assert sum(look["added"] for look in looks) == 1
    assert {"seconds", "skipped", "index", "interrupted"} <= looks[0].keys()
    assert "Watching" in ended.err
    assert ended.code == (130 if looks[-1]["interrupted"] else 0)


def test_people_read_what_each_look_found(call, indexed, tmp_path, drawn):
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no picture")
    thread = change_then_interrupt(indexed, lambda: shutil.copy(min(drawn.iterdir()), taken / "new.jpg"))
    ended = call("watch", taken)
    thread.join()
    assert "nothing changed" in ended.out
    assert ended.err.count("1 file was skipped") == 1


def test_without_a_folder_that_was_indexed_it_says_what_to_do(call, tmp_path):
    ended = call("watch", "--collection", tmp_path / "none")
    assert ended.code == 2
    assert "lookalike index ~/Pictures" in ended.err
    ended = call("watch", tmp_path / "nowhere", "--collection", tmp_path / "none")
    assert ended.code == 1
    assert "there is no file or folder" in ended.err
    assert not (tmp_path / "none").exists()
