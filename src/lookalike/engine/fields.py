"""Which fields a collection's items have, of what kind, and what stands in them: for filters, and for people to see.

By columns where there are some: milliseconds for a million items. Else the items are read one by one.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from lookalike.core.conditions import FILE, METADATA, kind_in_metadata, place_of, text_of
from lookalike.core.fields import BESIDE, ITEM_FIELDS, PICTURE_FIELDS, date_ns, date_text
from lookalike.store.columns import NO_NUMBER
from lookalike.store.places import SEPARATOR

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lookalike.core.conditions import Condition
    from lookalike.core.fields import FieldKind
    from lookalike.engine.moment import Moment
    from lookalike.store.collection_store import ItemRecord
    from lookalike.store.columns import Chosen, Columns, Words

FREQUENT = 5
"""Values of a field that are shown."""
_READ = 1000
"""Rows whose items are read at once."""
_OF_COLUMNS: Mapping[str, FieldKind] = {"plain": "text", "bytes": "text"}
_OF_JSON: Sequence[tuple[set[str], FieldKind]] = (
    ({"integer"}, "int"),
    ({"integer", "real"}, "float"),
    ({"true", "false"}, "bool"),
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class FieldFacts:
    """What stands in a field. `items`: how many have a value.

    `least` and `most`: of numbers, and of dates, as ISO 8601 text; else None. `frequent`: of text and of yes or no, the
    values that most items have, with how many; none where there are too many different ones. `distinct`: how many
    different values; None where that was not counted.
    """

    name: str
    kind: FieldKind
    items: int
    least: int | float | str | None = None
    most: int | float | str | None = None
    frequent: tuple[tuple[str, int], ...] = ()
    distinct: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready, keys in the documented order."""
        return {
            "name": self.name,
            "kind": self.kind,
            "items": self.items,
            "least": self.least,
            "most": self.most,
            "distinct": self.distinct,
            "frequent": [{"value": value, "items": items} for value, items in self.frequent],
        }


def fields_of(snapshot: Moment) -> dict[str, FieldKind]:
    """The names that a filter may use, in the order to show them, with their kinds.

    Those of lookalike's own are always there; then those of catalogues, and what else stands in the metadata. A name
    of the metadata that is also a fact about every file is `metadata.NAME`; one of a catalogue takes that one's name.
    """
    declared = snapshot.declared_fields()
    names: dict[str, FieldKind] = {
        FILE + name if name in declared else name: kind for name, kind in ITEM_FIELDS.items()
    }
    for name, found in {**PICTURE_FIELDS, **declared, **_kinds_found(snapshot)}.items():
        field = METADATA + name if name in ITEM_FIELDS and name not in declared else name
        names[field] = kind_in_metadata(name, declared) or found
    return names


def facts_of(
    snapshot: Moment, condition: Condition | None = None, *, most: int = FREQUENT, names: Sequence[str] = ()
) -> list[FieldFacts]:
    """What stands in every field that has a value somewhere, in the order of `fields_of`.

    Of items that meet `condition` alone, if there is one; of the fields `names` alone, if there are some. `most`: how
    many frequent values of each are told.
    """
    declared, columns = snapshot.declared_fields(), snapshot.columns()
    kinds = {name: kind for name, kind in fields_of(snapshot).items() if not names or name in names}
    chosen = None if condition is None else snapshot.where_entries(condition)
    if condition is not None and chosen is None:
        columns = None
    facts: dict[str, FieldFacts] = {}
    unread: dict[str, str] = {}
    for name, kind in kinds.items():
        place = place_of(name, declared)
        if columns is not None and place == "path":
            facts[name] = FieldFacts(name, kind, len(columns) if chosen is None else int(chosen.sum()))
        elif columns is not None and place in columns:
            facts[name] = _of_column(name, kind, columns, place, _Told(chosen, most))
        elif columns is None or not columns.knows(place):
            unread[name] = place
    if unread:
        read = _read(snapshot, unread, condition)
        facts |= {name: _of_values(name, kinds[name], each, most) for name, each in read.items()}
    return [facts[name] for name in kinds if name in facts and facts[name].items]


def _kinds_found(snapshot: Moment) -> dict[str, FieldKind]:
    """Names of the metadata with the kinds that their values have; objects are no fields."""
    columns = snapshot.columns()
    kinds: dict[str, FieldKind] = {}
    if columns is not None:
        for place, column in sorted(columns.manifest.columns.items()):
            if place.startswith(METADATA):
                kinds[place[len(METADATA) :]] = cast("FieldKind", _OF_COLUMNS.get(column.kind, column.kind))
        left_out = sorted(place for place in columns.manifest.left_out if place.startswith(METADATA))
        kinds |= dict.fromkeys((place[len(METADATA) :] for place in left_out), "texts")
    if columns is None or columns.manifest.more_left_out:
        found = {name: _kind_of_json(types) for name, types in snapshot.metadata_kinds().items()}
        kinds = {name: kind for name, kind in found.items() if kind is not None} | kinds
    kinds.pop(BESIDE, None)
    return kinds


def _kind_of_json(types: set[str]) -> FieldKind | None:
    """The kind of a field whose values are of some types of JSON, as columns find it out; None for none."""
    if "array" in types:
        return "texts"
    if not types - {"object"}:
        return None
    return next((kind for whole, kind in _OF_JSON if types <= whole), "text")


# --- by columns ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Told:
    """What is told: of the entries `chosen`, of all without it, the `most` frequent values."""

    chosen: Chosen | None
    most: int


def _of_column(name: str, kind: FieldKind, columns: Columns, place: str, told: _Told) -> FieldFacts:
    import numpy as np

    stored, chosen = columns.kind(place), told.chosen
    if stored == "plain":
        present = columns.plain(place).present()
        return FieldFacts(name, kind, int((present if chosen is None else present & chosen).sum()))
    if stored in {"text", "texts", "bytes"}:
        frequent, items, distinct = _frequent(columns.words(place), stored, told)
        return FieldFacts(name, kind, items, frequent=frequent, distinct=distinct)
    values = columns.numbers(place)
    values = values if chosen is None else values[chosen]
    there = values[~np.isnan(values) if stored == "float" else values != (-1 if stored == "bool" else NO_NUMBER)]
    if stored == "bool":
        return _of_answers(name, kind, int(there.sum()), len(there))
    return _of_range(name, kind, len(there), *((there.min().item(), there.max().item()) if len(there) else ()))


def _frequent(words: Words, stored: str, told: _Told) -> tuple[tuple[tuple[str, int], ...], int, int]:
    """The most frequent values with how many have each; how many have one; how many different ones there are."""
    import numpy as np

    codes, owners, chosen = words.codes, words.owners, told.chosen
    if owners is not None:
        has_one = np.zeros(int(owners.max(initial=-1)) + 1, np.bool_)
        has_one[owners] = True
        items = int((has_one if chosen is None else has_one & chosen[: len(has_one)]).sum())
        there = codes if chosen is None else codes[chosen[owners]]
    else:
        there = codes if chosen is None else codes[chosen]
        there = there[there >= 0]
        items = len(there)
    counts = np.bincount(there, minlength=len(words))
    ranked = [code for code in np.argsort(-counts, kind="stable")[: told.most].tolist() if counts[code]]
    frequent = tuple((_shown(words[code], stored), int(counts[code])) for code in ranked)
    return frequent, items, int(np.count_nonzero(counts))


def _shown(word: bytes, stored: str) -> str:
    return os.fsdecode(word.rstrip(SEPARATOR) or word) if stored == "bytes" else word.decode("utf-8", "surrogatepass")


# --- by items --------------------------------------------------------------------------------------


def _read(snapshot: Moment, places: Mapping[str, str], condition: Condition | None) -> dict[str, list[list[Any]]]:
    """The values of some fields, given with their places: a list for each item that meets the condition."""
    found: dict[str, list[list[Any]]] = {name: [] for name in places}
    for first in range(0, snapshot.count, _READ):
        rows = range(first, min(first + _READ, snapshot.count))
        items = [each for its in snapshot.items_of(rows).values() for each in its]
        if condition is not None:
            meeting = snapshot.where_items(condition, [each.id for each in items])
            items = [each for each in items if each.id in meeting]
        for item in items:
            facts = _facts_of_file(item)
            for name, place in places.items():
                value = facts[place] if place in facts else item.metadata.get(place[len(METADATA) :])
                found[name].append(value if isinstance(value, list) else [value])
    return found


def _facts_of_file(item: ItemRecord) -> dict[str, Any]:
    folder, name = os.path.split(item.uri)
    return {
        "id": item.id,
        "path": item.uri,
        "folder": folder,
        "name": name,
        "extension": os.path.splitext(name)[1][1:].lower() or None,
        "size": item.size,
        "modified": date_text(_EPOCH + timedelta(microseconds=item.modified_ns // 1000)),
        "width": item.width,
        "height": item.height,
        "format": item.format or None,
    }


def _of_values(name: str, kind: FieldKind, values: Sequence[Sequence[Any]], most: int) -> FieldFacts:
    """`values`: of each item, as JSON has them."""
    if kind in {"text", "texts"}:
        texts = [[text_of(each) for each in its if isinstance(each, (str, int, float))] for its in values]
        counts = Counter(text for its in texts for text in its)
        frequent = sorted(counts.items(), key=lambda each: (-each[1], each[0]))[:most]
        return FieldFacts(name, kind, sum(map(bool, texts)), frequent=tuple(frequent), distinct=len(counts))
    flat = [each for its in values for each in its if each is not None]
    if kind == "bool":
        answers = [each for each in flat if isinstance(each, bool)]
        return _of_answers(name, kind, sum(answers), len(answers))
    if kind == "date":
        moments = [ns for each in flat if isinstance(each, str) and (ns := date_ns(each)) is not None]
        return _of_range(name, kind, len(moments), *((min(moments), max(moments)) if moments else ()))
    numbers = [each for each in flat if isinstance(each, (int, float)) and not isinstance(each, bool)]
    return _of_range(name, kind, len(numbers), *((min(numbers), max(numbers)) if numbers else ()))


def _of_answers(name: str, kind: FieldKind, yes: int, items: int) -> FieldFacts:
    counts = sorted((("no", items - yes), ("yes", yes)), key=lambda each: (-each[1], each[0]))
    there = tuple(each for each in counts if each[1])
    return FieldFacts(name, kind, items, frequent=there, distinct=len(there))


def _of_range(name: str, kind: FieldKind, items: int, *ends: float) -> FieldFacts:
    if not ends:
        return FieldFacts(name, kind, items)
    least, most = (date_text(_EPOCH + timedelta(microseconds=end // 1000)) for end in ends) if kind == "date" else ends
    return FieldFacts(name, kind, items, least=least, most=most)
