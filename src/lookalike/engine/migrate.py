"""To another encoder: fill a second space beside the first, then switch in one commit.

Searches go on in the first space meanwhile. An interrupted migration is taken up where it stopped.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from lookalike.core.cores import usable_cores
from lookalike.core.records import Skipped
from lookalike.engine.fill import fill
from lookalike.engine.reports import MigrateReport, Progress

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator

    from lookalike.core.protocols import Encoder
    from lookalike.engine.reports import MigrateEvent
    from lookalike.store.collection_store import Store


def migrate(store: Store, encoder: Encoder, stop: threading.Event | None) -> Iterator[MigrateEvent]:
    """Encode all pictures with `encoder` and switch to it; all other spaces are dropped.

    Pictures that cannot be read now (an unplugged disk) are skipped; the next run of `index` that finds
    them fills them in.
    """
    from lookalike.images.decoding_pool import DecodingPool

    started = time.monotonic()
    skipped: list[Skipped] = []
    encoded = 0
    with store.writer() as writer, DecodingPool(usable_cores(), stop=stop) as pool:
        total = store.counts().pictures
        space = writer.create_space(encoder.id, encoder.name, encoder.dim)
        for outcome in fill(store, writer, encoder, space, pool, stop=stop):
            if isinstance(outcome, Skipped):
                skipped.append(outcome)
                yield outcome
            else:
                encoded += outcome
                seconds = time.monotonic() - started
                yield Progress("take", encoded + len(skipped), total, encoded, len(skipped), seconds)
        switched = stop is None or not stop.is_set()
        if switched:
            writer.switch_to(space)
            for former in store.spaces():  # also what a migration left that was given up
                if former.number != space.number:
                    writer.drop_space(former)
            writer.make_columns(stop=stop)
    yield MigrateReport(encoder.name, encoded, tuple(skipped), time.monotonic() - started, switched)
