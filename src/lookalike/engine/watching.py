"""Keeping a collection up to date with folders while files in them change.

The library watchfiles tells that something changed; what it was is found out by `Collection.sync` over the roots that
were touched. So nothing depends on whether every notice came or in which order: a look compares with what is there.
Changes are gathered until they are quiet for a moment, or for a bounded time while they go on; a file that was written
just now is left for the next look. Roots that vanish are left as they are and looked through when they are back.

What nobody is told of: changes that another computer makes on a network disk, object storage, and folders beyond what
the system watches at once. All roots are therefore looked through again now and then. Roots that are one file (a
picture, a table, an archive) are looked at by their size and time: a program that saves by renaming escapes a watch.
"""

from __future__ import annotations

import os
import stat
import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from lookalike.core.causes import cause_of
from lookalike.core.errors import CollectionBusy, MissingExtra, SourceError
from lookalike.engine.look import CHANGING
from lookalike.engine.paths import absolute
from lookalike.engine.reports import SyncReport
from lookalike.engine.scopes import is_below
from lookalike.engine.sources import place_of, root_address
from lookalike.images.ignore import IGNORE_FILE

if TYPE_CHECKING:
    import threading
    from collections.abc import Collection as Some
    from collections.abc import Generator, Iterator, Sequence

    from lookalike.engine.collection import Collection
    from lookalike.engine.paths import PathLike
    from lookalike.engine.reports import SyncEvent

_TICK_MS = 200
"""How long notices are waited for at a time; between two such waits roots are looked at."""
_STEP_MS = 50
_UNTOLD_S = 60.0
"""Seconds between two looks at everything where the system tells of no changes."""
_COLLECTION_SUFFIX = b".lookalike"

Stamp: TypeAlias = tuple[int, ...]
"""Tells one state of a root from another; () for one that is not there."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds. `quiet`: without a change before a look; `longest`: after it a look comes in any case; `settled`: a file
    written within it is left for the next look; `every`: between two looks at everything; `busy`: between two attempts
    while another process indexes.
    """

    quiet: float = 1.5
    longest: float = 15.0
    settled: float = 1.0
    every: float = 3600.0
    busy: float = 2.0


@dataclass(frozen=True, slots=True)
class Watching:
    """What is watched from now on: `roots`. `untold`: why the system tells of no changes in them, "" where it does."""

    roots: tuple[str, ...]
    untold: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """`why` a look has to wait: another process indexes, or a root cannot be read now."""

    why: str


WatchEvent: TypeAlias = "Watching | Waiting | SyncEvent"


def watch(
    collection: Collection, paths: Sequence[PathLike] = (), *, stop: threading.Event, pace: Pace = Pace()
) -> Iterator[WatchEvent]:
    """Keep `collection` up to date with `paths`, with all that it knows where there are none, until `stop` is set.

    Yields Watching whenever what is watched changes, and of each look what `Collection.sync` does, a SyncReport at its
    end. Raises MissingExtra, and what `sync` does but CollectionBusy; SourceError at the first look only.
    """
    given = [root_address(absolute(path)) for path in paths]
    is_first = True
    while not stop.is_set():
        roots = _Roots(given or _known(collection))
        with closing(_notices(roots.folders, stop)) as notices:
            told = next(notices, "")  # watching begins before the look: nothing is missed between
            yield Watching(tuple(map(os.fsdecode, roots.paths)), told if isinstance(told, str) else "")
            touched = _Touched(roots, os.fsencode(collection.path), pace, is_told=not isinstance(told, str))
            while not stop.is_set() and roots.are_as_they_were():
                if due := touched.due():
                    asked = given if len(due) == len(roots.paths) else sorted(due)
                    is_left = yield from _look(collection, asked, pace, stop, is_first=is_first)
                    is_first = False
                    if is_left:
                        touched.leave(due)
                    if not given and roots.paths != _known(collection):  # another process added one
                        break
                told = next(notices, "")
                touched.note(() if isinstance(told, str) else told)


def _known(collection: Collection) -> list[bytes]:
    return [os.fsencode(root["path"]) for root in collection.status()["roots"]]


def _look(
    collection: Collection, paths: Sequence[bytes], pace: Pace, stop: threading.Event, *, is_first: bool
) -> Generator[WatchEvent, None, bool]:
    """One look at `paths`, as soon as nobody else writes; returns whether something was left for another one."""
    said = ""
    while not stop.is_set():
        try:
            for event in collection.sync(paths, settled_s=pace.settled, index="background", stop=stop):
                yield event
                if isinstance(event, SyncReport):
                    return any(each.code == CHANGING for each in event.skipped)
        except CollectionBusy as error:
            if said != str(error):
                said = str(error)
                yield Waiting(said)
            stop.wait(pace.busy)
        except SourceError as error:
            if is_first:
                raise
            yield Waiting(str(error))
            return True
    return False


def _notices(folders: Sequence[bytes], stop: threading.Event) -> Generator[set[bytes] | str, None, None]:
    """The paths that changed since the last time, soon and again and again until `stop`, mostly none.

    Where the system does not tell: why, as text, every time. Raises MissingExtra.
    """
    try:
        from watchfiles import watch as told_by_the_system
    except ModuleNotFoundError:
        raise MissingExtra("lookalike watch", "watch") from None
    try:
        for found in told_by_the_system(
            *map(os.fsdecode, folders),
            watch_filter=None,
            debounce=_TICK_MS,
            step=_STEP_MS,
            rust_timeout=_TICK_MS,
            yield_on_timeout=True,
            stop_event=stop,
            raise_interrupt=False,
            ignore_permission_denied=True,
        ):
            yield {os.fsencode(path) for _, path in found}
    except (OSError, UnicodeError, RuntimeError) as error:  # too many folders; a name that is no text; of watchfiles
        why = cause_of(error)
        while not stop.wait(_TICK_MS / 1000):
            yield why


class _Roots:
    """The roots to watch, as they were when this was made. `folders`: the places of those that are folders."""

    def __init__(self, paths: Sequence[bytes]) -> None:
        self.paths = [*paths]
        self.places = {path: place for path in paths if (place := place_of(path)) is not None}
        self.stamps = {path: _stamp(place) for path, place in self.places.items()}
        self.folders = [place for path, place in self.places.items() if _is_folder(self.stamps[path])]

    def are_as_they_were(self) -> bool:
        """Whether the same folders are there, and no others."""
        stamps = {path: _stamp(place) for path, place in self.places.items()}
        return all(
            stamps[path] == before
            for path, before in self.stamps.items()
            if _is_folder(before) or _is_folder(stamps[path])
        )


class _Touched:
    """Roots in which something changed, until they have been quiet for a while. At first all of them are due."""

    def __init__(self, roots: _Roots, own: bytes, pace: Pace, *, is_told: bool) -> None:
        self._roots = roots
        self._own = own
        self._pace = pace
        self._every = pace.every if is_told else min(pace.every, _UNTOLD_S)
        self._touched: set[bytes] = set()
        self._since = self._last = 0.0
        self._all_at = time.monotonic()

    def due(self) -> set[bytes]:
        """Roots to look at now, which then count as untouched."""
        now = time.monotonic()
        if now >= self._all_at:
            self._touched = set(self._roots.paths)
            self._all_at = now + self._every
        elif not self._touched or (now - self._last < self._pace.quiet and now - self._since < self._pace.longest):
            return set()
        due, self._touched = self._touched, set()
        return due

    def note(self, changed: Some[bytes]) -> None:
        """Note paths that changed, and roots of one file that are not as they were."""
        touched = {root for path in changed for root in self._roots_of(path)}
        for root, before in self._roots.stamps.items():
            if not _is_folder(before) and (stamp := _stamp(self._roots.places[root])) != before:
                self._roots.stamps[root] = stamp
                touched.add(root)
        if touched:
            self._last = time.monotonic()
            self._since = self._since if self._touched else self._last
            self._touched |= touched

    def leave(self, roots: Some[bytes]) -> None:
        """Look at `roots` again after the longest time, unless they are touched before."""
        now = time.monotonic()
        self._since = now
        self._last = now + self._pace.longest
        self._touched |= set(roots)

    def _roots_of(self, path: bytes) -> Iterator[bytes]:
        """The roots that a changed path lies in, unless it is one that is never taken."""
        if is_below(path, self._own):
            return
        inside = [(root, place) for root, place in self._roots.places.items() if is_below(path, place)]
        if not inside:  # the system told it by another name: a link was resolved
            yield from self._roots.paths
        for root, place in inside:
            if not _is_left_out(path[len(place) :]):
                yield root


def _is_left_out(below: bytes) -> bool:
    """Whether a path below a root is hidden or in a collection: what a walk never shows."""
    parts = below.split(os.fsencode(os.sep))
    return any(part.endswith(_COLLECTION_SUFFIX) or (part.startswith(b".") and part != IGNORE_FILE) for part in parts)


def _stamp(place: bytes) -> Stamp:
    try:
        found = os.stat(place)
    except OSError:
        return ()
    if stat.S_ISDIR(found.st_mode):
        return found.st_dev, found.st_ino
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _is_folder(stamp: Stamp) -> bool:
    return len(stamp) == 2
