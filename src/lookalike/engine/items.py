"""One item and all that is known about it: what `lookalike show` shows."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lookalike.core.errors import QueryError
from lookalike.core.fields import date_text
from lookalike.core.wording import Wording
from lookalike.engine.sources import asset_of, sources_of

if TYPE_CHECKING:
    from typing import BinaryIO

    from lookalike.engine.moment import Moment
    from lookalike.store.collection_store import ItemRecord, Snapshot, Store

_NS = 1_000_000_000


def item_facts(snapshot: Moment, given: str) -> dict[str, Any]:
    """All about the item with the id `given`, or at that absolute path: JSON-ready, the object of `show --json`.

    `modified` is ISO 8601 in UTC; `copies` are the other places of the same picture. Raises QueryError.
    """
    item = find_item(snapshot, given)
    rows = snapshot.rows_of_item(item.id)
    places = snapshot.items_of(rows[:1])[rows[0]] if rows else []
    modified = datetime.fromtimestamp(item.modified_ns // _NS, UTC)
    return {
        "id": item.id,
        "uri": item.uri,
        "size": item.size,
        "modified": date_text(modified),
        "width": item.width,
        "height": item.height,
        "format": item.format,
        "offline": item.offline,
        "copies": [place.uri for place in places if place.id != item.id],
        "metadata": dict(item.metadata),
    }


def open_item(store: Store, snapshot: Snapshot, given: str) -> tuple[ItemRecord, BinaryIO]:
    """The item with the id `given`, or at that path, and its file's bytes as they are now.

    Raises QueryError for no such item, OSError or SourceError where the file is away.
    """
    item = find_item(snapshot, given)
    return item, sources_of(store)[item.root].open(asset_of(item))


def find_item(snapshot: Moment, given: str) -> ItemRecord:
    """The item with that id, or at that absolute path. Raises QueryError."""
    item = snapshot.item(given) or _item_at(snapshot, given)
    if item is None:
        raise no_such_item(given)
    return item


def no_such_item(given: str) -> QueryError:
    """The error for an item that is not there."""
    return QueryError(Wording("no_item", given=given), hint=Wording("item_named_by"))


def _item_at(snapshot: Moment, given: str) -> ItemRecord | None:
    import numpy as np

    try:
        path = os.fsencode(os.path.abspath(given))
    except ValueError:  # no path of this system
        return None
    rows = np.flatnonzero(snapshot.mask_below(path)).tolist()[:1]
    items = [item for places in snapshot.items_of(rows).values() for item in places]
    return next((item for item in items if os.fsencode(item.uri) == path), None)
