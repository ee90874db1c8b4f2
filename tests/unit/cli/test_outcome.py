"""However a call ends, it ends with the right code and words a person understands."""

from __future__ import annotations

import errno
import inspect
import sys

import click
import pytest

from lookalike.cli.options import CONTEXT, Session
from lookalike.cli.outcome import Failed, Interrupted, run
from lookalike.core import errors

RAISED = [each for each in vars(errors).values() if inspect.isclass(each)]


def ending(error: BaseException | None, *, debug: bool = False) -> int:
    """The exit code of a command that raises `error`."""

    @click.group(context_settings=CONTEXT)
    def group():
        pass

    @group.command()
    def go():
        if error is not None:
            raise error

    return run(group, ["go"], Session(debug=debug))


def made(kind: type[errors.LookalikeError]) -> errors.LookalikeError:
    if kind is errors.MissingExtra:
        return kind("what happened", "extra")
    if kind in {errors.CannotDecode, errors.IndexUnusable}:
        return kind("code", "what happened", hint="what to do")
    more = {
        errors.CollectionBusy: {"pid": 1},
        errors.FilterError: {"position": 0},
        errors.ServiceError: {"status": 400, "code": "bad-query"},
    }.get(kind, {})
    return kind("what happened", hint="what to do", **more)


@pytest.mark.parametrize("kind", RAISED)
def test_every_error_of_ours_says_what_happened_and_what_to_do(kind, capfd):
    assert ending(made(kind)) == 1
    out, err = capfd.readouterr()
    assert out == ""
    first, second = err.splitlines()
    assert first.startswith("error: what happened")
    assert second == ('  pip install "lookalike[extra]"' if kind is errors.MissingExtra else "  what to do")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (None, 0),
        (Failed(), 1),
        (Interrupted(), 130),
        (KeyboardInterrupt(), 130),
        (click.UsageError("Nonsense."), 2),
        (PermissionError(errno.EACCES, "Permission denied", "/a/b"), 1),
        (MemoryError(), 1),
        (RuntimeError("surprise"), 1),
        (SystemExit(3), 3),
    ],
)
def test_the_exit_code_tells_how_it_ended(error, code):
    assert ending(error) == code


def test_a_system_error_names_the_file(capfd):
    ending(OSError(errno.ENOSPC, "No space left on device", "/a/b"))
    assert capfd.readouterr().err.startswith("error: No space left on device: /a/b\n  make room")


def test_what_may_not_be_written_comes_with_what_to_do(capfd):
    ending(PermissionError(errno.EACCES, "Permission denied", "/a/b"))
    assert capfd.readouterr().err.splitlines()[1].startswith("  look at the rights of that file")


def test_a_surprise_is_no_traceback_unless_asked_for(capfd):
    ending(RuntimeError("surprise"))
    said = capfd.readouterr().err
    assert "RuntimeError: surprise" in said
    assert "Traceback" not in said
    assert "--debug" in said
    ending(RuntimeError("surprise"), debug=True)
    assert "Traceback" in capfd.readouterr().err


def test_what_a_name_contains_cannot_command_the_terminal(capfd):
    ending(errors.SourceError("no file \x1b[2Jx\n"))
    assert capfd.readouterr().err == "error: no file \\x1b[2Jx\\n\n"


def test_streams_survive_text_they_cannot_carry(monkeypatch):
    import io

    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stderr", stream)
    assert ending(errors.SourceError("нет файла")) == 1
    stream.flush()
    assert b"\\u043d" in stream.buffer.getvalue()
