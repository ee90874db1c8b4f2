"""Keys as a person presses them, one by one; of a file or a pipe the first letter of each line.

Keys that are pressed while the program is busy are kept: whoever judges quickly is ahead of it. (`click.getchar`
forgets them, because it empties the terminal's buffer whenever it waits.)
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

_AT_ONCE = 32
_ESCAPE, _END = "\x1b", "\x04"


@contextmanager
def keys() -> Iterator[Iterator[str]]:
    """The keys until the input ends; the terminal shows none of them, and is as it was afterwards."""
    if not sys.stdin.isatty():
        yield (line.strip()[:1] for line in sys.stdin)
    elif sys.platform == "win32":
        yield iter(click.getchar, _END)
    else:
        import termios
        import tty

        terminal = sys.stdin.fileno()
        before = termios.tcgetattr(terminal)
        tty.setcbreak(terminal, termios.TCSADRAIN)
        try:
            yield _pressed(terminal)
        finally:
            termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def _pressed(terminal: int) -> Iterator[str]:
    """Every key; an arrow or another key that sends several signs is one, and no letter."""
    while read := os.read(terminal, _AT_ONCE).decode("utf-8", "replace"):
        for key in [_ESCAPE] if read.startswith(_ESCAPE) else read:
            if key == _END:
                return
            yield key
