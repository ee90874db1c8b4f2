"""The collections of a service: opened once, asked by many, seen as they are now.

A collection that another process indexes needs no restart: each question takes the newest state of the store. One
that was not there at the start, or was made anew, is opened when it is asked for.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from lookalike.core.errors import CollectionNotFound, LookalikeError, QueryError
from lookalike.core.wording import Wording
from lookalike.engine.collection import Collection
from lookalike.engine.opening import open_any
from lookalike.service.lanes import Asking
from lookalike.service.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from lookalike.engine.any_collection import AnyCollection
    from lookalike.engine.duplicates import Duplicates
    from lookalike.engine.fields import FieldFacts
    from lookalike.service.lanes import Lanes
    from lookalike.service.settings import Served, ServiceSettings
    from lookalike.store.collection_store import ItemRecord


@dataclass(frozen=True, slots=True)
class Description:
    """What a collection holds, as it was at one generation of it: the objects of `status` and `fields`."""

    generation: int
    status: dict[str, Any]
    fields: list[FieldFacts]


class Shelf:
    """Opened collections by name."""

    def __init__(self, settings: ServiceSettings, lanes: Lanes, told: Callable[[int], None]) -> None:
        self._served = {each.name: each for each in settings.collections}
        self._device = settings.device
        self._access = settings.access
        self._cache = settings.cache
        self._lanes = lanes
        self._told = told
        self._opened: dict[str, AnyCollection] = {}
        self._asking: dict[str, Asking] = {}
        self._opening = threading.Lock()
        self._described: dict[str, Description] = {}
        self._reading: dict[str, threading.Thread] = {}

    @property
    def names(self) -> list[str]:
        return list(self._served)

    @property
    def opened(self) -> list[str]:
        """Names of the collections that are open."""
        return list(self._opened)

    def served(self, name: str | None) -> Served:
        """The collection of a name, the first without one. Raises Problem."""
        chosen = next(iter(self._served)) if name is None else name
        if chosen not in self._served:
            raise Problem(
                404, "no-collection", Wording("no_such_collection", name=chosen), hint=Wording("see_collections")
            )
        return self._served[chosen]

    def collection(self, name: str | None = None) -> AnyCollection:
        """That collection, open. May take a moment: call it in a lane. Raises Problem, CollectionError."""
        served = self.served(name)
        if served.name in self._opened:  # without waiting for another that is being opened
            return self._opened[served.name]
        with self._opening:
            if served.name not in self._opened:
                try:
                    self._opened[served.name] = open_any(
                        served.path, access=self._access, device=self._device, create=False, cache=self._cache
                    )
                except CollectionNotFound:
                    raise Problem(
                        503,
                        "empty",
                        Wording("no_pictures_yet", name=served.name),
                        hint=Wording("index_puts_some"),
                    ) from None
            return self._opened[served.name]

    def duplicates(self, name: str | None = None) -> Duplicates:
        """The duplicates of that collection. Raises Problem, also where nobody looks for them; CollectionError."""
        collection = self.collection(name)
        if not isinstance(collection, Collection):
            raise Problem(501, "not-there", Wording("duplicates_elsewhere"))
        return collection.duplicates

    def describe(self, name: str | None = None) -> Description:
        """What a collection holds, read again when it has changed. Raises Problem, CollectionError."""
        collection, key = self.collection(name), self.served(name).name
        try:
            generation = collection.generation
        except CollectionNotFound:
            return Description(0, collection.status(), [])
        described = self._described.get(key)
        if described is None or described.generation != generation:
            described = Description(generation, collection.status(), collection.fields())
            self._described[key] = described
        return described

    def at_hand(self, name: str | None = None) -> Description:
        """What a collection holds, without waiting: its fields may be those from before the last change, which are read
        again meanwhile (a second for 100,000 items). Raises Problem, CollectionError.
        """
        key = self.served(name).name
        known = self._described.get(key)
        if known is None:
            return self.describe(name)
        collection = self.collection(name)
        if known.generation == collection.generation:
            return known
        with self._opening:
            if not (key in self._reading and self._reading[key].is_alive()):
                self._reading[key] = threading.Thread(target=self._read_again, args=(name,), name=f"fields of {key}")
                self._reading[key].start()
        return replace(known, status=collection.status())

    def _read_again(self, name: str | None) -> None:
        with suppress(LookalikeError, Problem):  # who asks next is told
            self.describe(name)

    def item(self, collection: AnyCollection, given: str) -> ItemRecord:
        """The item with an id or at a path. Raises Problem where there is none."""
        try:
            return collection.find_item(given)
        except QueryError as error:
            message, hint = error.said
            raise Problem(404, "no-item", message, hint=hint) from None

    async def asking(self, name: str | None = None) -> Asking:
        """Where to put questions to a collection."""
        served = self.served(name)
        if served.name not in self._asking:
            collection = await self._lanes.run(self.collection, served.name)
            self._asking.setdefault(served.name, Asking(collection.search_many, self._lanes, self._told))
        return self._asking[served.name]

    def close(self) -> None:
        """Close what is open."""
        for reading in self._reading.values():
            reading.join()
        for collection in self._opened.values():
            collection.close()
