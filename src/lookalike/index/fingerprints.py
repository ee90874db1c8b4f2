"""Fingerprints that are within a few bits of each other, in any turn, without comparing all with all.

A table sorts the fingerprints by some of their bits, drawn at random; two that are equal in these meet in a bucket and
are compared. With TABLES tables of about log2(n) bits, two fingerprints that differ in 16 bits are missed once in
10,000 times, in 24 bits once in 150, in 31 once in 20 (a million of them; fewer miss less). After Indyk and Motwani,
"Approximate Nearest Neighbors" (1998). FAISS's IndexBinaryMultiHash, with the same buckets, takes seven times as long:
it keeps them in hash tables.

A turned picture's fingerprint is its own with bits in other places and some changed, so a query costs no copy of all
fingerprints.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lookalike.core.turns import FREQUENCIES, TURNS, changed, transposed

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    Bits = NDArray[np.uint8]
    Words = NDArray[np.uint64]
    Places = NDArray[np.int64]

TABLES = 32
_KEY_BITS = (8, 20)
"""Fewest and most bits of a key: more than log2(n) would part what is alike, fewer brings strangers together."""
BUCKET_AT_MOST = 32
"""Fingerprints of a bucket that one is compared with, the first of them: of thousands of nearly equal ones, such as
scanned forms, each meets the same few, and so all of them."""
_BLOCK = 1 << 16
"""Queries at once: bounds what their buckets take together."""
_BITS = FREQUENCIES * FREQUENCIES
_SEED = 2019


@dataclass(frozen=True, slots=True)
class NearPrints:
    """Pairs by their places in the given fingerprints, int64 (n,): that of `asked`, turned by `turn`, is within
    `distance` bits of that of `found`. `cut`: buckets that were not looked through to their end.
    """

    asked: Places
    found: Places
    distance: Places
    turn: Places
    cut: int = 0


def near_prints(bits: Bits, is_new: NDArray[np.bool_], radius: int) -> Iterator[NearPrints]:
    """Pairs within `radius` bits of which the asked one is new, and the other is not or stands before it.

    `bits`: uint8 (n, 32). One answer for each of TABLES tables; a pair may come again with another one.
    """
    import numpy as np

    prints = _Prints(np.ascontiguousarray(bits.T), (_as_words(bits), _as_words(transposed(bits))), is_new)
    new = np.flatnonzero(is_new)
    width = int(np.clip(len(bits).bit_length(), *_KEY_BITS))
    random = np.random.default_rng(_SEED)
    for _ in range(TABLES):
        table = _Table(prints.planes, random.permutation(_BITS)[:width])
        blocks = [new[start : start + _BLOCK] for start in range(0, len(new), _BLOCK)]
        yield _together([each for block in blocks for each in _asked(table, prints, block, radius)])


def distances(first: Bits, second: Bits) -> Places:
    """Bits in which fingerprints differ: int64 of the common shape of uint8 (..., 32) and (..., 32)."""
    return _differing(_as_words(first), _as_words(second))


@dataclass(frozen=True, slots=True)
class _Prints:
    """`planes`: uint8 (32, n). `words`: the fingerprints, and those of the pictures with rows and columns changed."""

    planes: Bits
    words: tuple[Words, Words]
    is_new: NDArray[np.bool_]


class _Table:
    """Fingerprints sorted by the bits at some places."""

    def __init__(self, planes: Bits, places: Places) -> None:
        import numpy as np

        self.places = places
        keys = _keys(planes, places, None)
        self.order: NDArray[np.intp] = np.argsort(keys, kind="stable")
        ends = np.cumsum(np.bincount(keys, minlength=1 << len(places)))
        self.starts: Places = np.concatenate([[0], ends]).astype(np.int64)

    def bucket(self, keys: NDArray[np.uint32]) -> tuple[Places, Places, int]:
        """For each key that has a bucket: its place among `keys` and a fingerprint, in pairs; how many were cut."""
        import numpy as np

        starts = self.starts[keys]
        sizes = self.starts[keys + np.uint32(1)] - starts
        cut = int(np.count_nonzero(sizes > BUCKET_AT_MOST))
        np.minimum(sizes, BUCKET_AT_MOST, out=sizes)
        asked = np.repeat(np.arange(len(keys)), sizes)
        ends = np.cumsum(sizes)
        inside = np.arange(len(asked)) - np.repeat(ends - sizes, sizes)
        return asked, self.order[np.repeat(starts, sizes) + inside], cut


def _asked(table: _Table, prints: _Prints, block: Places, radius: int) -> Iterator[NearPrints]:
    """What a table finds for a block of new fingerprints in each turn."""
    import numpy as np

    swapped = (table.places % FREQUENCIES) * FREQUENCIES + table.places // FREQUENCIES
    keys = [_keys(prints.planes, places, block) for places in (table.places, swapped)]
    for turn in range(TURNS):
        flips = changed(turn)
        flipped = _keys(flips[:, None], table.places, None)[0]
        asked, found, cut = table.bucket(keys[turn >> 2] ^ flipped)
        asked = block[asked]
        fits = ~prints.is_new[found] | (found < asked)
        asked, found = asked[fits], found[fits]
        distance = _differing(prints.words[turn >> 2][asked] ^ _as_words(flips), prints.words[0][found])
        near = distance <= radius
        yield NearPrints(asked[near], found[near], distance[near], np.full(int(near.sum()), turn), cut)


def _keys(planes: Bits, places: Places, chosen: Places | None) -> NDArray[np.uint32]:
    """The bits at some places as one number: uint32, of all fingerprints or of chosen ones. `planes`: uint8 (32, n)."""
    import numpy as np

    keys = np.zeros(planes.shape[1] if chosen is None else len(chosen), np.uint32)
    for place in places:
        plane = planes[place >> 3]
        bit = (plane if chosen is None else plane[chosen]) >> (7 - (place & 7)) & 1
        keys = keys << np.uint32(1) | bit
    return keys


def _together(parts: list[NearPrints]) -> NearPrints:
    import numpy as np

    def joined(name: str) -> Places:
        return np.concatenate([np.empty(0, np.int64), *(getattr(part, name) for part in parts)])

    cut = sum(part.cut for part in parts)
    return NearPrints(joined("asked"), joined("found"), joined("distance"), joined("turn"), cut)


def _as_words(bits: Bits) -> Words:
    """The same memory as uint64 (..., 4)."""
    import numpy as np

    return np.ascontiguousarray(bits).view(np.uint64)


def _differing(first: Words, second: Words) -> Places:
    import numpy as np

    ones: Places = _ones(first ^ second).sum(axis=-1, dtype=np.int64)
    return ones


def _ones(words: Words) -> NDArray[np.uint8]:
    """How many bits of each word are set."""
    import numpy as np

    if hasattr(np, "bitwise_count"):
        return np.bitwise_count(words)
    halves = words.copy()  # numpy before 2: pairs of bits are added up, then fours, then bytes
    halves -= halves >> np.uint64(1) & np.uint64(0x5555555555555555)
    halves = (halves & np.uint64(0x3333333333333333)) + (halves >> np.uint64(2) & np.uint64(0x3333333333333333))
    halves = halves + (halves >> np.uint64(4)) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return (halves * np.uint64(0x0101010101010101) >> np.uint64(56)).astype(np.uint8)
