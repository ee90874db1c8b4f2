"""An engine in a dictionary: what `remote/contract.py` asks, by hand and exactly. The oracle of real ones.

`fails_after`: so many more calls are answered, then none is until it is None again.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from filter_oracle import is_met
from lookalike.core.errors import EncoderMismatch, RemoteUnavailable
from lookalike.engine.remote_moment import record_of
from lookalike.engine.scopes import is_below
from lookalike.remote.contract import Asked, Found, RemoteFacts, RemoteItem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence


class MemoryEngine:
    def __init__(self) -> None:
        self.facts: RemoteFacts | None = None
        self.held: dict[str, RemoteItem] = {}
        self.settings: dict[str, Any] = {}
        self.fails_after: int | None = None
        self.upserted = 0

    address = "memory://here/shop"

    def describe(self) -> RemoteFacts | None:
        self._answer()
        return None if self.facts is None else replace(self.facts, count=len(self.held), server="memory 1")

    def create(self, facts: RemoteFacts) -> None:
        self._answer()
        if self.facts is not None and self.facts.encoder_id != facts.encoder_id:
            raise EncoderMismatch("another encoder made it")
        self.facts = self.facts or facts

    def drop(self) -> None:
        self.__init__()

    def entries(self, name: str) -> dict[str, Any]:
        self._answer()
        return dict(self.settings.get(name, {}))

    def set_entries(self, name: str, values: Mapping[str, Any]) -> None:
        self._answer()
        entries = {**self.settings.get(name, {}), **values}
        self.settings[name] = {key: value for key, value in entries.items() if value is not None}
        self._changed()

    def upsert(self, items: Sequence[RemoteItem]) -> None:
        self._answer()
        assert all(item.vector is not None and item.vector.dtype == np.float16 for item in items)
        self.held |= {item.id: item for item in items}
        self.upserted += len(items)
        self._changed()

    def delete(self, ids: Iterable[str]) -> None:
        self._answer()
        for id in ids:
            self.held.pop(id, None)
        self._changed()

    def get(self, ids: Iterable[str], *, vectors: bool = False) -> list[RemoteItem]:
        self._answer()
        return [_shown(self.held[id], vectors=vectors) for id in ids if id in self.held]

    def of_pictures(self, pictures: Sequence[bytes], *, asked: Asked | None = None) -> list[RemoteItem]:
        return [item for item in self.items(asked=asked) if item.picture in pictures]

    def nearest(
        self, vectors: Any, k: int, *, asked: Asked | None = None, effort: int | None = None
    ) -> list[list[Found]]:
        self._answer()
        among = [item for item in self.held.values() if self._may(item, asked)]
        scored = [[Found(item, float(np.float32(item.vector) @ vector)) for item in among] for vector in vectors]
        return [sorted(found, key=lambda each: (-each.score, each.item.id))[:k] for found in scored]

    def with_stems(self, stems: Sequence[str], k: int, *, asked: Asked | None = None) -> list[Found]:
        self._answer()
        weights = {stem: 1 / (1 + count) for stem, count in self.count_with(stems).items()}
        found = []
        for item in self.held.values():
            score = sum(weights[stem] for stem in stems if stem in item.stems or stem in item.names)
            if score and self._may(item, asked):
                found.append(Found(item, score))
        return sorted(found, key=lambda each: (-each.score, each.item.id))[:k]

    def count_with(self, stems: Sequence[str]) -> dict[str, int]:
        return {stem: sum(stem in item.stems for item in self.held.values()) for stem in stems}

    def items(
        self, *, asked: Asked | None = None, vectors: bool = False, after: str | None = None
    ) -> Iterator[RemoteItem]:
        for id in sorted(self.held, key=lambda each: each.encode("utf-8", "surrogatepass")):
            self._answer()
            if (after is None or id > after) and self._may(self.held[id], asked):
                yield _shown(self.held[id], vectors=vectors)

    def count(self, asked: Asked | None = None) -> int:
        self._answer()
        return sum(self._may(item, asked) for item in self.held.values())

    def build_index(self, *, again: bool = False) -> None:
        self._answer()

    def explain(self) -> list[str]:
        return ["all items are compared"]

    def close(self) -> None:
        pass

    def _answer(self) -> None:
        if self.fails_after is not None:
            if not self.fails_after:
                raise RemoteUnavailable(f"{self.address} does not answer", hint="see whether it runs")
            self.fails_after -= 1

    def _changed(self) -> None:
        self.facts = replace(self.facts, generation=self.facts.generation + 1)

    def _may(self, item: RemoteItem, asked: Asked | None) -> bool:
        if asked is None:
            return True
        below = asked.below is None or is_below(os.fsencode(item.uri), asked.below)
        return below and (asked.condition is None or is_met(asked.condition, record_of(item, 0)))


def _shown(item: RemoteItem, *, vectors: bool) -> RemoteItem:
    return item if vectors else replace(item, vector=None)
