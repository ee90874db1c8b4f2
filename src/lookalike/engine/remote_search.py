"""Answers out of a collection on an engine elsewhere: query -> encode -> candidates of the engine -> rank -> hits.

The engine finds the nearest items and those that have the words; from there on it is the code of `search.py`'s
collections, so answers differ from theirs in recall alone. Cosines are counted here, from the vectors that came.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from lookalike.core.conditions import FILE, Compare
from lookalike.core.records import Plan, Results
from lookalike.engine.answers import Showing, hits_of
from lookalike.engine.fuse import CANDIDATES
from lookalike.engine.order import parse_order
from lookalike.engine.ranking import Asked, Ranking, depth_of, ranked, text_of, wants_relevance
from lookalike.engine.remote_moment import AskedWord, RemoteMoment, words_in
from lookalike.engine.search import DEEPER, alike, refuse_no_words
from lookalike.engine.spool import batches
from lookalike.engine.terms import describe, query_vectors
from lookalike.index.building import unit_block
from lookalike.remote.contract import PAGE
from lookalike.remote.contract import Asked as AskedThere
from lookalike.store.word_forms import asked_words, forms_of, name_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lookalike.core.arrays import Vectors
    from lookalike.core.conditions import Condition
    from lookalike.core.protocols import Encoder
    from lookalike.core.records import Hit, Query
    from lookalike.engine.fuse import Words
    from lookalike.engine.remote_state import RemoteState
    from lookalike.remote.contract import Found, RemoteEngine, RemoteItem

WORDS_ASKED = 2 * CANDIDATES
"""Items asked for by words: the engine ranks them a little otherwise than we do, so more than are looked at."""


def search_there(engine: RemoteEngine, state: RemoteState, encoder: Encoder, queries: Sequence[Query]) -> list[Results]:
    """Answer `queries` in order."""
    started = time.perf_counter()
    vectors = query_vectors(encoder, _asked_with(engine, state, queries), queries)
    encoded = time.perf_counter()
    answers: dict[int, Results] = {}
    asking = _Asking(engine, state, encoder, queries, vectors)
    for asked in alike(queries):
        for position, way, hits, cut, seconds in asking.answers(asked):
            now = time.perf_counter()
            took = {"encode": encoded - started, "search": seconds, "fetch": now - encoded - seconds}
            took_ms = {name: round(1000 * each, 3) for name, each in {**took, "total": now - started}.items()}
            query, generation = describe(queries[position]), state.facts.generation
            answers[position] = Results(hits, query, encoder.name, way, took_ms, cut, generation)
    return [answers[position] for position in range(len(queries))]


def item_there(engine: RemoteEngine, given: str) -> RemoteItem | None:
    """The item with an id or at a path, with its vector; None where there is none."""
    for item in engine.get([given], vectors=True):
        return item
    try:
        path = given if "://" in given else os.path.abspath(given)
    except ValueError:  # no path of this system
        return None
    there = engine.items(asked=AskedThere(Compare(FILE + "path", "=", path)), vectors=True)
    return next((item for item in there if item.uri == path), None)  # a filter takes capitals for small letters


def places_there(engine: RemoteEngine, item: RemoteItem) -> list[RemoteItem]:
    """An item, and all others that show its picture."""
    return [item, *(engine.of_pictures([item.picture]) if item.picture is not None else ())]


def _asked_with(engine: RemoteEngine, state: RemoteState, queries: Sequence[Query]) -> RemoteMoment:
    """The items that queries themselves name: their vectors are part of the questions."""
    named = [term.value for query in queries for term in query.terms if term.kind == "item"]
    named += [id for query in queries for id in (*query.liked, *query.disliked)]
    found = engine.get(dict.fromkeys(map(str, named)), vectors=True) if named else []
    missing = set(map(str, named)) - {item.id for item in found}
    found += [item for given in sorted(missing) if (item := item_there(engine, given)) is not None]
    return RemoteMoment(found, state.facts.dim)


class _Asking:
    """The queries of one call and their vectors, float32 (q, dim)."""

    def __init__(
        self,
        engine: RemoteEngine,
        state: RemoteState,
        encoder: Encoder,
        queries: Sequence[Query],
        vectors: Vectors,
    ) -> None:
        self._engine = engine
        self._state = state
        self._encoder = encoder
        self._queries = queries
        self._vectors = vectors

    def answers(self, asked: list[int]) -> Iterator[tuple[int, Plan, tuple[Hit, ...], bool, float]]:
        """Of each query of the positions `asked`, which share folder, filter and effort: its position, how it was
        answered, its hits, whether some were cut, and the seconds that the engine took for it.
        """
        first = self._queries[asked[0]]
        condition = self._state.condition(first.where)
        there = self._state.asked(condition, first.folder)
        began = time.perf_counter()
        among = self._state.among(there)
        worded = {position: self._with_words(self._queries[position], there) for position in asked}
        depth = max(depth_of(self._queries[each], has_words=bool(worded[each])) for each in asked)
        way = Plan("remote", f"{self._state.facts.index or 'exact'} search by {self._state.facts.server}", first.effort)
        while asked:
            depth = min(depth, max(among, 1))
            found = self._engine.nearest(self._vectors[asked], depth, asked=there, effort=first.effort)
            seconds = (time.perf_counter() - began) / len(asked)
            short = []
            for position, near in zip(asked, found, strict=True):
                query = self._queries[position]
                moment = RemoteMoment(_items(near, worded[position]), self._state.facts.dim)
                words = self._words(query, moment)
                ranking = self._ranked(position, moment, near, among, words)
                hits = hits_of(moment, query, ranking, self._showing(query, condition, words))
                if len(hits) < query.k and not ranking.ended and depth < among:
                    short.append(position)
                    continue
                whole = self._with_all_places(hits, moment, condition)
                if whole is not moment:
                    hits = hits_of(whole, query, ranking, self._showing(query, condition, self._words(query, whole)))
                yield position, way, hits, ranking.cut, seconds
            asked, depth, began = short, DEEPER * depth, time.perf_counter()

    def _ranked(
        self, position: int, moment: RemoteMoment, near: Sequence[Found], among: int, words: Words | None
    ) -> Ranking:
        import numpy as np

        query, vector = self._queries[position], self._vectors[position]
        rows = np.unique(np.array([moment.row_of(found.item.id) for found in near], np.int64))
        cosines = unit_block(moment.rows[rows]) @ vector
        order = np.lexsort((rows, -cosines))
        nearest = Ranking(rows[order], cosines[order].astype(np.float32))
        judge = self._state.judge(self._encoder) if wants_relevance(query) else None
        usual = self._state.usual if len(self._state.usual) else None
        return ranked(Asked(query, vector, moment.rows, None, among, usual), nearest, words, judge)

    def _with_all_places(self, hits: Sequence[Hit], moment: RemoteMoment, condition: Condition | None) -> RemoteMoment:
        """The candidates with all items that show the pictures of `hits`, in the same rows; `moment` if that is all."""
        pictures = dict.fromkeys(picture for hit in hits if (picture := moment.remote[hit.id].picture) is not None)
        beside: dict[str, RemoteItem] = {}
        met: set[str] | None = None if condition is None else set(moment.remote)
        for some in batches(iter(pictures), PAGE):
            more = {item.id: item for item in self._engine.of_pictures(some) if item.id not in moment.remote}
            beside |= more
            if more and met is not None:
                asked = self._state.asked(condition)
                met |= {item.id for item in self._engine.of_pictures(some, asked=asked)}
        if not beside:
            return moment
        return RemoteMoment([*moment.remote.values(), *beside.values()], self._state.facts.dim, met)

    def _with_words(self, query: Query, there: AskedThere | None) -> list[Found]:
        """Items that have words of the question."""
        text = text_of(query)
        refuse_no_words(query, text)
        if not text or query.mode == "meaning":
            return []
        stems = dict.fromkeys(form for word in asked_words(text) for form in forms_of(word))
        name = name_of(text)
        return self._engine.with_stems([*stems, *([name] if name not in stems else [])], WORDS_ASKED, asked=there)

    def _words(self, query: Query, moment: RemoteMoment) -> Words | None:
        """How candidates answer the query's words; None where it has none to look for, or no item has any of them."""
        text = text_of(query)
        if not text or query.mode == "meaning":
            return None
        forms = {word: forms_of(word) for word in asked_words(text)}
        rarity = self._state.rarities({form for each in forms.values() for form in each})
        asked = [AskedWord(each, min(rarity[form] for form in each)) for each in forms.values()]
        words = words_in(moment, asked, name_of(text), self._state.text_fields)
        return words if query.mode == "words" or words.is_any() else None

    def _showing(self, query: Query, condition: Condition | None, words: Words | None) -> Showing:
        group_by = "" if query.all_copies else query.group_by
        if group_by is None:
            group_by = self._state.group_by
        if not query.order:
            return Showing(condition, group_by, words=words)
        return Showing(condition, group_by, parse_order(query.order, self._state.fields), self._state.declared, words)


def _items(near: Sequence[Found], worded: Sequence[Found]) -> list[RemoteItem]:
    return [found.item for found in (*near, *worded)]
