"""Which item of a group is kept, and why: a pure function of what is known about them.

Items are compared by one thing after another until one is ahead: what a person chose, whether the file is at hand, the
folders preferred, then what the rule says. What decided between the winner and the next one is the reason told.

Of copies the one with the most pixels is best. Of edited ones it is the one a camera speaks for: a border adds pixels,
and what was cut, turned or painted on was mostly saved by a program that drops what the camera wrote.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lookalike.core.fields import FALLBACKS, STACK, date_ns
from lookalike.engine.scopes import is_below

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lookalike.core.records import LikenessKind
    from lookalike.engine.duplicates_report import Rule
    from lookalike.store.collection_store import ItemRecord

_RAW, _LOSSLESS, _LOSSY = 3, 2, 1
_LOSSLESS_FORMATS = frozenset({"PNG", "TIFF", "BMP", "PPM"})
_FEW_COLOURS = frozenset({"GIF", "ICO"})
_CAMERA_SAYS = ("camera", "lens", "latitude", "taken")
"""What a camera writes and programs drop."""
_PERSON_SAYS = ("title", "caption", "tags", "rating")


@dataclass(frozen=True, slots=True)
class Choice:
    """The item to keep, and a sentence about why this one."""

    id: str
    why: str


@dataclass(frozen=True, slots=True)
class _Criterion:
    """Something to compare by: more is better. `why` says it of the winner."""

    of: Callable[[ItemRecord], Any]
    why: Callable[[ItemRecord], str]


def choose(
    items: Sequence[ItemRecord],
    kind: LikenessKind,
    rule: Rule = "best",
    *,
    prefer: Sequence[bytes] = (),
    chosen: Mapping[str, int] | None = None,
) -> Choice:
    """The one of `items` to keep.

    `rule`: "best" as above, "largest" by pixels and bytes, "oldest" and "newest" by when it was taken, else by the
    file's time. `prefer`: absolute folders, the first one counts most. `chosen`: items that a person chose, with when;
    the last choice prevails. The same items give the same choice in any order.
    """
    criteria = [*_asked_for(prefer, chosen or {}), *_by_rule(rule, kind), *_LAST]
    ranked = sorted(items, key=lambda item: item.id)
    ranked.sort(key=lambda item: tuple(each.of(item) for each in criteria), reverse=True)
    best = ranked[0]
    if len(ranked) == 1:
        return Choice(best.id, "the only one")
    for each in criteria:
        if each.of(best) != each.of(ranked[1]):
            return Choice(best.id, each.why(best))
    return Choice(best.id, "all are alike; the first by its id")


def _asked_for(prefer: Sequence[bytes], chosen: Mapping[str, int]) -> list[_Criterion]:
    def place_in_order(item: ItemRecord) -> int:
        path = os.fsencode(item.uri)
        return next((-number for number, folder in enumerate(prefer) if is_below(path, folder)), -len(prefer))

    def folder_of(item: ItemRecord) -> str:
        return f"below {os.fsdecode(prefer[-place_in_order(item)])}, a folder that is preferred"

    return [
        _Criterion(lambda item: chosen.get(item.id, 0), lambda _: "chosen by you"),
        _Criterion(lambda item: not item.offline, lambda _: "the others are on a disk that is away"),
        _Criterion(place_in_order, folder_of),
    ]


def _by_rule(rule: Rule, kind: LikenessKind) -> list[_Criterion]:
    pixels = _Criterion(_pixels, lambda item: f"the most pixels, {item.width} x {item.height}")
    size = _Criterion(lambda item: item.size, lambda item: f"the largest file, {item.size:,} bytes")
    oldest = _Criterion(lambda item: -_taken_ns(item), lambda item: f"the oldest, {_day(item)}")
    newest = _Criterion(_taken_ns, lambda item: f"the newest, {_day(item)}")
    shot = _Criterion(_stacked, lambda _: "a RAW file or a film of the same shot is with it")
    camera = _Criterion(_said_by_camera, lambda _: "it still has what the camera wrote")
    person = _Criterion(lambda item: _said(item, _PERSON_SAYS), lambda _: "it has the most titles, tags and ratings")
    format = _Criterion(_quality_of_format, lambda item: f"the best format, {item.format}")
    if rule == "largest":
        return [pixels, size]
    if rule == "oldest":
        return [oldest]
    if rule == "newest":
        return [newest]
    first = [camera, pixels] if kind == "edited" else [pixels, camera]
    return [*first, shot, person, format, size, oldest]


_LAST = [
    _Criterion(lambda item: -item.modified_ns, lambda _: "the file that was changed first"),
    _Criterion(lambda item: -len(item.uri), lambda _: "the shortest path"),
]


def _pixels(item: ItemRecord) -> int:
    return (item.width or 0) * (item.height or 0)


def _stacked(item: ItemRecord) -> int:
    return len(item.metadata.get(STACK, ()))


def _said_by_camera(item: ItemRecord) -> int:
    names = [name for name in _CAMERA_SAYS if name != "taken" or item.metadata.get("taken_from") not in FALLBACKS]
    return _said(item, names)


def _said(item: ItemRecord, names: Sequence[str]) -> int:
    return sum(bool(item.metadata.get(name)) for name in names)


def _quality_of_format(item: ItemRecord) -> int:
    format = item.format.upper()
    if format in {"RAW", "DNG"}:
        return _RAW
    if format in _FEW_COLOURS:
        return 0
    return _LOSSLESS if format in _LOSSLESS_FORMATS else _LOSSY


def _taken_ns(item: ItemRecord) -> int:
    """When it was taken, else the time of the file; UTC nanoseconds since 1970."""
    taken = item.metadata.get("taken")
    moment = date_ns(taken) if isinstance(taken, str) else None
    return item.modified_ns if moment is None else moment


def _day(item: ItemRecord) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(_taken_ns(item) / 1e9, UTC).strftime("%Y-%m-%d %H:%M")
