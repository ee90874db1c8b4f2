"""Filling a space from another one: where an encoder's vectors follow from those at hand, no picture is read for them.

So a collection moves to tuned heads, to a learned metric or to fewer components in the time that its rows take to be
read and written (docs/adr/0013). Resumable as `fill` is, which takes the pictures that are left: what is filled stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator

    from lookalike.core.protocols import Encoder
    from lookalike.encoders.derivation import Derivation
    from lookalike.store.collection_store import Space, Store, Writer

BLOCK = 4096
"""Rows computed and published together: 8 MB of 512 components in float32, and a commit each fraction of a second."""


def derive(
    store: Store, writer: Writer, encoder: Encoder, space: Space, *, stop: threading.Event | None
) -> Iterator[int]:
    """Give every picture its row in `space` that follows from a row it has in another one.

    Yields how many were given after each commit; nothing where no space is such. Ends soon once `stop` is set.
    """
    for known, how in sources(store, encoder):
        with store.snapshot(known) as snapshot:
            rows = snapshot.rows  # they stay: whoever would write them anew waits for the writer
        after = -1
        while not (stop is not None and stop.is_set()) and (page := writer.rows_to_derive(space, known, after, BLOCK)):
            after = page[-1][1]
            writer.put_vectors(space, [picture for picture, _ in page], how(rows[[row for _, row in page]]))
            yield len(page)


def sources(store: Store, encoder: Encoder) -> list[tuple[Space, Derivation]]:
    """The spaces that `encoder`'s vectors follow from, each with how, the one in use first; not its own."""
    from lookalike.encoders.derivation import derivation

    others = [space for space in store.spaces() if space.encoder_id != encoder.id]
    found = [
        (space, derivation(encoder, space.encoder_id)) for space in sorted(others, key=lambda each: not each.current)
    ]
    return [(space, how) for space, how in found if how is not None]
