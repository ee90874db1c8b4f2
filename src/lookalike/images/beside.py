"""What lies beside a picture in its folder: sidecar files that tell of it, and the other files of the same shot.

Sidecars of IMG.JPG are IMG.JPG.xmp and IMG.xmp, the same with .json and .txt, and what Google Takeout makes of it:
IMG.JPG.supplemental-metadata.json, cut to 46 characters; copies are counted behind that (IMG(1).JPG: IMG.JPG(1).json),
and edited pictures have none of their own (IMG-edited.JPG).

One shot is stacked: a camera RAW file behind the JPEG or HEIC of the same name, which is finished and faster to show,
and the film of a live photo behind its picture. Promises: only names are looked at; a folder without such files costs
one look at each suffix.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lookalike.images.sniff import PICTURE_SUFFIXES, RAW_SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_SIDECARS = (b".xmp", b".json", b".txt")
"""What they say counts in this order."""
_FILMS = frozenset({b".mov", b".mp4"})
_STACK_ON = frozenset({b".jpg", b".jpeg", b".heic", b".heif", b".hif"})
"""Formats that cameras and phones write themselves, beside a RAW or a film."""
_BESIDE = frozenset({*_SIDECARS, *_FILMS, *RAW_SUFFIXES})
_PICTURES = PICTURE_SUFFIXES | RAW_SUFFIXES
_TAKEOUT_LONGEST = 46
_TAKEOUT_TAIL = ".supplemental-metadata"
_TAKEOUT_COPY = re.compile(r"(.*)(\(\d+\))(\.[^.]*)")
_TAKEOUT_EDITED = re.compile(r"-edited(?=\.[^.]*$)")


@dataclass(frozen=True, slots=True)
class Beside:
    """File names by the name of the picture they belong to. `behind`: RAW files with the pictures they stand behind."""

    sidecars: Mapping[bytes, tuple[bytes, ...]] = field(default_factory=dict)
    stacks: Mapping[bytes, tuple[bytes, ...]] = field(default_factory=dict)
    behind: Mapping[bytes, bytes] = field(default_factory=dict)


NOTHING = Beside()


def beside(names: Iterable[bytes]) -> Beside:
    """What belongs together among the files of one folder."""
    split = [(name, *os.path.splitext(name)) for name in names]
    others: dict[bytes, list[bytes]] = {}
    for name, stem, suffix in split:
        if suffix.lower() in _BESIDE:
            others.setdefault(stem, []).append(name)
    if not others:
        return NOTHING
    there = {name for several in others.values() for name in several if _suffix(name) in _SIDECARS}
    sidecars: dict[bytes, tuple[bytes, ...]] = {}
    stacks: dict[bytes, tuple[bytes, ...]] = {}
    behind: dict[bytes, bytes] = {}
    for name, stem, suffix in split:
        if suffix.lower() not in _PICTURES:
            continue
        if there and (found := tuple(_sidecars_of(name, stem, there))):
            sidecars[name] = found
        if suffix.lower() in _STACK_ON and stem in others:
            stacked = [other for other in others[stem] if _suffix(other) in _FILMS or _suffix(other) in RAW_SUFFIXES]
            if stacked:
                stacks[name] = tuple(stacked)
                behind.update({other: name for other in stacked if _suffix(other) in RAW_SUFFIXES})
    return Beside(sidecars, stacks, behind)


def _sidecars_of(name: bytes, stem: bytes, there: set[bytes]) -> Iterator[bytes]:
    """Those that exist, in the order in which they count."""
    for suffix in _SIDECARS:
        for base in (name, stem):
            for written in (suffix, suffix.upper()):
                if base + written in there:
                    yield base + written
        if suffix == b".json":
            yield from (each for each in _takeout_names(os.fsdecode(name)) if each in there and each != name + suffix)


def _takeout_names(name: str) -> Iterator[bytes]:
    """How Google Takeout may have called the sidecar of a file."""
    name = _TAKEOUT_EDITED.sub("", name)
    copy = _TAKEOUT_COPY.fullmatch(name)
    base, number = (copy[1] + copy[3], copy[2]) if copy else (name, "")
    for whole in dict.fromkeys((base + _TAKEOUT_TAIL, base)):
        yield os.fsencode(whole[:_TAKEOUT_LONGEST] + number + ".json")


def _suffix(name: bytes) -> bytes:
    return os.path.splitext(name)[1].lower()
