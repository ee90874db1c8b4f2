"""Pictures into a collection on an engine elsewhere: `ingest` into a staging store, and its changes sent on.

Promises what `ingest` does: every picture once, deletions only after a complete walk, and a run that broke off, for
whatever reason, is gone on with by the same call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lookalike.engine.ingest import ingest
from lookalike.engine.judging import then_scale
from lookalike.engine.remote_staging import Shipment, staged
from lookalike.engine.reports import SyncReport

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator, Sequence

    from lookalike.core.protocols import Encoder
    from lookalike.engine.ingest import IngestSettings
    from lookalike.engine.reports import SyncEvent
    from lookalike.remote.contract import RemoteEngine


def sync_there(
    engine: RemoteEngine,
    encoder_of: Callable[[], Encoder],
    paths: Sequence[bytes],
    settings: IngestSettings,
    stop: threading.Event | None,
) -> Iterator[SyncEvent]:
    """Bring the engine up to date with `paths`; yields Progress and Skipped, at last a SyncReport."""
    with staged(engine) as (store, held):
        shipment = Shipment(engine, store, held, new_ids=True)
        space = store.current_space()
        shipment.begin_behind(0 if space is None else space.count)
        for event in then_scale(ingest(store, encoder_of, paths, settings, stop), store, encoder_of):
            if isinstance(event, SyncReport):
                for _ in shipment.send_all():
                    pass
            else:
                shipment.send_new()
            yield event
