"""One moment of a collection, as far as queries and answers need it: the store's snapshot is one, and so are candidates
that came from an engine elsewhere (`remote_moment.py`). Rows are positions in `rows`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lookalike.core.arrays import HalfVectors, RowMask
    from lookalike.core.conditions import Condition
    from lookalike.core.fields import FieldKind
    from lookalike.store.collection_store import ItemRecord
    from lookalike.store.columns import Chosen, Columns


class Moment(Protocol):
    """What `terms`, `answers`, `items` and `fields` ask. Each method as in `store.snapshot.Snapshot`."""

    rows: HalfVectors

    @property
    def count(self) -> int: ...

    def items_of(self, rows: Sequence[int]) -> dict[int, list[ItemRecord]]: ...

    def item(self, id: str) -> ItemRecord | None: ...

    def rows_of_item(self, id: str) -> list[int]: ...

    def mask_below(self, path: bytes) -> RowMask: ...

    def where_items(self, condition: Condition, ids: Iterable[str]) -> set[str]: ...

    def best_items(self, scores: Any, rows: Iterable[int]) -> dict[int, str]: ...

    def declared_fields(self) -> dict[str, FieldKind]: ...

    def metadata_kinds(self) -> dict[str, set[str]]: ...

    def columns(self) -> Columns | None: ...

    def where_entries(self, condition: Condition) -> Chosen | None: ...
