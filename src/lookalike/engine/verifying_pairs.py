"""Candidates become likenesses: the pictures of each pair are read, small, and laid over each other.

Promises: memory for `LOOKS` small pictures, whatever the number of pairs; a picture is read again only when it was not
asked for so long that it was dropped. A picture whose file is away, or is no longer the one that was indexed, is judged
by its fingerprint and its vector alone, less sure.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lookalike.core.closing import Closing
from lookalike.core.records import DecodeLimits, Picture
from lookalike.engine.likeness import METHOD, Evidence, facts_of, likeness
from lookalike.engine.sources import asset_of
from lookalike.engine.spool import batches
from lookalike.images.alignment import Look, align, look_at, shrunk
from lookalike.images.decoding_pool import DecodingPool
from lookalike.store.likenesses import PairRecord

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from lookalike.core.protocols import Source
    from lookalike.core.records import Asset
    from lookalike.engine.candidates import Candidates
    from lookalike.engine.likeness import Facts
    from lookalike.store.collection_store import ItemRecord, Snapshot

LOOKS = 8_192
"""Small pictures kept: up to 19 kB each, 160 MB."""
_AT_ONCE = 1_024
"""Pairs whose pictures are read together."""
_SIDE = 64
"""What decoding is asked for: the shorter side is 256 pixels then, or what the picture has."""
_MIRRORED = (0, 1)
"""Turns in which a part is looked for, beside what fingerprints say: people crop and mirror, hardly crop and turn."""


@dataclass(frozen=True, slots=True)
class _Pair:
    first: int
    second: int
    distance: int | None = None
    turn: int = 0
    cosine: float | None = None


class Verifier(Closing):
    """A context manager; holds the decoding processes and the small pictures looked at last.

    `sources`: of every root, by its number (`engine.sources.sources_of`). `compared`: pairs judged so far. Once `stop`
    is set, judging ends early: a block that was not finished must not be noted as looked at.
    """

    def __init__(self, sources: Mapping[int, Source], *, workers: int, stop: threading.Event | None = None) -> None:
        self._sources = sources
        self._pool = DecodingPool(workers, stop=stop)
        self._threads = ThreadPoolExecutor(workers)
        self._stop = stop
        self._looks: OrderedDict[int, Look | None] = OrderedDict()
        self.compared = 0

    def close(self) -> None:
        """End the decoding processes."""
        self._pool.close()
        self._threads.shutdown()

    def verified(self, snapshot: Snapshot, candidates: Candidates) -> Iterator[PairRecord]:
        """The pairs that are alike, in their order; those that are not are left out."""
        told = zip(
            candidates.first.tolist(),
            candidates.second.tolist(),
            candidates.distance.tolist(),
            candidates.turn.tolist(),
            candidates.cosine.tolist(),
            strict=True,
        )
        for some in batches(told, _AT_ONCE):
            yield from self._judged(snapshot, [_pair(*each) for each in some])

    def verified_pairs(self, snapshot: Snapshot, pairs: Iterable[tuple[int, int]]) -> Iterator[PairRecord]:
        """The same for pairs of picture numbers that no candidate named (`grouping.unjudged`)."""
        for some in batches(pairs, _AT_ONCE):
            yield from self._judged(snapshot, [_Pair(*each) for each in some])

    def _judged(self, snapshot: Snapshot, pairs: Sequence[_Pair]) -> list[PairRecord]:
        items = snapshot.items_of_pictures({number for pair in pairs for number in (pair.first, pair.second)})
        self._read(snapshot, items)
        if self._stop is not None and self._stop.is_set():
            return []
        facts = {picture: _facts(places) for picture, places in items.items()}
        there = [pair for pair in pairs if pair.first in facts and pair.second in facts]
        judged = self._threads.map(lambda pair: self._record(pair, facts), there)
        found = [record for record in judged if record is not None]
        self.compared += len(there)
        while len(self._looks) > LOOKS:
            self._looks.popitem(last=False)
        return found

    def _record(self, pair: _Pair, facts: Mapping[int, Facts]) -> PairRecord | None:
        first, second = self._looks[pair.first], self._looks[pair.second]
        alignment = None
        if first is not None and second is not None:
            alignment = align(first, second, turns=tuple(dict.fromkeys((pair.turn, *_MIRRORED))))
        evidence = Evidence(facts[pair.first], facts[pair.second], pair.distance, pair.turn, pair.cosine, alignment)
        judged = likeness(evidence)
        if judged is None:
            return None
        return PairRecord(pair.first, pair.second, judged.kind, judged.sure, judged.why, METHOD)

    # -- reading ------------------------------------------------------------------------------

    def _read(self, snapshot: Snapshot, items: Mapping[int, Sequence[ItemRecord]]) -> None:
        """Have a small version of each picture, None where it cannot be read at any of its places."""
        waiting: dict[int, list[ItemRecord]] = {}
        for picture, places in items.items():
            if picture in self._looks:
                self._looks.move_to_end(picture)
            else:
                self._looks[picture] = None
                waiting[picture] = [item for item in places if not item.offline and item.root in self._sources]
        while waiting := {picture: places for picture, places in waiting.items() if places}:
            now = {picture: places.pop(0) for picture, places in waiting.items()}
            for picture, look in self._decoded(snapshot, now):
                self._looks[picture] = look
                del waiting[picture]

    def _decoded(self, snapshot: Snapshot, items: Mapping[int, ItemRecord]) -> Iterator[tuple[int, Look]]:
        """Small versions of what is still the picture that was indexed."""
        digests = snapshot.digests_of(item.id for item in items.values())
        picture_of: dict[int, int] = {}
        jobs: list[tuple[Source, Asset]] = []
        for picture, item in items.items():
            asset = asset_of(item)
            picture_of[id(asset)] = picture
            jobs.append((self._sources[item.root], asset))
        decoded = self._pool.decode_many(jobs, side=_SIDE, limits=DecodeLimits(), fit=shrunk)
        for _, asset, answer in decoded:
            picture = picture_of[id(asset)]
            of_bytes, of_pixels = digests.get(items[picture].id, (b"", None))
            if isinstance(answer, Picture) and (answer.bytes_digest == of_bytes or answer.pixels_digest == of_pixels):
                yield picture, look_at(answer.pixels)


def _pair(first: int, second: int, distance: int, turn: int, cosine: float) -> _Pair:
    """A candidate; -1 and nan are what is not known."""
    return _Pair(first, second, distance if distance >= 0 else None, turn, None if math.isnan(cosine) else cosine)


def _facts(places: Sequence[ItemRecord]) -> Facts:
    """What the files of one picture say: the first that tells when it was taken."""
    said = [facts_of(item) for item in places]
    return next((facts for facts in said if facts.taken), said[0])
