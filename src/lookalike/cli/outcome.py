"""How a call ends: errors to exit codes and to words, in this one place.

0 done, 1 failed, 2 wrong usage, 130 interrupted. A person reads `error: what happened` and below it what to do;
a traceback is shown only with `--debug`.
"""

from __future__ import annotations

import errno
import os
import sys
from typing import TYPE_CHECKING

import click

from lookalike.cli import printing
from lookalike.core.causes import cause_of
from lookalike.core.errors import LookalikeError, QueryError

if TYPE_CHECKING:
    from lookalike.cli.options import Session

_OS_HINTS = {
    errno.EACCES: "look at the rights of that file and of its folder, or name another",
    errno.EPERM: "look at the rights of that file and of its folder, or name another",
    errno.EROFS: "nothing can be written on that disk; name a place on another",
    errno.ENOSPC: "make room on that disk, or name a place on another",
    errno.ENOENT: "check the path",
    errno.ENOTDIR: "check the path: a part of it is a file",
    errno.EISDIR: "it is a folder; name a file",
    errno.ENAMETOOLONG: "give it a shorter name",
}
"""What to do about an error of the system that nobody has foreseen where it came from."""
DONE, FAILED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130


class Failed(Exception):
    """A command has said all there is to say and ends with exit code 1."""


class Interrupted(Exception):
    """A command was stopped by the user and has said what is kept."""


def run(group: click.Group, arguments: list[str] | None, session: Session) -> int:
    """Run `group` with `arguments` (the process's own when None) and return the exit code."""
    printing.prepare_streams()
    try:
        given = sys.argv[1:] if arguments is None else list(arguments)
        with group.make_context("lookalike", given, obj=session) as context:
            group.invoke(context)
        sys.stdout.flush()
    except BaseException as error:  # every way a call can end, turned into an exit code
        if session.debug and not isinstance(error, (click.exceptions.Exit, SystemExit, BrokenPipeError)):
            import traceback

            traceback.print_exc()
        return _exit_code(error)
    return DONE


def _exit_code(error: BaseException) -> int:
    """Say what happened on standard error and return the exit code for it."""
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, (KeyboardInterrupt, click.Abort, Interrupted)):
        if not isinstance(error, Interrupted):
            printing.note("stopped")
        return INTERRUPTED
    if isinstance(error, BrokenPipeError):
        _silence_stdout()
        return DONE
    if isinstance(error, click.UsageError):
        _say_usage(error)
        return WRONG_USAGE
    if isinstance(error, Failed):
        return FAILED
    if isinstance(error, QueryError):
        message, _, place = str(error).partition("\n")
        printing.error(message, error.hint, place=place)
    elif isinstance(error, LookalikeError):
        printing.error(str(error), error.hint)
    elif isinstance(error, OSError):
        printing.error(_os_message(error), _OS_HINTS.get(error.errno or 0, ""))
    elif isinstance(error, MemoryError):
        printing.error("there is not enough memory", "close other programs, or index fewer folders at once")
    elif isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else FAILED
    else:
        printing.error(
            f"something unexpected happened ({type(error).__name__}: {error})",
            "this is a bug in lookalike; the same command with --debug shows where",
        )
    return FAILED


def _say_usage(error: click.UsageError) -> None:
    message = " ".join(error.format_message().split())  # click writes choices below each other
    command = error.ctx.command_path if error.ctx else "lookalike"
    hint = f"{command} -h shows how it is used"
    if isinstance(error, click.NoSuchOption) and command.endswith(" search") and not error.option_name.startswith("--"):
        hint = "a minus has a blank behind it: lookalike search dog - snow; -- ends the options"
    printing.error(message[:1].lower() + message[1:].rstrip("."), hint)


def _os_message(error: OSError) -> str:
    what = cause_of(error)
    return f"{what}: {os.fsdecode(error.filename)}" if isinstance(error.filename, (str, bytes)) else what


def _silence_stdout() -> None:
    """The reader of our output went away (`| head`): write the rest nowhere, and let the exit be quiet."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
