"""To another encoder: fill a second space beside the first, then switch in one commit.

Searches go on in the first space meanwhile. An interrupted migration is taken up where it stopped. What follows from
vectors at hand is computed from them (`derive`); pictures are read for the rest alone.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Literal

from lookalike.core.cores import usable_cores
from lookalike.core.records import Skipped
from lookalike.engine.derive import derive, origins
from lookalike.engine.fill import fill
from lookalike.engine.judging import note_scale
from lookalike.engine.reports import MigrateReport, Progress
from lookalike.engine.word_learning import learn_words

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator

    from lookalike.core.protocols import Encoder
    from lookalike.engine.reports import MigrateEvent
    from lookalike.store.collection_store import Space, Store, Writer


def migrate(
    store: Store,
    encoder: Encoder,
    stop: threading.Event | None,
    *,
    at_hand: Callable[[Space], Encoder | None],
    drop_former: bool = False,
) -> Iterator[MigrateEvent]:
    """Give all pictures vectors of `encoder` and switch to it; other spaces are dropped, but those it follows from.

    Those are kept unless `drop_former`, or the new vectors hold all that they hold: without them the way back, or to
    another encoder derived from the same one, would have to read all pictures again. New pictures get no rows there,
    and no index covers them. `at_hand` gives the encoder of a space, None where it is not here.

    Pictures that cannot be read now (an unplugged disk) are skipped; the next run of `index` that finds
    them fills them in.
    """
    from lookalike.images.decoding_pool import DecodingPool

    started = time.monotonic()
    skipped: list[Skipped] = []
    kept: list[Space] = []
    derived = encoded = 0

    def progress(stage: Literal["take", "finish"] = "take") -> Progress:
        done = derived + encoded + len(skipped)
        return Progress(stage, done, total, encoded, len(skipped), time.monotonic() - started)

    with store.writer() as writer, DecodingPool(usable_cores(), stop=stop) as pool:
        total = store.counts().pictures
        space = writer.create_space(encoder.id, encoder.name, encoder.dim)
        found = origins(store, encoder, at_hand)
        for count in derive(store, writer, found, space, stop=stop):
            derived += count
            yield progress()
        for outcome in fill(store, writer, encoder, space, pool, stop=stop):
            if isinstance(outcome, Skipped):
                skipped.append(outcome)
                yield outcome
            else:
                encoded += outcome
                yield progress()
        switched = stop is None or not stop.is_set()
        if switched:
            yield progress("finish")
            writer.switch_to(space)
            kept = [] if drop_former else [each.space for each in found if each.lasting]
            _drop_others(store, writer, {space.number, *(former.number for former in kept)})
            writer.make_columns(stop=stop)
            learn_words(writer, space, lambda: encoder, stop)
    if switched:
        note_scale(store, lambda: encoder)
    seconds = time.monotonic() - started
    names = tuple(former.encoder_name for former in kept)
    yield MigrateReport(encoder.name, encoded, derived, tuple(skipped), seconds, switched, names)


def _drop_others(store: Store, writer: Writer, kept: set[int]) -> None:
    """Drop all spaces but these, also what a migration left that was given up; and the indexes that nobody asks now."""
    for former in store.spaces():
        if former.number not in kept:
            writer.drop_space(former)
        elif not former.current and (index := store.index_of(former)) is not None:
            store.drop_index(former, index)
