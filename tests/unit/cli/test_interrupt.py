"""Ctrl-C once stops soon, twice at once, and a run that does not listen is stopped all the same."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

from lookalike.cli import interrupt
from lookalike.cli.interrupt import stop_on_interrupt


@pytest.fixture(autouse=True)
def grace(monkeypatch):
    """Longer than any machine stands still: an interrupt that comes by itself would end all tests."""
    monkeypatch.setattr(interrupt, "GRACE_S", 600)


def test_the_first_interrupt_asks_the_run_to_stop(capfd):
    with stop_on_interrupt() as stop:
        signal.raise_signal(signal.SIGINT)
        assert stop.is_set()
    assert "what is done is kept" in capfd.readouterr().err


def test_the_second_interrupt_stops_at_once():
    def interrupted_twice():
        with stop_on_interrupt():
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        interrupted_twice()


def test_a_run_that_does_not_listen_is_stopped(monkeypatch):
    monkeypatch.setattr(interrupt, "GRACE_S", 0.1)

    def deaf():
        with stop_on_interrupt():
            signal.raise_signal(signal.SIGINT)
            while True:
                time.sleep(0.05)

    with pytest.raises(KeyboardInterrupt):
        deaf()


def ended(interrupting: str) -> tuple[int, str]:
    """Exit code and standard error of `lookalike --version` in a process that interrupts itself."""
    heeded = "import signal, sys\nsignal.signal(signal.SIGINT, signal.default_int_handler)"  # else as it is handed down
    program = f"{heeded}\n{interrupting}\nfrom lookalike.__main__ import program\nsys.exit(program())"
    done = subprocess.run(
        [sys.executable, "-c", program, "--version"], capture_output=True, text=True, check=False, timeout=600
    )
    return done.returncode, done.stderr


def test_an_interrupt_while_the_command_line_is_loaded_is_quiet():
    finder = (
        "class Finder:\n"
        "    def find_spec(name, *_):\n"
        "        if name == 'click':\n"
        "            signal.raise_signal(signal.SIGINT)\n"
        "sys.meta_path.insert(0, Finder)"
    )
    assert ended(finder) == (130, "")


def test_an_interrupt_after_all_is_said_changes_nothing():
    assert ended("import atexit; atexit.register(signal.raise_signal, signal.SIGINT)") == (0, "")


def test_afterwards_interrupts_mean_what_they_meant_before():
    before = signal.getsignal(signal.SIGINT)
    with stop_on_interrupt():
        pass
    assert signal.getsignal(signal.SIGINT) is before
