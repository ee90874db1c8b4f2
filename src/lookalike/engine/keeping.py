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
    from lookalike.engine.likeness_words import Reason, Reasons
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
    why: Callable[[ItemRecord, ItemRecord], Reason]


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
        return (*[each.of(item) for each in self._criteria], item.id)

    def reasons(self, kept: ItemRecord, others: Sequence[ItemRecord]) -> Reasons:
        """Why `kept` is rather kept than all `others`: what put it before the first of them, and before the last."""
        reasons: list[Reason] = []
        left = list(others)
        for each in self._criteria:
            ahead = each.of(kept)
            behind = [item for item in left if each.of(item) < ahead]
            if behind:
                reasons.append(each.why(kept, max(behind, key=self.key)))
                left = [item for item in left if not each.of(item) < ahead]
        if left:
            reasons.append(("first_id",) if reasons else ("all_alike",))
        return (reasons[0],) if len(reasons) == 1 else (reasons[0], reasons[-1])


def _asked_for(prefer: Sequence[bytes], chosen: Mapping[str, int]) -> list[_Criterion]:
    def place_in_order(item: ItemRecord) -> int:
        path = os.fsencode(item.uri)
        return -next((number for number, folder in enumerate(prefer) if is_below(path, folder)), len(prefer))

    def folder_of(item: ItemRecord, _: ItemRecord) -> Reason:
        return "preferred", os.fsdecode(prefer[-place_in_order(item)])

    asked = [_Criterion(lambda item: not item.offline, lambda *_: ("others_away",))]
    if chosen:
        asked.insert(0, _Criterion(lambda item: chosen.get(item.id, 0), lambda *_: ("chosen",)))
    if prefer:
        asked.append(_Criterion(place_in_order, folder_of))
    return asked


def _by_camera(item: ItemRecord) -> bool:
    says = item.metadata
    return any(map(says.get, _CAMERA_SAYS)) or ("taken" in says and says.get("taken_from") not in FALLBACKS)


def _worth(item: ItemRecord) -> float:
    return pixels(item) * (CAMERA_WORTH if _by_camera(item) else 1)


def _why_worth(kept: ItemRecord, other: ItemRecord) -> Reason:
    return _why_pixels(kept, other) if pixels(kept) > pixels(other) else ("camera_wrote",)


def _why_pixels(kept: ItemRecord, _: ItemRecord) -> Reason:
    return "most_pixels", str(kept.width), str(kept.height)


def _why_format(kept: ItemRecord, other: ItemRecord) -> Reason:
    return "keeps_more", kept.format, other.format


def _why_first(kept: ItemRecord, other: ItemRecord) -> Reason:
    if kept.picture == other.picture:
        return "made_from_it", other.format
    return ("older_file",) if kept.modified_ns < other.modified_ns else ("shorter_name",)


def _said_by_person(item: ItemRecord) -> int:
    return len([name for name in _PERSON_SAYS if item.metadata.get(name)])


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
_SIZE = _Criterion(lambda item: item.size, lambda kept, _: ("largest_file", kept.size))
_OLDEST = _Criterion(lambda item: -_taken_ns(item), lambda kept, _: ("oldest", _day(kept)))
_NEWEST = _Criterion(_taken_ns, lambda kept, _: ("newest", _day(kept)))
_SHOT = _Criterion(lambda item: len(item.metadata.get(STACK, ())), lambda *_: ("stack",))
_PERSON = _Criterion(_said_by_person, lambda *_: ("said_most",))
_FORMAT = _Criterion(kept_by_format, _why_format)
_RULES: dict[Rule, list[_Criterion]] = {
    "largest": [_PIXELS, _SIZE],
    "oldest": [_OLDEST],
    "newest": [_NEWEST],
}
_LAST = [
    _Criterion(lambda item: -item.modified_ns, lambda *_: ("changed_first",)),
    _Criterion(lambda item: -len(item.uri), lambda *_: ("shortest_path",)),
]


def _best(made: Made) -> list[_Criterion]:
    plain = _Criterion(lambda item: item.id not in made.framed, lambda *_: ("no_border",))
    first = _Criterion(lambda item: item.id not in made.later, _why_first)
    return [plain, _Criterion(_worth, _why_worth), _PIXELS, _SHOT, _PERSON, first, _FORMAT, _SIZE, _OLDEST]
