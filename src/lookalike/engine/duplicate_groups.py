"""Groups of duplicates as they follow from what is stored: likenesses, decisions, and an order of what is rather kept.

Nothing is read but the database. Memory grows with the pictures that are like another one, not with the collection.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from lookalike.core.errors import QueryError
from lookalike.core.records import LIKENESS_KINDS
from lookalike.engine.duplicates_report import DuplicateGroup, GroupPage, Member
from lookalike.engine.grouping import groups
from lookalike.engine.likeness_words import SAME_BYTES, SAME_PIXELS, reasons_of
from lookalike.engine.originals import made_from_others
from lookalike.engine.spool import batches

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lookalike.core.conditions import Condition
    from lookalike.core.records import LikenessKind
    from lookalike.engine.grouping import Group
    from lookalike.engine.keeping import Keeping, Key
    from lookalike.engine.likeness_words import Reasons
    from lookalike.store.collection_store import ItemRecord, Snapshot
    from lookalike.store.decisions import Apart
    from lookalike.store.likenesses import PairRecord

    _Place: TypeAlias = tuple[int, int, str]
    """Of a group: place of its kind, lowest number of its pictures, id of the one to keep. No two share it."""

_READ_AT_ONCE = 5_000
"""Pictures whose items are read together."""
_DESCRIBED_AT_ONCE = 200
"""Groups whose items are read together."""
_MOST_DIGITS = 19
"""Of the number of a picture."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The groups of one moment, in the order of their kinds; `keys` are in that order too."""

    groups: tuple[Group, ...]
    keys: tuple[_Place, ...]
    pictures: dict[str, int]
    """The number of the picture of each item in a group."""
    counts: dict[LikenessKind, int]
    """Groups of each kind that was asked for."""
    keeping: Keeping
    """The order that made them."""


def standing_groups(
    snapshot: Snapshot, keeping: Keeping, kinds: Sequence[LikenessKind], condition: Condition | None
) -> Standing:
    """The groups of some kinds, of items that meet the condition, without what was decided apart."""
    pairs = list(snapshot.likenesses(kinds))
    pictures = {number for pair in pairs for number in (pair.first, pair.second)}
    if "same" in kinds:
        pictures.update(snapshot.pictures_seen_often())
    items, keys, keeping = _ordered(snapshot, pairs, sorted(pictures), keeping)
    if condition is not None:
        met = snapshot.where_items(condition, keys)
        items = {picture: [id for id in ids if id in met] for picture, ids in items.items()}
    rank = {id: place for place, id in enumerate(sorted(keys, key=keys.__getitem__, reverse=True))}
    made = groups(pairs, items, rank, apart=_items_apart(snapshot.apart(), items), kinds=kinds)
    picture_of = {id: picture for picture, ids in items.items() for id in ids}
    named = sorted(((_key(group, picture_of), group) for group in made), key=lambda each: each[0])
    in_groups = {item.id: picture_of[item.id] for group in made for item in group.items}
    counted = Counter(group.kind for group in made)
    return Standing(
        groups=tuple(group for _, group in named),
        keys=tuple(key for key, _ in named),
        pictures=in_groups,
        counts={kind: counted[kind] for kind in kinds},
        keeping=keeping,
    )


def _ordered(
    snapshot: Snapshot, pairs: Sequence[PairRecord], pictures: Sequence[int], keeping: Keeping
) -> tuple[dict[int, list[str]], dict[str, Key], Keeping]:
    """The items of pictures, their keys to sort by, and the order that made these: it knows what was made of what."""
    edits = [pair for pair in pairs if pair.kind == "edited"]
    edited = sorted({number for pair in edits for number in (pair.first, pair.second)})
    records: dict[int, Sequence[ItemRecord]] = {}
    for some in batches(edited, _READ_AT_ONCE):
        records |= snapshot.items_of_pictures(some)
    made = made_from_others(edits, records, snapshot.bordered_pictures())
    items: dict[int, list[str]] = {}
    keys: dict[str, Key] = {}
    for some in batches(pictures, _READ_AT_ONCE):
        together = snapshot.items_of_pictures(some)
        made = made.and_of(together.values())
        keeping = keeping.knowing(made)
        for picture, found in together.items():
            items[picture] = [item.id for item in found]
            keys.update((item.id, keeping.key(item)) for item in found)
    return items, keys, keeping


def page_of(snapshot: Snapshot, standing: Standing, after: str | None, limit: int) -> GroupPage:
    """`limit` groups behind the cursor `after`. Raises QueryError for what is no cursor."""
    from bisect import bisect_right

    start = 0 if after is None else bisect_right(standing.keys, _parsed(after))
    shown = described(snapshot, standing, slice(start, start + limit))
    return GroupPage(
        tuple(shown),
        _cursor(standing.keys[start + limit - 1]) if start + limit < len(standing.groups) else None,
        standing.counts,
    )


def described(snapshot: Snapshot, standing: Standing, some: slice = slice(None)) -> Iterator[DuplicateGroup]:
    """Groups with all that is known of their items."""
    for together in batches(zip(standing.keys[some], standing.groups[some], strict=True), _DESCRIBED_AT_ONCE):
        wanted = {item.id: standing.pictures[item.id] for _, group in together for item in group.items}
        found = snapshot.items_of_pictures(dict.fromkeys(wanted.values()))
        records = {item.id: item for items in found.values() for item in items if item.id in wanted}
        digests = {id: of_bytes for id, (of_bytes, _) in snapshot.digests_of(wanted).items()}
        for key, group in together:
            yield _described(key, group, records, digests, standing.keeping)


def _described(
    key: _Place, group: Group, records: dict[str, ItemRecord], digests: dict[str, bytes], keeping: Keeping
) -> DuplicateGroup:
    centre = group.items[0].id
    members = []
    for grouped in group.items:
        item, reasons = records[grouped.id], reasons_of(grouped.why) if grouped.why else ()
        if grouped.kind == "same" and item.picture == records[centre].picture and grouped.id != centre:
            reasons = SAME_BYTES if digests[grouped.id] == digests[centre] else SAME_PIXELS
        members.append(_member(item, grouped.kind, grouped.sure, reasons))
    keep_reasons = keeping.reasons(records[centre], [records[each.id] for each in group.items[1:]])
    least = min(members[1:], key=lambda member: member.sure)
    reasons = least.reasons if group.kind == "same" else reasons_of(group.why)
    return DuplicateGroup(group.kind, group.sure, reasons, tuple(members), centre, keep_reasons, _cursor(key))


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


def _key(group: Group, picture_of: dict[str, int]) -> _Place:
    lowest = min(picture_of[item.id] for item in group.items)
    return LIKENESS_KINDS.index(group.kind), lowest, group.items[0].id


def _cursor(key: _Place) -> str:
    return f"{LIKENESS_KINDS[key[0]]}:{key[1]}:{key[2]}"


def _parsed(cursor: str) -> _Place:
    kind, _, behind = cursor.partition(":")
    number, _, id = behind.partition(":")
    if kind not in LIKENESS_KINDS or not number.isdecimal() or len(number) > _MOST_DIGITS:
        raise QueryError(f"{cursor} is no cursor of groups", hint='take the "next" of the page before')
    return LIKENESS_KINDS.index(kind), int(number), id
