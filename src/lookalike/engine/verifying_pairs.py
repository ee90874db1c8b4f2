"""Candidates become likenesses: where sketches give a guess, both pictures are read, small, and laid over each other.

Promises: no file is read but those of pairs with a guess, and memory for `LOOKS` small pictures and `_AT_ONCE` pairs,
whatever the number of pairs. Where a picture of such a pair cannot be read, or is no longer the one that was indexed,
and where a picture has no sketch, fingerprints and vectors alone judge, less sure.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

from lookalike.core.closing import Closing
from lookalike.core.records import DecodeLimits, Picture
from lookalike.engine.fill import shows_still
from lookalike.engine.likeness import METHOD, SCENE_COSINE, Evidence, facts_of, likeness
from lookalike.engine.likeness_words import stored
from lookalike.engine.sources import asset_of
from lookalike.engine.spool import batches
from lookalike.images.alignment import APART, align, look_at, shrunk
from lookalike.images.decoding_pool import DecodingPool
from lookalike.images.sketches import guesses_of
from lookalike.store.likenesses import PairRecord

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from lookalike.core.protocols import Source
    from lookalike.core.records import Asset
    from lookalike.engine.candidates import Candidates
    from lookalike.engine.likeness import Facts
    from lookalike.images.alignment import Look
    from lookalike.images.sketches import Guess
    from lookalike.store.collection_store import ItemRecord, Snapshot

LOOKS = 4_096
"""Small pictures kept: up to 20 kB each, 80 MB."""
_AT_ONCE = 4_096
"""Pairs whose sketches are compared, and whose pictures are then read, together."""
_IN_A_THREAD = 1_024
"""Pairs whose sketches are compared in one call."""
_SIDE = 64
"""What decoding is asked for: the shorter side is 256 pixels then, or what the picture has."""


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
        self._looks: OrderedDict[int, Look] = OrderedDict()
        self.compared = 0
        self._unread: set[int] = set()

    @property
    def unread(self) -> int:
        """How many pictures had to be looked at and could not be read at any of their places."""
        return len(self._unread)

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
        guessed = zip(pairs, self._guessed(snapshot, pairs), strict=True)
        tried = [(pair, ways) for pair, ways in guessed if _may_be_alike(pair, ways)]
        items = snapshot.items_of_pictures(_numbers(pair for pair, _ in tried))
        tried = [(pair, ways) for pair, ways in tried if pair.first in items and pair.second in items]
        promising = _numbers(pair for pair, ways in tried if ways)
        looks = self._seen(snapshot, {picture: items[picture] for picture in items if picture in promising})
        if self._stop is not None and self._stop.is_set():  # a pool that was stopped reads nothing more
            return []
        self._unread.update(promising - looks.keys())
        facts = {picture: _facts(places) for picture, places in items.items()}
        judged = self._threads.map(lambda each: _record(each[0], each[1], looks, facts), tried)
        found = [record for record in judged if record is not None]
        self.compared += len(pairs)
        while len(self._looks) > LOOKS:
            self._looks.popitem(last=False)
        return found

    def _guessed(self, snapshot: Snapshot, pairs: Sequence[_Pair]) -> list[list[Guess] | None]:
        """How the pictures of each pair may lie on each other; None where one has no sketch, and is noted as unread."""
        numbers = _numbers(pairs)
        sketches = snapshot.sketches(numbers)
        self._unread.update(numbers - sketches.keys())
        known = [pair for pair in pairs if pair.first in sketches and pair.second in sketches]
        guessed = self._threads.map(partial(_guesses, sketches), batches(known, _IN_A_THREAD))
        guesses_of_pair = dict(zip(known, chain.from_iterable(guessed), strict=True))
        return [guesses_of_pair.get(pair) for pair in pairs]

    # -- reading ------------------------------------------------------------------------------

    def _seen(self, snapshot: Snapshot, items: Mapping[int, Sequence[ItemRecord]]) -> dict[int, Look]:
        """Small versions of pictures that could be read."""
        seen = {picture: self._looks[picture] for picture in items if picture in self._looks}
        for picture in seen:
            self._looks.move_to_end(picture)
        for picture, look in self._read(snapshot, {each: items[each] for each in items if each not in seen}):
            seen[picture] = self._looks[picture] = look
        return seen

    def _read(self, snapshot: Snapshot, items: Mapping[int, Sequence[ItemRecord]]) -> Iterator[tuple[int, Look]]:
        """Pictures at the first of their places where each can be read."""
        waiting = {
            picture: [item for item in places if not item.offline and item.root in self._sources]
            for picture, places in items.items()
        }
        while waiting := {picture: places for picture, places in waiting.items() if places}:
            now = {picture: places.pop(0) for picture, places in waiting.items()}
            for picture, look in self._decoded(snapshot, now):
                yield picture, look
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
            item = items[picture]
            known = digests.get(item.id)
            if isinstance(answer, Picture) and known and shows_still(item, answer, known, self._sources):
                yield picture, look_at(answer.pixels)


def _numbers(pairs: Iterable[_Pair]) -> set[int]:
    """The pictures of some pairs."""
    return {number for pair in pairs for number in (pair.first, pair.second)}


def _guesses(sketches: Mapping[int, bytes], pairs: Sequence[_Pair]) -> list[list[Guess]]:
    """How the pictures of each pair may lie on each other, by their sketches."""
    import numpy as np

    numbers = sorted(_numbers(pairs))
    place = {number: at for at, number in enumerate(numbers)}
    first, second = np.array([(place[pair.first], place[pair.second]) for pair in pairs], np.int64).T
    return guesses_of([sketches[number] for number in numbers], first, second)


def _may_be_alike(pair: _Pair, ways: Sequence[Guess] | None) -> bool:
    """Whether a pair needs more than a look at its sketches: two shots of a burst may do without a guess."""
    return ways is None or bool(ways) or (pair.cosine is not None and pair.cosine >= SCENE_COSINE)


def _record(
    pair: _Pair, ways: Sequence[Guess] | None, looks: Mapping[int, Look], facts: Mapping[int, Facts]
) -> PairRecord | None:
    """What is said of a pair; None when the pictures are not alike."""
    alignment = None if ways is None else APART
    if ways:
        there = pair.first in looks and pair.second in looks
        alignment = align(looks[pair.first], looks[pair.second], ways) if there else None
    evidence = Evidence(facts[pair.first], facts[pair.second], pair.distance, pair.turn, pair.cosine, alignment)
    judged = likeness(evidence)
    if judged is None:
        return None
    return PairRecord(pair.first, pair.second, judged.kind, judged.sure, stored(judged.why), METHOD)


def _pair(first: int, second: int, distance: int, turn: int, cosine: float) -> _Pair:
    """A candidate; -1 and nan are what is not known."""
    return _Pair(first, second, distance if distance >= 0 else None, turn, None if math.isnan(cosine) else cosine)


def _facts(places: Sequence[ItemRecord]) -> Facts:
    """What the files of one picture say: the first that tells when it was taken."""
    said = [facts_of(item) for item in places]
    return next((facts for facts in said if facts.taken), said[0])
