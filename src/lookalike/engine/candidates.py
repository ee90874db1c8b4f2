"""Which pairs of pictures may be duplicates: what the fingerprints and the vectors say, before anybody looks at pixels.

A pair comes out when the fingerprints are within `RADIUS` bits in one of the eight turns, or when one is among the few
nearest of the other by cosine and above `LEAST_COSINE`. Each pair comes out once, at the one of its two pictures that
is new, or new and of higher number: a run that was cut short goes on where it was. Never all pairs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from lookalike.engine.remembered import Base
    from lookalike.store.collection_store import Snapshot

RADIUS = 31
"""Bits of 256: PDQ's own threshold."""
LEAST_COSINE = 0.8
NEAREST = 8
"""Rows asked for by cosine for each picture."""
BLOCK = 4096
"""New pictures compared together, and looked at in one commit."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """Pairs of pictures by number, `first` < `second`: int64 (n,).

    `distance`: int64 (n,), bits between the fingerprints at the best turn, -1 where one has none or was not compared.
    `turn`: int64 (n,), how the first is to be turned to look like the second (`images.fingerprint.TURNS`).
    `cosine`: float32 (n,), nan where one has no row. `looked`: int64 (m,), the new pictures that this block is about:
    when all its pairs are judged, these were looked at. `left_out`: pairs of pictures with nothing to see, or of which
    too many are equal, that were passed over.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    distance: NDArray[np.int64]
    turn: NDArray[np.int64]
    cosine: NDArray[np.float32]
    looked: NDArray[np.int64]
    left_out: int = 0

    def __len__(self) -> int:
        return len(self.first)


def candidates(snapshot: Snapshot, base: Base | None, new: NDArray[np.int64]) -> Iterator[Candidates]:
    """Pairs of which one picture is in `new`, ascending numbers of pictures; a block of `new` at a time.

    `base`: the index of the snapshot's rows, None to compare exactly.
    """
    raise ValueError
