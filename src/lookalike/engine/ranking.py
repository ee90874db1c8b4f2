"""From the rows near a query to a ranked list: words fused in, relevance told, the irrelevant cut, variety made.

Each step leaves a `Ranking`; which steps a query takes stands in `ranked`. What a step does is said where it is done:
`fuse`, `relevance`, `variety`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lookalike.engine.fuse import CANDIDATES, fuse
from lookalike.engine.relevance import AGREEING, DEFAULT_MIN_RELEVANCE, relevance
from lookalike.engine.variety import POOL, diverse
from lookalike.index.building import unit_block

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from lookalike.core.arrays import HalfVectors, RowMask, Rows, Scores, Vectors
    from lookalike.core.records import Query
    from lookalike.engine.familiarity import Familiarity
    from lookalike.engine.fuse import Words
    from lookalike.engine.relevance import Calibration

FUSED_DEPTH = 30
"""Nearest rows that are fused with those that have the words: more gain nothing (docs/benchmarks/hybrid.md)."""
SORTED_DEPTH = 1000
"""Nearest rows among which answers in an order of their own are looked for."""
WORDS_SURE = 0.9
"""How likely an item is right that has every word of the question, which may still mean something else."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """Rows int64 (n,), best first, with their cosines and, where it is known, their relevance, float32 (n,).

    `by_words`: how far words speak for each row, 1 for one that is named exactly. `cut`: whether rows were left out for
    too little relevance. `ended`: no row that lies farther would be an answer.
    """

    rows: Rows
    scores: Scores
    relevance: Scores | None = None
    by_words: Scores | None = None
    cut: bool = False
    ended: bool = False

    def only(self, positions: NDArray[np.int64] | NDArray[np.bool_]) -> Ranking:
        """Those at some positions, in their order."""
        relevance = None if self.relevance is None else self.relevance[positions]
        by_words = None if self.by_words is None else self.by_words[positions]
        rows, scores = self.rows[positions], self.scores[positions]
        return replace(self, rows=rows, scores=scores, relevance=relevance, by_words=by_words)


@dataclass(frozen=True, slots=True)
class Judge:
    """What is needed to tell relevance: the background rows, float16 (n, dim), of `count`, and the calibration.

    `familiarity`: what to expect of words, where that is known of the encoder. `least`: the relevance below which
    nothing is shown to people.
    """

    background: HalfVectors
    count: int
    calibration: Calibration
    familiarity: Familiarity | None = None
    least: float = DEFAULT_MIN_RELEVANCE


@dataclass(frozen=True, slots=True)
class Asked:
    """A query and its unit vector, float32 (dim,), over the rows `stored`.

    `mask`: those that may be answered, `among` of them. `usual`: rows drawn from the whole collection, where `stored`
    is not all of it.
    """

    query: Query
    vector: Vectors
    stored: HalfVectors
    mask: RowMask | None
    among: int
    usual: HalfVectors | None = None


def depth_of(query: Query, *, has_words: bool) -> int:
    """How many nearest rows a query is answered from. `has_words`: there are rows that its words found."""
    depth = query.k
    if has_words:
        depth = max(depth, FUSED_DEPTH)
    if query.order:
        depth = max(depth, SORTED_DEPTH)
    if query.variety:
        depth = max(depth, POOL * query.k)
    return max(depth, AGREEING) if wants_relevance(query) else depth


def text_of(query: Query) -> str:
    """The words of a query that is nothing but words, "" for others: what is looked for in texts."""
    if any(term.kind != "text" or term.weight < 0 for term in query.terms):
        return ""
    return " ".join(str(term.value) for term in query.terms)


def wants_relevance(query: Query) -> bool:
    """Not for bare vectors unless a cut is asked for: nobody knows what they are of."""
    return _wants_cut(query) or any(term.kind != "vector" for term in query.terms)


def _wants_cut(query: Query) -> bool:
    """Sorting needs a cut: the newest of a thousand pictures that hardly fit is no answer."""
    return query.min_relevance is not None or bool(query.order)


def ranked(asked: Asked, nearest: Ranking, words: Words | None, judge: Judge | None) -> Ranking:
    """The answers to a query from the rows nearest to it. `words`: how rows answer its words."""
    ranking = nearest if words is None else _with_words(asked, nearest, words, judge)
    if judge is not None:
        known = _chances(asked, nearest, judge)
        ranking = _cut(asked.query, _judged(ranking, nearest, known), known, judge.least)
    return _varied(asked, ranking) if asked.query.variety else ranking


def _with_words(asked: Asked, nearest: Ranking, words: Words, judge: Judge | None) -> Ranking:
    import numpy as np

    depth, ended = max(CANDIDATES, len(nearest.rows)), False
    if asked.query.mode == "words":
        rows, shares, exact = words.best(depth, asked.mask)
        ended = len(rows) < depth
        scores = unit_block(asked.stored[rows]) @ asked.vector
    else:
        usual = asked.usual if judge is None else judge.background
        fused = fuse(asked.stored, asked.vector, nearest.rows, words, k=depth, allowed=asked.mask, usual=usual)
        rows, scores, shares, exact = fused.rows, fused.cosines, fused.shares, fused.exact
    by_words = np.where(exact, np.float32(1), np.float32(WORDS_SURE) * shares)
    return Ranking(rows, scores, by_words=by_words, ended=ended)


def _chances(asked: Asked, nearest: Ranking, judge: Judge) -> Scores:
    """The relevance of each nearest row's picture for the query; none is greater than the one before."""
    if not len(nearest.rows):
        return nearest.scores
    words = max((len(str(term.value).split()) for term in asked.query.terms if term.kind == "text"), default=0)
    usual = math.nan if judge.familiarity is None or not words else judge.familiarity(asked.vector)
    return relevance(
        asked.vector,
        nearest.scores,
        asked.stored[nearest.rows],
        judge.background,
        judge.calibration,
        is_words=words > 0,
        words=words,
        among=asked.among,
        usual=usual,
    )


def _judged(ranking: Ranking, nearest: Ranking, known: Scores) -> Ranking:
    """With the relevance of each row: of its picture for the query, or of its words, whichever says more."""
    import numpy as np

    found = np.zeros(len(ranking.rows), np.float32)
    if len(known):
        # what only its words brought in lies behind the nearest rows: it is as relevant as the last of them
        found = np.interp(ranking.scores, nearest.scores[::-1], known[::-1]).astype(np.float32)
    if ranking.by_words is not None:
        found = np.maximum(found, ranking.by_words)
    return replace(ranking, relevance=found)


def _cut(query: Query, ranking: Ranking, known: Scores, usual: float) -> Ranking:
    """Without what is less relevant than asked for; `usual`: where no number was."""
    if not _wants_cut(query) or ranking.relevance is None:
        return ranking
    least = usual if query.min_relevance is None or query.min_relevance == "usual" else query.min_relevance
    kept = ranking.relevance >= least
    if kept.all():
        return ranking
    # what words brought in may be cut while rows behind the nearest ones are still relevant
    ended = ranking.ended or query.mode == "words" or not len(known) or bool(known[-1] < least)
    return replace(ranking.only(kept), cut=True, ended=ended)


def _varied(asked: Asked, ranking: Ranking) -> Ranking:
    """The first `query.k` by variety, then the others as they are."""
    import numpy as np

    if not len(ranking.rows):
        return ranking
    query = asked.query
    pool = np.arange(min(POOL * query.k, len(ranking.rows)))
    # of a fused ranking the place counts, of a plain one the cosine says the same and more
    worth = ranking.scores[pool] if ranking.by_words is None else -pool.astype(np.float32)
    first = diverse(unit_block(asked.stored[ranking.rows[pool]]), worth, query.k, 1 - query.variety)
    rest = np.setdiff1d(np.arange(len(ranking.rows)), first)
    return ranking.only(np.concatenate([first, rest]))
