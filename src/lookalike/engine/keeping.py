"""Which item of a group is kept, and why: an order of all items by what is known about them.

Items are compared by one thing after another until one is ahead: what a person chose, whether the file is at hand, the
folders preferred, then what the rule says. What put the one kept before the others is the reason told.

The best one has no border, and the most pixels; those of a file that still has what the camera wrote count half as much
again, for what was cut, turned or painted on was mostly saved by a program that drops the rest. Where an edit has as
many pixels, the older file is the better one; its format and bytes say nothing then.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from lookalike.core.fields import FALLBACKS, STACK, date_ns
from lookalike.engine.originals import Made, kept_by_format, pixels
from lookalike.engine.scopes import is_below

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lookalike.engine.duplicates_report import Rule
    from lookalike.store.collection_store import ItemRecord

    Key: TypeAlias = tuple[Any, ...]
    """To sort by: larger is rather kept. Of one order only."""

CAMERA_WORTH = 1.5
"""Times the pixels of a file with the camera's words: more than a border adds, less than halving both sides takes."""
_CAMERA_SAYS = ("camera", "lens")
_PERSON_SAYS = ("title", "caption", "tags", "rating")


@dataclass(frozen=True, slots=True)
class _Criterion:
    """Something to compare by: more is better. `why` says it of the first of two items, which has more."""

    of: Callable[[ItemRecord], Any]
    why: Callable[[ItemRecord, ItemRecord], str]


class Keeping:
    """An order of items; the same for the same items however they come.

    `rule`: "best" as above, "largest" by pixels and bytes, "oldest" and "newest" by when it was taken, else by the
    file's time. `prefer`: absolute folders, the first one counts most. `chosen`: ids that a person chose, with when;
    the last choice prevails. `made`: what is known of which was made from which; "best" alone asks for it.
    """

    def __init__(
        self,
        rule: Rule,
        prefer: Sequence[bytes] = (),
        chosen: Mapping[str, int] | None = None,
        made: Made | None = None,
    ) -> None:
        self._asked = rule, prefer, chosen
        by_rule = _best(made or Made()) if rule == "best" else _RULES[rule]
        self._criteria = [*_asked_for(prefer, chosen or {}), *by_rule, *_LAST]

    def knowing(self, made: Made) -> Keeping:
        """The same, with what is known of which was made from which."""
        return Keeping(*self._asked, made)

    def key(self, item: ItemRecord) -> Key:
        """What items are sorted by."""
        return (*(each.of(item) for each in self._criteria), item.id)

    def why(self, kept: ItemRecord, others: Sequence[ItemRecord]) -> str:
        """Why `kept` is rather kept than all `others`: what put it before the first of them, and before the last."""
        reasons, left = [], list(others)
        for each in self._criteria:
            ahead = each.of(kept)
            behind = [item for item in left if each.of(item) < ahead]
            if behind:
                reasons.append(each.why(kept, max(behind, key=self.key)))
                left = [item for item in left if not each.of(item) < ahead]
        if left:
            reasons.append("all are alike; the first by its id" if not reasons else "the first by its id")
        return reasons[0] if len(reasons) == 1 else f"{reasons[0]}; of those {reasons[-1]}"


def _asked_for(prefer: Sequence[bytes], chosen: Mapping[str, int]) -> list[_Criterion]:
    def place_in_order(item: ItemRecord) -> int:
        path = os.fsencode(item.uri)
        return -next((number for number, folder in enumerate(prefer) if is_below(path, folder)), len(prefer))

    def folder_of(item: ItemRecord, _: ItemRecord) -> str:
        return f"below {os.fsdecode(prefer[-place_in_order(item)])}, which is preferred"

    return [
        _Criterion(lambda item: chosen.get(item.id, 0), lambda *_: "chosen by you"),
        _Criterion(lambda item: not item.offline, lambda *_: "the others are on a disk that is away"),
        _Criterion(place_in_order, folder_of),
    ]


def _by_camera(item: ItemRecord) -> bool:
    says = item.metadata
    return any(map(says.get, _CAMERA_SAYS)) or ("taken" in says and says.get("taken_from") not in FALLBACKS)


def _worth(item: ItemRecord) -> float:
    return pixels(item) * (CAMERA_WORTH if _by_camera(item) else 1)


def _why_worth(kept: ItemRecord, other: ItemRecord) -> str:
    return _why_pixels(kept, other) if pixels(kept) > pixels(other) else "it still has what the camera wrote"


def _why_pixels(kept: ItemRecord, _: ItemRecord) -> str:
    return f"the most pixels, {kept.width} x {kept.height}"


def _why_format(kept: ItemRecord, other: ItemRecord) -> str:
    return f"{kept.format} keeps more than {other.format}"


def _why_first(kept: ItemRecord, other: ItemRecord) -> str:
    if kept.picture == other.picture:
        return f"the {other.format} was made from it, with equal pixels"
    if kept.modified_ns < other.modified_ns:
        return "the older file; an edit comes later"
    return "the shorter name; an edit is called more"


def _said_by_person(item: ItemRecord) -> int:
    return sum(bool(item.metadata.get(name)) for name in _PERSON_SAYS)


def _taken_ns(item: ItemRecord) -> int:
    """When it was taken, else the time of the file; UTC nanoseconds since 1970."""
    taken = item.metadata.get("taken")
    moment = date_ns(taken) if isinstance(taken, str) else None
    return item.modified_ns if moment is None else moment


def _day(item: ItemRecord) -> str:
    from datetime import UTC, datetime, timedelta

    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=_taken_ns(item) // 1000)
    return f"{moment:%Y-%m-%d %H:%M}"


_PIXELS = _Criterion(pixels, _why_pixels)
_SIZE = _Criterion(lambda item: item.size, lambda kept, _: f"the largest file, {kept.size:,} bytes")
_OLDEST = _Criterion(lambda item: -_taken_ns(item), lambda kept, _: f"the oldest, {_day(kept)}")
_NEWEST = _Criterion(_taken_ns, lambda kept, _: f"the newest, {_day(kept)}")
_SHOT = _Criterion(lambda item: len(item.metadata.get(STACK, ())), lambda *_: "a RAW file or a film is with it")
_PERSON = _Criterion(_said_by_person, lambda *_: "it has the most titles, tags and ratings")
_FORMAT = _Criterion(kept_by_format, _why_format)
_RULES: dict[Rule, list[_Criterion]] = {
    "largest": [_PIXELS, _SIZE],
    "oldest": [_OLDEST],
    "newest": [_NEWEST],
}
_LAST = [
    _Criterion(lambda item: -item.modified_ns, lambda *_: "the file that was changed first"),
    _Criterion(lambda item: -len(item.uri), lambda *_: "the shortest path"),
]


def _best(made: Made) -> list[_Criterion]:
    plain = _Criterion(lambda item: item.id not in made.framed, lambda *_: "it has no border")
    first = _Criterion(lambda item: item.id not in made.later, _why_first)
    return [plain, _Criterion(_worth, _why_worth), _PIXELS, _SHOT, _PERSON, first, _FORMAT, _SIZE, _OLDEST]
