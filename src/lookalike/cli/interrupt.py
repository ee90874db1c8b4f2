"""Ctrl-C during a long run: the first stops it soon and keeps what is done, the second stops at once."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

GRACE_S = 1.2
"""Seconds a run has to stop by itself after the first Ctrl-C; with what follows it ends within the promised two."""
_STDERR = 2
_SAID = b"\nstopping, what is done is kept (Ctrl-C again stops at once)\n"


@contextmanager
def stop_on_interrupt() -> Iterator[threading.Event]:
    """An event that the first Ctrl-C sets. A second one, or `GRACE_S` without an end, raises KeyboardInterrupt."""
    stop = threading.Event()
    impatience = threading.Timer(GRACE_S, _interrupt_again)
    impatience.daemon = True

    def interrupted(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            signal.default_int_handler(number, frame)
        stop.set()
        impatience.start()
        with suppress(OSError):  # straight to the descriptor: a handler may interrupt a write to the stream
            os.write(_STDERR, _SAID)

    before = signal.signal(signal.SIGINT, interrupted)
    try:
        yield stop
    finally:
        impatience.cancel()
        signal.signal(signal.SIGINT, before)


def _interrupt_again() -> None:
    """Send the main thread an interrupt, also out of a blocking call where the system can do that."""
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
    else:
        signal.raise_signal(signal.SIGINT)
