"""Items on their way between a store on this computer and an engine elsewhere, with nothing lost."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lookalike.engine.catalogues import GROUP_SETTING, TEXTS_SETTING
from lookalike.engine.judging import SCALE_SETTING
from lookalike.engine.look import DEVICES_SETTING
from lookalike.engine.remote_moment import own_metadata, stems_and_names
from lookalike.engine.scopes import EXCLUDE_SETTING, REMOVED_SETTING, is_below
from lookalike.engine.sources import CATALOGUES_SETTING, source_of
from lookalike.images.catalogue_plan import CatalogueOptions
from lookalike.remote.contract import RemoteItem
from lookalike.store.collection_store import Failure, Found, Root
from lookalike.store.tables import DECLARED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lookalike.core.protocols import Source
    from lookalike.remote.contract import RemoteEngine
    from lookalike.store.collection_store import Snapshot, Store, Writer

ROOTS = "roots"
"""The setting that holds the roots: path in hexadecimal digits -> whether it is a file."""
FAILURES = "failures"
"""The setting that holds the files that were not taken."""
_AS_THEY_ARE = (EXCLUDE_SETTING, REMOVED_SETTING, DECLARED, TEXTS_SETTING, GROUP_SETTING, SCALE_SETTING)
_BY_ROOT = (CATALOGUES_SETTING, DEVICES_SETTING)
"""Settings whose keys are numbers of roots: those differ between two stores, so elsewhere the keys are paths."""
_DIGEST_BYTES = 16


def items_of_rows(snapshot: Snapshot, roots: Mapping[int, Root], rows: Sequence[int]) -> Iterator[RemoteItem]:
    """The items of some rows of a store, with their vectors."""
    import numpy as np

    places = snapshot.items_of(rows)
    ids = [item.id for items in places.values() for item in items]
    digests, by_bytes = snapshot.digests_of(ids), snapshot.metadata_of_bytes(ids)
    fields = tuple(snapshot.setting(TEXTS_SETTING, ()))
    for row, items in places.items():
        for item in items:
            made = RemoteItem(
                id=item.id,
                uri=item.uri,
                root=roots[item.root].path,
                key=item.key,
                size=item.size,
                modified_ns=item.modified_ns,
                bytes_digest=digests[item.id][0],
                pixels_digest=digests[item.id][1],
                width=item.width,
                height=item.height,
                format=item.format,
                metadata=item.metadata,
                picture_metadata=by_bytes[item.id],
                vector=np.asarray(snapshot.rows[row], np.float16),
            )
            yield with_words(made, fields)


def found_of(item: RemoteItem, root: int) -> Found:
    """An item as a store takes it, below its root number `root`."""
    return Found(
        root=root,
        key=item.key,
        uri=item.uri,
        size=item.size,
        modified_ns=item.modified_ns,
        bytes_digest=item.bytes_digest or _digest(item.id.encode("utf-8", "surrogatepass")),
        pixels_digest=item.pixels_digest,
        width=item.width,
        height=item.height,
        format=item.format,
        metadata=own_metadata(item),
        vector=item.vector,
        picture_metadata=item.picture_metadata,
        id=item.id,
    )


def digest_of(item: RemoteItem) -> bytes:
    """Equal for items that are equal in all, their vectors to the last bit."""
    import numpy as np

    parts = (
        item.id,
        item.uri,
        item.root.hex(),
        item.key.hex(),
        item.size,
        item.modified_ns,
        (item.bytes_digest or b"").hex(),
        (item.pixels_digest or b"").hex(),
        item.width,
        item.height,
        item.format,
        dict(item.metadata),
        dict(item.picture_metadata),
        b"" if item.vector is None else np.asarray(item.vector, np.float16).tobytes().hex(),
    )
    return _digest(json.dumps(parts, sort_keys=True, default=str).encode())


def send_settings(store: Store, engine: RemoteEngine) -> None:
    """Keep beside the items what the store keeps of its sources, its fields and the files that were not taken."""
    roots = {root.number: root for root in store.roots()}
    said: dict[str, Any] = {name: store.setting(name) for name in _AS_THEY_ARE}
    for name in _BY_ROOT:
        kept: dict[str, Any] = store.setting(name, {})
        said[name] = {roots[int(number)].path.hex(): value for number, value in kept.items() if int(number) in roots}
    said[ROOTS] = {root.path.hex(): root.is_file for root in roots.values()}
    said[FAILURES] = [_as_list(failure, roots) for failure in store.failures()]
    for name, value in said.items():
        keep_setting(engine, name, value)


def keep_setting(engine: RemoteEngine, name: str, value: Any) -> None:
    """Set a setting that is another by now: every change is news for all who hold the collection open."""
    if value != engine.setting(name):
        engine.set_setting(name, value)


def fetch_settings(engine: RemoteEngine, store: Store, writer: Writer) -> dict[bytes, int]:
    """The same back into a store; returns the number of each root."""
    roots: dict[str, bool] = engine.setting(ROOTS, {})
    writer.add_roots([(bytes.fromhex(path), is_file) for path, is_file in roots.items()])
    numbers = {root.path: root.number for root in store.roots()}
    for name in _AS_THEY_ARE:
        value = engine.setting(name)
        if value is not None:
            writer.set_setting(name, value)
    for name in _BY_ROOT:
        kept: dict[str, Any] = engine.setting(name, {})
        numbered = {
            str(numbers[root]): value for path, value in kept.items() if (root := bytes.fromhex(path)) in numbers
        }
        if numbered:
            writer.set_setting(name, numbered)
    failed = [_failure(each, numbers) for each in engine.setting(FAILURES, []) if bytes.fromhex(each[0]) in numbers]
    if failed:
        writer.note_failures(failed)
    return numbers


def source_there(engine: RemoteEngine, root: bytes) -> Source:
    """The source of a root, for opening its items."""
    kept: dict[str, Any] = engine.setting(CATALOGUES_SETTING, {}).get(root.hex(), {})
    is_file = bool(engine.setting(ROOTS, {}).get(root.hex(), False))
    return source_of(Root(0, root, is_file, offline=False), CatalogueOptions.from_dict(kept.get("options", {})))


def note_removed(engine: RemoteEngine, place: bytes) -> None:
    """Keep `place` and all below it out of later runs: `scopes.remember_removed` of a collection elsewhere."""
    kept: dict[str, bool] = engine.setting(REMOVED_SETTING, {})
    others = {path: out for path, out in kept.items() if not is_below(bytes.fromhex(path), place)}
    engine.set_setting(REMOVED_SETTING, {**others, place.hex(): True})
    roots: dict[str, bool] = engine.setting(ROOTS, {})
    engine.set_setting(ROOTS, {path: file for path, file in roots.items() if not is_below(bytes.fromhex(path), place)})


def failures_there(engine: RemoteEngine) -> list[Failure]:
    """The files that were not taken, as the engine has them noted; the numbers of their roots mean nothing here."""
    kept = engine.setting(FAILURES, [])
    return [_failure(each, dict.fromkeys((bytes.fromhex(each[0]),), 0)) for each in kept]


def with_words(item: RemoteItem, fields: tuple[str, ...]) -> RemoteItem:
    """An item with what its words are found by. `fields`: columns of catalogues whose words are found."""
    stems, names = stems_and_names(item, fields)
    return replace(item, stems=stems, names=names)


def _digest(raw: bytes) -> bytes:
    return hashlib.blake2b(raw, digest_size=_DIGEST_BYTES).digest()


def _as_list(failure: Failure, roots: Mapping[int, Root]) -> list[Any]:
    place = (roots[failure.root].path.hex(), failure.key.hex(), os.fsencode(failure.uri).hex())
    return [*place, failure.code, failure.reason, failure.size, failure.modified_ns]


def _failure(kept: Sequence[Any], numbers: Mapping[bytes, int]) -> Failure:
    root, key, uri, code, reason, size, modified_ns = kept
    number, shown = numbers[bytes.fromhex(root)], os.fsdecode(bytes.fromhex(uri))
    return Failure(number, bytes.fromhex(key), shown, code, reason, size, modified_ns)
