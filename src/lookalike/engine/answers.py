"""From ranked rows to hits: which place of a picture is shown, what shares one place, and in which order.

An item is shown only if it lies in the folder and meets the filter itself: a copy elsewhere does not stand for it.
What shares the place of another are its copies (`copies.py`) and pictures of the same group.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from lookalike.core.records import Hit
from lookalike.engine.order import SortKey, order_by
from lookalike.engine.scopes import is_below

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lookalike.core.conditions import Condition
    from lookalike.core.fields import FieldKind
    from lookalike.core.records import Query
    from lookalike.engine.copies import Copies
    from lookalike.engine.fuse import Words
    from lookalike.engine.moment import Moment
    from lookalike.engine.ranking import Ranking
    from lookalike.store.collection_store import ItemRecord

    _Places: TypeAlias = tuple[list[ItemRecord], list[ItemRecord]]

COPIES = "copies"
"""In a hit's metadata: where else its picture is seen, itself or as a copy that is an answer too."""
OTHERS = "group_others"
"""In a hit's metadata: where else the pictures of its group that were found are seen."""


@dataclass(frozen=True, slots=True)
class Showing:
    """How the answers to a query are shown, beside what the query says. `declared`: fields of catalogues."""

    condition: Condition | None = None
    group_by: str = ""
    order: tuple[SortKey, ...] = ()
    declared: Mapping[str, FieldKind] | None = None
    words: Words | None = None


def hits_of(
    snapshot: Moment, query: Query, ranking: Ranking, showing: Showing, copies: Copies | None = None
) -> tuple[Hit, ...]:
    """At most `query.k` hits, best first or as ordered; fewer when the ranking has no more.

    `copies`: tells which answers share a place; without it only items of one picture do.
    """
    found = _Found(query, showing, copies)
    rows, scores = ranking.rows.tolist(), ranking.scores.tolist()
    relevance = [None] * len(rows) if ranking.relevance is None else ranking.relevance.tolist()
    step = max(len(rows) if showing.order else query.k, 1)
    wanted = math.inf if showing.order else query.k  # a row may give several hits, and the last row the first of them
    start = 0
    while start < len(rows) and len(found.hits) < wanted:
        some = rows[start : start + step]
        places = _items(snapshot, some, query, showing)
        if copies is not None:
            copies.look(some, {row: items for row, (_, items) in zip(some, places, strict=True)})
        for place, (asked, all_items) in enumerate(places, start):
            found.add(rows[place], asked, all_items, scores[place], relevance[place])
        start, step = start + step, 2 * step  # where few places have many pictures there is much to read
    if not showing.order:
        return tuple(found.hits[: query.k])
    return tuple(order_by(found.hits, showing.order, showing.declared, fact_of=found.fact)[: query.k])


def _items(snapshot: Moment, rows: Sequence[int], query: Query, showing: Showing) -> list[_Places]:
    """Of each row: the items that may be shown, the one to show first, and all items."""
    by_row = snapshot.items_of(rows)
    if query.folder is None and showing.condition is None and showing.words is None:
        return [(by_row[row], by_row[row]) for row in rows]
    best = {} if showing.words is None else snapshot.best_items(showing.words, rows)
    met: set[str] = set()
    if showing.condition is not None:  # of a single item the mask of rows has told already
        several = [item.id for items in by_row.values() if len(items) > 1 for item in items]
        met = snapshot.where_items(showing.condition, several) if several else met
    shown = []
    for row in rows:
        items = asked = by_row[row]
        if showing.condition is not None and len(items) > 1:
            asked = [item for item in items if item.id in met]
        shown.append((_asked(asked, query.folder, best.get(row)), items))
    return shown


def _asked(items: list[ItemRecord], below: bytes | None, best: str | None) -> list[ItemRecord]:
    if below is not None:
        items = [item for item in items if is_below(os.fsencode(item.uri), below)]
    if best is not None and len(items) > 1:
        items = sorted(items, key=lambda item: item.id != best)
    return items


@dataclass(slots=True)
class _Place:
    """What one hit says, and who shares it."""

    metadata: dict[str, Any]
    group: str | None
    copies: list[str]


class _Found:
    """Hits as they come in, and who shares whose place."""

    def __init__(self, query: Query, showing: Showing, copies: Copies | None) -> None:
        self.hits: list[Hit] = []
        self._all_copies = query.all_copies
        self._copies = copies
        self._places: dict[int, _Place] = {}
        self._group_by = showing.group_by
        self._groups: dict[str, dict[str, Any]] = {}
        self._facts: dict[str, ItemRecord] | None = {} if showing.order else None

    def add(
        self, row: int, asked: list[ItemRecord], items: list[ItemRecord], score: float, relevance: float | None
    ) -> None:
        """One picture, seen in `items`: a hit for the first of `asked`, or with `all_copies` one for each."""
        for item in asked if self._all_copies else asked[:1]:
            metadata = dict(item.metadata)
            group = metadata.get(self._group_by) if self._group_by else None
            if group is not None:
                group = str(group)
                if group in self._groups:
                    self._groups[group].setdefault(OTHERS, []).append(item.uri)
                    continue
            if self._shares(row, group, items):
                continue
            if group is not None:
                self._groups[group] = metadata
            if item.offline:
                metadata["offline"] = True
            self._places[row] = _Place(metadata, group, [other.uri for other in items if other is not item])
            if len(items) > 1 and not self._all_copies:
                metadata[COPIES] = self._places[row].copies
            if self._facts is not None:
                self._facts[item.id] = item
            rank, cosine = len(self.hits) + 1, max(-1.0, min(1.0, score))
            self.hits.append(Hit(rank, cosine, relevance, item.id, item.uri, item.width, item.height, metadata))

    def _shares(self, row: int, group: str | None, items: list[ItemRecord]) -> bool:
        """Whether a picture is a copy of one that has a place, and stands there now. Groups are never mixed."""
        first = None if self._copies is None else self._copies.first_of(row, self._places)
        if first is None:
            return False
        place = self._places[first]
        if group != place.group and group is not None and place.group is not None:
            return False
        place.copies += [item.uri for item in items]
        place.metadata[COPIES] = place.copies
        return True

    def fact(self, hit: Hit, name: str) -> Any:
        """Facts about a file that a hit does not carry."""
        item = (self._facts or {})[hit.id]
        return {"size": item.size, "modified": item.modified_ns, "format": item.format}.get(name)
