"""Which folders and files a run looks through.

A root is a folder or file the user named; a scope is the part of a root that this run walks. Settings
that belong to the collection as a whole live here too: exclusion globs and places the user took out.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lookalike.core.errors import SourceError
from lookalike.engine.sources import place_of
from lookalike.images.ignore import IgnoreRules

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lookalike.store.collection_store import Root, Store, Writer

EXCLUDE_SETTING = "exclude"
REMOVED_SETTING = "removed"
"""Path as hexadecimal digits -> true for what was taken out, false for what came back below that."""


@dataclass(frozen=True, slots=True)
class Scope:
    """A subtree of a root: `below` is the key prefix to walk, b"" for all of it."""

    root: Root
    below: bytes = b""


def resolve_scopes(store: Store, writer: Writer, paths: Sequence[bytes]) -> list[Scope]:
    """Scopes for `paths`, as `root_address` gives them, or for every known root when there are none.

    A path that does not exist is an error unless it belongs to a known root: then it is a root that was
    unplugged, or a file that was deleted, and the walk finds that out.
    """
    if not paths:
        return [Scope(root) for root in store.roots() if not root.is_imported]
    places = {path: place_of(path) for path in paths}
    there = [path for path, place in places.items() if place is None or os.path.lexists(place)]
    for path in paths:
        if writer.root_for(path) is None and path not in there:
            raise SourceError(
                f"there is no file or folder {os.fsdecode(places[path] or path)}",
                hint="check the path; words go to: lookalike search",
            )
    writer.add_roots([(path, places[path] == path and not os.path.isdir(path)) for path in there])
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


def removed_places(store: Store, writer: Writer, asked: Sequence[bytes]) -> dict[bytes, bool]:
    """Places with a mark of `remove`, for `is_out`. One that the user now asks to index by its own name comes back,
    alone: what else was taken out around it stays out.
    """
    kept = _marks(store)
    marks = dict(kept)
    for path in asked:
        marks.pop(path, None)
        if is_out(path, marks):
            marks[path] = False
    _keep_marks(writer, kept, marks)
    return marks


def remember_removed(store: Store, writer: Writer, place: bytes) -> None:
    """Keep `place` and all below it out of later runs."""
    kept = _marks(store)
    _keep_marks(writer, kept, {path: out for path, out in kept.items() if not is_below(path, place)} | {place: True})


def is_out(path: bytes, marks: Mapping[bytes, bool]) -> bool:
    """Whether the nearest mark at or above `path` takes it out; none leaves it in."""
    while path not in marks:
        above = os.path.dirname(path)
        if above == path:
            return False
        path = above
    return marks[path]


def _marks(store: Store) -> dict[bytes, bool]:
    kept: dict[str, bool] = store.setting(REMOVED_SETTING, {})
    return {bytes.fromhex(path): out for path, out in kept.items()}


def _keep_marks(writer: Writer, kept: Mapping[bytes, bool], marks: Mapping[bytes, bool]) -> None:
    if marks != kept:
        writer.set_setting(REMOVED_SETTING, {path.hex(): out for path, out in marks.items()})


def is_below(path: bytes, place: bytes) -> bool:
    """True when `path` is `place` or lies inside it, by whole path components."""
    separator = os.fsencode(os.sep)
    return path == place or path.startswith(place.rstrip(separator) + separator)


def _without_nested(scopes: list[Scope]) -> list[Scope]:
    """Drop scopes that another one covers, so that no file is walked twice."""
    chosen = {(scope.root.number, scope.below) for scope in scopes}
    return [
        scope for scope in scopes if not any((scope.root.number, above) in chosen for above in _keys_above(scope.below))
    ]


def _keys_above(key: bytes) -> list[bytes]:
    """Keys of the folders that hold `key`, from the root's own b"" on; none for the root."""
    parts = key.split(b"/") if key else []
    return [b"/".join(parts[:count]) for count in range(len(parts))]
