"""Which files of which groups would be moved where: a plan that a person sees before anything is touched.

A file is moved only when it was compared with the one that is kept, and when that one is there now and as it was. What
belongs to a picture, its sidecars and the other files of the same shot, goes with it. Below the folder that it is moved
to a file keeps its path below the root it was indexed by. No file is planned to take another's name.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lookalike.core.causes import cause_of
from lookalike.core.errors import QueryError
from lookalike.engine.scopes import is_below
from lookalike.engine.staying import Staying
from lookalike.images.beside import NOTHING, Beside, beside
from lookalike.store.records import is_address

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lookalike.core.records import LikenessKind
    from lookalike.engine.duplicates_report import DuplicateGroup, Member
    from lookalike.store.collection_store import ItemRecord, Root, Snapshot, Store


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """A file and where it goes. `modified_ns`: UTC nanoseconds since 1970, as it is now."""

    source: bytes
    target: bytes
    size: int
    modified_ns: int

    def as_dict(self) -> dict[str, Any]:
        """In the plan of `duplicates --json`."""
        return {"from": os.fsdecode(self.source), "to": os.fsdecode(self.target), "bytes": self.size}


@dataclass(frozen=True, slots=True)
class PlannedMove:
    """An item that goes: its files, the picture first, then what belongs to it. `keep`: the id that stays for it."""

    item: ItemRecord
    kind: LikenessKind
    keep: str
    files: tuple[PlannedFile, ...]

    def as_dict(self) -> dict[str, Any]:
        """In the plan of `duplicates --json`."""
        return {
            "id": self.item.id,
            "kind": self.kind,
            "keep": self.keep,
            "files": [file.as_dict() for file in self.files],
        }


@dataclass(frozen=True, slots=True)
class LeftItem:
    """An item that is not the one to keep and stays all the same, and why."""

    id: str
    uri: str
    reason: str

    def as_dict(self) -> dict[str, Any]:
        """In the plan of `duplicates --json`."""
        return {"id": self.id, "uri": self.uri, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class MovePlan:
    """What would be moved below the absolute folder `target`, and what would stay.

    `is_indexed`: the target lies in a folder that is indexed, so that what is moved there stays in the collection.
    """

    target: bytes
    moves: tuple[PlannedMove, ...]
    left: tuple[LeftItem, ...]
    is_indexed: bool = False

    @property
    def bytes(self) -> int:
        """Of all files that go."""
        return sum(file.size for move in self.moves for file in move.files)

    @property
    def files(self) -> int:
        """How many files go."""
        return sum(len(move.files) for move in self.moves)

    def as_dict(self) -> dict[str, Any]:
        """The key "plan" of `duplicates --json`."""
        return {
            "to": os.fsdecode(self.target),
            "files": self.files,
            "bytes": self.bytes,
            "moves": [move.as_dict() for move in self.moves],
            "left": [each.as_dict() for each in self.left],
        }


def plan_moves(store: Store, snapshot: Snapshot, groups: Sequence[DuplicateGroup], target: bytes) -> MovePlan:
    """Plan to move all items of `groups` but those to keep below the folder `target`.

    Raises QueryError when `target` cannot be that folder.
    """
    refuse_target(store, target)
    roots = {root.number: root for root in store.roots()}
    planning = _Planning(roots, Staying(store, snapshot, groups), groups, target)
    for group in groups:
        planning.add(group)
    is_indexed = any(not root.is_file and is_below(target, root.path) for root in roots.values())
    return MovePlan(target, tuple(planning.moves), tuple(planning.left), is_indexed)


def refuse_target(store: Store, target: bytes) -> None:
    """Raises QueryError when the absolute path `target` cannot be a folder that files are moved to."""
    shown = os.fsdecode(target)
    if is_address(target):
        raise QueryError(f"{shown} is no folder of this computer", hint="name a folder on one of its disks")
    if os.path.lexists(target) and not os.path.isdir(target):
        raise QueryError(f"{shown} is no folder", hint="name a folder, or one that is still to be made")
    if is_below(os.path.realpath(target), os.path.realpath(os.fsencode(store.path))):
        raise QueryError(f"{shown} lies in the collection itself", hint="name a folder of your own")
    there = target
    while not os.path.lexists(there) and there != os.path.dirname(there):  # a drive may be away
        there = os.path.dirname(there)
    if not os.path.isdir(there):
        raise QueryError(f"{shown} cannot be made: {os.fsdecode(there)} is no folder", hint="name another folder")
    try:
        _try_folder(target, there)
    except OSError as error:
        what = f"nothing can be written in {shown}" if there == target else f"{shown} cannot be made"
        raise QueryError(f"{what} ({cause_of(error)})", hint="name a folder where you may write") from error


def _try_folder(target: bytes, there: bytes) -> None:
    """Make a folder in `target`, and take it away again with all that was made for it below `there`. Raises OSError.

    What a system says about rights is not what it does: a disk may refuse all the same.
    """
    place = os.path.join(target, b".lookalike-" + os.urandom(8).hex().encode())
    try:
        os.makedirs(place)
    finally:
        while len(place) > len(there):
            with suppress(OSError):  # it was not made, or another process put something there
                os.rmdir(place)
            place = os.path.dirname(place)


@dataclass(slots=True)
class _Planning:
    """Groups coming in, and what is planned so far. `taken`: names given away, so that no two files get one."""

    roots: dict[int, Root]
    staying: Staying
    groups: Sequence[DuplicateGroup]
    target: bytes
    moves: list[PlannedMove] = field(default_factory=list)
    left: list[LeftItem] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)
    _folders: dict[bytes, Beside] = field(default_factory=dict)
    _sources: set[bytes] = field(default_factory=set)
    _real_target: bytes = b""

    def __post_init__(self) -> None:
        self._real_target = os.path.realpath(self.target)
        self._sources = {os.fsencode(group.items[0].uri) for group in self.groups}

    def add(self, group: DuplicateGroup) -> None:
        for member, item, why in self.staying.members(group):
            if item is None or why:
                self._leave(member, why)
                continue
            path = os.fsencode(item.uri)
            if is_below(path, self.target) or is_below(os.path.realpath(path), self._real_target):
                self._leave(member, "it lies there already")
            elif path in self._sources:
                self._leave(member, "it is planned already")
            else:
                try:
                    self._plan(group, item)
                except OSError as error:  # a file or folder that goes just now
                    self._leave(member, f"it cannot be read now ({cause_of(error)})")

    def _leave(self, member: Member, reason: str) -> None:
        self.left.append(LeftItem(member.id, member.uri, reason))

    def _plan(self, group: DuplicateGroup, item: ItemRecord) -> None:
        path = os.fsencode(item.uri)
        folder, name = os.path.split(path)
        with_it = [each for each in self._with(folder, name) if os.path.join(folder, each) not in self._sources]
        root = self.roots[item.root]
        places = self._free_places(os.path.join(self.target, _below(root, item)), name, with_it)
        files = []
        for each, place in zip((name, *with_it), places, strict=True):
            source = os.path.join(folder, each)
            found = os.stat(source, follow_symlinks=False)
            files.append(PlannedFile(source, place, found.st_size, found.st_mtime_ns))
            self._sources.add(source)
            self.taken.add(_as_taken(place))
        self.moves.append(PlannedMove(item, group.kind, group.keep, tuple(files)))

    def _with(self, folder: bytes, name: bytes) -> Iterator[bytes]:
        """Files that go with a picture: those that belong to it and to no other picture there."""
        if folder not in self._folders:
            try:
                self._folders[folder] = beside(os.listdir(folder))
            except OSError:
                self._folders[folder] = NOTHING
        together = self._folders[folder]
        for owned in (together.sidecars, together.stacks):
            for each in owned.get(name, ()):
                shared = any(each in others for other, others in owned.items() if other != name)
                if not shared and stat.S_ISREG(os.lstat(os.path.join(folder, each)).st_mode):
                    yield each

    def _free_places(self, first: bytes, name: bytes, with_it: Iterable[bytes]) -> list[bytes]:
        """Names for a picture and what goes with it, numbered alike where one of them is taken."""
        folder, stem = os.path.dirname(first), os.path.splitext(name)[0]
        names = [name, *with_it]
        number = 1
        while True:
            more = b"" if number == 1 else b"-%d" % number
            places = [os.path.join(folder, _renamed(each, stem, more)) for each in names]
            if not any(os.path.lexists(place) or _as_taken(place) in self.taken for place in places):
                return places
            number += 1


def _below(root: Root, item: ItemRecord) -> bytes:
    """The path that an item keeps: the name of its root's folder, and its key."""
    folder = os.path.dirname(root.path) if root.is_file else root.path
    name = os.path.basename(folder.rstrip(os.fsencode(os.sep))) or b"files"
    key = os.path.basename(root.path) if root.is_file else item.key.replace(b"/", os.fsencode(os.sep))
    return os.path.join(name, key)


def _renamed(name: bytes, stem: bytes, more: bytes) -> bytes:
    """`name`, which begins with `stem` as a rule, with `more` behind that; else before its suffix."""
    if name.startswith(stem):
        return stem + more + name[len(stem) :]
    start, suffix = os.path.splitext(name)
    return start + more + suffix


def _as_taken(path: bytes) -> str:
    """A path as disks compare it that do not tell capitals."""
    return os.fsdecode(path).casefold()
