"""A store on this computer that holds what an engine elsewhere holds, and the way of its changes there.

Pictures are taken in by the code of every collection, into a store: for a collection elsewhere that is a staging store
in a folder for temporary files, filled with what the engine holds and gone at the end. What changes in it is sent: new
pictures soon, since they cost an encoding; all else, and what is gone, at the end of a run. Whatever breaks off in
between, what the engine confirmed is there, and the next run goes on from it.

Costs: all items with their vectors cross the network once for each run, and lie on this computer's disk meanwhile.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from lookalike.engine.remote_items import digest_of, found_of, items_of_rows
from lookalike.engine.remote_settings import (
    KINDS,
    SAMPLE,
    Entries,
    Settings,
    keep_settings,
    kinds_as_entries,
    sampled,
    send_settings,
    settings_of,
    settings_there,
)
from lookalike.engine.spool import batches
from lookalike.engine.temporary_folders import temporary_folder
from lookalike.remote.contract import PAGE, RemoteFacts
from lookalike.store.collection_store import Store
from lookalike.store.records import CATALOGUE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lookalike.remote.contract import RemoteEngine, RemoteItem
    from lookalike.store.collection_store import Snapshot

SEND_EVERY = 512
"""New rows that are sent together: what a broken connection may cost in encoding."""
SEND_EVERY_S = 5.0
"""... or after so many seconds."""
_ID_BYTES = 8


@dataclass(slots=True)
class Held:
    """What an engine was seen to hold: the digest of each item, and the settings."""

    digests: dict[str, bytes] = field(default_factory=dict)
    settings: Settings = field(default_factory=dict)


@contextmanager
def staged(engine: RemoteEngine) -> Iterator[tuple[Store, Held]]:
    """A store with all that the engine holds, and what that was; empty where there is none yet."""
    held = Held()
    with temporary_folder() as folder, Store.open(folder / "staging.lookalike") as store:
        for _ in fill(engine, store, held):
            pass
        yield store, held


def fill(engine: RemoteEngine, store: Store, held: Held) -> Iterator[int]:
    """Take everything the engine holds into a store, but for items it has; yields how many items came so far.

    `held` is told of it all.
    """
    facts = engine.describe()
    if facts is None:
        return
    with store.writer() as writer:
        space = writer.create_space(facts.encoder_id, facts.encoder_name, facts.dim)
        held.settings = settings_there(engine)
        numbers = keep_settings(held.settings, store, writer)
        done = 0
        for some in batches(engine.items(vectors=True), PAGE):
            held.digests |= {item.id: digest_of(item) for item in some}
            known = {root: writer.known(numbers[root], keys) for root, keys in _keys(some).items() if root in numbers}
            new = [item for item in some if item.root not in known or item.key not in known[item.root]]
            for root in {item.root for item in new} - numbers.keys():
                numbers[root] = writer.add_root(
                    root, is_file=not any(item.key for item in new if item.root == root)
                ).number
            writer.put(space, [found_of(item, numbers[item.root]) for item in new])
            done += len(some)
            yield done
        writer.finish([])  # what came is no news: nothing that vanishes in a run has moved to it
        writer.make_columns()


class Shipment:
    """Sends to an engine what a store holds and the engine does not.

    `held`: what is there. With `new_ids`, those that the store made up in this run become such as follow from the
    item's place, so that two runs that meet give one place one id; and none is taken that another run has given to
    another place meanwhile.
    """

    def __init__(self, engine: RemoteEngine, store: Store, held: Held, *, new_ids: bool = False) -> None:
        self._engine = engine
        self._store = store
        self._known = held.digests
        self._settings = held.settings
        self._new_ids = new_ids
        self._created = False
        self._ids: dict[str, str] = {}
        self._row = 0
        self._sent_at = time.monotonic()
        self.sent = 0

    def begin_behind(self, row: int) -> None:
        """New rows are those from `row` on."""
        self._row = row

    def send_new(self, *, now: bool = False) -> None:
        """Send the items of rows that came in, when there are enough of them, or `now`."""
        space = self._store.current_space()
        if space is None or space.count == self._row:
            return
        late = time.monotonic() - self._sent_at > SEND_EVERY_S
        if not (now or late or space.count - self._row >= SEND_EVERY):
            return
        self._create()
        with self._store.snapshot() as snapshot:
            for some in self._pages(snapshot, range(self._row, snapshot.count)):
                self._send(some)
            self._row = snapshot.count
        self._sent_at = time.monotonic()

    def send_all(self) -> Iterator[int]:
        """Send what differs, remove what is gone, and keep the settings; yields how many items were looked at."""
        space = self._store.current_space()
        if space is None:
            return
        self._create()
        present: set[str] = set()
        sample: Entries = {}
        with self._store.snapshot() as snapshot:
            for some in self._pages(snapshot, range(snapshot.count)):
                present |= {item.id for item in some}
                sample = sampled(sample, some)
                self._send(some)
                yield len(some)
            kinds = kinds_as_entries(snapshot.metadata_kinds())
        gone = sorted(self._known.keys() - present)
        self._engine.delete(gone)
        for id in gone:
            del self._known[id]
        self._send_settings({**settings_of(self._store), KINDS: kinds, SAMPLE: sample})

    def _create(self) -> None:
        space = self._store.current_space()
        assert space is not None, "there are rows"
        if self._created:
            return
        self._created = True
        self._engine.create(RemoteFacts(space.encoder_id, space.encoder_name, space.dim))
        self._send_settings(settings_of(self._store))

    def _send_settings(self, now: Settings) -> None:
        send_settings(self._engine, now, self._settings)
        self._settings = self._settings | now

    def _send(self, some: Sequence[RemoteItem]) -> None:
        """Those of up to `PAGE` that differ from what is there."""
        digests = {item.id: digest_of(item) for item in some}
        changed = [item for item in some if self._known.get(item.id) != digests[item.id]]
        if changed:
            self._engine.upsert(changed)
            self.sent += len(changed)
        self._known |= digests

    def _pages(self, snapshot: Snapshot, rows: range) -> Iterator[list[RemoteItem]]:
        """The items of some rows, up to `PAGE` at once, with the ids that they have there."""
        roots = {root.number: root for root in self._store.roots()}
        parts = (range(start, min(start + PAGE, rows.stop)) for start in range(rows.start, rows.stop, PAGE))
        items = (item for part in parts for item in items_of_rows(snapshot, roots, part))
        for some in batches(items, PAGE):
            if self._new_ids:
                self._choose_ids([item for item in some if item.id not in self._known and item.id not in self._ids])
            yield [replace(item, id=self._ids.get(item.id, item.id)) for item in some]

    def _choose_ids(self, new: Sequence[RemoteItem]) -> None:
        """Give new items ids that no other place has by now."""
        left = [(item, _ids_for(item)) for item in new]
        while left:
            wanted = {id: item for item, ids in left if (id := next(ids)) not in self._known}
            for found in self._engine.get(wanted):
                if (found.root, found.key) != (wanted[found.id].root, wanted[found.id].key):
                    del wanted[found.id]
            self._ids |= {item.id: id for id, item in wanted.items()}
            left = [(item, ids) for item, ids in left if item.id not in self._ids]


def _ids_for(item: RemoteItem) -> Iterator[str]:
    """What a new item may be called, best first, without end: of a catalogue as `store.publishing.free_ids` has it."""
    if item.root.startswith(CATALOGUE):
        yield item.id
        yield f"{os.fsdecode(os.path.basename(item.root))}:{item.id}"
    yield hashlib.blake2b(b"\0".join((item.root, item.key)), digest_size=_ID_BYTES).hexdigest()
    while True:
        yield secrets.token_hex(_ID_BYTES)


def digests_here(store: Store) -> dict[str, bytes]:
    """The digest of every item of a store that has a vector."""
    if store.current_space() is None:
        return {}
    roots = {root.number: root for root in store.roots()}
    with store.snapshot() as snapshot:
        return {
            item.id: digest_of(item)
            for start in range(0, snapshot.count, PAGE)
            for item in items_of_rows(snapshot, roots, range(start, min(start + PAGE, snapshot.count)))
        }


def held_there(engine: RemoteEngine) -> Held:
    """All that the engine holds."""
    return Held(digests_there(engine), settings_there(engine))


def digests_there(engine: RemoteEngine) -> dict[str, bytes]:
    """The digest of every item that the engine holds."""
    return {item.id: digest_of(item) for item in engine.items(vectors=True)}


def _keys(items: Iterable[RemoteItem]) -> dict[bytes, list[bytes]]:
    keys: dict[bytes, list[bytes]] = {}
    for item in items:
        keys.setdefault(item.root, []).append(item.key)
    return keys
