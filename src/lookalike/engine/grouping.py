"""Groups out of pairs: what is shown together as one picture, or as one scene.

A group is a star, not a chain: every item of it was found alike to the first one, its centre, directly. That B is like
A and C is like B says nothing about A and C. Centres are taken in the order in which items are worth keeping, so the
centre is the one to keep. An item is in one group at most of *same*, *copy* and *edited*; *burst* groups are of their
own, over what those groups keep.

Pure functions; the same pairs in any order give the same groups.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING

from lookalike.core.records import LIKENESS_KINDS
from lookalike.engine.likeness_words import SAME_PICTURE, stored

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from lookalike.core.records import LikenessKind
    from lookalike.store.likenesses import PairRecord

_BURST: LikenessKind = "burst"
_FEW = 8
"""Pictures that are like one, up to which all of them are compared: whichever is kept, the others stay with it."""
SAME_WHY = stored(SAME_PICTURE)
"""Why two items of one picture are together: their bytes or their pixels are equal."""


@dataclass(frozen=True, slots=True)
class GroupedItem:
    """An item, and how it is like the centre of its group; of the centre itself sure is 1 and `why` empty.

    `why`: reasons as they are stored (`likeness_words`).
    """

    id: str
    picture: int
    kind: LikenessKind
    sure: float
    why: str


@dataclass(frozen=True, slots=True)
class Group:
    """Items that show one picture, or one scene. `items`: the centre, then the others, the surest first.

    `kind`: the weakest of its items; `sure` and `why`: those of the least sure item.
    """

    kind: LikenessKind
    sure: float
    why: str
    items: tuple[GroupedItem, ...]


def groups(
    pairs: Iterable[PairRecord],
    items: Mapping[int, Sequence[str]],
    rank: Mapping[str, int],
    *,
    apart: Collection[frozenset[str]] = frozenset(),
    kinds: Collection[LikenessKind] = LIKENESS_KINDS,
) -> list[Group]:
    """Groups by pairs of the `kinds` asked for, in the order of their centres.

    `items`: the ids of the items of each picture. `rank`: by item, lower is rather kept; every item has its own.
    `apart`: pairs of items that a person told to be no duplicates: never in one group with one of them as its centre.
    """
    near: dict[int, list[PairRecord]] = {}
    for pair in pairs:
        if pair.kind in kinds and pair.first in items and pair.second in items:
            near.setdefault(pair.first, []).append(pair)
            near.setdefault(pair.second, []).append(pair)
    world = _World(items, near, rank, frozenset(apart), frozenset(kinds))
    stars = list(_stars(world, world.ordered, bursts=False))
    if _BURST in kinds:
        stars += _stars(world, world.shots(stars), bursts=True)
    return sorted(stars, key=lambda group: (rank[group.items[0].id], group.kind == _BURST))


def unjudged(pairs: Iterable[PairRecord], order: Mapping[int, int], new: Collection[int]) -> list[tuple[int, int]]:
    """Pairs of pictures worth a look although no candidate: two that are like a third one, one of the three new.

    Without them a copy that was found by another copy alone would be left out of the star, or out of that of the one
    which a person chose. Of a picture that many are like, only pairs with the best of them. `order`: by picture, lower
    is rather kept. Bursts are left out. At most a few pairs for each pair given.
    """
    judged: set[tuple[int, int]] = set()
    near: dict[int, list[int]] = {}
    for pair in pairs:
        judged.add((pair.first, pair.second))
        if pair.kind != _BURST:
            near.setdefault(pair.first, []).append(pair.second)
            near.setdefault(pair.second, []).append(pair.first)
    wanted: set[tuple[int, int]] = set()
    for picture, others in near.items():
        if len(others) <= _FEW:
            found = set(combinations(sorted(others), 2))
        else:
            best = min((picture, *others), key=lambda each: (order.get(each, each), each))
            found = {(min(best, each), max(best, each)) for each in others if each != best}
        wanted.update(found if picture in new else (pair for pair in found if pair[0] in new or pair[1] in new))
    return sorted(wanted - judged)


@dataclass(frozen=True)
class _World:
    """What groups are made of. `near`: the pairs that each picture is in."""

    items: Mapping[int, Sequence[str]]
    near: Mapping[int, Sequence[PairRecord]]
    rank: Mapping[str, int]
    apart: frozenset[frozenset[str]]
    kinds: frozenset[LikenessKind]

    @cached_property
    def ordered(self) -> list[tuple[str, int]]:
        """Items that may be in a group, with their pictures, the one rather kept first."""
        several = [(id, picture) for picture, ids in self.items.items() if self._company(picture) for id in ids]
        return sorted(several, key=lambda each: self.rank[each[0]])

    def shots(self, stars: Sequence[Group]) -> list[tuple[str, int]]:
        """One item for each picture of a burst as far as it was not left out of a star: what bursts are made of."""
        taken = {item.id for star in stars for item in star.items[1:]}
        shots = {picture for picture, pairs in self.near.items() if any(pair.kind == _BURST for pair in pairs)}
        first: dict[int, str] = {}
        for id, picture in self.ordered:
            if picture in shots and id not in taken:
                first.setdefault(picture, id)
        return [(id, picture) for picture, id in first.items()]

    def alike(self, id: str, picture: int, *, bursts: bool) -> Iterator[GroupedItem]:
        """Items that are like this one, in no order."""
        if not bursts and "same" in self.kinds:
            for other in self.items[picture]:
                if other != id and frozenset((id, other)) not in self.apart:
                    yield GroupedItem(other, picture, "same", 1.0, SAME_WHY)
        for pair in self.near.get(picture, ()):
            if (pair.kind == _BURST) == bursts:
                seen = pair.second if pair.first == picture else pair.first
                for other in self.items[seen]:
                    if frozenset((id, other)) not in self.apart:
                        yield GroupedItem(other, seen, pair.kind, pair.sure, pair.why)

    def _company(self, picture: int) -> bool:
        return picture in self.near or (len(self.items[picture]) > 1 and "same" in self.kinds)


def _stars(world: _World, ordered: Sequence[tuple[str, int]], *, bursts: bool) -> Iterator[Group]:
    """Each item that is in no star yet takes those free that are like it."""
    free = {id for id, _ in ordered}
    for id, picture in ordered:
        if id not in free:
            continue
        members = [each for each in world.alike(id, picture, bursts=bursts) if each.id in free]
        if members:
            members.sort(key=lambda each: (-each.sure, world.rank[each.id]))
            free.difference_update((id, *(each.id for each in members)))
            yield _group(id, picture, members)


def _group(centre: str, picture: int, members: Sequence[GroupedItem]) -> Group:
    kind = max((each.kind for each in members), key=LIKENESS_KINDS.index)
    least = min((each for each in members if each.kind == kind), key=lambda each: each.sure)
    return Group(kind, least.sure, least.why, (GroupedItem(centre, picture, kind, 1.0, ""), *members))
