"""The indexes of a table of items in PostgreSQL that are built when it is large: on vectors, and on ranges of fields.

Which index the vectors get: `postgres_plan.py`. Ranges: of the fields with numbers or moments that a good part of the
items have, the least and the most value of each item (`postgres_filter.least_at`, `most_at`), in indexes of their own.
All are built beside what goes on; one whose building broke off is removed by the next.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING

from lookalike.remote.postgres_filter import least_at, most_at
from lookalike.remote.postgres_plan import INDEX_FROM
from lookalike.remote.sorted_facts import MOMENT, NUMBER, split_fact

if TYPE_CHECKING:
    from lookalike.remote.postgres_connections import Session
    from lookalike.remote.postgres_plan import Index

RANGED_AT_MOST = 12
"""Fields whose ranges have indexes, two each: every one of them costs each item that is put some microseconds."""
_SAMPLED = 2000
"""Items looked at to see which fields there are."""
_LEAST_SHARE = 0.05
"""Of those: fewer have a field, and ranges of it are decided by reading."""
_LONGEST_PLACE = 200
"""Bytes of a field's name: an entry of an index holds some 2,700."""
_DIGEST_DIGITS = 5
"""The name of a table has up to 56 of the 63 bytes of a name."""


def method_of(session: Session, table: str) -> str:
    """How the index on the vectors works, "" for none."""
    sql = """SELECT a.amname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam
        WHERE i.indrelid = to_regclass(%s) AND i.indisvalid AND a.amname IN ('hnsw', 'ivfflat')"""
    rows = session.rows(sql, [table])
    return str(rows[0][0]) if rows else ""


def build_near(session: Session, table: str, operators: str, wanted: Index, *, again: bool) -> None:
    """The index on the vectors, if it is not there; `again` in any case. `operators`: pgvector's class of them."""
    now, new = f"{table}_near", f"{table}_near_new"
    session.rows(f"DROP INDEX IF EXISTS {new}")  # of a build that did not end
    if wanted.method and (again or method_of(session, table) != wanted.method):
        session.rows(
            f"CREATE INDEX CONCURRENTLY {new} ON {table} USING {wanted.method} (vector {operators})"
            f" WITH ({wanted.options})"
        )
        session.rows(f"DROP INDEX IF EXISTS {now}; ALTER INDEX {new} RENAME TO {now}")


def build_ranges(session: Session, table: str, total: int) -> None:
    """The indexes on ranges of fields, as the items have them now; none where those are few."""
    fields = _ranged_fields(session, table, total) if total >= INDEX_FROM else []
    wanted = {_name(table, sql): sql for field in fields for sql in (least_at(*field), most_at(*field))}
    there = dict(_range_indexes(session, table))
    for name, is_valid in there.items():
        if name not in wanted or not is_valid:
            session.rows(f"DROP INDEX IF EXISTS {name}")
    for name, sql in wanted.items():
        if not there.get(name):
            session.rows(f"CREATE INDEX CONCURRENTLY {name} ON {table} (({sql}))")


def ranged_count(session: Session, table: str) -> int:
    """How many fields have indexes on their ranges."""
    return len(_range_indexes(session, table)) // 2


def _ranged_fields(session: Session, table: str, total: int) -> list[tuple[bytes, str]]:
    """Tags and places of numbers and moments, the most frequent first."""
    percent = min(100.0, 100 * _SAMPLED / total)
    sql = f"SELECT facts FROM {table} TABLESAMPLE BERNOULLI ({percent}) REPEATABLE (1) LIMIT {_SAMPLED}"  # noqa: S608 our names
    seen: Counter[tuple[bytes, str]] = Counter()
    sampled = session.rows(sql)
    for (facts,) in sampled:
        seen.update({split_fact(fact)[:2] for fact in facts if fact.startswith((NUMBER, MOMENT))})
    least = _LEAST_SHARE * len(sampled)
    usual = [field for field, count in seen.most_common() if count >= least and len(field[1].encode()) < _LONGEST_PLACE]
    return usual[:RANGED_AT_MOST]


def _range_indexes(session: Session, table: str) -> list[tuple[str, bool]]:
    """Their names, and whether each was built to its end."""
    sql = """SELECT c.relname, i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
        WHERE i.indrelid = to_regclass(%s) AND c.relname ~ %s"""
    return [(str(name), bool(valid)) for name, valid in session.rows(sql, [table, f"^{table}_r[0-9a-f]+$"])]


def _name(table: str, sql: str) -> str:
    return f"{table}_r{hashlib.blake2b(sql.encode()).hexdigest()[:_DIGEST_DIGITS]}"
