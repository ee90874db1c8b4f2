"""Candidates become likenesses: the pictures of each pair are read, small, and laid over each other.

Each picture is read once where the memory for small versions allows it. A picture whose file is away, or is no longer the
one that was indexed, is judged by its fingerprint and its vector alone, less sure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lookalike.core.closing import Closing
from lookalike.images.decoding_pool import DecodingPool

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator, Mapping

    from lookalike.core.protocols import Source
    from lookalike.engine.candidates import Candidates
    from lookalike.store.collection_store import Snapshot
    from lookalike.store.likenesses import PairRecord


class Verifier(Closing):
    """A context manager; holds the decoding processes and the small versions of pictures looked at last.

    `sources`: of every root, by its number (`engine.sources.sources_of`). `compared`: pairs judged so far.
    """

    def __init__(self, sources: Mapping[int, Source], *, workers: int, stop: threading.Event | None = None) -> None:
        self._sources = sources
        self._pool = DecodingPool(workers, stop=stop)
        self.compared = 0

    def close(self) -> None:
        """End the decoding processes."""
        self._pool.close()

    def verified(self, snapshot: Snapshot, candidates: Candidates) -> Iterator[PairRecord]:
        """The pairs that are alike, in no order; those that are not are left out.

        When `stop` is set it ends early: a block that was not finished must not be noted as looked at.
        """
        yield from ()

    def verified_pairs(self, snapshot: Snapshot, pairs: list[tuple[int, int]]) -> Iterator[PairRecord]:
        """The same for pairs of picture numbers that no candidate named (`grouping.unjudged`)."""
        yield from ()
