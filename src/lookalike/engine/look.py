"""Looking through sources: which files are as the store knows them, and which have to be taken.

An unchanged file costs one `stat`, an unchanged row of a catalogue one more comparison. Where only what lies beside
a file changed, such as a sidecar, that is read and written here. Only what has to be decoded leaves this module, as
Pending.
"""

from __future__ import annotations

import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

from lookalike.core.errors import SourceError
from lookalike.core.records import Asset, Skipped
from lookalike.engine.catalogues import unreadable
from lookalike.engine.scopes import Scope, is_out
from lookalike.engine.sources import place_of, source_of
from lookalike.engine.spool import Pending, batches
from lookalike.images.folder import folder
from lookalike.images.objects import ObjectSource
from lookalike.images.tars import TarSource
from lookalike.store.records import TARS, RowsReport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from lookalike.images.catalogue import CatalogueSource
    from lookalike.images.folder import FolderSource
    from lookalike.store.collection_store import Failure, KnownItem, Root, Store, Writer

LOOK_BATCH = 500
"""Entries compared with the store in one query."""

DEVICES_SETTING = "devices"
"""Root number -> number of the device that its folder was last met on."""

CHANGING = "changing"
BEING_WRITTEN = "the file is being written; it is taken when it has settled"

TRANSIENT = frozenset({CHANGING, "unreadable", "vanished", "crashed"})
"""Reasons that can pass by themselves: such a file is tried again in every run."""

ROWS_BATCH = 5000
"""Rows of a catalogue settled in one commit."""

Looked: TypeAlias = "Pending | Skipped | RowsReport | None"
"""A file to take, one that cannot be taken, rows and files that were settled, or None for a file that is as it was."""


class Look:
    """Walks scopes one after another; afterwards knows which were walked completely and what could not be listed."""

    def __init__(
        self,
        store: Store,
        writer: Writer,
        exclude: Sequence[str],
        removed: Mapping[bytes, bool],
        settled_s: float = 0.0,
    ) -> None:
        self.catalogues: dict[int, CatalogueSource] = {}
        """By the number of their root, those that are there, as they are read in this run."""
        self._store = store
        self._writer = writer
        self._exclude = exclude
        self._removed = removed
        self._settled_ns = int(settled_s * 1e9)
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
        source = folder(scope.root.path) if _is_folder_root(scope.root) else None
        if source is not None:
            self._devices[str(root)] = os.stat(_place_of(scope.root)).st_dev
        for batch in batches(self._entries(scope, stop), ROWS_BATCH if scope.root.is_catalogue else LOOK_BATCH):
            kept = [entry for entry in batch if not self._was_removed(entry)]
            keys = [entry.key for entry in kept if entry.key is not None]
            failed = self._writer.known_failures(root, keys)
            if scope.root.is_catalogue and not check_content:
                rows = [each for each in kept if isinstance(each, Asset) and (again or not _stays_out(each, failed))]
                report = self._writer.put_rows(root, rows)
                yield report
                yield from (_pending(scope, asset, picture) for asset, picture in report.left)
                done = {row.key for row in rows}
                kept = [entry for entry in kept if entry.key not in done]
                keys = [key for key in keys if key not in done or key in failed]
            self._known = self._writer.known(root, keys)
            self._writer.mark_seen(root, keys)
            described: list[tuple[bytes, dict[str, Any]]] = []
            for entry in kept:
                if isinstance(entry, Skipped):
                    if entry.folder and entry.key is not None:
                        self.unlisted.append((root, entry.key))
                    yield entry
                else:
                    known, failure = self._known.get(entry.key), None if again else failed.get(entry.key)
                    looked = _compare(scope, entry, known, failure, check_content=check_content)
                    if source is not None and looked is None and known is not None and known.beside != entry.beside:
                        described.append((entry.key, source.said_by_place(entry)))
                    elif source is not None and isinstance(looked, Pending) and self._is_fresh(entry):
                        yield Skipped(entry.uri, BEING_WRITTEN, CHANGING, key=entry.key)
                    else:
                        yield _with_place(looked, source)
            if described:
                written = self._writer.set_item_metadata(root, described)
                yield RowsReport(len(described) - written, written, added=0, changed=0, left=())
        if not stop():
            self.walked.append((root, scope.below))

    def _entries(self, scope: Scope, stop: Callable[[], bool]) -> Iterator[Asset | Skipped]:
        """What the source of a scope holds. One that cannot be read in this run is skipped as a whole."""
        root = scope.root
        if _is_folder_root(root):
            is_gone = root.is_file and not os.path.lexists(root.path)
            if not is_gone:
                yield from folder(root.path, exclude=self._exclude, below=scope.below).assets(stop=stop)
        elif root.is_catalogue:
            table = self.catalogues.get(root.number)
            if table is None:  # unreadable, or it came back just now: what is known of it stays
                self.unlisted.append((root.number, b""))
                return
            try:
                yield from table.assets(stop=stop)
            except SourceError as error:
                yield unreadable(root, str(error))
        else:
            source = source_of(root)
            assert isinstance(source, TarSource | ObjectSource)
            try:
                yield from replace(source, below=scope.below).assets(stop=stop)
            except SourceError as error:
                self._writer.set_offline(root.number, True)
                yield unreadable(root, str(error))

    def _is_fresh(self, asset: Asset) -> bool:
        """Whether a file was written just now, so that more of it may come. A time in the future says nothing."""
        return 0 <= time.time_ns() - asset.modified_ns < self._settled_ns

    def may_pass(self, skipped: Skipped) -> bool:
        """Whether the entry just given was taken before and may be readable again by itself."""
        return skipped.code in TRANSIENT and skipped.key in self._known

    def _was_removed(self, entry: Asset | Skipped) -> bool:
        if not self._removed:
            return False
        place = os.fsencode(entry.uri)
        if place.startswith(TARS):  # what lies in an archive lies below it
            place = place.replace(b"!/", b"/")
        return is_out(place, self._removed)

    def remember_devices(self) -> None:
        """Keep for the next run which device each root was met on."""
        if self._devices != self._store.setting(DEVICES_SETTING, {}):
            self._writer.set_setting(DEVICES_SETTING, self._devices)


def note_what_is_away(store: Store, writer: Writer) -> None:
    """Bring the mark of every root up to date: whether it is there at this moment. A network is not asked."""
    devices: dict[str, int] = store.setting(DEVICES_SETTING, {})
    for root in store.roots():
        if place_of(root.path) is not None:
            writer.set_offline(root.number, not _is_there(root, devices))


def _is_there(root: Root, devices: Mapping[str, int]) -> bool:
    """Whether the root can be looked at. An empty folder on another device than before is a mount point
    whose disk was unplugged, not a folder whose files were all deleted.
    """
    if not _is_folder_root(root):
        its = place_of(root.path)
        return its is None or os.path.exists(its)
    place = _place_of(root)
    if not os.path.isdir(place):
        return False
    before = devices.get(str(root.number))
    return before is None or before == os.stat(place).st_dev or not _is_empty(place)


def _is_folder_root(root: Root) -> bool:
    """Whether a root is a folder or a picture, not a catalogue, an archive or storage elsewhere."""
    return place_of(root.path) == root.path


def _place_of(root: Root) -> bytes:
    """The folder that has to be there for the root to be there."""
    return os.path.dirname(root.path) if root.is_file else root.path


def _compare(
    scope: Scope, asset: Asset, item: KnownItem | None, failure: Failure | None, *, check_content: bool
) -> Looked:
    if failure is not None and _stays_out(asset, {asset.key: failure}):
        return Skipped(
            asset.uri, failure.reason, failure.code, key=asset.key, size=asset.size, modified_ns=asset.modified_ns
        )
    if item is None:
        return _pending(scope, asset, None)
    if (asset.size, asset.modified_ns) == (item.size, item.modified_ns) and not check_content:
        return None
    return _pending(scope, asset, item.picture)


def _with_place(looked: Looked, source: FolderSource | None) -> Looked:
    """A file to take, with what its name, time and sidecars say; anything else as it is."""
    if source is None or not isinstance(looked, Pending):
        return looked
    return replace(looked, asset=replace(looked.asset, metadata=source.said_by_place(looked.asset)))


def _pending(scope: Scope, asset: Asset, picture: int | None) -> Pending:
    return Pending(scope.root.number, asset, picture, asset.key.decode() if scope.root.is_catalogue else None)


def _stays_out(asset: Asset, failed: Mapping[bytes, Failure]) -> bool:
    """Whether a file failed before, has not changed since, and will not be readable by itself."""
    failure = failed.get(asset.key)
    if failure is None or failure.code in TRANSIENT:
        return False
    return (asset.uri, asset.size, asset.modified_ns) == (failure.uri, failure.size, failure.modified_ns)


def _is_empty(place: bytes) -> bool:
    with os.scandir(place) as entries:
        return next(iter(entries), None) is None
