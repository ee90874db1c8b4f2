"""Which items of groups stay whoever asks: what may be moved, or said to be free to go, and why the others may not.

An item may go only when it was compared with the one that is kept, and when that one is there now and as it was. The
one to keep of any group stays, and what it is a link to.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lookalike.core.causes import cause_of
from lookalike.engine.carrying import is_one_file
from lookalike.engine.fill import is_as_indexed
from lookalike.engine.sources import place_of, sources_of
from lookalike.store.records import TARS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lookalike.core.records import LikenessKind
    from lookalike.engine.duplicates_report import DuplicateGroup, Member
    from lookalike.store.collection_store import ItemRecord, Root, Snapshot, Store

ONLY_ASKED: frozenset[LikenessKind] = frozenset({"burst"})
"""Kinds of whose groups items go only when they were asked for by name: every shot is another moment."""


class Staying:
    """What stays of `groups`, which are all that are looked at together."""

    def __init__(self, store: Store, snapshot: Snapshot, groups: Sequence[DuplicateGroup]) -> None:
        self._snapshot = snapshot
        self._roots = {root.number: root for root in store.roots()}
        self._source_of = sources_of(store)
        self._kept = {group.keep for group in groups}
        self._kept_files = {_real(group.items[0]) for group in groups}

    def members(self, group: DuplicateGroup) -> Iterator[tuple[Member, ItemRecord | None, str]]:
        """All but the one to keep, with their items, None where one has gone, and why they stay; "" for what may go."""
        keep = self._snapshot.item(group.keep)
        why_none = "" if keep is None else self._why_not_there(keep) or _why_a_link(group)
        for member in group.items:
            if member.id == group.keep:
                continue
            item = self._snapshot.item(member.id)
            if item is None or keep is None:
                yield member, item, "the collection has changed; look again"
            elif why_none:
                yield member, item, f"the one to keep cannot be counted on: {why_none}"
            else:
                yield member, item, self._why_not(item, keep)

    def _why_not_there(self, item: ItemRecord) -> str:
        """Why the file of an item cannot be counted on now; "" when it can."""
        root = self._roots[item.root]
        if why := _no_file(root):
            if root.offline or root.is_imported:
                return why
            return "" if is_as_indexed(item, self._source_of) else "it is not there as it was indexed"
        try:
            found = os.stat(os.fsencode(item.uri))
        except OSError as error:
            return f"it cannot be read now ({cause_of(error)})"
        if (found.st_size, found.st_mtime_ns) != (item.size, item.modified_ns):
            return "it changed since it was indexed; lookalike index looks at it again"
        return ""

    def _why_not(self, item: ItemRecord, keep: ItemRecord) -> str:
        """Why an item stays; "" when it can go."""
        root, path = self._roots[item.root], os.fsencode(item.uri)
        if item.id in self._kept:
            return "it is the one to keep of another group"
        if why := _no_file(root):
            return why
        if why := self._why_not_there(item):
            return why
        if os.path.islink(path):
            return "it is a link, not a file of its own"
        if os.path.realpath(path) in self._kept_files or _is_one_file(path, os.fsencode(keep.uri)):
            return "it is a file to keep itself, by another way"
        if not os.access(os.path.dirname(path), os.W_OK | os.X_OK):
            return "nothing may be taken out of its folder"
        return ""


def _why_a_link(group: DuplicateGroup) -> str:
    """Why the one to keep is none to count on, being a link to a file that nobody sees to; "" when it can be."""
    keep, *others = group.items
    if os.path.islink(os.fsencode(keep.uri)) and _real(keep) not in map(_real, others):
        return "it is a link to a file that is not in its group"
    return ""


def _real(member: Member) -> bytes:
    return os.path.realpath(os.fsencode(member.uri))


def _no_file(root: Root) -> str:
    """Why the items of a root are no files that could be moved; "" where they are."""
    if root.offline:
        return "its disk is away"
    if place_of(root.path) == root.path:
        return ""
    if root.is_catalogue:
        return "it belongs to a catalogue, which would not find it any more"
    if root.is_imported:
        return "it came with imported vectors and lies nowhere here"
    return "it lies in an archive" if root.path.startswith(TARS) else "it lies in object storage"


def _is_one_file(path: bytes, kept: bytes) -> bool:
    try:
        return is_one_file(path, kept)
    except OSError:  # one of them goes just now; whoever touches it looks again
        return False
