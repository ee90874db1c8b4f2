"""Filling a space from another one: where an encoder's vectors follow from those at hand, no picture is read for them.

So a collection moves to tuned heads, to a learned metric or to fewer components in the time that its rows take to be
read and written (docs/adr/0013). Resumable as `fill` is, which takes the pictures that are left: what is filled stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lookalike.core.errors import EncoderBroken

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from lookalike.core.arrays import HalfVectors
    from lookalike.core.protocols import Encoder
    from lookalike.encoders.derivation import Derivation
    from lookalike.store.collection_store import Space, Store, Writer

BLOCK = 4096
"""Rows computed and published together: 8 MB of 512 components in float32, and a commit each fraction of a second."""


@dataclass(frozen=True, slots=True)
class Origin:
    """A space that vectors follow from, and how. `lasting`: it holds what the new vectors do not."""

    space: Space
    how: Derivation
    lasting: bool


def origins(store: Store, encoder: Encoder, at_hand: Callable[[Space], Encoder | None]) -> list[Origin]:
    """The spaces that `encoder`'s vectors follow from, the one in use first; not its own.

    `at_hand` gives the encoder of a space, None where it is not here: then only its id is known.
    """
    from lookalike.encoders.derivation import derivation

    found = []
    for space in sorted(store.spaces(), key=lambda each: not each.current):
        if space.encoder_id != encoder.id:
            known = at_hand(space)
            how = derivation(encoder, space.encoder_id, known)
            if how is not None:
                back = None if known is None else derivation(known, encoder.id, encoder)
                found.append(Origin(space, how, lasting=back is None))
    return found


def derive(
    store: Store, writer: Writer, found: Sequence[Origin], space: Space, *, stop: threading.Event | None
) -> Iterator[int]:
    """Give every picture its row in `space` that follows from a row it has in one of the `found` ones.

    A row of which nothing is left (it equals the centre of a projection) is left to whoever fills the space, and costs
    no other picture its own. Yields how many were given after each commit. Ends soon once `stop` is set.
    """
    for origin in found:
        with store.snapshot(origin.space) as snapshot:
            rows = snapshot.rows  # they stay: whoever would write them anew waits for the writer
        after = -1
        while not (stop is not None and stop.is_set()):
            page = writer.rows_to_derive(space, origin.space, after, BLOCK)
            if not page:
                break
            after = page[-1][1]
            vectors = _each(origin.how, rows[[row for _, row in page]])
            given = [
                (picture, vector) for (picture, _), vector in zip(page, vectors, strict=True) if vector is not None
            ]
            writer.put_vectors(space, [picture for picture, _ in given], [vector for _, vector in given])
            yield len(given)


def _each(how: Derivation, rows: HalfVectors) -> list[NDArray[np.float32] | None]:
    """What follows from each row, None where nothing does."""
    try:
        return list(how(rows))
    except EncoderBroken:
        if len(rows) == 1:
            return [None]
        middle = len(rows) // 2
        return _each(how, rows[:middle]) + _each(how, rows[middle:])
