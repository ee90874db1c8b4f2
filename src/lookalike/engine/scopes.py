"""Which folders and files a run looks through.

A root is a folder or file the user named; a scope is the part of a root that this run walks. Settings
that belong to the collection as a whole live here too: exclusion globs and places the user took out.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lookalike.core.errors import SourceError
from lookalike.images.ignore import IgnoreRules

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lookalike.store.collection_store import Root, Store, Writer

EXCLUDE_SETTING = "exclude"
REMOVED_SETTING = "removed"


@dataclass(frozen=True, slots=True)
class Scope:
    """A subtree of a root: `below` is the key prefix to walk, b"" for all of it."""

    root: Root
    below: bytes = b""


def resolve_scopes(store: Store, writer: Writer, paths: Sequence[bytes]) -> list[Scope]:
    """Scopes for `paths` (absolute, native), or for every known root when there are none.

    A path that does not exist is an error unless it belongs to a known root: then it is a root that was
    unplugged, or a file that was deleted, and the walk finds that out.
    """
    if not paths:
        return [Scope(root) for root in store.roots()]
    for path in paths:
        if writer.root_for(path) is None and not os.path.lexists(path):
            raise SourceError(
                f"there is no file or folder {os.fsdecode(path)}",
                hint="check the path; words go to: lookalike search",
            )
    writer.add_roots([(path, not os.path.isdir(path)) for path in paths if os.path.lexists(path)])
    scopes: dict[tuple[int, bytes], Scope] = {}
    for path in paths:  # only now: a wider root may have taken over one named before it
        covered = writer.root_for(path)
        assert covered is not None, "every path has its root by now"
        root, below = covered
        scopes[root.number, below] = Scope(root, below)
    return _without_nested(list(scopes.values()))


def exclusions(store: Store, writer: Writer, asked: Sequence[str] | None) -> list[str]:
    """The globs in force: those asked for now, remembered for later runs, else those remembered.

    Raises SourceError for one that cannot be read; nothing is remembered then.
    """
    kept: list[str] = store.setting(EXCLUDE_SETTING, [])
    if asked is not None and list(asked) != kept:
        IgnoreRules().with_patterns(b"", asked)
        writer.set_setting(EXCLUDE_SETTING, list(asked))
        return list(asked)
    return kept


def removed_places(store: Store, writer: Writer, asked: Sequence[bytes]) -> tuple[bytes, ...]:
    """Places taken out by `remove`. One that the user now asks to index by its own name comes back."""
    kept = [bytes.fromhex(each) for each in store.setting(REMOVED_SETTING, [])]
    still = [place for place in kept if not any(is_below(path, place) for path in asked)]
    if len(still) < len(kept):
        writer.set_setting(REMOVED_SETTING, [place.hex() for place in still])
    return tuple(still)


def remember_removed(store: Store, writer: Writer, place: bytes) -> None:
    """Keep `place` out of later runs."""
    kept: list[str] = store.setting(REMOVED_SETTING, [])
    if place.hex() not in kept:
        writer.set_setting(REMOVED_SETTING, [*kept, place.hex()])


def is_below(path: bytes, place: bytes) -> bool:
    """True when `path` is `place` or lies inside it, by whole path components."""
    separator = os.fsencode(os.sep)
    return path == place or path.startswith(place.rstrip(separator) + separator)


def _without_nested(scopes: list[Scope]) -> list[Scope]:
    """Drop scopes that another one covers, so that no file is walked twice."""
    return [
        scope
        for scope in scopes
        if not any(
            other is not scope
            and other.root.number == scope.root.number
            and (other.below == b"" or scope.below.startswith(other.below + b"/"))
            for other in scopes
        )
    ]
