"""Candidates become likenesses: where sketches give a guess, both pictures are read, small, and laid over each other.

Promises: no file is read but those of pairs with a guess that may be of one moment, and memory for `LOOKS` small
pictures and some thousand sketches, whatever the number of pairs. Where a picture of such a pair cannot be read, or is
no longer the one that was indexed, and where a picture has no sketch, fingerprints and vectors alone judge, less sure.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, TypeVar

from lookalike.core.closing import Closing
from lookalike.core.records import DecodeLimits, Picture
from lookalike.engine.candidates import Candidates
from lookalike.engine.fill import shows_still
from lookalike.engine.likeness import METHOD, SCENE_COSINE, Evidence, are_other_moments, facts_of, likeness
from lookalike.engine.likeness_words import stored
from lookalike.engine.own_processes import OwnProcesses
from lookalike.engine.sources import asset_of
from lookalike.engine.spool import batches
from lookalike.images.alignment import APART, align, look_at, shrunk
from lookalike.images.decoding_pool import DecodingPool
from lookalike.images.sketches import guesses_of
from lookalike.store.likenesses import PairRecord

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from lookalike.core.protocols import Source
    from lookalike.core.records import Asset
    from lookalike.engine.likeness import Facts
    from lookalike.images.alignment import Alignment, Look
    from lookalike.images.sketches import Guess
    from lookalike.store.collection_store import ItemRecord, Snapshot

    _Sketched = tuple[list[bytes], NDArray[np.int64], NDArray[np.int64]]
    """Sketches, and the places of pairs among them."""

_Value = TypeVar("_Value")

LOOKS = 4_096
"""Small pictures kept: up to 20 kB each, 80 MB."""
_GUESSED_TOGETHER, _GUESSED_BY_A_PROCESS = 16_384, 2_048
"""Pairs whose sketches are in memory, and of these what one process compares in one call: a third of a second."""
_READ_TOGETHER, _JUDGED_BY_A_PROCESS = 1_024, 64
"""Pairs whose small pictures are in memory, and of these what one process lays over each other: a third of a second."""
_SIDE = 64
"""What decoding is asked for: the shorter side is 256 pixels then, or what the picture has."""


@dataclass(frozen=True, slots=True)
class _Pair:
    """A pair that its sketches do not settle. `ways`: None where a picture has no sketch."""

    first: int
    second: int
    distance: int | None
    turn: int
    cosine: float | None
    ways: list[Guess] | None


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Pairs, what their pictures look like as far as they could be read, and what their files say."""

    pairs: Sequence[_Pair]
    looks: Mapping[int, Look]
    facts: Mapping[int, Facts]


class Verifier(Closing):
    """A context manager; holds processes that decode and compare, and the small pictures looked at last.

    `sources`: of every root, by its number (`engine.sources.sources_of`). `compared`: pairs judged so far. Once `stop`
    is set, judging ends early: a block that was not finished must not be noted as looked at.
    """

    def __init__(self, sources: Mapping[int, Source], *, workers: int, stop: threading.Event | None = None) -> None:
        self._sources = sources
        self._pool = DecodingPool(workers, stop=stop)
        self._processes = OwnProcesses(workers)
        self._stop = stop
        self._looks: OrderedDict[int, Look] = OrderedDict()
        self.compared = 0
        self._unread: set[int] = set()

    @property
    def unread(self) -> int:
        """How many pictures had to be looked at and could not be read at any of their places."""
        return len(self._unread)

    def close(self) -> None:
        """End the processes."""
        self._pool.close()
        self._processes.close()

    def verified(self, snapshot: Snapshot, candidates: Candidates) -> Iterator[PairRecord]:
        """The pairs that are alike, in their order; those that are not are left out."""
        for pairs in batches(self._unsettled(snapshot, candidates), _READ_TOGETHER):
            yield from self._judged(snapshot, pairs)

    def verified_pairs(self, snapshot: Snapshot, pairs: Iterable[tuple[int, int]]) -> Iterator[PairRecord]:
        """The same for pairs of picture numbers that no candidate named (`grouping.unjudged`)."""
        yield from self.verified(snapshot, _unnamed(pairs))

    def _unsettled(self, snapshot: Snapshot, candidates: Candidates) -> Iterator[_Pair]:
        """Pairs that need more than a look at their sketches; of a burst, vectors may tell what sketches do not."""
        columns = candidates.first, candidates.second, candidates.distance, candidates.turn, candidates.cosine
        for some, guessed in _one_ahead(self._guessed(snapshot, candidates)):
            if self._is_stopping():
                return
            ways_of = list(guessed)
            self.compared += len(ways_of)
            for *told, ways in zip(*(column[some].tolist() for column in columns), ways_of, strict=True):
                first, second, distance, turn, cosine = told
                if ways is None or ways or cosine >= SCENE_COSINE:  # nan is not
                    known = distance if distance >= 0 else None
                    yield _Pair(first, second, known, turn, None if math.isnan(cosine) else cosine, ways)

    def _guessed(
        self, snapshot: Snapshot, candidates: Candidates
    ) -> Iterator[tuple[slice, Iterator[list[Guess] | None]]]:
        """How the pictures of each pair may lie on each other; None where one has no sketch, and is noted as unread."""
        for start in range(0, len(candidates), _GUESSED_TOGETHER):
            some = slice(start, start + _GUESSED_TOGETHER)
            yield some, self._ways(snapshot, candidates.first[some], candidates.second[some])

    def _ways(
        self, snapshot: Snapshot, first: NDArray[np.int64], second: NDArray[np.int64]
    ) -> Iterator[list[Guess] | None]:
        """The same of some pairs, for which the processes have their work when this returns."""
        import numpy as np

        numbers, places = np.unique(np.concatenate([first, second]), return_inverse=True)
        one, other = places.reshape(2, -1)
        kept = snapshot.sketches(numbers.tolist())
        self._unread.update(number for number in numbers.tolist() if number not in kept)
        sketches = [kept.get(number, b"") for number in numbers.tolist()]
        has_one = np.array([number in kept for number in numbers.tolist()], np.bool_)
        is_known = has_one[one] & has_one[other]
        known = np.flatnonzero(is_known)
        chunks = [known[start : start + _GUESSED_BY_A_PROCESS] for start in range(0, len(known), _GUESSED_BY_A_PROCESS)]
        guessed = self._processes.map(_guesses, [_of_pairs(sketches, one[chunk], other[chunk]) for chunk in chunks])
        each = chain.from_iterable(guessed)
        return (next(each) if known_one else None for known_one in is_known.tolist())

    def _judged(self, snapshot: Snapshot, pairs: Sequence[_Pair]) -> list[PairRecord]:
        items = snapshot.items_of_pictures(_numbers(pairs))
        facts = {picture: _facts(places) for picture, places in items.items()}
        pairs = [pair for pair in pairs if _is_open(pair, facts)]
        promising = _numbers(pair for pair in pairs if pair.ways)
        looks = self._seen(snapshot, {picture: items[picture] for picture in sorted(promising)})
        if self._is_stopping():  # a pool that was stopped reads nothing more
            return []
        self._unread.update(promising - looks.keys())
        chunks = [_chunk_of(some, looks, facts) for some in batches(pairs, _JUDGED_BY_A_PROCESS)]
        return list(chain.from_iterable(self._processes.map(_records, chunks)))

    def _is_stopping(self) -> bool:
        return self._stop is not None and self._stop.is_set()

    # -- reading ------------------------------------------------------------------------------

    def _seen(self, snapshot: Snapshot, items: Mapping[int, Sequence[ItemRecord]]) -> dict[int, Look]:
        """Small versions of pictures that could be read."""
        seen = {picture: self._looks[picture] for picture in items if picture in self._looks}
        for picture in seen:
            self._looks.move_to_end(picture)
        for picture, look in self._read(snapshot, {each: items[each] for each in items if each not in seen}):
            seen[picture] = self._looks[picture] = look
        while len(self._looks) > LOOKS:
            self._looks.popitem(last=False)
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


def _one_ahead(values: Iterable[_Value]) -> Iterator[_Value]:
    """Each value when the next one is there too: its work is under way while this one is waited for."""
    ahead: list[_Value] = []
    for value in values:
        yield from ahead
        ahead = [value]
    yield from ahead


def _unnamed(pairs: Iterable[tuple[int, int]]) -> Candidates:
    """Pairs of which nothing is known as candidates."""
    import numpy as np

    first, second = np.array(list(pairs), np.int64).reshape(-1, 2).T
    nothing, unknown = np.zeros(len(first), np.int64), np.full(len(first), np.nan, np.float32)
    return Candidates(first, second, nothing - 1, nothing, unknown, looked=nothing[:0])


def _numbers(pairs: Iterable[_Pair]) -> set[int]:
    """The pictures of some pairs."""
    return {number for pair in pairs for number in (pair.first, pair.second)}


def _of_pairs(sketches: Sequence[bytes], first: NDArray[np.int64], second: NDArray[np.int64]) -> _Sketched:
    """The sketches that these pairs need, and the places of the pairs among them."""
    import numpy as np

    needed, places = np.unique(np.concatenate([first, second]), return_inverse=True)
    return [sketches[each] for each in needed.tolist()], places[: len(first)], places[len(first) :]


def _guesses(pairs: _Sketched) -> list[list[Guess]]:
    return guesses_of(*pairs)


def _is_open(pair: _Pair, facts: Mapping[int, Facts]) -> bool:
    """Whether what the files say leaves anything to look for; where sketches give no guess, only times make a burst."""
    one, other = facts.get(pair.first), facts.get(pair.second)
    if one is None or other is None or are_other_moments(one, other):
        return False
    return pair.ways != [] or bool(one.taken and other.taken)


def _chunk_of(pairs: Sequence[_Pair], looks: Mapping[int, Look], facts: Mapping[int, Facts]) -> _Chunk:
    numbers = _numbers(pairs)
    seen = {number: looks[number] for number in numbers if number in looks}
    return _Chunk(pairs, seen, {number: facts[number] for number in numbers})


def _records(chunk: _Chunk) -> list[PairRecord]:
    """What is said of pairs; those whose pictures are not alike are left out."""
    found = []
    for pair in chunk.pairs:
        one, other = chunk.facts[pair.first], chunk.facts[pair.second]
        alignment = _alignment(pair, chunk.looks)
        judged = likeness(Evidence(one, other, pair.distance, pair.turn, pair.cosine, alignment))
        if judged is not None:
            found.append(PairRecord(pair.first, pair.second, judged.kind, judged.sure, stored(judged.why), METHOD))
    return found


def _alignment(pair: _Pair, looks: Mapping[int, Look]) -> Alignment | None:
    """How the pictures of a pair lie on each other; None where that cannot be seen."""
    if pair.ways == []:
        return APART
    if pair.ways is None or pair.first not in looks or pair.second not in looks:
        return None
    return align(looks[pair.first], looks[pair.second], pair.ways)


def _facts(places: Sequence[ItemRecord]) -> Facts:
    """What the files of one picture say: the first that tells when it was taken."""
    said = [facts_of(item) for item in places]
    return next((facts for facts in said if facts.taken), said[0])
