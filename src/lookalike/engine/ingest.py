"""Pictures in: source -> decode -> encode -> store. Read `ingest` from top to bottom.

A run has four stages. *Look* walks the folders and compares every file's size and time with what the
store knows; what is new or different goes into a spool on disk, so memory does not grow with the number
of files. *Recognise* hashes those whose size is known and takes moved and copied files without decoding.
*Take* decodes and encodes the rest and publishes them in small atomic batches. *Finish* pairs files that
vanished with equal ones that appeared (moves) and lets go of the rest.

A file whose bytes are known, or whose upright pixels are known, takes the vector that is there: only a
picture never seen before costs an encoding. Stopping at any point keeps every published batch; deletions
happen only after a complete walk.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lookalike.core.cores import usable_cores
from lookalike.core.errors import EncoderUnavailable, MissingExtra, SourceError
from lookalike.core.records import Picture, Skipped
from lookalike.engine.catalogues import forget_unread, planned, remember, report_of, unreadable
from lookalike.engine.fill import fill
from lookalike.engine.given_vectors import TAKEN_AT_ONCE, GivenTaker, Matched, match
from lookalike.engine.importing import refuse_other
from lookalike.engine.look import TRANSIENT, Look
from lookalike.engine.pace import no_vector
from lookalike.engine.reports import Progress, SyncReport
from lookalike.engine.scopes import exclusions, removed_places, resolve_scopes
from lookalike.engine.sharding import ShardRun, ShardTaker, encode_in_shards
from lookalike.engine.sources import place_of, root_address, sources_of
from lookalike.engine.spool import Pending, Spool, batches
from lookalike.engine.take import Taker
from lookalike.engine.word_learning import learn_words
from lookalike.store.collection_store import Failure, FinishReport
from lookalike.store.records import RowsReport

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator, Sequence
    from typing import Literal

    from lookalike.core.protocols import Encoder, Source
    from lookalike.core.records import Asset, DecodeLimits
    from lookalike.engine.given_vectors import GivenVectors
    from lookalike.engine.reports import CatalogueRead, SyncEvent
    from lookalike.engine.scopes import Scope
    from lookalike.engine.sharding import Sharding
    from lookalike.images.catalogue_plan import CatalogueOptions
    from lookalike.images.decoding_pool import DecodingPool
    from lookalike.store.collection_store import Store, Writer

PROGRESS_EVERY_S = 0.1
NOTE_FAILURES_AT = 256
"""Failures written in one commit."""
RECOGNISE_BATCH = 500
"""Sizes looked up in one query."""


@dataclass(frozen=True, slots=True)
class IngestSettings:
    """How a run works. `exclude` None keeps the collection's globs; `workers` None takes all cores.

    `catalogue`: how tables are read from now on; None keeps what is remembered for each. `given`: vectors for the
    pictures of the one catalogue that is taken in, in place of encoding. `settled_s`: files written within so many
    seconds are left for a later run. `sharding`: how files are taken by shards, None without.
    """

    exclude: tuple[str, ...] | None
    check_content: bool
    retry_failed: bool
    limits: DecodeLimits
    workers: int | None
    catalogue: CatalogueOptions | None = None
    given: GivenVectors | None = None
    settled_s: float = 0.0
    sharding: Sharding | None = None


def ingest(
    store: Store,
    encoder_of: Callable[[], Encoder],
    paths: Sequence[bytes],
    settings: IngestSettings,
    stop: threading.Event | None,
) -> Iterator[SyncEvent]:
    """Bring the store up to date with `paths`; yields Progress and Skipped, at last a SyncReport."""
    paths = [root_address(path) for path in paths]
    with store.writer() as writer, Spool() as differing:
        if settings.given is not None:
            refuse_other(store, settings.given.by, settings.given.file.vectors.shape[1])
        removed = removed_places(store, writer, paths)
        scopes = resolve_scopes(store, writer, paths)
        run = _Run(store, writer, settings, stop)
        walk = Look(store, writer, exclusions(store, writer, settings.exclude), removed, settings.settled_s)
        yield from _plan_catalogues(run, store, walk, scopes, is_asked=bool(paths))
        for scope in scopes:
            yield from _look(run, walk, scope, differing)
        walk.remember_devices()
        if differing.count and not run.is_stopping():
            if settings.given is not None:
                yield from _take_given(run, store, differing)
            elif settings.sharding is not None:
                yield from _take_shards(run, store, encoder_of, differing)
            else:
                yield from _take_all(run, encoder_of, differing)
        run.note_failures()
        _fill_gaps(run, store, encoder_of)
        if not run.is_stopping():
            yield run.progress("finish")
            run.finished = writer.finish(walk.walked, walk.unlisted)
            writer.make_columns(stop=stop)
            space = store.current_space()
            if space is not None:
                with suppress(EncoderUnavailable):  # vectors that were imported need no encoder to be kept up
                    learn_words(writer, space, encoder_of, stop)
        yield run.report(store.counts().offline)


def _plan_catalogues(
    run: _Run, store: Store, walk: Look, scopes: Sequence[Scope], *, is_asked: bool
) -> Iterator[SyncEvent]:
    """Find out how the catalogues among `scopes` are read. One that was not named by the user may be unreadable."""
    for scope in scopes:
        if not scope.root.is_catalogue or not os.path.exists(place_of(scope.root.path) or b""):
            continue
        try:
            source = planned(store, scope.root, run.settings.catalogue if is_asked else None)
            if run.settings.given is not None:
                run.matched = match(run.settings.given.file, source)
        except (SourceError, MissingExtra) as error:
            if is_asked:
                forget_unread(store, run.writer, scope.root)
                raise
            walk.unlisted.append((scope.root.number, b""))
            yield run.skip(scope.root.number, unreadable(scope.root, str(error)), item_stays=True)
            continue
        remember(store, run.writer, scope.root, source)
        walk.catalogues[scope.root.number] = run.sources[scope.root.number] = source
        run.catalogues.append(report_of(source))


def _look(run: _Run, walk: Look, scope: Scope, differing: Spool) -> Iterator[SyncEvent]:
    again, check = run.settings.retry_failed or run.settings.given is not None, run.settings.check_content
    for looked in walk.through(scope, again=again, check_content=check, stop=run.is_stopping):
        if isinstance(looked, Pending):
            differing.add(looked)
        elif isinstance(looked, RowsReport):
            run.settled(looked)
        elif looked is not None:
            yield run.skip(scope.root.number, looked, item_stays=walk.may_pass(looked))
        else:
            run.unchanged += 1
        yield from run.tell("look")
        if run.is_stopping():
            return


def _take_all(run: _Run, encoder_of: Callable[[], Encoder], differing: Spool) -> Iterator[SyncEvent]:
    from lookalike.images.decoding_pool import DecodingPool

    run.total = run.unchanged + run.rows_added + run.rows_changed + len(run.skipped) + differing.count
    with DecodingPool(run.settings.workers or usable_cores(), stop=run.stop) as pool, Spool() as unknown:
        encoder = encoder_of()
        run.taker = taker = Taker(run.writer, encoder, run.writer.create_space(encoder.id, encoder.name, encoder.dim))
        try:
            yield from _recognise(run, taker, pool, differing, unknown)
            yield from _decode(run, taker, pool, unknown, encoder)
        finally:
            taker.publish()
        yield from _refused(run, taker, encoder)


def _take_given(run: _Run, store: Store, differing: Spool) -> Iterator[SyncEvent]:
    """Take everything with the vectors at hand: nothing is read."""
    given, matched = run.settings.given, run.matched
    assert given is not None, "there are vectors"
    run.total = run.unchanged + run.rows_added + run.rows_changed + len(run.skipped) + differing.count
    run.taker = taker = GivenTaker(run.writer, given.space(store, run.writer), given, matched)
    for batch in batches(differing, TAKEN_AT_ONCE):
        for pending, skipped in taker.take(batch):
            yield run.skip_taken(pending, skipped)
        yield from run.tell("take")
        if run.is_stopping():
            return
    if matched.unused:
        why = f"{matched.unused:,} of its vectors are of no row of the catalogue, such as {matched.such_as}"
        unused = Skipped(str(given.file.path), why, "no-row")
        run.skipped.append(unused)
        yield unused


def _take_shards(run: _Run, store: Store, encoder_of: Callable[[], Encoder], differing: Spool) -> Iterator[SyncEvent]:
    """Take everything by shards. Nothing is recognised before: what was moved or copied is encoded again."""
    sharding = run.settings.sharding
    assert sharding is not None, "shards were asked for"
    run.total = run.unchanged + run.rows_added + run.rows_changed + len(run.skipped) + differing.count
    encoder = encoder_of()
    space = run.writer.create_space(encoder.id, encoder.name, encoder.dim)
    run.taker = taker = ShardTaker(run.writer, space)
    roots = {root.number: root.path for root in store.roots()}
    whole = ShardRun(
        sharding,
        encoder,
        run.sources,
        roots,
        run.settings.limits,
        retry=run.settings.retry_failed,
        afresh=run.settings.check_content,
        stop=run.stop,
    )
    yield run.progress("take")  # workers may take a minute to be there
    for shard in encode_in_shards(whole, differing):
        taker.take(shard)
        for pending, skipped in shard.skipped:
            yield run.skip_taken(pending, skipped)
        run.note_failures()
        yield run.progress("take")


def _recognise(run: _Run, taker: Taker, pool: DecodingPool, differing: Spool, unknown: Spool) -> Iterator[SyncEvent]:
    """Take files whose bytes are those of a known picture; the others go on to `unknown`."""
    waiting: dict[int, Pending] = {}
    """By the identity of the asset: two rows of a catalogue may show one file."""

    def worth_hashing() -> Iterator[tuple[Source, Asset]]:
        for batch in batches(differing, RECOGNISE_BATCH):
            if run.is_stopping():
                return
            sizes = run.writer.sizes_known([pending.asset.size for pending in batch])
            for pending in batch:
                if pending.asset.size in sizes:
                    waiting[id(pending.asset)] = pending
                    yield run.source(pending), pending.asset
                else:
                    unknown.add(pending)

    for _, asset, outcome in pool.digest_many(worth_hashing(), limits=run.settings.limits):
        pending = waiting.pop(id(asset))
        if isinstance(outcome, Skipped):
            yield run.skip_taken(pending, outcome)
        elif not taker.take_known(pending, outcome):
            unknown.add(pending)
        yield from run.tell("take")
        if run.is_stopping():
            return


def _decode(run: _Run, taker: Taker, pool: DecodingPool, unknown: Spool, encoder: Encoder) -> Iterator[SyncEvent]:
    """Decode and encode what is left."""
    waiting: dict[int, Pending] = {}

    def jobs() -> Iterator[tuple[Source, Asset]]:
        for pending in unknown:
            waiting[id(pending.asset)] = pending
            yield run.source(pending), pending.asset

    if run.is_stopping():
        return
    fit = getattr(encoder, "fit", None)
    for _, asset, outcome in pool.decode_many(jobs(), side=encoder.image_side, limits=run.settings.limits, fit=fit):
        pending = waiting.pop(id(asset))
        if isinstance(outcome, Picture):
            taker.take(pending, outcome)
            yield from _refused(run, taker, encoder)
        else:
            yield run.skip_taken(pending, outcome)
        yield from run.tell("take")
        if run.is_stopping():
            return


def _refused(run: _Run, taker: Taker, encoder: Encoder) -> Iterator[Skipped]:
    """Note the files of whose pictures the encoder makes no vector."""
    refused, taker.refused = taker.refused, []
    for pending in refused:
        yield run.skip_taken(pending, no_vector(encoder, pending.asset))


def _fill_gaps(run: _Run, store: Store, encoder_of: Callable[[], Encoder]) -> None:
    """Encode known pictures that have no vector yet: those a migration could not read at its time."""
    space = store.current_space()
    if space is None or run.is_stopping() or not run.writer.missing_rows(space, 0, 1):
        return
    from lookalike.images.decoding_pool import DecodingPool

    with DecodingPool(run.settings.workers or usable_cores(), stop=run.stop) as pool:
        for outcome in fill(store, run.writer, encoder_of(), space, pool, stop=run.stop):
            run.filled += outcome if isinstance(outcome, int) else 0


class _Run:
    """The tally of one run, and what tells about it."""

    def __init__(self, store: Store, writer: Writer, settings: IngestSettings, stop: threading.Event | None) -> None:
        self.writer = writer
        self.settings = settings
        self.taker: Taker | GivenTaker | ShardTaker | None = None
        self.matched = Matched({})
        self.skipped: list[Skipped] = []
        self.unchanged = self.filled = 0
        self.rows_added = self.rows_changed = self.rows_reused = 0
        self.catalogues: list[CatalogueRead] = []
        self.finished = FinishReport(moved=0, removed=0, arrived=0)
        self.total: int | None = None
        self._failures: list[Failure] = []
        self.sources: dict[int, Source] = sources_of(store)
        self.stop = stop
        self._started = self._told = time.monotonic()

    def is_stopping(self) -> bool:
        return self.stop is not None and self.stop.is_set()

    def source(self, pending: Pending) -> Source:
        return self.sources[pending.root]

    def settled(self, rows: RowsReport) -> None:
        """Count rows of a catalogue that needed no reading."""
        self.unchanged += rows.unchanged
        self.rows_added += rows.added
        self.rows_changed += rows.changed + rows.described
        self.rows_reused += rows.added + rows.changed

    def skip_taken(self, pending: Pending, skipped: Skipped) -> Skipped:
        """`skip` for a file that was to be taken; one of a catalogue is told with its id."""
        if pending.id is not None:
            skipped = replace(skipped, reason=f"id {pending.id}: {skipped.reason}")
        stays = pending.picture is not None and skipped.code in TRANSIENT
        return self.skip(pending.root, skipped, item_stays=stays)

    def skip(self, root: int, skipped: Skipped, *, item_stays: bool) -> Skipped:
        """Note an entry that is not taken; it is listed until it can be taken or is gone.

        `item_stays`: it was taken before and may be readable again in the next run, so its item is kept.
        """
        self.skipped.append(skipped)
        if skipped.key is not None and not item_stays:
            self._failures.append(
                Failure(
                    root=root,
                    key=skipped.key,
                    uri=skipped.uri,
                    code=skipped.code,
                    reason=skipped.reason,
                    size=skipped.size,
                    modified_ns=skipped.modified_ns,
                )
            )
        if len(self._failures) >= NOTE_FAILURES_AT:
            self.note_failures()
        return skipped

    def note_failures(self) -> None:
        if self._failures:
            self.writer.note_failures(self._failures)
            self._failures = []

    def tell(self, stage: Literal["look", "take"]) -> Iterator[Progress]:
        """A Progress when the last one is old enough to be worth another."""
        now = time.monotonic()
        if now - self._told >= PROGRESS_EVERY_S:
            self._told = now
            yield self.progress(stage)

    def progress(self, stage: Literal["look", "take", "finish"]) -> Progress:
        taken = (self.taker.taken if self.taker else 0) + self.rows_added + self.rows_changed
        return Progress(
            stage=stage,
            done=self.unchanged + len(self.skipped) + taken,
            total=self.total,
            encoded=self.taker.encoded if self.taker else 0,
            skipped=len(self.skipped),
            seconds=time.monotonic() - self._started,
        )

    def report(self, offline: int) -> SyncReport:
        taker = self.taker
        return SyncReport(
            added=(taker.added if taker else 0) + self.rows_added - self.finished.arrived,
            changed=(taker.changed if taker else 0) + self.rows_changed,
            moved=self.finished.moved,
            removed=self.finished.removed,
            offline=offline,
            encoded=(taker.encoded if taker else 0) + self.filled,
            reused=(taker.reused if taker else 0) + self.rows_reused,
            skipped=tuple(self.skipped),
            seconds=time.monotonic() - self._started,
            interrupted=self.is_stopping(),
            catalogues=tuple(self.catalogues),
            shards=tuple(taker.reports) if isinstance(taker, ShardTaker) else (),
        )
