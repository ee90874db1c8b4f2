"""One line that counts while pictures are encoded: in a terminal, and nowhere else."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from lookalike.cli.settings import colour_wanted

if TYPE_CHECKING:
    from collections.abc import Callable

_EVERY = 16
"""Pictures between two looks of the line."""


def counting(doing: str) -> Callable[[int, int], None] | None:
    """Rewrites one line of standard error with what is done of all, and takes it away at the end; None where it is no
    terminal.
    """
    if not (sys.stderr.isatty() and colour_wanted()):
        return None

    def tell(done: int, total: int) -> None:
        if done == total:
            sys.stderr.write("\r\033[K")
        elif done % _EVERY == 0:
            sys.stderr.write(f"\r{doing}: {done:,} of {total:,}")
        sys.stderr.flush()

    return tell
