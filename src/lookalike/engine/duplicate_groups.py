"""Groups of duplicates as they follow from what is stored: likenesses, decisions, and an order of what is rather kept.

Nothing is read but the database. Most groups are the same whichever of their items is kept (`connected`): they are
counted and put in order by their pairs alone, and their items are read when they are shown. Memory grows with the
pictures that are like another one, not with the collection.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, TypeAlias

from lookalike.core.errors import QueryError
from lookalike.core.records import LIKENESS_KINDS
from lookalike.core.wording import Wording
from lookalike.engine.connected import Part, parts
from lookalike.engine.duplicates_report import DuplicateGroup, GroupPage, Member
from lookalike.engine.grouping import groups
from lookalike.engine.likeness import as_saved, facts_of
from lookalike.engine.likeness_words import SAME_BYTES, SAME_PIXELS, reasons_of
from lookalike.engine.originals import made_from_others
from lookalike.engine.spool import batches

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from lookalike.core.conditions import Condition
    from lookalike.core.records import LikenessKind
    from lookalike.engine.grouping import Group
    from lookalike.engine.keeping import Keeping
    from lookalike.engine.likeness_words import Reasons
    from lookalike.store.collection_store import ItemRecord, Snapshot
    from lookalike.store.decisions import Apart
    from lookalike.store.likenesses import PairRecord

    _Place: TypeAlias = tuple[int, int, str]
    """Of a group: place of its kind, lowest number of its pictures, id of the one to keep. No two share it. While that
    id is not known it is "": no other group of that kind has that picture then.
    """

_READ_AT_ONCE = 5_000
"""Pictures whose items are read together, unless more of them are connected."""
_DESCRIBED_AT_ONCE = 200
"""Groups whose items are read together."""
_MOST_DIGITS = 19
"""Of the number of a picture."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which groups are meant, and what was decided. `bordered`: pictures with a plain border."""

    keeping: Keeping
    kinds: Sequence[LikenessKind]
    condition: Condition | None
    apart: Apart
    bordered: set[int]


@dataclass(frozen=True, slots=True)
class Standing:
    """The groups of one moment, in the order of their kinds; `keys` are in that order too.

    `groups`: those whose order of items decided what is in them, and the others as the pictures that they are made of.
    """

    groups: tuple[Group | Part, ...]
    keys: tuple[_Place, ...]
    counts: dict[LikenessKind, int]
    """Groups of each kind that was asked for."""
    asked: Asked


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of some pictures: their items, the pairs they are in, and the order of these items."""

    items: Mapping[int, Sequence[ItemRecord]]
    pairs: Sequence[PairRecord]
    keeping: Keeping


def standing_groups(
    snapshot: Snapshot, keeping: Keeping, kinds: Sequence[LikenessKind], condition: Condition | None
) -> Standing:
    """The groups of some kinds, of items that meet the condition, without what was decided apart."""
    bordered = snapshot.bordered_pictures() if "edited" in kinds else set()
    asked = Asked(keeping, kinds, condition, snapshot.apart(), bordered)
    pairs, several = _connecting(snapshot, asked)
    found: list[tuple[_Place, Group | Part]] = []
    unsettled: list[Part] = []
    for part in parts(pairs, several, asked.apart.about, kinds):
        if part.kind is None:
            unsettled.append(part)
        else:
            found.append(((LIKENESS_KINDS.index(part.kind), part.pictures[0], ""), part))
    for pictures in _together(unsettled):
        made = _grouped(snapshot, asked, _known(snapshot, asked, pictures), pictures)
        found += ((_key(group), group) for group in made)
    found.sort(key=lambda each: each[0])
    counted = Counter(group.kind for _, group in found)
    return Standing(
        groups=tuple(group for _, group in found),
        keys=tuple(key for key, _ in found),
        counts={kind: counted[kind] for kind in kinds},
        asked=asked,
    )


def _connecting(snapshot: Snapshot, asked: Asked) -> tuple[Iterable[PairRecord], set[int]]:
    """The pairs of pictures that have an item each which meets the condition, and the pictures that have several."""
    several = set(snapshot.pictures_seen_often().tolist())
    if asked.condition is None:
        return snapshot.likenesses(asked.kinds), several
    pairs = list(snapshot.likenesses(asked.kinds))
    pictures = {number for pair in pairs for number in (pair.first, pair.second)}
    ids = _met(snapshot, asked, snapshot.ids_of_pictures(sorted(pictures | several)))
    met = (pair for pair in pairs if pair.first in ids and pair.second in ids)
    return met, {picture for picture, its in ids.items() if len(its) > 1}


def _met(snapshot: Snapshot, asked: Asked, ids: dict[int, list[str]]) -> dict[int, list[str]]:
    """The items that meet the condition, and the pictures that have one."""
    if asked.condition is None:
        return ids
    met = snapshot.where_items(asked.condition, chain.from_iterable(ids.values()))
    kept = {picture: [id for id in its if id in met] for picture, its in ids.items()}
    return {picture: its for picture, its in kept.items() if its}


def _together(unsettled: Iterable[Part]) -> Iterator[list[int]]:
    """The pictures of several parts, none of which is cut."""
    pictures: list[int] = []
    for part in unsettled:
        pictures += part.pictures
        if len(pictures) >= _READ_AT_ONCE:
            yield pictures
            pictures = []
    if pictures:
        yield pictures


def _known(snapshot: Snapshot, asked: Asked, pictures: Iterable[int]) -> _Known:
    wanted = dict.fromkeys(pictures)
    pairs = [pair for pair in snapshot.likenesses_of(wanted) if pair.kind in asked.kinds]
    edits = [pair for pair in pairs if pair.kind == "edited"]
    wanted |= dict.fromkeys(number for pair in edits for number in (pair.first, pair.second))
    items = snapshot.items_of_pictures(wanted)
    made = made_from_others(edits, items, asked.bordered).and_of(items.values())
    return _Known(items, pairs, asked.keeping.knowing(made))


def _grouped(snapshot: Snapshot, asked: Asked, known: _Known, pictures: Iterable[int]) -> list[Group]:
    """The groups that some pictures make: all that are connected with one of them have to be there."""
    items = {picture: [item.id for item in known.items.get(picture, ())] for picture in pictures}
    items = _met(snapshot, asked, items)
    keys = {item.id: known.keeping.key(item) for picture in items for item in known.items[picture]}
    rank = {id: place for place, id in enumerate(sorted(keys, key=keys.__getitem__, reverse=True))}
    return groups(known.pairs, items, rank, apart=_items_apart(asked.apart, items), kinds=asked.kinds)


def page_of(snapshot: Snapshot, standing: Standing, after: str | None, limit: int) -> GroupPage:
    """`limit` groups behind the cursor `after`. Raises QueryError for what is no cursor."""
    from bisect import bisect_right

    start = 0 if after is None else bisect_right(standing.keys, _parsed(after))
    shown = tuple(described(snapshot, standing, slice(start, start + limit)))
    behind = start + limit < len(standing.groups)
    return GroupPage(shown, shown[-1].key if shown and behind else None, standing.counts)


def described(snapshot: Snapshot, standing: Standing, some: slice = slice(None)) -> Iterator[DuplicateGroup]:
    """Groups with all that is known of their items."""
    for together in batches(standing.groups[some], _DESCRIBED_AT_ONCE):
        known = _known(snapshot, standing.asked, chain.from_iterable(map(_pictures, together)))
        settled = [picture for group in together if isinstance(group, Part) for picture in group.pictures]
        made = {_key(group)[:2]: group for group in _grouped(snapshot, standing.asked, known, settled)}
        shown = [
            made[LIKENESS_KINDS.index(each.kind), each.pictures[0]] if isinstance(each, Part) else each
            for each in together
        ]
        digests = snapshot.digests_of(item.id for group in shown for item in group.items)
        records = {item.id: item for items in known.items.values() for item in items}
        for group in shown:
            yield _described(group, records, {id: of_bytes for id, (of_bytes, _) in digests.items()}, known.keeping)


def _described(
    group: Group, records: dict[str, ItemRecord], digests: dict[str, bytes], keeping: Keeping
) -> DuplicateGroup:
    centre = group.items[0]
    members = []
    kept = facts_of(records[centre.id])
    for grouped in group.items:
        reasons = as_saved(reasons_of(grouped.why), kept, facts_of(records[grouped.id])) if grouped.why else ()
        if grouped.kind == "same" and grouped.picture == centre.picture and grouped.id != centre.id:
            reasons = SAME_BYTES if digests[grouped.id] == digests[centre.id] else SAME_PIXELS
        members.append(_member(records[grouped.id], grouped.kind, grouped.sure, reasons))
    keep_reasons = keeping.reasons(records[centre.id], [records[each.id] for each in group.items[1:]])
    least = min((member for member in members[1:] if member.kind == group.kind), key=lambda member: member.sure)
    return DuplicateGroup(
        group.kind, group.sure, least.reasons, tuple(members), centre.id, keep_reasons, _cursor(_key(group))
    )


def _pictures(group: Group | Part) -> Iterable[int]:
    return group.pictures if isinstance(group, Part) else (item.picture for item in group.items)


def _member(item: ItemRecord, kind: LikenessKind, sure: float, reasons: Reasons) -> Member:
    return Member(
        id=item.id,
        uri=item.uri,
        picture=item.picture,
        width=item.width,
        height=item.height,
        format=item.format,
        size=item.size,
        modified_ns=item.modified_ns,
        offline=item.offline,
        kind=kind,
        sure=sure,
        reasons=reasons,
        metadata=item.metadata,
    )


def _items_apart(apart: Apart, items: dict[int, list[str]]) -> set[frozenset[str]]:
    """Decisions about pictures as decisions about their items."""
    pairs = {frozenset(pair) for pair in apart.items}
    for first, second in apart.pictures:
        pairs.update(frozenset((one, other)) for one in items.get(first, ()) for other in items.get(second, ()))
    return pairs


def _key(group: Group) -> _Place:
    return LIKENESS_KINDS.index(group.kind), min(item.picture for item in group.items), group.items[0].id


def _cursor(key: _Place) -> str:
    return f"{LIKENESS_KINDS[key[0]]}:{key[1]}:{key[2]}"


def _parsed(cursor: str) -> _Place:
    kind, _, behind = cursor.partition(":")
    number, _, id = behind.partition(":")
    if kind not in LIKENESS_KINDS or not number.isdecimal() or len(number) > _MOST_DIGITS:
        raise QueryError(Wording("no_group_cursor", cursor=cursor), hint=Wording("take_next"))
    return LIKENESS_KINDS.index(kind), int(number), id
