"""A whole collection from this computer to an engine elsewhere, or back: read it, write it, compare it.

Promises: the source is only read. What is there already of the same collection is not sent again, so a move that was
cut short goes on with the same call. At the end every item is read back and compared: ids, places, digests, metadata,
vectors to the last bit. A target that holds anything else is refused before the first write.

Left behind is what only collections on this computer have: index files, judgements of duplicates, spaces of other
encoders, thumbnails; and items whose picture has no vector yet.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from lookalike.core.errors import CollectionError, CollectionNotFound, EncoderMismatch
from lookalike.engine.remote_staging import Held, Shipment, digests_here, digests_there, fill, held_there
from lookalike.engine.remote_state import refuse_absent
from lookalike.engine.reports import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from lookalike.remote.contract import RemoteEngine
    from lookalike.store.collection_store import Store

MoveEvent: TypeAlias = "Progress | MoveReport"
EXAMPLES = 5
"""Ids named of those that differ."""


@dataclass(frozen=True, slots=True)
class MovePlan:
    """What a move would do. `there`: items that the target has already. `left`: items without a vector, which stay."""

    source: str
    target: str
    encoder: str
    dim: int
    items: int
    there: int
    left: int

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class MoveReport:
    """What a move did. `items` were compared; `sent`: by this call; `differing`: ids of some that are not equal."""

    source: str
    target: str
    items: int
    sent: int
    differing: tuple[str, ...]
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """The object that `move --json` prints."""
        return {**asdict(self), "ok": not self.differing, "seconds": round(self.seconds, 3)}


def plan_there(store: Store, engine: RemoteEngine) -> MovePlan:
    """What `move_there` would do. Raises CollectionNotFound for an empty one, EncoderMismatch."""
    space = store.current_space()
    if space is None:
        raise CollectionNotFound(f"the collection {store.path} holds no pictures yet", hint="lookalike index FOLDER")
    there = engine.describe()
    _refuse_other(space.encoder_id, None if there is None else there.encoder_id, engine.address)
    with store.snapshot() as snapshot:
        items = snapshot.count_items()
    left = store.counts().items - items
    count = there.count if there else 0
    return MovePlan(str(store.path), engine.address, space.encoder_name, space.dim, items, count, left)


def plan_here(engine: RemoteEngine, path: Path, store: Store | None) -> MovePlan:
    """What `move_here` would do; `store` None where there is none yet. Raises CollectionNotFound, EncoderMismatch."""
    facts, space = refuse_absent(engine), None if store is None else store.current_space()
    _refuse_other(facts.encoder_id, None if space is None else space.encoder_id, str(path))
    here = 0 if store is None else store.counts().items
    return MovePlan(engine.address, str(path), facts.encoder_name, facts.dim, facts.count, here, left=0)


def move_there(store: Store, engine: RemoteEngine) -> Iterator[MoveEvent]:
    """Send all items of a store to an engine; yields Progress, at last a MoveReport.

    Raises CollectionError where the engine's collection holds something else, EncoderMismatch, RemoteUnavailable.
    """
    started = time.monotonic()
    plan = plan_there(store, engine)
    held = Held() if engine.describe() is None else held_there(engine)
    here = digests_here(store)
    _refuse_strange(held.digests.keys() - here.keys(), engine.address)
    shipment, done = Shipment(engine, store, held), 0
    for looked in shipment.send_all():
        done += looked
        yield Progress("write", done, plan.items, 0, 0, time.monotonic() - started)
    engine.build_index()
    yield from _compared(plan, here, lambda: digests_there(engine), shipment.sent, started)


def move_here(engine: RemoteEngine, store: Store) -> Iterator[MoveEvent]:
    """Take all items of an engine into a store; yields Progress, at last a MoveReport. Raises as `move_there`."""
    started = time.monotonic()
    plan = plan_here(engine, store.path, store)
    here = digests_here(store)
    if here:
        _refuse_strange(here.keys() - {item.id for item in engine.items()}, str(store.path))
    held = Held()
    for done in fill(engine, store, held):
        yield Progress("write", done, plan.items, 0, 0, time.monotonic() - started)
    sent = len(held.digests.keys() - here.keys())
    yield from _compared(plan, held.digests, lambda: digests_here(store), sent, started)


def _compared(
    plan: MovePlan, source: Mapping[str, bytes], of_target: Callable[[], Mapping[str, bytes]], sent: int, started: float
) -> Iterator[MoveEvent]:
    yield Progress("finish", len(source), len(source), 0, 0, time.monotonic() - started)
    target = of_target()
    differing = sorted(id for id in source.keys() | target.keys() if source.get(id) != target.get(id))
    seconds = time.monotonic() - started
    yield MoveReport(plan.source, plan.target, len(source), sent, tuple(differing[:EXAMPLES]), seconds)


def _refuse_other(source: str, target: str | None, place: str) -> None:
    if target not in {None, source}:
        raise EncoderMismatch(
            f"{place} holds vectors of {target}, these are of {source}", hint="give the name of a new collection"
        )


def _refuse_strange(ids: Any, place: str) -> None:
    if ids:
        raise CollectionError(
            f"{place} holds items that the source does not have, such as {min(ids)}",
            hint="a move needs a collection of its own: give a new name",
        )
