"""Showing a long run: a live bar in a terminal, a plain line now and then anywhere else. All on standard error."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Protocol

from lookalike.cli import printing
from lookalike.cli.settings import colour_wanted

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from lookalike.engine.reports import Progress

PLAIN_EVERY_S = 15.0
"""Seconds between two lines where standard error is a file or a pipe."""
STAGES = {
    "look": "looking for changes",
    "take": "taking pictures in",
    "finish": "finishing",
    "index": "building the search index",
    "write": "writing vectors",
    "fingerprint": "reading pictures",
    "near": "looking for what is near",
    "compare": "comparing pictures",
    "move": "moving files",
    "page": "reading pictures for the page",
}


class Display(Protocol):
    """What shows `Progress` while it is open."""

    def show(self, progress: Progress) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def display() -> Display:
    """The display that suits standard error."""
    return _Bar() if sys.stderr.isatty() and colour_wanted() else _Lines()


def describe(progress: Progress, pace: Pace) -> str:
    """A line for a person: how far, how fast, how long still, how many skipped."""
    if progress.total is None:
        return f"{STAGES[progress.stage]}: {printing.count(progress.done, 'file')}"
    parts = [f"{STAGES[progress.stage]}: {progress.done:,} of {progress.total:,}"]
    if pace.rate:
        parts.append(f"{pace.rate:.0f} a second")
        left_s = (progress.total - progress.done) / pace.rate
        if left_s >= 1:
            parts.append(f"about {printing.duration(round(left_s))} left")
    if progress.skipped:
        parts.append(f"{progress.skipped:,} skipped")
    return ", ".join(parts)


class Pace:
    """Files a second since taking began; looking through folders is far faster and must not flatter it."""

    def __init__(self) -> None:
        self._start: tuple[float, int] | None = None
        self.rate = 0.0

    def note(self, progress: Progress) -> None:
        if progress.stage != "take":
            return
        if self._start is None:
            self._start = progress.seconds, progress.done
        seconds, done = progress.seconds - self._start[0], progress.done - self._start[1]
        self.rate = done / seconds if seconds > 0.5 else 0.0


class _Lines:
    def __init__(self) -> None:
        self._pace = Pace()
        self._said_at = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def show(self, progress: Progress) -> None:
        self._pace.note(progress)
        if time.monotonic() - self._said_at >= PLAIN_EVERY_S:
            self._said_at = time.monotonic()
            printing.note(describe(progress, self._pace))


class _Bar:
    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

        self._pace = Pace()
        self._bar = Progress(
            SpinnerColumn(),
            BarColumn(bar_width=16),
            TextColumn("{task.description}", markup=False),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._bar.add_task("", total=None)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def show(self, progress: Progress) -> None:
        self._pace.note(progress)
        self._bar.update(
            self._task,
            completed=progress.done,
            total=progress.total,
            description=describe(progress, self._pace),
        )
