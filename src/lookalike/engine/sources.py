"""The source behind every root of a collection: folders, catalogues, archives, object storage.

A root's path says what it is (`store/records.py`); how a catalogue is read is remembered in a setting. Whoever reads an
item's file again asks here, not the path.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from lookalike.core.errors import SourceError
from lookalike.core.records import Asset
from lookalike.images.catalogue import CatalogueSource
from lookalike.images.catalogue_plan import CatalogueOptions
from lookalike.images.folder import folder
from lookalike.images.objects import ObjectSource
from lookalike.images.tables import FORMATS
from lookalike.images.tars import TarSource
from lookalike.store.records import CATALOGUE, TARS, is_address

if TYPE_CHECKING:
    from typing import BinaryIO

    from lookalike.core.protocols import Source
    from lookalike.store.collection_store import ItemRecord, Root, Store

CATALOGUES_SETTING = "catalogues"
"""Root number -> how that catalogue is read ("options"), its "fields" with their kinds, and its "texts"."""
_PASSWORD = re.compile(rb"[a-z0-9+.-]+://[^/@]*:[^/]*@")


def root_address(path: bytes) -> bytes:
    """What the root of a path is called: tables and archives are called so, object storage without a last slash.

    Raises SourceError for an address with a password in it: addresses are kept, shown and logged.
    """
    for kind in (CATALOGUE, TARS):
        if path.startswith(kind):
            return kind + os.path.abspath(os.path.expanduser(path.removeprefix(kind)))
    if is_address(path):
        if _PASSWORD.match(path):
            raise SourceError(
                "the address has a password in it, which would be kept and shown with every picture",
                hint="take it out and set it for fsspec: FSSPEC_FTP_PASSWORD=..., the usual AWS settings",
            )
        return path.rstrip(b"/")
    suffix = os.fsdecode(os.path.splitext(path)[1]).lower()
    if (suffix not in FORMATS and suffix != ".tar") or os.path.isdir(path):
        return path
    return (CATALOGUE if suffix in FORMATS else TARS) + path


def place_of(root: bytes) -> bytes | None:
    """The path on this computer that has to be there for a root to be there; None for one that has none."""
    for kind in (CATALOGUE, TARS):
        if root.startswith(kind):
            return root.removeprefix(kind)
    return None if is_address(root) else root


def source_of(root: Root, options: CatalogueOptions | None = None) -> Source:
    """The source of a root, for opening its items."""
    if root.is_catalogue:
        return CatalogueSource(root.path.removeprefix(CATALOGUE), options or CatalogueOptions())
    if root.path.startswith(TARS):
        return TarSource(root.path.removeprefix(TARS))
    if is_address(root.path) and not root.is_imported:
        return ObjectSource(os.fsdecode(root.path))
    return folder(root.path)


def sources_of(store: Store) -> dict[int, Source]:
    """The source of every root, by its number."""
    return {root.number: source_of(root, remembered_options(store, root)) for root in store.roots()}


def remembered_options(store: Store, root: Root) -> CatalogueOptions:
    """How a catalogue is read, as said in earlier runs."""
    kept: dict[str, dict[str, Any]] = store.setting(CATALOGUES_SETTING, {})
    return CatalogueOptions.from_dict(kept.get(str(root.number), {}).get("options", {}))


def asset_of(item: ItemRecord) -> Asset:
    """An item as its source knows it."""
    return Asset(item.key, item.uri, item.size, item.modified_ns)


def open_uri(uri: str) -> BinaryIO:
    """The bytes of a picture by what a hit calls it: a path, `tars:...!/...`, an object. Raises OSError.

    Nothing is fetched from the web.
    """
    if uri.startswith(os.fsdecode(TARS)):
        archive, _, member = uri.removeprefix(os.fsdecode(TARS)).rpartition("!/")
        return TarSource(os.fsencode(archive)).open(Asset(os.fsencode(member), uri, 0, 0))
    source: Source = ObjectSource(uri) if is_address(os.fsencode(uri)) else folder(uri)
    return source.open(Asset(b"", uri, 0, 0))
