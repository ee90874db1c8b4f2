"""A collection: one directory that remembers pictures and answers questions about them.

This is the object a user holds. It owns the store, loads the encoder when it is first needed and hands
the work to `ingest`, `search`, `migrate` and `verify`; there is no logic of its own here beyond that.
One process may write at a time; any number may search meanwhile.
"""

from __future__ import annotations

import os
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Unpack

from lookalike.core.closing import Closing
from lookalike.core.errors import CollectionNotFound, QueryError
from lookalike.core.wording import Wording
from lookalike.engine.encoder_choice import EncoderChoice
from lookalike.engine.paths import PathLike, absolute
from lookalike.engine.plan import TARGET_RECALL
from lookalike.engine.remembered import Remembered

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from typing import BinaryIO

    from lookalike.core.protocols import Encoder
    from lookalike.core.records import DecodeLimits, Results
    from lookalike.engine.asking import SearchOptions
    from lookalike.engine.background import BackgroundBuild
    from lookalike.engine.duplicates import Duplicates
    from lookalike.engine.exchange import Layout
    from lookalike.engine.fields import FieldFacts
    from lookalike.engine.given_vectors import Embeddings
    from lookalike.engine.reports import ExportEvent, ImportEvent, IndexEvent, MigrateEvent, SyncEvent, VerifyReport
    from lookalike.engine.sharding import Sharding
    from lookalike.engine.trials import Trials
    from lookalike.images.catalogue_plan import CatalogueOptions
    from lookalike.store.collection_store import CompactReport, Failure, ItemRecord, Store


class Collection(Closing):
    """A searchable set of pictures. Use `lookalike.open` to get one; it is a context manager."""

    def __init__(
        self,
        store: Store,
        *,
        encoder: str | Encoder | None = None,
        device: str = "auto",
        models_dir: Path | None = None,
        notice: Callable[[str], None] | None = None,
    ) -> None:
        self._store = store
        self._encoders = EncoderChoice(store, device=device, models_dir=models_dir, notice=notice)
        self._remembered = Remembered(store, notice)
        self._background: BackgroundBuild | None = None
        if encoder is not None:
            self._encoders.choose(encoder)

    # -- what it is ------------------------------------------------------------------------------

    @property
    def path(self) -> Path:
        """The collection's directory."""
        return self._store.path

    @property
    def thumbnails(self) -> Path | None:
        """Where small pictures are kept that can be made again."""
        return self.path / "thumbnails"

    @property
    def place(self) -> str:
        """The same, for a person."""
        return str(self.path)

    @property
    def encoder(self) -> Encoder:
        """The encoder of the collection, loaded on first use."""
        return self._encoders.current()

    @property
    def generation(self) -> int:
        """A number that grows with every change of what is stored. Raises CollectionNotFound for an empty one."""
        with self._store.snapshot() as snapshot:
            return snapshot.generation

    def status(self) -> dict[str, Any]:
        """Counts and places: the object that `status --json` prints."""
        from lookalike.engine.status import status

        return status(self._store)

    def failures(self) -> list[Failure]:
        """Files that were not taken in the last runs, each with its reason."""
        return self._store.failures()

    def item(self, given: str) -> dict[str, Any]:
        """All that is known about the item with an id or at a path: what `show --json` prints. Raises QueryError."""
        from lookalike.engine.items import item_facts

        with self._store.snapshot() as snapshot:
            return item_facts(snapshot, given)

    def find_item(self, given: str) -> ItemRecord:
        """The item with an id or at a path, as it is stored. Raises QueryError."""
        from lookalike.engine.items import find_item

        with self._store.snapshot() as snapshot:
            return find_item(snapshot, given)

    def open_item(self, given: str) -> tuple[ItemRecord, BinaryIO]:
        """The item with an id or at a path, and its file's bytes as they are now: close them.

        Raises QueryError for no such item, OSError or SourceError where the file is away.
        """
        from lookalike.engine.items import open_item

        with self._store.snapshot() as snapshot:
            return open_item(self._store, snapshot, given)

    def fields(self, where: str | None = None, *, most: int = 5, names: Sequence[str] = ()) -> list[FieldFacts]:
        """What filters and orders may name, and what stands there in items that meet `where`; see `facts_of`."""
        from lookalike.engine.fields import facts_of

        with self._store.snapshot() as snapshot:
            return facts_of(snapshot, self._remembered.condition(snapshot, where), most=most, names=names)

    @cached_property
    def duplicates(self) -> Duplicates:
        """Its duplicates: looking for them, what was decided about them, which to keep, and moving the others away."""
        from lookalike.engine.duplicates import Duplicates

        return Duplicates(self._store, self._remembered)

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
        """Bring the collection up to date with folders, files, catalogues, archives and object storage; with no paths,
        with all it knows.

        `catalogue`: how the tables among `paths` are read; remembered for each of them. `embeddings`: vectors for the
        pictures of `paths`, which is then one catalogue: nothing is encoded, and no picture read. `sharding`: encode by
        shards, on a cluster or here; finished ones survive the end of this process.
        Yields Progress and Skipped while it runs and one SyncReport at the end; nothing happens until the iterator is
        consumed. `exclude`: globs in gitignore syntax, remembered by the collection (None keeps those it has).
        `check_content` also finds changes that kept size and time. `settled_s`: leave a file that was written within so
        many seconds for a later run. `index`: when one that is due is built: now, before the report; in the background,
        by a process of low priority; or by a later call. `stop`, set from anywhere, ends it soon; what is done is kept.

        Raises CollectionBusy, CollectionReadOnly, OutOfSpace, SourceError.
        """
        from lookalike.core.records import DecodeLimits
        from lookalike.engine.given_vectors import given_for
        from lookalike.engine.indexing import then_index
        from lookalike.engine.ingest import IngestSettings, ingest
        from lookalike.engine.judging import then_scale
        from lookalike.images.catalogue_plan import CatalogueOptions

        if index not in {"now", "background", "later"}:
            raise ValueError(f"index is {index!r}; it is built now, in the background or later")
        given = None if embeddings is None else given_for(paths, embeddings, self._store, self._encoders.load)
        if given is not None:
            catalogue = replace(catalogue or CatalogueOptions(), list_url=True)
        settings = IngestSettings(
            exclude=None if exclude is None else tuple(exclude),
            check_content=check_content,
            retry_failed=retry_failed,
            settled_s=settled_s,
            limits=limits or DecodeLimits(),
            workers=workers,
            catalogue=catalogue,
            given=given,
            sharding=sharding,
        )
        events = ingest(self._store, lambda: self.encoder, [absolute(path) for path in paths], settings, stop)
        events = then_scale(events, self._store, self._encoders.current)
        if index == "later":
            return events
        return then_index(events, lambda: self.build_index(background=index == "background", stop=stop))

    def build_index(
        self, *, again: bool = False, background: bool = False, stop: threading.Event | None = None
    ) -> Iterator[IndexEvent]:
        """Build the index that searches use, if one is due, or `again` in any case.

        Yields Progress and at last an IndexReport, or nothing for an empty collection. In the `background` a
        process of low priority builds; the report then says what it is about. Searches go on meanwhile.
        Raises CollectionBusy while another process builds, CollectionReadOnly, OutOfSpace.
        """
        from lookalike.engine import indexing

        if not background:
            return indexing.build_index(self._store, self._encoders.captions, again=again, stop=stop)
        if self._background is None or not self._background.is_running:
            self._stop_background()
            self._background = indexing.start_in_background(self._store, self._encoders.captions)
        return indexing.report_now(self._store)

    def configure_index(
        self, *, kind: str | None = None, target_recall: float = TARGET_RECALL, memory_bytes: int | None = None
    ) -> None:
        """Say what is asked of the index from the next build on.

        `kind`: one of `lookalike.index.kinds.KINDS`, "exact" for none, None to have it chosen. `memory_bytes`: what
        searching may use; None takes a quarter of the machine's. Raises ValueError, CollectionReadOnly.
        """
        from lookalike.engine.indexing import WISHES_SETTING
        from lookalike.engine.plan import Wishes

        wishes = Wishes(target_recall=target_recall, kind=kind, memory_bytes=memory_bytes)
        self._store.set_setting(WISHES_SETTING, wishes.as_dict())

    def trials(self) -> AbstractContextManager[Trials]:
        """A place where indexes of this collection are built, measured and adopted (`engine.tuning.tune`)."""
        from lookalike.engine.trials import trials

        return trials(self._store, self._encoders.captions)

    def wait_for_index(self, timeout_s: float | None = None) -> bool:
        """Wait for a build in the background; whether it ended well within the time. True when there is none."""
        return self._background is None or self._background.wait(timeout_s)

    def explain_index(self) -> str:
        """How searches are served, why, and what the next build would change: sentences."""
        from lookalike.engine.indexing import explain

        return explain(self._store)

    def remove(self, path: PathLike) -> int:
        """Take what lies at or below `path` out of the collection and keep it out; the files stay where they are.

        Returns how many items left. Indexing that very path again brings it back.
        """
        from lookalike.engine.scopes import remember_removed
        from lookalike.engine.sources import root_address

        place = root_address(absolute(path))
        with self._store.writer() as writer:
            count = writer.remove_below(place)
            if count:
                remember_removed(self._store, writer, place)
        return count

    def prune(self, *, purge: bool = False) -> int:
        """Forget items of roots that are not there now; returns how many. `purge` also compacts."""
        from lookalike.engine.look import note_what_is_away

        with self._store.writer() as writer:
            note_what_is_away(self._store, writer)
            count = writer.prune_offline()
            if purge:
                writer.compact()
        return count

    def compact(self) -> CompactReport:
        """Give back the space of pictures that are gone."""
        with self._store.writer() as writer:
            return writer.compact()

    def migrate(
        self, encoder: str | Encoder, *, drop_former: bool = False, stop: threading.Event | None = None
    ) -> Iterator[MigrateEvent]:
        """Give all pictures vectors of another encoder, then switch; searches go on meanwhile, a next call resumes.
        No picture is read where the new vectors follow from present ones, which are kept unless `drop_former`.
        """
        from lookalike.engine.indexing import then_index
        from lookalike.engine.migrate import migrate

        wanted, at_hand = self._encoders.load(encoder), self._encoders.at_hand
        events = migrate(self._store, wanted, stop, at_hand=at_hand, drop_former=drop_former)
        return then_index(events, lambda: self.build_index(stop=stop))

    # -- to and from other programs --------------------------------------------------------------

    def import_vectors(
        self,
        folder: PathLike,
        *,
        encoder: str | Encoder | None = None,
        pictures: PathLike | None = None,
        stop: threading.Event | None = None,
    ) -> Iterator[ImportEvent]:
        """Take vectors in that another program made, or an `export`; nothing is encoded.

        `folder`: as `export` writes it, or clip-retrieval. `encoder`: whose vectors they are, also as the id of the
        collection's own; None takes what an export says. When nobody says it, only vectors and items can be asked.
        `pictures`: where relative paths begin; None for `folder`. Yields Progress and Skipped, at last an ImportReport.
        A stopped one goes on with the same call. Raises SourceError, EncoderMismatch, CollectionBusy, OutOfSpace.
        """
        from lookalike.engine.importing import import_vectors, vectors_by
        from lookalike.engine.indexing import then_index

        by = None if encoder is None else vectors_by(self._store, encoder, self._encoders.load)
        place, start = Path(os.fsdecode(absolute(folder))), None if pictures is None else absolute(pictures)
        events = import_vectors(self._store, place, by=by, pictures=start, stop=stop)
        return then_index(events, lambda: self.build_index(stop=stop))

    def export(
        self,
        folder: PathLike,
        layout: Layout,
        *,
        dtype: Literal["float16", "float32"] | None = None,
        shard: int | None = None,
        stop: threading.Event | None = None,
    ) -> Iterator[ExportEvent]:
        """Write all vectors, with what is known about their pictures, into a new `folder`.

        `layout`: "faiss" (a flat index and a list of paths), "npy" (clip-retrieval's) or "parquet" (one table).
        `dtype` None: float16 for npy, else float32. `shard`: vectors in one pair of files of npy, about a million else.
        Yields Progress, at last an ExportReport; stopped, leaves nothing. Raises CollectionError where it is not empty.
        """
        from lookalike.engine.exporting import SHARD, export

        place = Path(os.fsdecode(absolute(folder)))
        return export(self._store, place, layout, dtype=dtype, shard=shard or SHARD, stop=stop)

    # -- answers out -----------------------------------------------------------------------------

    def search(self, query: Any, k: int = 10, **options: Unpack[SearchOptions]) -> Results:
        """The `k` pictures that answer `query` best, best first.

        `query`: a str is always words; a Path, bytes, a PIL image or a uint8 (h, w, 3) array is a picture;
        a 1-D float array of the space's width is a vector; a tuple of core Terms is their sum; a core Query is taken
        as it is. The options, a filter, an order and others, are those of `engine.asking.SearchOptions`. Copies of
        one picture share one place, and so do pictures of one product.

        Raises QueryError, FilterError, NoTextTower, CannotDecode, ValueError for k < 1.
        """
        return self.search_many([query], k, **options)[0]

    def search_many(self, queries: Iterable[Any], k: int = 10, **options: Unpack[SearchOptions]) -> list[Results]:
        """Several queries at once, answered in order from one snapshot in one pass over the rows."""
        from lookalike.engine.asking import query_without_terms
        from lookalike.engine.search import search
        from lookalike.engine.terms import as_query

        how = query_without_terms(k, options)
        try:
            asked = [as_query(query, how, lambda: self.encoder.image_side) for query in queries]
            return search(self._store, self._remembered, self._encoders.of, asked)
        except CollectionNotFound:
            raise QueryError(Wording("no_pictures_yet", name=self.path), hint=Wording("index_puts_some")) from None

    def search_page(
        self, query: Any, k: int = 10, *, after: str | None = None, **options: Unpack[SearchOptions]
    ) -> Results:
        """One page of `k` answers: the first, or with `after`, the `next` of the page before, the one behind it.

        Nothing is shown twice when the collection changes in between (`engine.pages`). Raises as `search` does.
        """
        from lookalike.engine.asking import query_without_terms
        from lookalike.engine.pages import results_page
        from lookalike.engine.terms import as_query

        asked = as_query(query, query_without_terms(k, options), lambda: self.encoder.image_side)
        return results_page(self.search, asked, after)

    def verify(self, *, sample: int = 100, seed: int = 0) -> VerifyReport:
        """Re-read every checksum and re-encode `sample` pictures to see that each vector is its own picture's."""
        from lookalike.engine.verify import verify

        return verify(self._store, self._encoders.of, sample, seed)

    # -- life ------------------------------------------------------------------------------------

    def close(self) -> None:
        """Release files, and stop a build in the background; what it did is kept. Further calls fail."""
        self._stop_background()
        self._store.close()

    def _stop_background(self) -> None:
        if self._background is not None:
            self._background.close()
