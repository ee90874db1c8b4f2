"""What Milvus keeps beside a collection's items: JSON values under names and keys, in a small collection of its own.

Milvus has no transactions and cannot compare before it writes. So every value has a row of its own, by which two that
write at once take nothing from each other. A value that is longer than Milvus' text lies in several rows more. They are
written before the row that names them, under a version nobody had: who reads sees the old value or the new one.
"""

from __future__ import annotations

import json
import uuid
from itertools import islice
from typing import TYPE_CHECKING, Any

from lookalike.core.errors import RemoteRefused
from lookalike.remote.milvus_calls import IN_ORDER
from lookalike.remote.milvus_facts import coded
from lookalike.remote.milvus_schema import LONGEST

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pymilvus.milvus_client.index import IndexParams

    from lookalike.remote.milvus_calls import Calls

_ID, _VALUE, _NOTHING = "id", "value", "nothing"
"""Columns; Milvus wants a vector in every collection."""
_WHOLE, _PARTS = "=", "#"
"""How a row begins that has a key and its value, as JSON, and one that names a version and how many parts it has."""
_TRIES = 5
"""Readings of a value that others write anew meanwhile."""
_AT_ONCE = 100
"""Rows written or read in one call where each may be as long as Milvus takes: some megabytes."""
_SHORT, _SHORT_AT_ONCE = 4_000, 1_000
"""Rows up to so many bytes are written more at once."""


class MilvusSettings:
    """Values under names and keys; "" is the key of what is one value."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._name = calls.address.settings
        calls.indexes[self._name] = _indexes

    def create(self) -> None:
        """Make the collection, where there is none."""
        from pymilvus import DataType, MilvusClient

        schema = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field(_ID, DataType.VARCHAR, max_length=LONGEST, is_primary=True)
        schema.add_field(_VALUE, DataType.VARCHAR, max_length=LONGEST)
        schema.add_field(_NOTHING, DataType.FLOAT_VECTOR, dim=2)
        self._calls.create(self._name, schema)

    def read(self, name: str, default: Any = None) -> Any:
        """The one value under a name, which is short."""
        row = self._rows([_id_of(name, "")]).get(_id_of(name, ""))
        return default if row is None else json.loads(row.removeprefix(_WHOLE))[1]

    def entries(self, name: str) -> dict[str, Any]:
        """All values under a name, by their keys."""
        for _ in range(_TRIES):
            rows = dict(self._rows_of(name))
            heads = {id: row for id, row in rows.items() if id.count(" ") == 1}
            parts = {id: _parts_of(id, head) for id, head in heads.items() if head.startswith(_PARTS)}
            if all(part in rows for some in parts.values() for part in some):
                texts = ["".join(rows[part] for part in parts[id]) if id in parts else heads[id][1:] for id in heads]
                return dict(map(json.loads, texts))
        raise RemoteRefused(f"parts of the setting {name} are missing in {self._calls.address.shown}")

    def write(self, name: str, values: Mapping[str, Any]) -> None:
        """Put values under keys of a name; None removes one."""
        ids = {_id_of(name, key): key for key in values}
        before = self._rows(ids)
        said = {id: json.dumps([key, values[key]]) for id, key in ids.items() if values[key] is not None}
        self._put({id: self._head(id, text) for id, text in said.items()})
        gone = [id for id in before if id not in said]
        gone += [part for id, head in before.items() if head.startswith(_PARTS) for part in _parts_of(id, head)]
        for some in _batches(gone, _AT_ONCE):
            self._calls("delete", self._name, ids=some)

    def _head(self, id: str, text: str) -> str:
        """What the row of a value says; the rows with the parts of a long one are put first."""
        if len(text) < LONGEST:
            return _WHOLE + text
        pieces = [text[start : start + LONGEST] for start in range(0, len(text), LONGEST)]
        head = f"{_PARTS}{uuid.uuid4().hex} {len(pieces)}"
        self._put(dict(zip(_parts_of(id, head), pieces, strict=True)))
        return head

    def _rows(self, ids: Iterable[str]) -> dict[str, str]:
        rows: dict[str, str] = {}
        for some in _batches(ids, _AT_ONCE):
            found = self._calls("get", self._name, ids=some, output_fields=[_VALUE], consistency_level="Strong")
            rows |= {row[_ID]: row[_VALUE] for row in found}
        return rows

    def _rows_of(self, name: str) -> Iterator[tuple[str, str]]:
        """All rows under a name, values and parts of them."""
        behind, last = f'{_ID} < "{coded(name)}!"', f'{_ID} >= "{_id_of(name, "")}"'
        options = {"limit": _AT_ONCE, "output_fields": [_ID, _VALUE], "consistency_level": "Strong", **IN_ORDER}
        while rows := self._calls("query", self._name, filter=f"{last} and {behind}", **options):
            yield from ((row[_ID], row[_VALUE]) for row in rows)
            last = f'{_ID} > "{rows[-1][_ID]}"'

    def _put(self, values: Mapping[str, str]) -> None:
        rows = [{_ID: id, _VALUE: value, _NOTHING: [0.0, 0.0]} for id, value in values.items()]
        at_once = _AT_ONCE if any(len(value) > _SHORT for value in values.values()) else _SHORT_AT_ONCE
        for some in _batches(rows, at_once):
            self._calls("upsert", self._name, some)


def _indexes() -> IndexParams:
    from pymilvus import MilvusClient

    indexes = MilvusClient.prepare_index_params()
    indexes.add_index(_NOTHING, index_type="FLAT", metric_type="L2")
    return indexes


def _id_of(name: str, key: str) -> str:
    """The row of a value. What is coded has no blank, and a blank is less than all it has."""
    return f"{coded(name)} {coded(key)}"


def _parts_of(id: str, head: str) -> list[str]:
    """The ids of the rows with the parts of a value, in order."""
    version, count = head.removeprefix(_PARTS).split()
    return [f"{id} {version} {part}" for part in range(int(count))]


def _batches(some: Iterable[Any], most: int) -> Iterator[list[Any]]:
    each = iter(some)
    while batch := list(islice(each, most)):
        yield batch
