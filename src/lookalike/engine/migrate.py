"""To another encoder: fill a second space beside the first, then switch in one commit.

Searches go on in the first space meanwhile. An interrupted migration is taken up where it stopped. What follows from
vectors at hand is computed from them (`derive`); pictures are read for the rest alone.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Literal

from lookalike.core.cores import usable_cores
from lookalike.core.records import Skipped
from lookalike.engine.derive import derive
from lookalike.engine.fill import fill
from lookalike.engine.judging import note_scale
from lookalike.engine.reports import MigrateReport, Progress
from lookalike.engine.word_learning import learn_words

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator

    from lookalike.core.protocols import Encoder
    from lookalike.engine.reports import MigrateEvent
    from lookalike.store.collection_store import Store


def migrate(store: Store, encoder: Encoder, stop: threading.Event | None) -> Iterator[MigrateEvent]:
    """Give all pictures vectors of `encoder` and switch to it; all other spaces are dropped.

    Pictures that cannot be read now (an unplugged disk) are skipped; the next run of `index` that finds
    them fills them in.
    """
    from lookalike.images.decoding_pool import DecodingPool

    started = time.monotonic()
    skipped: list[Skipped] = []
    derived = encoded = 0

    def progress(stage: Literal["take", "finish"] = "take") -> Progress:
        done = derived + encoded + len(skipped)
        return Progress(stage, done, total, encoded, len(skipped), time.monotonic() - started)

    with store.writer() as writer, DecodingPool(usable_cores(), stop=stop) as pool:
        total = store.counts().pictures
        space = writer.create_space(encoder.id, encoder.name, encoder.dim)
        for count in derive(store, writer, encoder, space, stop=stop):
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
            for former in store.spaces():  # also what a migration left that was given up
                if former.number != space.number:
                    writer.drop_space(former)
            writer.make_columns(stop=stop)
            learn_words(writer, space, lambda: encoder, stop)
    if switched:
        note_scale(store, lambda: encoder)
    yield MigrateReport(encoder.name, encoded, derived, tuple(skipped), time.monotonic() - started, switched)
