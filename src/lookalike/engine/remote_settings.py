"""What is kept beside the items of a collection elsewhere: sources, fields, what was not taken in, what is usual there.

The settings bear the names they have in a store. Here each lies in entries of its own (a root, a field, a place), and a
run sends those entries alone that it changed, against what it saw when it began: so two runs at once lose nothing of
each other. Where both changed one entry, the later one counts, as of two runs one after the other.
"""

from __future__ import annotations

import base64
import hashlib
import os
from typing import TYPE_CHECKING, Any, TypeAlias

from lookalike.engine.catalogues import GROUP_SETTING, TEXTS_SETTING
from lookalike.engine.judging import SCALE_SETTING
from lookalike.engine.look import DEVICES_SETTING
from lookalike.engine.relevance import BACKGROUND_ROWS
from lookalike.engine.scopes import EXCLUDE_SETTING, REMOVED_SETTING, is_below
from lookalike.engine.sources import CATALOGUES_SETTING, source_of
from lookalike.images.catalogue_plan import CatalogueOptions
from lookalike.store.collection_store import Failure, Root
from lookalike.store.tables import DECLARED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lookalike.core.arrays import HalfVectors
    from lookalike.core.protocols import Source
    from lookalike.remote.contract import RemoteEngine, RemoteItem
    from lookalike.store.collection_store import Store, Writer

Entries: TypeAlias = dict[str, Any]
Settings: TypeAlias = dict[str, Entries]

ROOTS = "roots"
"""The roots: path in hexadecimal digits -> whether it is a file."""
FAILURES = "failures"
"""The files that were not taken: path of the root in hexadecimal digits -> those below it."""
KINDS = "metadata_kinds"
"""The kinds of JSON value that ever stood under names of metadata: kind, a blank, name -> true."""
SAMPLE = "sample"
"""Vectors of the items whose ids have the least digests, drawn at random so, and kept up as items come in: digest in
hexadecimal digits -> float16 components in base64. Two runs at once leave more of them than one does."""
_WHOLE = ""
"""The only key of a setting that is one value."""
_ONE_VALUE = (EXCLUDE_SETTING, GROUP_SETTING)
_BY_KEY = (REMOVED_SETTING, DECLARED, SCALE_SETTING)
_BY_ROOT = (CATALOGUES_SETTING, DEVICES_SETTING)
"""Settings whose keys are numbers of roots: those differ between two stores, so elsewhere the keys are paths."""
_OF_PATHS = (REMOVED_SETTING, ROOTS)
"""Settings whose keys are paths in hexadecimal digits, of which `remove` takes out those below a place."""
_OF_STORE = (*_ONE_VALUE, *_BY_KEY, *_BY_ROOT, TEXTS_SETTING, ROOTS, FAILURES)
_DIGEST_BYTES = 8


def settings_there(engine: RemoteEngine) -> Settings:
    """All settings as the engine has them now."""
    return {name: engine.entries(name) for name in (*_OF_STORE, KINDS, SAMPLE)}


def settings_of(store: Store) -> Settings:
    """What a store keeps of its sources, its fields and the files that were not taken."""
    roots = {root.number: root for root in store.roots()}
    whole = {name: store.setting(name) for name in _ONE_VALUE}
    said: Settings = {name: {} if value is None else {_WHOLE: value} for name, value in whole.items()}
    said |= {name: store.setting(name) or {} for name in _BY_KEY}
    for name in _BY_ROOT:
        kept: Entries = store.setting(name, {})
        said[name] = {roots[int(number)].path.hex(): value for number, value in kept.items() if int(number) in roots}
    said[TEXTS_SETTING] = {column: at for at, column in enumerate(store.setting(TEXTS_SETTING, []))}
    said[ROOTS] = {root.path.hex(): root.is_file for root in roots.values()}
    said[FAILURES] = {}
    for failure in store.failures():
        said[FAILURES].setdefault(roots[failure.root].path.hex(), []).append(_as_list(failure))
    return said


def send_settings(engine: RemoteEngine, now: Settings, before: Settings) -> None:
    """Set the entries that are others than `before`, and remove those that are gone since; the rest is left alone."""
    for name, entries in now.items():
        known = before.get(name, {})
        changed = {key: value for key, value in entries.items() if key not in known or known[key] != value}
        changed |= dict.fromkeys(known.keys() - entries.keys())
        if changed:
            engine.set_entries(name, changed)


def keep_settings(said: Settings, store: Store, writer: Writer) -> dict[bytes, int]:
    """Settings of an engine into a store; returns the number of each root."""
    writer.add_roots([(bytes.fromhex(path), is_file) for path, is_file in said[ROOTS].items()])
    numbers = {root.path: root.number for root in store.roots()}
    kept: Entries = {name: said[name][_WHOLE] for name in _ONE_VALUE if _WHOLE in said[name]}
    kept |= {name: said[name] for name in _BY_KEY}
    for name in _BY_ROOT:
        by_root = {bytes.fromhex(path): value for path, value in said[name].items()}
        kept[name] = {str(numbers[root]): value for root, value in by_root.items() if root in numbers}
    kept[TEXTS_SETTING] = list(texts_of(said[TEXTS_SETTING]))
    for name, value in kept.items():
        if value or name in _ONE_VALUE:
            writer.set_setting(name, value)
    failed = [failure for path, some in said[FAILURES].items() for failure in _failures(path, some, numbers)]
    if failed:
        writer.note_failures(failed)
    return numbers


def group_by(entries: Entries) -> str:
    """The field whose pictures share a place, "" for none."""
    return str(entries.get(_WHOLE, ""))


def texts_of(entries: Entries) -> tuple[str, ...]:
    """The columns of catalogues whose words are found, in order."""
    return tuple(sorted(entries, key=lambda column: (entries[column], column)))


def kinds_as_entries(kinds: Mapping[str, Iterable[str]]) -> Entries:
    """Names of metadata with their kinds, as `KINDS` has them."""
    return {f"{kind} {name}": True for name, some in kinds.items() for kind in some}


def kinds_of(entries: Entries) -> dict[str, set[str]]:
    """The same back."""
    kinds: dict[str, set[str]] = {}
    for entry in entries:
        kind, _, name = entry.partition(" ")
        kinds.setdefault(name, set()).add(kind)
    return kinds


def source_there(engine: RemoteEngine, root: bytes) -> Source:
    """The source of a root, for opening its items."""
    kept: Entries = engine.entries(CATALOGUES_SETTING).get(root.hex(), {})
    is_file = bool(engine.entries(ROOTS).get(root.hex(), False))
    return source_of(Root(0, root, is_file, offline=False), CatalogueOptions.from_dict(kept.get("options", {})))


def note_removed(engine: RemoteEngine, place: bytes) -> None:
    """Keep `place` and all below it out of later runs: `scopes.remember_removed` of a collection elsewhere."""
    gone = {name: [path for path in engine.entries(name) if is_below(bytes.fromhex(path), place)] for name in _OF_PATHS}
    engine.set_entries(REMOVED_SETTING, {**dict.fromkeys(gone[REMOVED_SETTING]), place.hex(): True})
    engine.set_entries(ROOTS, dict.fromkeys(gone[ROOTS]))


def failures_there(engine: RemoteEngine) -> list[Failure]:
    """The files that were not taken, as the engine has them noted; the numbers of their roots mean nothing here."""
    kept = engine.entries(FAILURES)
    roots = dict.fromkeys(map(bytes.fromhex, kept), 0)
    return [failure for path in sorted(kept) for failure in _failures(path, kept[path], roots)]


def sampled(kept: Entries, items: Iterable[RemoteItem]) -> Entries:
    """A `SAMPLE` with those of some items that belong to it: the `BACKGROUND_ROWS` least digests of ids stay."""
    import numpy as np

    drawn: Entries = dict(kept)
    for item in items:
        if item.vector is not None:
            digest = hashlib.blake2b(item.id.encode("utf-8", "surrogatepass"), digest_size=_DIGEST_BYTES).hexdigest()
            drawn[digest] = base64.b64encode(np.asarray(item.vector, np.float16).tobytes()).decode()
    return {digest: drawn[digest] for digest in sorted(drawn)[:BACKGROUND_ROWS]}


def sample_of(entries: Entries, dim: int) -> HalfVectors:
    """The vectors of a `SAMPLE`, float16 (n, dim)."""
    import numpy as np

    raw = b"".join(base64.b64decode(entries[digest]) for digest in sorted(entries)[:BACKGROUND_ROWS])
    return np.frombuffer(raw, np.float16).reshape(-1, dim)


def _as_list(failure: Failure) -> list[Any]:
    place = (failure.key.hex(), os.fsencode(failure.uri).hex())
    return [*place, failure.code, failure.reason, failure.size, failure.modified_ns]


def _failures(path: str, some: Sequence[Sequence[Any]], numbers: Mapping[bytes, int]) -> list[Failure]:
    """The failures below a root, where it is known."""
    number = numbers.get(bytes.fromhex(path))
    if number is None:
        return []
    return [
        Failure(number, bytes.fromhex(key), os.fsdecode(bytes.fromhex(uri)), code, reason, size, modified_ns)
        for key, uri, code, reason, size, modified_ns in some
    ]
