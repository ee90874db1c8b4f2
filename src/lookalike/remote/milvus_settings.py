"""What Milvus keeps beside a collection's items: JSON values under names, in a small collection of its own.

A value that is longer than Milvus' text lies in several rows. They are written before the row that names them, under a
version nobody had: who reads sees the old value or the new one.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from lookalike.core.errors import RemoteRefused
from lookalike.remote.milvus_facts import coded
from lookalike.remote.milvus_schema import LONGEST

if TYPE_CHECKING:
    from lookalike.remote.milvus_calls import Calls

_ID, _VALUE, _NOTHING = "id", "value", "nothing"
"""Columns; Milvus wants a vector in every collection."""
_WHOLE, _PARTS = "=", "#"
"""How a value begins that stands in its row, and one whose row names its version and how many parts it has."""
_TRIES = 5
"""Readings of a value that others write anew meanwhile."""
_AT_ONCE = 100
"""Parts written or read in one call: some megabytes."""


class MilvusSettings:
    """Values under names."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._name = calls.address.settings

    def create(self) -> None:
        """Make the collection, where there is none."""
        if self._calls("has_collection", self._name):
            return
        from pymilvus import DataType, MilvusClient

        schema = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field(_ID, DataType.VARCHAR, max_length=LONGEST, is_primary=True)
        schema.add_field(_VALUE, DataType.VARCHAR, max_length=LONGEST)
        schema.add_field(_NOTHING, DataType.FLOAT_VECTOR, dim=2)
        indexes = MilvusClient.prepare_index_params()
        indexes.add_index(_NOTHING, index_type="FLAT", metric_type="L2")
        self._calls("create_collection", self._name, schema=schema, index_params=indexes, consistency_level="Strong")

    def drop(self) -> None:
        self._calls("drop_collection", self._name)

    def read(self, name: str, default: Any = None) -> Any:
        """The value under a name."""
        for _ in range(_TRIES):
            head = self._rows([coded(name)]).get(coded(name))
            if head is None:
                return default
            if head.startswith(_WHOLE):
                return json.loads(head[1:])
            ids = _parts_of(name, head)
            parts: dict[str, str] = {}
            for start in range(0, len(ids), _AT_ONCE):
                parts |= self._rows(ids[start : start + _AT_ONCE])
            if len(parts) == len(ids):
                return json.loads("".join(parts[id] for id in ids))
        raise RemoteRefused(f"parts of the setting {name} are missing in {self._calls.address.shown}")

    def write(self, name: str, value: Any) -> None:
        """Put a value under a name; None removes it."""
        before = self._rows([coded(name)]).get(coded(name), _WHOLE)
        text = json.dumps(value, separators=(",", ":"))
        if value is None:
            self._calls("delete", self._name, ids=[coded(name)])
        elif len(text) < LONGEST:
            self._put({coded(name): _WHOLE + text})
        else:
            pieces = [text[start : start + LONGEST] for start in range(0, len(text), LONGEST)]
            head = f"{_PARTS}{time.time_ns()} {len(pieces)}"
            self._put(dict(zip(_parts_of(name, head), pieces, strict=True)))
            self._put({coded(name): head})
        if before.startswith(_PARTS):
            self._calls("delete", self._name, ids=_parts_of(name, before))

    def _rows(self, ids: list[str]) -> dict[str, str]:
        rows = self._calls("get", self._name, ids=ids, output_fields=[_VALUE], consistency_level="Strong")
        return {row[_ID]: row[_VALUE] for row in rows}

    def _put(self, values: dict[str, str]) -> None:
        rows = [{_ID: id, _VALUE: value, _NOTHING: [0.0, 0.0]} for id, value in values.items()]
        for start in range(0, len(rows), _AT_ONCE):
            self._calls("upsert", self._name, rows[start : start + _AT_ONCE])


def _parts_of(name: str, head: str) -> list[str]:
    """The ids of the rows with the parts of a value, in order. A coded name has no blank."""
    version, count = head.removeprefix(_PARTS).split()
    return [f"{coded(name)} {version} {part}" for part in range(int(count))]
