"""Answers out: query -> encode -> plan -> index -> rank -> hits. Read `search` from top to bottom.

All queries of one call are encoded together and answered from one snapshot of the store: generation, rows, index,
masks, words and the metadata of the hits belong together whatever an ingesting or building process does meanwhile.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from lookalike.core.errors import QueryError
from lookalike.core.records import Results
from lookalike.engine.answers import Showing, hits_of
from lookalike.engine.copies import Copies
from lookalike.engine.nearest import near
from lookalike.engine.order import parse_order
from lookalike.engine.ranking import Asked, Ranking, depth_of, ranked, text_of, wants_relevance
from lookalike.engine.terms import describe, query_vectors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from lookalike.core.arrays import Rows, Scores, Vectors
    from lookalike.core.conditions import Condition
    from lookalike.core.protocols import Encoder
    from lookalike.core.records import Hit, Plan, Query
    from lookalike.engine.remembered import Allowed, Remembered
    from lookalike.store.collection_store import Snapshot, Space, Store
    from lookalike.store.word_search import WordScores

DEEPER = 4
"""Times the rows that are looked at again when those found share too few places."""


def search(
    store: Store, remembered: Remembered, encoder_for: Callable[[Space], Encoder], queries: Sequence[Query]
) -> list[Results]:
    """Answer `queries` in order.

    `encoder_for` is asked inside the snapshot, so a migration in another process cannot come between.
    """
    started = time.perf_counter()
    with store.snapshot() as snapshot:
        encoder = encoder_for(snapshot.space)
        loaded = time.perf_counter()
        vectors = query_vectors(encoder, snapshot, queries)
        encoded = time.perf_counter()
        answers: list[Results | None] = [None] * len(queries)
        asking = _Asking(snapshot, remembered, encoder, queries, vectors)
        for asked in alike(queries):
            for position, way, hits, cut, seconds in asking.answers(asked):
                now = time.perf_counter()
                took_ms = {
                    "load": _milliseconds(loaded - started),
                    "encode": _milliseconds(encoded - loaded),
                    "search": _milliseconds(seconds),
                    "fetch": _milliseconds(now - encoded - seconds),
                    "total": _milliseconds(now - started),
                }
                answers[position] = Results(
                    hits, describe(queries[position]), encoder.name, way, took_ms, cut, snapshot.generation
                )
    return [answer for answer in answers if answer is not None]


def alike(queries: Sequence[Query]) -> Iterable[list[int]]:
    """Positions of queries that are planned together: of one folder, filter and effort."""
    together: dict[object, list[int]] = {}
    for position, query in enumerate(queries):
        together.setdefault((query.folder, repr(query.where), query.effort), []).append(position)
    return together.values()


class _Asking:
    """The queries of one call and their vectors, float32 (q, dim), at one moment of the collection."""

    def __init__(
        self,
        snapshot: Snapshot,
        remembered: Remembered,
        encoder: Encoder,
        queries: Sequence[Query],
        vectors: Vectors,
    ) -> None:
        self._snapshot = snapshot
        self._remembered = remembered
        self._encoder = encoder
        self._queries = queries
        self._vectors = vectors

    def answers(self, asked: list[int]) -> Iterator[tuple[int, Plan, tuple[Hit, ...], bool, float]]:
        """Of each query of the positions `asked`, which are planned together: its position, how it was answered, its
        hits, whether some were cut, and the seconds that finding rows took.
        """
        first = self._queries[asked[0]]
        condition = self._remembered.condition(self._snapshot, first.where)
        allowed = self._remembered.allowed(self._snapshot, first.folder, condition)
        base = self._remembered.base(self._snapshot)
        words = {position: self._words(self._queries[position]) for position in asked}
        depth = max(depth_of(self._queries[each], has_words=words[each] is not None) for each in asked)
        while asked:
            began = time.perf_counter()
            depth = min(depth, max(allowed.count, 1))
            vectors = self._vectors if len(asked) == len(self._queries) else self._vectors[asked]
            rows, scores, ways = near(self._snapshot, base, allowed, vectors, k=depth, effort=first.effort)
            seconds = (time.perf_counter() - began) / len(asked)
            short = []
            for place, position in enumerate(asked):
                query = self._queries[position]
                ranking = self._ranked(position, rows[place], scores[place], allowed, words[position])
                copies = None if query.all_copies else Copies(self._snapshot)
                showing = self._showing(query, condition, words[position])
                hits = hits_of(self._snapshot, query, ranking, showing, copies)
                if len(hits) < query.k and not ranking.ended and depth < allowed.count:
                    short.append(position)
                else:
                    yield position, ways[place], hits, ranking.cut, seconds
            asked, depth = short, DEEPER * depth

    def _ranked(self, position: int, rows: Rows, scores: Scores, allowed: Allowed, words: WordScores | None) -> Ranking:
        query, there = self._queries[position], rows >= 0
        nearest = Ranking(rows, scores) if there.all() else Ranking(rows[there], scores[there])
        judge = self._remembered.judge(self._snapshot, self._encoder) if wants_relevance(query) else None
        asked = Asked(query, self._vectors[position], self._snapshot.rows, allowed.mask, allowed.count)
        return ranked(asked, nearest, words, judge)

    def _words(self, query: Query) -> WordScores | None:
        """How well rows answer the query's words; None where it has none to look for, or no item has any of them."""
        text = text_of(query)
        refuse_no_words(query, text)
        if not text or query.mode == "meaning":
            return None
        encode = self._encoder.encode_texts if "text" in self._encoder.modalities else None
        words = self._snapshot.word_scores(text, encode)
        return words if query.mode == "words" or words.is_any() else None

    def _showing(self, query: Query, condition: Condition | None, words: WordScores | None) -> Showing:
        group_by = "" if query.all_copies else query.group_by
        if group_by is None:
            group_by = self._remembered.group_by(self._snapshot)
        if not query.order:
            return Showing(condition, group_by, words=words)
        declared = self._snapshot.declared_fields()
        order = parse_order(query.order, self._remembered.fields(self._snapshot))
        return Showing(condition, group_by, order, declared, words)


def refuse_no_words(query: Query, text: str) -> None:
    """Raise QueryError where only words were to count and the query is more, or less, than words."""
    if not text and query.mode == "words":
        raise QueryError(
            f"{describe(query)} is not words only, and words are all that was asked to count",
            hint="ask for words, or leave the mode as it is",
        )


def _milliseconds(seconds: float) -> float:
    return round(1000 * seconds, 3)
