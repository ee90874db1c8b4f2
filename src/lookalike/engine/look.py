"""Looking through folders: which files are as the store knows them, and which have to be taken.

An unchanged file costs one `stat`. Only what differs leaves this module, as Pending.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TypeAlias

from lookalike.core.records import Asset, Skipped
from lookalike.engine.scopes import Scope, is_out
from lookalike.engine.spool import Pending, batches
from lookalike.images.folder import folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from lookalike.store.collection_store import Failure, KnownItem, Root, Store, Writer

LOOK_BATCH = 500
"""Entries compared with the store in one query."""

DEVICES_SETTING = "devices"
"""Root number -> number of the device that its folder was last met on."""

TRANSIENT = frozenset({"changing", "unreadable", "vanished", "crashed"})
"""Reasons that can pass by themselves: such a file is tried again in every run."""

Looked: TypeAlias = "Pending | Skipped | None"
"""A file to take, one that cannot be taken, or None for a file that is as it was."""


class Look:
    """Walks scopes one after another; afterwards knows which were walked completely and what could not be listed."""

    def __init__(self, store: Store, writer: Writer, exclude: Sequence[str], removed: Mapping[bytes, bool]) -> None:
        self._store = store
        self._writer = writer
        self._exclude = exclude
        self._removed = removed
        self.walked: list[tuple[int, bytes]] = []
        self.unlisted: list[tuple[int, bytes]] = []
        self._known: dict[bytes, KnownItem] = {}
        self._devices: dict[str, int] = dict(store.setting(DEVICES_SETTING, {}))

    def through(self, scope: Scope, *, again: bool, check_content: bool, stop: Callable[[], bool]) -> Iterator[Looked]:
        """Compare every file of `scope` with the store. `again` retries files that failed before.

        Ends where it is once `stop` is true; the scope then does not count as walked.
        """
        root = scope.root.number
        is_there = _is_there(scope.root, self._devices)
        self._writer.set_offline(root, not is_there)
        if not is_there:
            return
        self._devices[str(root)] = os.stat(_place_of(scope.root)).st_dev
        source = folder(scope.root.path, exclude=self._exclude, below=scope.below)
        is_gone = scope.root.is_file and not os.path.lexists(scope.root.path)
        for batch in batches(() if is_gone else source.assets(stop=stop), LOOK_BATCH):
            kept = [entry for entry in batch if not self._was_removed(entry)]
            keys = [entry.key for entry in kept if entry.key is not None]
            self._known, failed = self._writer.known(root, keys), self._writer.known_failures(root, keys)
            self._writer.mark_seen(root, keys)
            for entry in kept:
                if isinstance(entry, Skipped):
                    if entry.folder and entry.key is not None:
                        self.unlisted.append((root, entry.key))
                    yield entry
                else:
                    failure = None if again else failed.get(entry.key)
                    yield _compare(scope, entry, self._known.get(entry.key), failure, check_content=check_content)
        if not stop():
            self.walked.append((root, scope.below))

    def may_pass(self, skipped: Skipped) -> bool:
        """Whether the entry just given was taken before and may be readable again by itself."""
        return skipped.code in TRANSIENT and skipped.key in self._known

    def _was_removed(self, entry: Asset | Skipped) -> bool:
        return bool(self._removed) and is_out(os.fsencode(entry.uri), self._removed)

    def remember_devices(self) -> None:
        """Keep for the next run which device each root was met on."""
        if self._devices != self._store.setting(DEVICES_SETTING, {}):
            self._writer.set_setting(DEVICES_SETTING, self._devices)


def note_what_is_away(store: Store, writer: Writer) -> None:
    """Bring the mark of every root up to date: whether it is there at this moment."""
    devices: dict[str, int] = store.setting(DEVICES_SETTING, {})
    for root in store.roots():
        writer.set_offline(root.number, not _is_there(root, devices))


def _is_there(root: Root, devices: Mapping[str, int]) -> bool:
    """Whether the root can be looked at. An empty folder on another device than before is a mount point
    whose disk was unplugged, not a folder whose files were all deleted.
    """
    if root.is_imported:
        return True
    place = _place_of(root)
    if not os.path.isdir(place):
        return False
    before = devices.get(str(root.number))
    return before is None or before == os.stat(place).st_dev or not _is_empty(place)


def _place_of(root: Root) -> bytes:
    """The folder that has to be there for the root to be there."""
    return os.path.dirname(root.path) if root.is_file else root.path


def _compare(
    scope: Scope, asset: Asset, item: KnownItem | None, failure: Failure | None, *, check_content: bool
) -> Looked:
    stamp = (asset.size, asset.modified_ns)
    if failure is not None and stamp == (failure.size, failure.modified_ns) and failure.code not in TRANSIENT:
        return Skipped(
            asset.uri, failure.reason, failure.code, key=asset.key, size=asset.size, modified_ns=asset.modified_ns
        )
    if item is None:
        return Pending(scope.root.number, asset, None)
    if stamp == (item.size, item.modified_ns) and not check_content:
        return None
    return Pending(scope.root.number, asset, item.picture)


def _is_empty(place: bytes) -> bool:
    with os.scandir(place) as entries:
        return next(iter(entries), None) is None
