"""Copies among the answers to one query: the same photo saved again, smaller or in another format, shares the place of
the one that ranks before it.

No look for duplicates is needed before that. Promises: what is called a copy is one with near certainty, because a
picture that is hidden wrongly is worse than one that is shown twice. So everything has to agree: fingerprints, vectors,
shapes, capture times, cameras. What a look for duplicates found about two pictures counts before that, and what a
person decided before all. A picture is compared with those that are shown and never with a copy of one, so that no
chain leads from one picture to another.

It costs next to nothing where there are no copies: vectors of the answers are compared with each other, and only of
those that are near another one anything is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

from lookalike.index.scoring import cosines_of_halves

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping, Sequence

    from lookalike.core.arrays import HalfVectors
    from lookalike.store.collection_store import ItemRecord, Snapshot

NEAR = 0.85
"""Cosine from which two answers may be copies. It parts recoloured pictures, whose fingerprints agree; bursts it cannot
part, whose shots lie nearer to each other than copies do."""
MOST_BITS = 6
"""Bits of 256 in which the fingerprints of copies differ at most."""
LEAST_QUALITY = 50
"""Of a fingerprint, of 100: below it a picture shows too little to be told from others."""
COMPARED = 1024
"""Answers of one ranking that are compared with each other, the first of them; each further one has its own place. Who
asks for all of a million pictures does not wait for all pairs of them."""
_SHARING = frozenset({"same", "copy"})
_NO_CAPTURE = "file time"
_DAY_ALONE = "T00:00:00"
_SECONDS, _MILLISECONDS = len("2001-02-03T04:05:06"), len("2001-02-03T04:05:06.789")


@dataclass(frozen=True, slots=True)
class _Shot:
    """What is known about a picture that a copy of it shares. `moment`: the local time of the shot, "" for unknown."""

    width: int
    height: int
    camera: Any
    moment: str
    colours: tuple[Any, ...]


class Copies:
    """Which answers to one query are copies of others.

    Go through the ranking: `look` at some rows and their items, then ask of each row whose copy it is.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._rows: list[int] = []
        self._items: dict[int, Sequence[ItemRecord]] = {}
        self._shots: dict[int, _Shot] = {}
        self._vectors: HalfVectors | None = None
        self._alike: dict[int, list[int]] = {}

    def look(self, rows: Sequence[int], items: Mapping[int, Sequence[ItemRecord]]) -> None:
        """Compare the next rows of the ranking with each other and with those before."""
        import numpy as np

        before = len(self._rows)
        rows = rows[: COMPARED - before]
        if not rows:
            return
        block = self._snapshot.rows[rows]
        self._rows += rows
        self._items |= items
        self._shots |= {row: _shot(items[row][0]) for row in rows if items[row]}
        self._vectors = block if self._vectors is None else np.concatenate([self._vectors, block])
        later, earlier = np.nonzero(cosines_of_halves(block, self._vectors) >= NEAR)
        later += before
        each_once = earlier < later
        every = self._rows
        places = zip(later[each_once].tolist(), earlier[each_once].tolist(), strict=True)
        pairs = [(every[row], every[other]) for row, other in places]
        for row, other in self._copies([pair for pair in pairs if self._can_be(*pair)]):
            self._alike.setdefault(row, []).append(other)

    def first_of(self, row: int, shown: Container[int]) -> int | None:
        """The first row of the ranking among those shown that this one is a copy of; None for none."""
        return next((other for other in self._alike.get(row, ()) if other in shown), None)

    def _can_be(self, row: int, other: int) -> bool:
        shots = self._shots
        return row in shots and other in shots and _can_be_copies(shots[row], shots[other])

    def _copies(self, pairs: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
        """Those of some pairs of rows that are copies, in their order."""
        if not pairs:
            return
        pictures = {row: self._items[row][0].picture for pair in pairs for row in pair}
        found = {(each.first, each.second): each.kind for each in self._snapshot.likenesses_among(pictures.values())}
        decided = None
        for (row, other), agree in zip(pairs, self._fingerprints_agree(pairs), strict=True):
            one, another = sorted((pictures[row], pictures[other]))
            kind = found.get((one, another))
            if not (agree if kind is None else kind in _SHARING):
                continue
            decided = decided or self._snapshot.apart()
            ids = product(*([(item.id, item.picture) for item in self._items[each]] for each in (row, other)))
            if not any(decided.parts(first, second) for first, second in ids):
                yield row, other

    def _fingerprints_agree(self, pairs: Sequence[tuple[int, int]]) -> list[bool]:
        """Of each pair, whether both have a fingerprint that tells something, and these are near each other."""
        there = self._snapshot.fingerprints_of({row for pair in pairs for row in pair})
        bits = {row: int.from_bytes(each, "big") for row, (each, quality) in there.items() if quality >= LEAST_QUALITY}
        return [
            one in bits and other in bits and (bits[one] ^ bits[other]).bit_count() <= MOST_BITS for one, other in pairs
        ]


def _shot(item: ItemRecord) -> _Shot:
    colours = item.metadata.get("colours")
    main = tuple(colours[:2]) if isinstance(colours, list) else ()
    camera = item.metadata.get("camera")
    return _Shot(item.width or 0, item.height or 0, camera, _captured(item.metadata), main)


def _can_be_copies(one: _Shot, other: _Shot) -> bool:
    """Whether nothing that is known about two pictures speaks against one being saved from the other."""
    if not (_have_one_shape(one, other) and _have_near_colours(one.colours, other.colours)):
        return False
    if one.camera and other.camera and one.camera != other.camera:
        return False
    told = min(len(one.moment), len(other.moment))  # some programs drop the milliseconds
    return one.moment[:told] == other.moment[:told]


def _captured(metadata: Mapping[str, Any]) -> str:
    """The local time of the shot, to the second or the millisecond; "" where it is not known that well.

    The zone is left out, as some programs do that save a picture again.
    """
    taken = metadata.get("taken")
    if not isinstance(taken, str) or metadata.get("taken_from") == _NO_CAPTURE or len(taken) < _SECONDS:
        return ""
    if taken[:_SECONDS].endswith(_DAY_ALONE):
        return ""
    return taken[: _MILLISECONDS if taken[_SECONDS : _SECONDS + 1] == "." else _SECONDS]


def _have_one_shape(one: _Shot, other: _Shot) -> bool:
    """Whether one is as wide for its height as the other, but for a pixel in rounding; no where it is unknown."""
    sides = (one.width, one.height, other.width, other.height)
    return all(sides) and abs(one.width * other.height - other.width * one.height) <= max(sides)


def _have_near_colours(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    """Whether the colour that most of each picture has is one of the other's first two, as far as colours are known.

    So it is with 999 of 1,000 copies, and with 77 of 100 recoloured ones (docs/benchmarks/copies.md).
    """
    return not (one and other) or (one[0] in other and other[0] in one)
