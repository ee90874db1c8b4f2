"""Processes of our own, with a pipe each way: what those that decode and those that compare have in common.

Not `multiprocessing`: that one would run the user's main module again in each of them.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from typing import Any


def started(module: str) -> subprocess.Popen[bytes]:
    """A process that takes `sys.path`, pickled, from its standard input and then calls `serve` of a module of ours.

    Out of reach of the terminal's Ctrl-C: whoever started it decides when it ends. Raises OSError.
    """
    bootstrap = f"import pickle, sys; sys.path[:] = pickle.load(sys.stdin.buffer); from {module} import serve; serve()"
    apart: dict[str, Any] = (
        {"process_group": 0}
        if os.name == "posix"
        else {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
    )
    return subprocess.Popen(
        [sys.executable, "-P", "-W", "ignore", "-c", bootstrap],  # -P: no modules from the current folder
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        **apart,
    )


def ended(process: subprocess.Popen[bytes]) -> None:
    """Wait for a process that was killed or died, and give back what it leaves behind."""
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(OSError):  # unsent bytes have no reader any more
                pipe.close()
