"""A collection on an engine elsewhere, with the methods of one on this computer: `engine.any_collection.AnyCollection`.

What only a collection on this computer can do raises NotForRemote, which says what to do instead. Safe to share
between threads; any number of processes may search, and pictures should be taken in by one at a time.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, NoReturn, Unpack

from lookalike.core.closing import Closing
from lookalike.core.errors import CollectionNotFound, EncoderMismatch, NotForRemote, QueryError
from lookalike.engine.encoder_choice import EncoderChoice
from lookalike.engine.paths import absolute
from lookalike.engine.remote_state import RemoteStates

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path
    from typing import BinaryIO

    from lookalike.core.protocols import Encoder
    from lookalike.core.records import DecodeLimits, Results
    from lookalike.engine.asking import SearchOptions
    from lookalike.engine.duplicates import Duplicates
    from lookalike.engine.fields import FieldFacts
    from lookalike.engine.given_vectors import Embeddings
    from lookalike.engine.paths import PathLike
    from lookalike.engine.reports import SyncEvent, VerifyReport
    from lookalike.engine.sharding import Sharding
    from lookalike.images.catalogue_plan import CatalogueOptions
    from lookalike.remote.contract import RemoteEngine, RemoteFacts, RemoteItem
    from lookalike.store.collection_store import Failure, ItemRecord, Space

REMOVED_AT_ONCE = 1000
"""Items removed in one request."""
_NAME_BYTES = 8


class RemoteCollection(Closing):
    """Use `lookalike.open` with an address to get one; it is a context manager."""

    def __init__(
        self,
        engine: RemoteEngine,
        *,
        encoder: str | Encoder | None = None,
        device: str = "auto",
        models_dir: Path | None = None,
        notice: Callable[[str], None] | None = None,
        cache: Path | None = None,
    ) -> None:
        self.engine = engine
        self._cache = cache
        self._states = RemoteStates(engine)
        self._encoders = EncoderChoice(
            _Holder(engine, self._states), device=device, models_dir=models_dir, notice=notice
        )
        if encoder is not None:
            try:
                self._encoders.choose(encoder)
            except EncoderMismatch as error:  # what it advises is for collections here
                raise EncoderMismatch(str(error), hint="leave that encoder out, or name another collection") from None

    # -- what it is ------------------------------------------------------------------------------

    @property
    def place(self) -> str:
        """Its address, without any password."""
        return self.engine.address

    @property
    def thumbnails(self) -> Path | None:
        """Where small pictures are kept on this computer: a folder of the collection's own in the `cache`."""
        if self._cache is None:
            return None
        return self._cache / hashlib.blake2b(self.place.encode(), digest_size=_NAME_BYTES).hexdigest()

    @property
    def duplicates(self) -> Duplicates:
        """Raises NotForRemote."""
        self._refuse("tell duplicates", "lookalike move brings it here")

    @property
    def encoder(self) -> Encoder:
        """The encoder of the collection, loaded on first use."""
        return self._encoders.current()

    @property
    def generation(self) -> int:
        """A number that grows with every change of what is stored. Raises CollectionNotFound where there is none."""
        return self._states.current().facts.generation

    def status(self) -> dict[str, Any]:
        """Counts and places: the object that `status --json` prints, as far as an engine tells it.

        Every place counts as a picture, and none as offline: who asks may be another computer than who indexed.
        """
        from lookalike.engine.remote_settings import FAILURES, ROOTS

        facts = self.engine.describe()
        roots = self.engine.entries(ROOTS) if facts else {}
        failures = self.engine.entries(FAILURES) if facts else {}
        return {
            "items": facts.count if facts else 0,
            "pictures": facts.count if facts else 0,
            "offline": 0,
            "failures": sum(map(len, failures.values())),
            "encoder": facts.encoder_name if facts else None,
            "dim": facts.dim if facts else None,
            "kept": [],
            "bytes_on_disk": None,
            "roots": [
                {"path": os.fsdecode(bytes.fromhex(path)), "offline": False, "file": is_file}
                for path, is_file in roots.items()
            ],
            "collection": self.place,
            "read_only": False,
            "dead_rows": 0,
            "server": facts.server if facts else None,
            "index": {
                "kind": (facts.index or "exact") if facts else None,
                "explained": self.engine.explain() if facts else [],
            },
        }

    def failures(self) -> list[Failure]:
        """Files that were not taken in the last runs, each with its reason."""
        from lookalike.engine.remote_settings import failures_there

        return failures_there(self.engine)

    def item(self, given: str) -> dict[str, Any]:
        """All that is known about the item with an id or at a path: what `show --json` prints. Raises QueryError."""
        from lookalike.engine.items import item_facts
        from lookalike.engine.remote_moment import RemoteMoment
        from lookalike.engine.remote_search import places_there

        item = self._found(given)
        places = places_there(self.engine, item)
        return item_facts(RemoteMoment(places, self._states.current().facts.dim), item.id)

    def find_item(self, given: str) -> ItemRecord:
        """The item with an id or at a path. Raises QueryError."""
        from lookalike.engine.remote_moment import record_of

        return record_of(self._found(given), 0)

    def open_item(self, given: str) -> tuple[ItemRecord, BinaryIO]:
        """The item with an id or at a path, and its file's bytes as they are now: close them.

        Raises QueryError for no such item, OSError or SourceError where this computer cannot reach the file.
        """
        from lookalike.engine.remote_moment import record_of
        from lookalike.engine.remote_settings import source_there
        from lookalike.engine.sources import asset_of

        item = self._found(given)
        record = record_of(item, 0)
        return record, source_there(self.engine, item.root).open(asset_of(record))

    def fields(self, where: str | None = None, *, most: int = 5, names: Sequence[str] = ()) -> list[FieldFacts]:
        """What filters and orders may name, and what stands there; see `remote_fields.facts_there`."""
        from lookalike.engine.remote_fields import facts_there

        state = self._states.current()
        return facts_there(self.engine, state, state.condition(where), most=most, names=names)

    # -- pictures in -----------------------------------------------------------------------------

    def sync(
        self,
        paths: Sequence[PathLike] = (),
        *,
        exclude: Sequence[str] | None = None,
        check_content: bool = False,
        retry_failed: bool = False,
        settled_s: float = 0.0,
        limits: DecodeLimits | None = None,
        workers: int | None = None,
        catalogue: CatalogueOptions | None = None,
        embeddings: Embeddings | None = None,
        sharding: Sharding | None = None,
        index: Literal["now", "background", "later"] = "now",
        stop: threading.Event | None = None,
    ) -> Iterator[SyncEvent]:
        """As `Collection.sync`. The engine builds its index before the report, unless `index` is "later"."""
        from lookalike.core.records import DecodeLimits
        from lookalike.engine.ingest import IngestSettings
        from lookalike.engine.remote_sync import sync_there

        if embeddings is not None:
            self._refuse("take vectors that are at hand", "index them into a collection here, then: lookalike move")
        settings = IngestSettings(
            exclude=None if exclude is None else tuple(exclude),
            check_content=check_content,
            retry_failed=retry_failed,
            settled_s=settled_s,
            limits=limits or DecodeLimits(),
            workers=workers,
            catalogue=catalogue,
            sharding=sharding,
        )
        asked = [absolute(path) for path in paths]
        events = sync_there(self.engine, lambda: self.encoder, asked, settings, stop)
        return self._then_index(events, later=index == "later")

    def build_index(self, *, again: bool = False) -> None:
        """Let the engine build what the number of items asks for; `again` in any case. Ends when it serves."""
        self.engine.build_index(again=again)
        self._states.forget()

    def explain_index(self) -> str:
        """How searches are served, and why: sentences."""
        return "\n".join(self.engine.explain())

    def remove(self, path: PathLike) -> int:
        """Take what lies at or below `path` out of the collection and keep it out; returns how many items left."""
        from lookalike.engine.remote_settings import note_removed
        from lookalike.engine.remote_state import refuse_absent
        from lookalike.engine.sources import root_address
        from lookalike.engine.spool import batches
        from lookalike.remote.contract import Asked

        place, removed = root_address(absolute(path)), 0
        refuse_absent(self.engine)
        for some in batches(self.engine.items(asked=Asked(below=place)), REMOVED_AT_ONCE):
            if not removed:  # before: whatever breaks off, nothing that is gone comes back
                note_removed(self.engine, place)
            self.engine.delete([item.id for item in some])
            removed += len(some)
        self._states.forget()
        return removed

    # -- answers out -----------------------------------------------------------------------------

    def search(self, query: Any, k: int = 10, **options: Unpack[SearchOptions]) -> Results:
        """As `Collection.search`. Raises RemoteUnavailable, RemoteRefused beside what that raises."""
        return self.search_many([query], k, **options)[0]

    def search_many(self, queries: Iterable[Any], k: int = 10, **options: Unpack[SearchOptions]) -> list[Results]:
        """As `Collection.search_many`."""
        from lookalike.engine.asking import query_without_terms
        from lookalike.engine.remote_search import search_there
        from lookalike.engine.terms import as_query

        how = query_without_terms(k, options)
        try:
            asked = [as_query(query, how, lambda: self.encoder.image_side) for query in queries]
            state = self._states.current()
            return search_there(self.engine, state, self._encoders.of(_space_of(state.facts)), asked)
        except CollectionNotFound as error:
            message, hint = error.said
            raise QueryError(message, hint=hint) from None

    def search_page(
        self, query: Any, k: int = 10, *, after: str | None = None, **options: Unpack[SearchOptions]
    ) -> Results:
        """As `Collection.search_page`."""
        from lookalike.engine.asking import query_without_terms
        from lookalike.engine.pages import results_page
        from lookalike.engine.terms import as_query

        asked = as_query(query, query_without_terms(k, options), lambda: self.encoder.image_side)
        return results_page(self.search, asked, after)

    def verify(self, *, sample: int = 100, seed: int = 0) -> VerifyReport:
        """Read every item that the engine holds, and re-encode the pictures of `sample` of those that lie here."""
        from lookalike.engine.remote_staging import staged
        from lookalike.engine.verify import verify

        with staged(self.engine) as (store, _):
            report = verify(store, self._encoders.of, sample, seed)
            counted, read = self.engine.count(), store.counts().items
        problem = f"the engine counts {counted:,} items and gives {read:,}"
        return report if counted == read else replace(report, problems=(*report.problems, problem))

    # -- what only a collection on this computer can do ------------------------------------------

    def migrate(self, *_: Any, **__: Any) -> NoReturn:
        """Raises NotForRemote."""
        self._refuse("change its encoder", "lookalike move it here, migrate, and move it to a new name")

    def export(self, *_: Any, **__: Any) -> NoReturn:
        """Raises NotForRemote."""
        self._refuse("be exported", "lookalike move it here, then: lookalike export")

    def import_vectors(self, *_: Any, **__: Any) -> NoReturn:
        """Raises NotForRemote."""
        self._refuse("import vectors", "import them into a collection here, then: lookalike move")

    # -- life ------------------------------------------------------------------------------------

    def close(self) -> None:
        """Let go of connections; further calls fail."""
        self.engine.close()

    def _then_index(self, events: Iterator[SyncEvent], *, later: bool) -> Iterator[SyncEvent]:
        from lookalike.engine.reports import SyncReport

        for event in events:
            if isinstance(event, SyncReport) and self.engine.describe() is not None and not later:
                self.engine.build_index()
            self._states.forget()
            yield event

    def _found(self, given: str) -> RemoteItem:
        from lookalike.engine.items import no_such_item
        from lookalike.engine.remote_search import item_there

        item = item_there(self.engine, given)
        if item is None:
            raise no_such_item(given)
        return item

    def _refuse(self, what: str, instead: str) -> NoReturn:
        raise NotForRemote(f"the collection {self.place} cannot {what}", hint=instead)


class _Holder:
    """What `EncoderChoice` asks of a store."""

    def __init__(self, engine: RemoteEngine, states: RemoteStates) -> None:
        self._engine = engine
        self._states = states

    @property
    def path(self) -> str:
        return self._engine.address

    def current_space(self) -> Space | None:
        with suppress(CollectionNotFound):
            return _space_of(self._states.current().facts)
        return None


def _space_of(facts: RemoteFacts) -> Space:
    from lookalike.store.collection_store import Space

    return Space(0, facts.encoder_id, facts.encoder_name, facts.dim, 0, facts.count, current=True, slug="")
