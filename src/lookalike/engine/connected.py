"""Connected pictures: which of those that pairs connect make one group whichever is kept, and which need a closer look.

In most parts of a collection every picture is like every other one in the same way: which one is kept does not change
who is in the group, so that such a group can be counted and ordered without reading anything about its items.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from lookalike.core.records import LikenessKind
    from lookalike.store.likenesses import PairRecord


@dataclass(frozen=True, slots=True)
class Part:
    """Pictures that pairs connect, ascending. `kind`: of the one group that they make; None where that depends on
    which items are rather kept.
    """

    pictures: tuple[int, ...]
    kind: LikenessKind | None


def parts(
    pairs: Iterable[PairRecord], several: Collection[int], apart: Collection[int], kinds: Collection[LikenessKind]
) -> list[Part]:
    """All parts that pairs of the `kinds` make, and those pictures seen in `several` places that are the same.

    `apart`: pictures about which a person decided.
    """
    of: dict[int, _Told] = {}
    for pair in pairs:
        one = of.get(pair.first) or of.setdefault(pair.first, _Told([pair.first]))
        other = of.get(pair.second) or of.setdefault(pair.second, _Told([pair.second]))
        if one is not other:
            one = _joined(one, other, of)
        one.pairs += 1
        one.kinds.add(pair.kind)
    same = "same" in kinds
    found = [_part(each, several, apart, same=same) for number, each in of.items() if number == each.pictures[0]]
    if same:
        found += (Part((number,), None if number in apart else "same") for number in several if number not in of)
    return found


@dataclass(slots=True)
class _Told:
    """What is known of a part while pairs come."""

    pictures: list[int]
    pairs: int = 0
    kinds: set[LikenessKind] = field(default_factory=set)


def _joined(one: _Told, other: _Told, of: dict[int, _Told]) -> _Told:
    """Two parts as one, the smaller taken into the larger: no picture moves often. `of`: the part of each picture."""
    larger, smaller = (one, other) if len(one.pictures) >= len(other.pictures) else (other, one)
    larger.pictures += smaller.pictures
    larger.pairs += smaller.pairs
    larger.kinds |= smaller.kinds
    for picture in smaller.pictures:
        of[picture] = larger
    return larger


def _part(told: _Told, several: Collection[int], apart: Collection[int], *, same: bool) -> Part:
    pictures = tuple(sorted(told.pictures))
    count = len(pictures)
    (kind, *more) = told.kinds
    is_plain = not more and 2 * told.pairs == count * (count - 1) and not any(number in apart for number in pictures)
    if is_plain and same == (kind == "burst"):
        is_plain = not any(number in several for number in pictures)
    return Part(pictures, kind if is_plain else None)
