"""Which pairs of pictures may be duplicates: what fingerprints and vectors say, before anybody looks at pixels.

A pair comes out when the fingerprints, or those of what lies within plain borders, are within `RADIUS` bits in one of
the eight turns, or when one picture is among the few nearest of the other by cosine, not counting those that
fingerprints found. Each comes out once, in the block of the one of its two pictures that is new; a look that was cut
short goes on with the pictures that were not looked at. Never all pairs: fingerprints meet in buckets, vectors by the
index, or all of them where that is the faster way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lookalike.core.turns import turned
from lookalike.encoders.catalogue import is_builtin
from lookalike.index.fingerprints import TABLES, distances, near_prints
from lookalike.index.neighbours import cosines, nearest_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from lookalike.engine.likeness_words import Reasons
    from lookalike.engine.remembered import Base
    from lookalike.store.collection_store import Snapshot

    Numbers = NDArray[np.int64]

RADIUS = 31
"""Bits of 256: PDQ's own threshold. Saved again at JPEG 30, at half or a quarter of the size, brighter by 40 %, with a
line of text: 98 to 100 in 100 are within it; different photos nearly never (20,000 of them: 240 pairs, most of them
copies)."""
LEAST_COSINE = 0.6
"""Cosine from which two pictures are worth looking at though their fingerprints differ: crops. Of 635 photos cut to
60 % of both sides 95 in 100 are above it (built-in encoder), 77 above 0.7. Hardly any of 48,000 photos has fewer than
NEAREST others as near as that, so NEAREST bounds what has to be looked at. For other encoders it does so alone: each
has cosines of its own, and what was measured with one says nothing about another."""
NEAREST = 15
"""Pictures taken by cosine for each new one, besides those that fingerprints found. Beside 48,000 other photos a crop
to 80 % of both sides and its original meet by these in 99.4 of 100 cases, to 60 % in 74 (635 photos; by six in 99.1
and 67)."""
FEWEST_NEAREST = 6
NEAREST_AT_ONCE = 4_000_000
"""Pairs asked for by cosine in one look: of more than 270,000 new pictures fewer than NEAREST each, of a million
FEWEST_NEAREST, so that the first look at these takes minutes."""
CROWD = 24
"""So many more are asked for where fingerprints found copies of a picture: these are the nearest, and would leave no
place for its crops."""
LEAST_QUALITY = 5
"""Of a fingerprint, of 100: below it a picture is plain, or a soft gradient, and its bits are chance."""
BLOCK = 4096
"""New pictures compared together, and noted as looked at in one commit."""
COMPARED_AT_MOST = 60_000_000_000
"""Pairs of vectors compared when there is no index: 250,000 pictures with each other, minutes. Beyond, fingerprints
alone bring pairs together."""
_SPAN = 1 << 31
"""A pair as one number: `first * _SPAN + second`. Pictures are fewer."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """Pairs of pictures by number, `first` < `second`: int64 (n,).

    `distance`: int64 (n,), bits between the fingerprints at the best turn, -1 where one has none that tells anything.
    `turn`: int64 (n,), how the first is to be turned to look like the second (`core.turns`), 0 where nothing tells.
    `cosine`: float32 (n,), nan where one has no row. `looked`: int64 (m,), the new pictures of this block: when all its
    pairs are judged, these were looked at. While fingerprints are compared, blocks without pairs and pictures come:
    `done`, in [0, 1], is how far that is. `notes`: what was left out, in the last block.
    """

    first: Numbers
    second: Numbers
    distance: Numbers
    turn: Numbers
    cosine: NDArray[np.float32]
    looked: Numbers
    done: float = 1.0
    notes: Reasons = ()

    def __len__(self) -> int:
        return len(self.first)


def candidates(snapshot: Snapshot, base: Base | None, new: Numbers) -> Iterator[Candidates]:
    """Pairs of which one picture, or both, are in `new` (numbers, ascending), a block of these at a time.

    `base`: the opened index of the snapshot's rows (`Remembered.base`), None to compare all rows.
    """
    import numpy as np

    if not len(new):
        return
    numbers, row_of = snapshot.pictures()
    is_new = np.zeros(int(max(numbers.max(initial=0), new[-1])) + 1, np.bool_)
    is_new[new] = True
    prints, rows = _Prints(snapshot), _Rows(snapshot, base, numbers, row_of, len(new))
    found = np.empty(0, np.int64)
    for table, some in enumerate(prints.near(is_new), start=1):
        found = np.union1d(found, some)
        yield _block(prints, rows, found[:0], new[:0], done=table / TABLES)
    alike, is_crowded = found, np.zeros(len(is_new), np.bool_)
    first, second = found // _SPAN, found % _SPAN
    is_crowded[first] = is_crowded[second] = True
    owner = np.where(is_new[second], second, first)
    order = np.argsort(owner, kind="stable")
    found, owner = found[order], owner[order]
    told = np.empty(0, np.int64)
    for start in range(0, len(new), BLOCK):
        block = new[start : start + BLOCK]
        by_print = found[slice(*np.searchsorted(owner, (block[0], block[-1] + 1)))]
        keys = np.union1d(by_print, rows.near(block, is_crowded[block], alike))
        keys = np.setdiff1d(keys, told, assume_unique=True)
        told = np.concatenate([told, keys])
        told = np.sort(told[(told % _SPAN > block[-1]) & is_new[told % _SPAN]])  # what later blocks could tell again
        notes = (*prints.notes, *rows.notes) if start + BLOCK >= len(new) else ()
        yield _block(prints, rows, keys, block, notes=notes)


def _block(
    prints: _Prints, rows: _Rows, keys: Numbers, looked: Numbers, *, done: float = 1.0, notes: Reasons = ()
) -> Candidates:
    first, second = keys // _SPAN, keys % _SPAN
    distance, turn = prints.compared(first, second)
    return Candidates(first, second, distance, turn, rows.cosines(first, second), looked, done, notes)


def _keys(one: Numbers, other: Numbers) -> Numbers:
    """Pairs as numbers, each once, ascending."""
    import numpy as np

    return np.unique(np.minimum(one, other) * _SPAN + np.maximum(one, other))


class _Prints:
    """The fingerprints that tell something, by pictures ascending."""

    def __init__(self, snapshot: Snapshot) -> None:
        prints = snapshot.fingerprints()
        tells = prints.quality >= LEAST_QUALITY
        self._pictures, self._bits = prints.pictures[tells], prints.bits[tells]
        self._bordered, self._inner = prints.bordered, prints.inner
        plain = len(prints.pictures) - len(self._pictures)
        self.notes: Reasons = (("plain", plain),) if plain else ()

    def near(self, is_new: NDArray[np.bool_]) -> Iterator[Numbers]:
        """Pairs within RADIUS bits, of which one is new, table by table; `is_new`: bool by number of picture."""
        import numpy as np

        owners = np.concatenate([self._pictures, self._bordered])
        for some in near_prints(np.concatenate([self._bits, self._inner]), is_new[owners], RADIUS):
            asked, found = owners[some.asked], owners[some.found]
            yield _keys(asked[asked != found], found[asked != found])

    def compared(self, first: Numbers, second: Numbers) -> tuple[Numbers, Numbers]:
        """The distance of each pair at its best turn, and the turn of the first that looks most like the second, what
        lies within plain borders counted too; -1 and 0 where one of them has no fingerprint.
        """
        import numpy as np

        distance, turn = np.full(len(first), -1, np.int64), np.zeros(len(first), np.int64)
        nearest = np.full(len(first), 257)
        whole, inner = (self._pictures, self._bits), (self._bordered, self._inner)
        for one, other in ((whole, whole), (inner, whole), (whole, inner), (inner, inner)):
            left, right = _places(one[0], first), _places(other[0], second)
            both = np.flatnonzero((left >= 0) & (right >= 0))
            if not len(both):
                continue
            every = distances(turned(one[1][left[both]]), other[1][right[both]])
            best = every.min(axis=0)
            if one is whole and other is whole:
                distance[both] = best
            closer = best < nearest[both]
            turn[both[closer]] = every.argmin(axis=0)[closer]
            nearest[both[closer]] = best[closer]
        return distance, turn


def _places(numbers: Numbers, wanted: Numbers) -> Numbers:
    """Where each of the wanted numbers stands among `numbers`, ascending; -1 where it does not."""
    import numpy as np

    if not len(numbers):
        return np.full(wanted.shape, -1, np.int64)
    places = np.minimum(np.searchsorted(numbers, wanted), len(numbers) - 1)
    return np.where(numbers[places] == wanted, places, -1)


class _Rows:
    """The vectors, by pictures."""

    def __init__(self, snapshot: Snapshot, base: Base | None, numbers: Numbers, rows: Numbers, asked: int) -> None:
        import numpy as np

        self._rows = snapshot.rows
        self._least = LEAST_COSINE if is_builtin(snapshot.space.encoder_name) else -1.0
        self._index = None if base is None else base.index
        self._row_of = np.full(int(numbers.max(initial=0)) + 1, -1, np.int64)
        self._row_of[numbers] = rows
        self._picture_of = np.full(snapshot.count, -1, np.int64)
        self._picture_of[rows[rows >= 0]] = numbers[rows >= 0]
        seen = self._picture_of >= 0
        self._seen = None if seen.all() else seen
        self._nearest = int(np.clip(NEAREST_AT_ONCE // asked, FEWEST_NEAREST, NEAREST))
        self._are_too_many = base is None and asked * snapshot.count > COMPARED_AT_MOST
        self.notes: Reasons = (("no_index",),) if self._are_too_many else ()

    def near(self, block: Numbers, is_crowded: NDArray[np.bool_], alike: Numbers) -> Numbers:
        """Pairs of a block's pictures with those nearest to them besides `alike`, the pairs that are known, ascending;
        `is_crowded`: which pictures are in one of these.
        """
        import numpy as np

        some = [
            self._near(block[~is_crowded], self._nearest + 1, alike),
            self._near(block[is_crowded], self._nearest + 1 + CROWD, alike),
        ]
        return np.union1d(*some)

    def _near(self, block: Numbers, asked: int, alike: Numbers) -> Numbers:
        """The same, among so many as are asked for."""
        import numpy as np

        block = block[self._row_of[block] >= 0]
        if self._are_too_many or not len(block):
            return np.empty(0, np.int64)
        found, scores = nearest_rows(self._rows, self._index, self._row_of[block], asked, self._seen)
        one, other = np.broadcast_to(block[:, None], found.shape), self._picture_of[found]
        near = (found >= 0) & (scores >= self._least) & (one != other) & (other >= 0)
        near &= _places(alike, np.minimum(one, other) * _SPAN + np.maximum(one, other)) < 0
        near &= np.cumsum(near, axis=1) <= self._nearest
        return _keys(one[near], other[near])

    def cosines(self, first: Numbers, second: Numbers) -> NDArray[np.float32]:
        import numpy as np

        one, other = self._row_of[first], self._row_of[second]
        both = np.flatnonzero((one >= 0) & (other >= 0))
        every = np.full(len(first), np.nan, np.float32)
        every[both] = cosines(self._rows, one[both], other[both])
        return every
