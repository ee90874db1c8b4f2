"""One look for duplicates: fingerprints, candidates, comparing. Read `Look.run` from top to bottom.

Everything is kept in small commits: a look that is stopped, or whose process dies, goes on where it was. With each
block of new pictures go the pairs that no candidate named but that share a likeness with a third picture, or a copy
that was found by another copy alone would be in no group of the one to keep. Only then were these pictures looked at.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from lookalike.core.cores import usable_cores
from lookalike.engine.candidates import candidates
from lookalike.engine.grouping import unjudged
from lookalike.engine.keeping import Keeping
from lookalike.engine.likeness import METHOD
from lookalike.engine.missing_fingerprints import fill_fingerprints
from lookalike.engine.originals import made_from_others
from lookalike.engine.reports import Progress
from lookalike.engine.sources import sources_of
from lookalike.engine.spool import batches
from lookalike.engine.verifying_pairs import Verifier

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator, Sequence
    from typing import Literal

    from lookalike.core.arrays import Rows
    from lookalike.engine.likeness_words import Reason
    from lookalike.engine.remembered import Remembered
    from lookalike.store.collection_store import Snapshot, Store
    from lookalike.store.likenesses import PairRecord

PUT_AT_ONCE = 4096
"""Pairs that no candidate named, compared between two commits."""


class Look:
    """A look and its tally. `looked_at`: pictures; `compared`: pairs; `notes`: what was left out."""

    def __init__(
        self, store: Store, remembered: Remembered, *, workers: int | None, stop: threading.Event | None
    ) -> None:
        self._store = store
        self._remembered = remembered
        self._workers = workers or usable_cores()
        self._stop = stop
        self._started = time.monotonic()
        self.looked_at = self.compared = 0
        self.notes: list[Reason] = []

    def run(self, *, again: bool) -> Iterator[Progress]:
        """Look at what is new, `again` at everything. Raises CollectionReadOnly, OutOfSpace."""
        self._store.likenesses.forget(METHOD)
        if again:
            self._store.likenesses.doubt()
        yield from self._fill()
        with self._store.snapshot() as snapshot:
            new = snapshot.not_looked_at(METHOD)
            if len(new) and not self._is_stopping():
                with Verifier(sources_of(self._store), workers=self._workers, stop=self._stop) as verifier:
                    yield from self._compare(snapshot, verifier, new)
                    self.compared = verifier.compared
                    self._note_away(verifier)
        if not self._is_stopping():
            self._store.likenesses.forget_doubted()

    def _fill(self) -> Iterator[Progress]:
        total = self._store.likenesses.count_without_sketch()
        if not total:
            return
        from lookalike.images.decoding_pool import DecodingPool

        with DecodingPool(self._workers, stop=self._stop) as pool:
            for done in fill_fingerprints(self._store, pool, self._stop):
                yield self._progress("fingerprint", done, total)

    def _compare(self, snapshot: Snapshot, verifier: Verifier, new: Rows) -> Iterator[Progress]:
        for block in candidates(snapshot, self._remembered.base(snapshot), new):
            if not len(block.looked):
                yield self._progress("near", round(block.done * len(new)), len(new))
                continue
            pairs = list(verifier.verified(snapshot, block))
            if self._is_stopping():  # of this block only a part may have been judged
                return
            self._store.likenesses.put(pairs, (), METHOD)
            looked = block.looked.tolist()
            if not self._compare_rest(verifier, set(looked)):
                return
            self._store.likenesses.put((), looked, METHOD)
            self.looked_at += len(looked)
            self.notes += block.notes
            yield self._progress("compare", self.looked_at, len(new))

    def _compare_rest(self, verifier: Verifier, new: set[int]) -> bool:
        """Pairs of pictures that are like a third one, as far as the new ones brought them up; False when stopped."""
        with self._store.snapshot() as snapshot:
            found = _anew(snapshot.likenesses_of(new))
            near = new | {number for pair in found for number in (pair.first, pair.second)}
            pairs = _anew(snapshot.likenesses_of(near))
            for some in batches(unjudged(pairs, self._order(snapshot, pairs), new), PUT_AT_ONCE):
                judged = list(verifier.verified_pairs(snapshot, some))
                if self._is_stopping():
                    return False
                self._store.likenesses.put(judged, (), METHOD)
        return True

    def _note_away(self, verifier: Verifier) -> None:
        if verifier.unread:
            self.notes.append(("unread", verifier.unread))

    def _order(self, snapshot: Snapshot, pairs: Sequence[PairRecord]) -> dict[int, int]:
        """The places of pictures when the one rather kept comes first."""
        items = snapshot.items_of_pictures({number for pair in pairs for number in (pair.first, pair.second)})
        keeping = Keeping("best").knowing(
            made_from_others(pairs, items, snapshot.bordered_pictures()).and_of(items.values())
        )
        keys = {picture: max(map(keeping.key, its)) for picture, its in items.items()}
        return {picture: place for place, picture in enumerate(sorted(keys, key=keys.__getitem__, reverse=True))}

    def _progress(self, stage: Literal["fingerprint", "near", "compare"], done: int, total: int) -> Progress:
        seconds = time.monotonic() - self._started
        return Progress(stage, done, total, encoded=0, skipped=0, seconds=seconds)

    def _is_stopping(self) -> bool:
        return self._stop is not None and self._stop.is_set()


def _anew(pairs: Sequence[PairRecord]) -> list[PairRecord]:
    """Without doubted ones, which are no reason to compare others and not compared yet themselves."""
    return [pair for pair in pairs if pair.method > 0]
