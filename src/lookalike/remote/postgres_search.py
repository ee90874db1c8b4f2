"""Ids of the items nearest to vectors, or with words, in PostgreSQL, each with its score."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from lookalike.remote.postgres_filter import ALWAYS
from lookalike.remote.postgres_plan import search_by
from lookalike.remote.postgres_rows import vector_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lookalike.core.arrays import Vectors
    from lookalike.remote.postgres_connections import Session
    from lookalike.remote.postgres_filter import Where
    from lookalike.remote.postgres_plan import Version

    Best: TypeAlias = list[tuple[bytes, float]]

COUNTED = 100_000
"""A word of more items than that counts as one of that many: further counting costs more than it tells."""


@dataclass(frozen=True, slots=True)
class Search:
    """A search in one table of `total` items, in the transaction of a session, among those that meet `where`."""

    session: Session
    table: str
    total: int
    where: Where

    def nearest(self, vectors: Vectors, k: int, *, method: str, version: Version, effort: int | None) -> list[Best]:
        """The `k` nearest to each vector (q, dim). `method`: of the index, "" for none."""
        way = search_by(method, version, self.total, k, effort)
        limit = way.compared_at_most
        if limit is not None and self.where == ALWAYS and self.total > limit:
            limit = 0  # all may answer: there is nothing to count
        for name, value in way.settings.items():
            self.session.rows(f"SET LOCAL {name} = {value}")
        found: list[Best] = []
        for vector in vectors:
            text = vector_text(vector)
            best = None if limit == 0 else self._compared(text, k, limit)
            if best is None:
                limit = 0  # more may answer than are compared, and so for the other vectors
                best = self._searched(text, k)
                if len(best) < min(k, self.total):  # the index had not enough that pass
                    best = self._compared(text, k, None) or []
            found.append(best)
        return found

    def by_words(self, stems: list[str], k: int) -> Best:
        """Items with any of the stems, by the sum of the rarities (BM25's) of those they have; items so named first."""
        counts = how_many_have(self.session, self.table, stems)
        total = max(self.total, *counts.values())
        rarities = [math.log1p((total - counts[stem] + 0.5) / (counts[stem] + 0.5)) for stem in stems]
        sql = f"""
            SELECT id, score FROM {self.table}, LATERAL (
                SELECT coalesce(sum(w.rarity) FILTER (WHERE w.stem = ANY(stems)), 0)
                    + CASE WHEN names && %s::text[] THEN %s::float8 ELSE 0 END AS score
                FROM unnest(%s::text[], %s::float8[]) AS w(stem, rarity)) said
            WHERE (stems && %s::text[] OR names && %s::text[]) AND {self.where.sql}
            ORDER BY score DESC, id LIMIT {k}"""  # noqa: S608 values are parameters
        values: Sequence[Any] = [stems, sum(rarities) + 1, stems, rarities, stems, stems, *self.where.values]
        return [(id, float(score)) for id, score in self.session.rows(sql, values)]

    def _compared(self, vector: str, k: int, limit: int | None) -> Best | None:
        """By comparing all that may answer; None where those are more than `limit`."""
        at_most, fits = ("ALL", "true") if limit is None else (str(limit + 1), f"size.n <= {limit}")
        sql = f"""
            WITH allowed AS MATERIALIZED (SELECT id, vector FROM {self.table} WHERE {self.where.sql} LIMIT {at_most}),
            size AS (SELECT count(*) AS n FROM allowed),
            best AS (
                SELECT a.id, a.vector <=> %s AS distance FROM allowed a, size
                WHERE {fits} ORDER BY distance, a.id LIMIT {k})
            SELECT size.n, best.id, best.distance FROM size LEFT JOIN best ON true"""  # noqa: S608 parameters only
        rows = self.session.rows(sql, [*self.where.values, vector])
        if limit is not None and rows[0][0] > limit:
            return None
        return _best((id, distance) for _, id, distance in rows if id is not None)

    def _searched(self, vector: str, k: int) -> Best:
        """By the index."""
        sql = f"""SELECT id, vector <=> %s AS distance FROM {self.table} WHERE {self.where.sql}
            ORDER BY vector <=> %s LIMIT {k}"""  # noqa: S608 values are parameters
        return _best(self.session.rows(sql, [vector, *self.where.values, vector]))


def _best(rows: Any) -> Best:
    """By similarity, best first (an iterative scan gives them only about so), equal ones by id."""
    return sorted(((id, 1 - float(distance)) for id, distance in rows), key=lambda each: (-each[1], each[0]))


def how_many_have(session: Session, table: str, stems: list[str]) -> dict[str, int]:
    """How many items have each stem, up to `COUNTED`."""
    sql = f"""
        SELECT w.stem, (SELECT count(*) FROM (SELECT FROM {table} WHERE stems @> ARRAY[w.stem] LIMIT {COUNTED}) AS t)
        FROM unnest(%s::text[]) AS w(stem)"""  # noqa: S608 our names
    return {stem: int(count) for stem, count in session.rows(sql, [stems])}
