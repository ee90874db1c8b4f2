"""What stands in the fields of a collection on an engine elsewhere: read from its items, page by page.

An engine has no columns of ours to count in, so items are read, `READ` of them at most: those with the least ids. Of a
larger collection the counts and ends are therefore those of a part; ids made up by lookalike make it a random one.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from lookalike.engine.fields import facts_of
from lookalike.engine.remote_moment import RemoteMoment, record_of
from lookalike.engine.remote_state import keep

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lookalike.core.conditions import Condition
    from lookalike.core.fields import FieldKind
    from lookalike.engine.fields import FieldFacts
    from lookalike.engine.remote_state import RemoteState
    from lookalike.remote.contract import Asked, RemoteEngine
    from lookalike.store.collection_store import ItemRecord

READ = 20_000
"""Items read for one answer: some seconds."""


def facts_there(
    engine: RemoteEngine, state: RemoteState, condition: Condition | None, *, most: int, names: Sequence[str]
) -> list[FieldFacts]:
    """As `engine.fields.facts_of`; kept for the generation."""
    key = repr((condition, most, tuple(names)))
    told = state.facts_told.get(key)
    if told is None:
        reading = _Reading(engine, state, state.asked(condition))
        told = facts_of(reading, most=most, names=names)
        keep(state.facts_told, {key: told})
    return told


class _Reading(RemoteMoment):
    """Items in the order of their ids, each a row of its own, read once from the first to the last."""

    def __init__(self, engine: RemoteEngine, state: RemoteState, asked: Asked | None) -> None:
        super().__init__((), 1)
        self._state = state
        self._count = min(state.among(asked), READ)
        self._items = engine.items(asked=asked)

    @property
    def count(self) -> int:
        return self._count

    def items_of(self, rows: Sequence[int]) -> dict[int, list[ItemRecord]]:
        items = islice(self._items, len(rows))
        return {row: [record_of(item, row)] for row, item in zip(rows, items, strict=False)}

    def declared_fields(self) -> dict[str, FieldKind]:
        return self._state.declared

    def metadata_kinds(self) -> dict[str, set[str]]:
        return self._state.kinds
