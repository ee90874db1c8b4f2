"""Which items were made from another one of their group, as far as pairs and files tell.

Pixels say little about that: a frame adds some, and an editor that saves with more care writes a larger file. So what a
pair is to each other decides, then which file is older. Nothing is read but what is stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from lookalike.engine.likeness import BORDERED, CROPPED
from lookalike.engine.likeness_words import codes, reasons_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from lookalike.engine.likeness_words import Reason
    from lookalike.store.collection_store import ItemRecord
    from lookalike.store.likenesses import PairRecord

RAW, LOSSLESS, LOSSY, FEW_COLOURS = 3, 2, 1, 0
"""What a format keeps of a picture: more is better."""
_OF_FORMAT = {"RAW": RAW, "DNG": RAW, "PNG": LOSSLESS, "TIFF": LOSSLESS, "BMP": LOSSLESS, "PPM": LOSSLESS}
_OF_FORMAT |= {"GIF": FEW_COLOURS, "ICO": FEW_COLOURS}
MOST_FRAME = 2.0
"""Times the pixels of a picture that it has with a frame, at most; beyond it the larger one simply shows more."""

LEAST_WHOLE = 0.75
"""Share of a picture's area that is left, at least, where its own plain edge was taken for a part of its border."""


@dataclass(frozen=True, slots=True)
class Made:
    """Ids of items that were made from another one: `framed` ones by adding a border, `later` ones otherwise."""

    framed: frozenset[str] = frozenset()
    later: frozenset[str] = frozenset()

    def and_of(self, pictures: Iterable[Sequence[ItemRecord]]) -> Made:
        """With those of the items of each picture that were saved again without loss from one with loss."""
        several = (items for items in pictures if len(items) > 1)
        return Made(self.framed, self.later.union(id for items in several for id in _unpacked(items)))


def made_from_others(
    pairs: Iterable[PairRecord], items: Mapping[int, Sequence[ItemRecord]], bordered: Collection[int]
) -> Made:
    """What pairs of the kind "edited" tell, of pictures whose items are given. `bordered`: pictures with a border."""
    framed: set[str] = set()
    later: set[str] = set()
    for pair in pairs:
        if pair.kind != "edited" or not (items.get(pair.first) and items.get(pair.second)):
            continue
        one, other = sorted((items[pair.first], items[pair.second]), key=lambda its: pixels(its[0]))
        if other[0].picture in bordered and one[0].picture not in bordered and _is_framed(other, one, pair.why):
            framed.update(item.id for item in other)
        elif pixels(one[0]) == pixels(other[0]):
            later.update(item.id for item in max(one, other, key=_age))
    return Made(frozenset(framed), frozenset(later))


def pixels(item: ItemRecord) -> int:
    """How many it has; 0 where nobody knows."""
    return (item.width or 0) * (item.height or 0)


def kept_by_format(item: ItemRecord) -> int:
    """One of the four above."""
    return _OF_FORMAT.get(item.format.upper(), LOSSY)


def _unpacked(items: Sequence[ItemRecord]) -> Iterator[str]:
    """Of items with equal pixels those without loss, where one has been through a format that loses: they keep no more
    than it does, and only they can have come of it.
    """
    if any(kept_by_format(item) == LOSSY for item in items):
        yield from (item.id for item in items if kept_by_format(item) == LOSSLESS)


def _is_framed(larger: Sequence[ItemRecord], smaller: Sequence[ItemRecord], why: str) -> bool:
    """Of two pictures of which only the larger one has a border. A part that was cut out and framed is no frame; what
    is little less than the whole may be, for a border is told from a plain edge of the picture only roughly.
    """
    reasons = reasons_of(why)
    if BORDERED not in codes(reasons):
        return False
    if any(reason[0] == CROPPED and _part(reason) < LEAST_WHOLE for reason in reasons):
        return False
    if CROPPED in codes(reasons) and _age(larger) < _age(smaller):  # cut out of one that had its border before
        return False
    return pixels(smaller[0]) < pixels(larger[0]) <= MOST_FRAME * pixels(smaller[0])


def _part(cropped: Reason) -> float:
    """The share of the area that a reason of the code CROPPED tells of; 0 where it has no figures."""
    return prod(float(percent) / 100 for percent in cropped[1:]) if len(cropped) > 1 else 0.0


def _age(items: Sequence[ItemRecord]) -> tuple[int, int, str]:
    """Smaller for the one that was there first: by its oldest file, else by a name to which nothing was added."""
    return min((item.modified_ns, len(item.uri), item.id) for item in items)
