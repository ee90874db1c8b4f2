"""A collection on Milvus: the contract of `contract.py` by calls of pymilvus.

How items lie there: `milvus_schema.py`. What filters become: `milvus_filter.py`. Which index serves:
`milvus_indexes.py`. Time-outs, tries and errors: `milvus_calls.py`.

What a search sees: it asks with the consistency level "Session", everything this process has written and what others
wrote up to moments ago. What is decided on (which items there are, settings) is read with "Strong": everything that
was confirmed.
"""

from __future__ import annotations

import threading
import time
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any

from lookalike.core.arrays import unit_vectors
from lookalike.core.errors import EncoderMismatch, RemoteRefused
from lookalike.remote.contract import PAGE, Found, RemoteFacts
from lookalike.remote.milvus_address import parsed_address
from lookalike.remote.milvus_calls import IN_ORDER, Calls
from lookalike.remote.milvus_facts import coded, token
from lookalike.remote.milvus_filter import ID, filter_of, showing
from lookalike.remote.milvus_indexes import COMPARED_ALL, ServedIndex, first_indexes, is_lite, search_params
from lookalike.remote.milvus_schema import RARITY, RECORD, VECTOR, WORDS, item_of, row_of, schema_of, tokens_of
from lookalike.remote.milvus_settings import MilvusSettings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from lookalike.core.arrays import Vectors
    from lookalike.remote.contract import Asked, RemoteItem

TIMEOUT_S = 30.0
"""Within which a call ends."""
MOST_FOUND = 16_384
"""Answers to one question that Milvus gives."""
_ROWS_AT_ONCE, _WITH_VECTORS_AT_ONCE = 10_000, 4_000
"""Rows fetched at once: tens of megabytes; Milvus answers with up to 64."""
_LEAST_AT_ONCE = 50
"""Rows that always fit, whatever is known about the items."""
_UNFLUSHED = 10_000
"""Rows that milvus-lite may keep outside its files: it reads those one by one."""
_FACTS, _GENERATION = "*facts", "*generation"
"""Settings of our own."""
_SESSION, _STRONG = {"consistency_level": "Session"}, {"consistency_level": "Strong"}


def connect(address: str, *, token: str | None = None, timeout_s: float = TIMEOUT_S) -> MilvusEngine:
    """The engine behind an address (`milvus_address.py`); asks nothing yet. `token`: user:password, or a key.

    Raises RemoteRefused for what is no such address.
    """
    return MilvusEngine(Calls(parsed_address(address), token=token or "", timeout_s=timeout_s))


class MilvusEngine:
    """One collection on Milvus. Thread-safe."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._name = calls.address.name
        self._settings = MilvusSettings(calls)
        self._index = ServedIndex(calls, lambda: self._version)
        calls.indexes[self._name] = first_indexes
        self._writing = threading.Lock()
        self._unflushed = 0

    @property
    def address(self) -> str:
        return self._calls.address.shown

    def describe(self) -> RemoteFacts | None:
        if not self._calls("has_collection", self._name):
            return None
        is_ours = self._calls("has_collection", self._calls.address.settings)
        facts = self._settings.read(_FACTS) if is_ours else None
        if facts is None:
            raise self._not_ours()
        return RemoteFacts(
            **facts,
            count=self.count(),
            generation=self._settings.read(_GENERATION, 0),
            server=f"Milvus {self._version}",
            index=self._index.kind(),
        )

    def create(self, facts: RemoteFacts) -> None:
        there = self.describe()
        self._settings.create()
        if there is None and not self._calls("has_collection", self._name):
            known = {"encoder_id": facts.encoder_id, "encoder_name": facts.encoder_name, "dim": facts.dim}
            self._settings.write(_FACTS, {"": known})  # also in place of what a making that broke off left
            self._changed()
        made_with = self._settings.read(_FACTS)
        if made_with["encoder_id"] == facts.encoder_id:
            self._calls.create(self._name, schema_of(facts.dim))
            made_with = self._settings.read(_FACTS)  # of whoever made it at the same time
        if made_with["encoder_id"] != facts.encoder_id:
            raise EncoderMismatch(
                f"{self.address} was made with {made_with['encoder_name']}, not with {facts.encoder_name}",
                hint="use another name, or that encoder",
            )

    def drop(self) -> None:
        for name in (self._name, self._calls.address.settings):
            if self._calls("has_collection", name):
                self._calls("drop_collection", name)

    def entries(self, name: str) -> dict[str, Any]:
        return self._settings.entries(name)

    def set_entries(self, name: str, values: Mapping[str, Any]) -> None:
        with self._writing:
            self._settings.write(name, values)
            self._changed()

    # --- items -------------------------------------------------------------------------------------

    def upsert(self, items: Sequence[RemoteItem]) -> None:
        rows = [row_of(item) for item in {item.id: item for item in items}.values()]
        put = "insert" if self._is_lite() else "upsert"  # its upsert leaves facts that an item has no more
        with self._writing:
            for start in range(0, len(rows), PAGE):
                self._calls(put, self._name, rows[start : start + PAGE])
            self._written(len(rows))

    def delete(self, ids: Iterable[str]) -> None:
        gone = iter(ids)
        with self._writing:
            while some := [coded(id) for id in islice(gone, PAGE)]:
                self._calls("delete", self._name, ids=some)
                self._written(len(some))

    def get(self, ids: Iterable[str], *, vectors: bool = False) -> list[RemoteItem]:
        wanted = iter(dict.fromkeys(ids))
        found: list[RemoteItem] = []
        while some := [coded(id) for id in islice(wanted, PAGE)]:
            found += map(item_of, self._calls("get", self._name, ids=some, output_fields=_columns(vectors), **_STRONG))
        return found

    def of_pictures(self, pictures: Sequence[bytes], *, asked: Asked | None = None) -> list[RemoteItem]:
        return list(self._items(showing(pictures, asked), _columns(vectors=False))) if pictures else []

    def items(
        self, *, asked: Asked | None = None, vectors: bool = False, after: str | None = None
    ) -> Iterator[RemoteItem]:
        yield from self._items(filter_of(asked), _columns(vectors), None if after is None else coded(after))

    def _items(self, where: str, columns: list[str], last: str | None = None) -> Iterator[RemoteItem]:
        """Page by page, behind the coded id `last`."""
        at_once = _WITH_VECTORS_AT_ONCE if VECTOR in columns else _ROWS_AT_ONCE
        while True:
            try:
                rows = self._page(where, last, at_once, columns)
            except RemoteRefused:
                if at_once <= _LEAST_AT_ONCE:
                    raise
                at_once = max(at_once // 4, _LEAST_AT_ONCE)  # more than an answer may hold
                continue
            if not rows:
                return
            yield from map(item_of, {row[ID]: row for row in rows}.values())  # milvus-lite may have some twice
            last = rows[-1][ID]

    def _page(self, where: str, last: str | None, limit: int, columns: list[str]) -> Any:
        parts = [part for part in (where, "" if last is None else f'{ID} > "{last}"') if part]
        options = {"limit": limit, "output_fields": columns, **IN_ORDER, **_STRONG}
        return self._calls("query", self._name, filter=" and ".join(parts), **options)

    def count(self, asked: Asked | None = None) -> int:
        return self._count(filter_of(asked))

    def _count(self, where: str) -> int:
        if where and self._is_lite():  # it would count by reading whole items
            return len({row[ID] for row in self._calls("query", self._name, filter=where, output_fields=[ID])})
        rows = self._calls("query", self._name, filter=where, output_fields=["count(*)"], **_STRONG)
        return int(rows[0]["count(*)"])

    def _written(self, rows: int) -> None:
        self._changed()
        self._unflushed += rows
        if self._unflushed >= _UNFLUSHED and self._is_lite():
            self._flush()

    def _changed(self) -> None:
        self._settings.write(_GENERATION, {"": time.time_ns()})

    def _flush(self) -> None:
        try:
            self._calls("flush", self._name)
        except RemoteRefused:  # by milvus-lite that was killed amid one, where half of its log was left: once
            self._calls("flush", self._name)
        self._unflushed = 0

    # --- searching ---------------------------------------------------------------------------------

    def nearest(
        self, vectors: Vectors, k: int, *, asked: Asked | None = None, effort: int | None = None
    ) -> list[list[Found]]:
        where, k, kind = filter_of(asked), min(k, MOST_FOUND), self._index.kind()
        if k < 1:
            return [[] for _ in vectors]
        if where and kind != "FLAT" and self._count(where) <= COMPARED_ALL:
            return _compared(list(self.items(asked=asked, vectors=True)), vectors, k)
        params = search_params(kind, k, effort, filtered=bool(where))
        at_once = max(_WITH_VECTORS_AT_ONCE // k, 1)
        found: list[list[Found]] = []
        for start in range(0, len(vectors), at_once):
            found += self._search(VECTOR, list(vectors[start : start + at_once]), k, where, params)
        return found

    def with_stems(self, stems: Sequence[str], k: int, *, asked: Asked | None = None) -> list[Found]:
        k = min(k, MOST_FOUND)
        if not stems or k < 1:
            return []
        question = " ".join(tokens_of(stems))
        found = self._search(RARITY, [question], k, filter_of(asked), {"metric_type": "BM25", "params": {}})[0]
        return [Found(each.item, abs(each.score)) for each in found]  # milvus-lite has them as distances

    def count_with(self, stems: Sequence[str]) -> dict[str, int]:
        return {stem: self._count(self._with_word(token("s", stem))) for stem in stems}

    def _with_word(self, word: str) -> str:
        if self._is_lite():  # it matches words by analyzing every text anew
            return f'{WORDS} like "% {word} %"'
        return f'TEXT_MATCH({WORDS}, "{word}")'

    def _search(
        self, column: str, questions: list[Any], k: int, where: str, params: Mapping[str, Any]
    ) -> list[list[Found]]:
        options = {"limit": k, "filter": where, "search_params": params, "output_fields": _columns(vectors=True)}
        answers = self._calls("search", self._name, questions, anns_field=column, **options, **_SESSION)
        each_once = [{hit[ID]: hit for hit in hits}.values() for hits in answers]
        return [[Found(item_of(hit["entity"]), float(hit["distance"])) for hit in hits] for hits in each_once]

    # --- the index ---------------------------------------------------------------------------------

    def build_index(self, *, again: bool = False) -> None:
        with self._writing:
            self._flush()
            choice = self._index.best(self.count())
            if again or choice.kind != self._index.kind():
                self._index.build(choice)
        self._index.wait()

    def explain(self) -> list[str]:
        count = self.count()
        return [
            f"{self.address}: Milvus {self._version}, {count:,} items.",
            *self._index.explain(count),
            "One partition: no search names a part of the items.",
            "Searches see what this process wrote, and what others had written moments ago (Session).",
            "Lists and counts of items see everything that was confirmed (Strong).",
            "Filters run in Milvus, on facts prepared beside each item; words are ranked by its BM25.",
        ]

    def close(self) -> None:
        self._calls.close()

    @cached_property
    def _version(self) -> str:
        return str(self._calls("get_server_version"))

    def _is_lite(self) -> bool:
        return is_lite(self._version)

    def _not_ours(self) -> RemoteRefused:
        return RemoteRefused(f"{self.address} is there, but was not made by lookalike", hint="use another name")


def _columns(vectors: bool) -> list[str]:  # noqa: FBT001 it is all there is to say
    return [RECORD, VECTOR] if vectors else [RECORD]


def _compared(items: Sequence[RemoteItem], vectors: Vectors, k: int) -> list[list[Found]]:
    """The nearest of a few items to each of some unit vectors (q, dim), equal ones by their ids."""
    import numpy as np

    if not items:
        return [[] for _ in vectors]
    rows = unit_vectors(np.stack([item.vector for item in items if item.vector is not None]))
    scores = vectors @ rows.T
    best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return [[Found(items[at], float(scores[of, at])) for at in row] for of, row in enumerate(best)]
