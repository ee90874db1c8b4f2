"""That a service is about to end: said once, heard by whoever has to end something first."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Closing:
    """Whether the end has begun. Use from one event loop."""

    def __init__(self) -> None:
        self.has_begun = False
        self._listeners: list[Callable[[], None]] = []

    def when_begun(self, call: Callable[[], None]) -> None:
        """Have `call` called when the end begins."""
        self._listeners.append(call)

    def begin(self) -> None:
        """Say it; further times change nothing."""
        if self.has_begun:
            return
        self.has_begun = True
        for call in self._listeners:
            call()
