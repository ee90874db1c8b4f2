"""A collection in PostgreSQL with pgvector, 0.6 or later: for those who have PostgreSQL already.

Promises of `contract.RemoteEngine`. In the current schema of the database lie `lookalike_collections` (what there is),
`lookalike_settings`, and a table `lookalike_items_NAME` for each collection (`postgres_rows.py`). A batch is one
transaction: an upsert that was confirmed is there, and one that was not leaves nothing. Filters: `postgres_filter.py`;
which way nearest items are found: `postgres_plan.py`.
Left to others: backups, users and memory of the server.
"""

from __future__ import annotations

import json
import time
from contextlib import suppress
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from lookalike.core.errors import EncoderMismatch, RemoteRefused
from lookalike.remote.contract import PAGE, Found, RemoteFacts
from lookalike.remote.postgres_address import parse, password_in
from lookalike.remote.postgres_connections import NO_TABLE, Connections, Refusal
from lookalike.remote.postgres_filter import where_of
from lookalike.remote.postgres_indexes import build_near, build_ranges, method_of, ranged_count
from lookalike.remote.postgres_plan import HALF_FROM, ITERATIVE_FROM, build_memory_mb, index_for
from lookalike.remote.postgres_rows import (
    COLUMNS,
    HALF,
    PICTURE,
    SINGLE,
    copied,
    fields_sql,
    item_of,
    table_sql,
    text_of_bytes,
)
from lookalike.remote.postgres_search import Search, how_many_have
from lookalike.remote.postgres_server import is_there, server_name, usable_version
from lookalike.remote.sorted_facts import utf8

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import TypeVar

    from lookalike.core.arrays import Vectors
    from lookalike.remote.contract import Asked, RemoteItem
    from lookalike.remote.postgres_connections import Session
    from lookalike.remote.postgres_plan import Index, Version

    _Result = TypeVar("_Result")

TIMEOUT_S = 30.0
_TABLES = """
    CREATE TABLE IF NOT EXISTS lookalike_collections (
        name text PRIMARY KEY, encoder_id text NOT NULL, encoder_name text NOT NULL, dim integer NOT NULL,
        vector_type text NOT NULL, count bigint NOT NULL, generation bigint NOT NULL);
    CREATE TABLE IF NOT EXISTS lookalike_settings (
        collection text NOT NULL REFERENCES lookalike_collections ON DELETE CASCADE,
        name text NOT NULL, key bytea NOT NULL, value json NOT NULL, PRIMARY KEY (collection, name, key))"""
_ADDED = """INSERT INTO lookalike_collections
    VALUES (%s, %s, %s, %s, %s, 0, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint)"""
"""Generations begin at the time in microseconds: none of a collection dropped before of that name comes again."""
_LOCK = 7_091_650_342
"""Of all that makes or removes tables; any number that is ours."""
_BUILDING = 7_091_651
"""The same, with a number of the table behind it, of who builds its index: that may take hours."""
_LOOK_S = 0.2
"""Between two looks whether another has built it. Who waits within a statement is waited for by the one that builds."""
_UPDATES = ", ".join(f"{name} = EXCLUDED.{name}" for name in COLUMNS.split(", ")[1:])


class _Shape(NamedTuple):
    """What of a collection does not change while it lives."""

    encoder_id: str
    dim: int
    type_: str
    version: Version


class _Missing(Exception):
    """There is no collection of that name."""


def connect(
    url: str, *, password: str | None = None, passfile: Path | None = None, timeout_s: float = TIMEOUT_S
) -> PostgresEngine:
    """The engine of `postgresql://user@host:5432/database?collection=name`; nothing is asked yet.

    `password` goes before what `passfile` (as .pgpass) has. Raises RemoteRefused for what is no such address.
    """
    address = parse(url)
    if password is None and passfile is not None:
        password = password_in(passfile, address)
    return PostgresEngine(Connections(address, password, timeout_s), str(address), address.collection)


class PostgresEngine:
    """`contract.RemoteEngine` by PostgreSQL."""

    def __init__(self, connections: Connections, address: str, name: str) -> None:
        self._connections = connections
        self._address = address
        self._name = name
        self._table = f"lookalike_items_{name}"
        self._shape: _Shape | None = None

    @property
    def address(self) -> str:
        return self._address

    # --- the collection itself ---------------------------------------------------------------------

    def describe(self) -> RemoteFacts | None:
        def work(session: Session) -> RemoteFacts | None:
            if not is_there(session, "lookalike_collections"):
                return None
            sql = "SELECT encoder_id, encoder_name, dim, count, generation FROM lookalike_collections WHERE name = %s"
            rows = session.rows(sql, [self._name])
            if not rows:
                return None
            encoder_id, encoder_name, dim, count, generation = rows[0]
            index = method_of(session, self._table) or "exact"
            return RemoteFacts(encoder_id, encoder_name, dim, count, generation, server_name(session), index)

        return self._connections.run(work)

    def create(self, facts: RemoteFacts) -> None:
        def work(session: Session) -> _Shape:
            session.rows(f"SELECT pg_advisory_xact_lock({_LOCK})")
            version = usable_version(session)
            if not is_there(session, "lookalike_collections"):  # else who may only write into tables can go on
                session.rows(_TABLES)
            sql = "SELECT encoder_id, encoder_name FROM lookalike_collections WHERE name = %s"
            its = session.rows(sql, [self._name])
            if its and its[0][0] != facts.encoder_id:
                hint = "name another collection, or ask with the encoder it was made with"
                message = f"{self._address} was made with the encoder {its[0][1]}, not {facts.encoder_name}"
                raise EncoderMismatch(message, hint=hint)
            if not its:
                type_ = HALF if version >= HALF_FROM else SINGLE
                values = (self._name, facts.encoder_id, facts.encoder_name, facts.dim, type_)
                session.rows(_ADDED, values)
                session.rows(table_sql(self._table, type_, facts.dim))
            return self._read_shape(session)

        self._shape = self._connections.run(work)

    def drop(self) -> None:
        def work(session: Session) -> None:
            session.rows(f"SELECT pg_advisory_xact_lock({_LOCK})")
            if is_there(session, "lookalike_collections"):
                session.rows(f"DROP TABLE IF EXISTS {self._table}")
                session.changed("DELETE FROM lookalike_collections WHERE name = %s", [self._name])

        self._shape = None
        self._connections.run(work)

    def entries(self, name: str) -> dict[str, Any]:
        sql = "SELECT key, value FROM lookalike_settings WHERE collection = %s AND name = %s"
        rows = self._run(lambda session, _: session.rows(sql, [self._name, name]))
        return {text_of_bytes(key): value for key, value in rows}

    def set_entries(self, name: str, values: Mapping[str, Any]) -> None:
        remove = "DELETE FROM lookalike_settings WHERE collection = %s AND name = %s AND key = ANY(%s::bytea[])"
        put = (
            "INSERT INTO lookalike_settings SELECT %s, %s, key, value::json FROM unnest(%s::bytea[], %s::text[])"
            " AS given(key, value) ON CONFLICT (collection, name, key) DO UPDATE SET value = EXCLUDED.value"
        )
        gone = sorted(utf8(key) for key, value in values.items() if value is None)
        kept = sorted((utf8(key), json.dumps(value)) for key, value in values.items() if value is not None)

        def work(session: Session, shape: _Shape) -> None:
            self._changed(session, shape)  # first: two that set entries do it one after the other
            session.changed(remove, [self._name, name, gone])
            session.changed(put, [self._name, name, [key for key, _ in kept], [value for _, value in kept]])

        self._run(work)

    # --- items -------------------------------------------------------------------------------------

    def upsert(self, items: Sequence[RemoteItem]) -> None:
        each_once = {item.id: item for item in items}.values()

        def work(session: Session, shape: _Shape) -> None:
            session.rows(f"CREATE TEMP TABLE lookalike_incoming (LIKE {self._table}) ON COMMIT DROP")
            session.rows(
                f"COPY lookalike_incoming ({COLUMNS}) FROM STDIN (FORMAT binary)", copied=copied(each_once, shape.type_)
            )
            put = f"""
                INSERT INTO {self._table} ({COLUMNS}) SELECT {COLUMNS} FROM lookalike_incoming ORDER BY id
                ON CONFLICT (id) DO UPDATE SET {_UPDATES} RETURNING xmax = 0 AS is_new"""  # noqa: S608 our names
            self._changed(session, shape, f"WITH put AS ({put})", "(SELECT count(*) FROM put WHERE is_new)")

        if items:
            self._run(work)

    def delete(self, ids: Iterable[str]) -> None:
        for some in _pages(ids):
            self._run(partial(self._without, ids=some))

    def get(self, ids: Iterable[str], *, vectors: bool = False) -> list[RemoteItem]:
        return [item for some in _pages(ids) for item in self._run(partial(self._of_ids, ids=some, vectors=vectors))]

    def items(
        self, *, asked: Asked | None = None, vectors: bool = False, after: str | None = None
    ) -> Iterator[RemoteItem]:
        where = where_of(asked)

        def page(session: Session, shape: _Shape) -> list[RemoteItem]:
            behind = ">=" if after is None else ">"
            sql = f"""SELECT {fields_sql(shape.type_, vectors=vectors)} FROM {self._table}
                WHERE id {behind} %s AND {where.sql} ORDER BY id LIMIT {PAGE}"""  # noqa: S608 values are parameters
            rows = session.rows(sql, [utf8(after or ""), *where.values])
            return [item_of(row, shape.type_) for row in rows]

        while some := self._run(page):
            yield from some
            after = some[-1].id

    def of_pictures(self, pictures: Sequence[bytes], *, asked: Asked | None = None) -> list[RemoteItem]:
        where = where_of(asked)

        def work(session: Session, shape: _Shape) -> list[RemoteItem]:
            sql = f"""SELECT {fields_sql(shape.type_, vectors=False)} FROM {self._table}
                WHERE {PICTURE} = ANY(%s::bytea[]) AND {where.sql}"""  # noqa: S608 values are parameters
            return [item_of(row, shape.type_) for row in session.rows(sql, [list(pictures), *where.values])]

        return self._run(work) if pictures else []

    def count(self, asked: Asked | None = None) -> int:
        where = where_of(asked)
        sql = f"SELECT count(*) FROM {self._table} WHERE {where.sql}"  # noqa: S608 values are parameters
        return int(self._run(lambda session, _: session.rows(sql, where.values))[0][0])

    # --- searching ---------------------------------------------------------------------------------

    def nearest(
        self, vectors: Vectors, k: int, *, asked: Asked | None = None, effort: int | None = None
    ) -> list[list[Found]]:
        where = where_of(asked)

        def work(session: Session, shape: _Shape) -> list[list[Found]]:
            search = Search(session, self._table, self._total(session, shape), where)
            method = method_of(session, self._table)
            found = search.nearest(vectors, k, method=method, version=shape.version, effort=effort)
            return self._found(session, shape, found)

        return self._run(work, one_moment=True) if k > 0 else [[] for _ in vectors]

    def with_stems(self, stems: Sequence[str], k: int, *, asked: Asked | None = None) -> list[Found]:
        where = where_of(asked)

        def work(session: Session, shape: _Shape) -> list[Found]:
            search = Search(session, self._table, self._total(session, shape), where)
            return self._found(session, shape, [search.by_words(list(dict.fromkeys(stems)), k)])[0]

        return self._run(work, one_moment=True) if stems and k > 0 else []

    def count_with(self, stems: Sequence[str]) -> dict[str, int]:
        return self._run(lambda session, _: how_many_have(session, self._table, list(stems))) if stems else {}

    # --- the index ---------------------------------------------------------------------------------

    def build_index(self, *, again: bool = False) -> None:
        count, shape = self._run(lambda session, shape: (self._total(session, shape), shape))
        wanted = index_for(count, shape.dim, shape.type_)
        build = partial(self._build, shape, wanted, count=count, again=again)
        memory = f"SET maintenance_work_mem = '{build_memory_mb(count, shape.dim, shape.type_)}MB'"
        for settings in (memory, f"{memory}; SET max_parallel_maintenance_workers = 0"):
            try:
                return self._connections.run(partial(build, settings), timed=False)
            except RemoteRefused as error:
                refused = error  # several processes build in shared memory, of which containers have little
        raise refused

    def explain(self) -> list[str]:
        def work(session: Session, shape: _Shape) -> list[str]:
            count, method = self._total(session, shape), method_of(session, self._table)
            wanted = index_for(count, shape.dim, shape.type_)
            ranged = ranged_count(session, self._table)
            ranges = f" and ranges of {ranged} fields" if ranged else ""
            said = [
                f"{server_name(session)} at {self._address}: {count:,} items, vectors as {shape.type_}({shape.dim})",
                f"index {method}" if method else f"no index: {wanted.reason}",
                f"filters: equal values{ranges} by indexes, all else by reading what is known of items",
            ]
            if wanted.method != method:
                said.insert(2, f"better: {wanted.reason}; lookalike index builds it")
            if method and shape.version < ITERATIVE_FROM:
                said.append("pgvector before 0.8: filters that let under a quarter pass are answered by comparing all")
            return said

        return self._run(work)

    def close(self) -> None:
        self._connections.close()

    # --- within ------------------------------------------------------------------------------------

    def _run(self, work: Callable[[Session, _Shape], _Result], *, one_moment: bool = False) -> _Result:
        """What `work` gives in a transaction. Raises RemoteRefused where there is no such collection."""

        def shaped(session: Session) -> _Result:
            shape = self._shape = self._shape or self._read_shape(session)
            return work(session, shape)

        try:
            return self._connections.run(shaped, one_moment=one_moment)
        except (_Missing, Refusal) as error:
            if isinstance(error, Refusal) and error.state != NO_TABLE:
                raise
            self._shape = None
            missing = f"{self._address}: there is no such collection, or another in its place"
            raise RemoteRefused(missing, hint="run the same again; lookalike index makes one") from None

    def _read_shape(self, session: Session) -> _Shape:
        sql = "SELECT encoder_id, dim, vector_type FROM lookalike_collections WHERE name = %s"
        rows = session.rows(sql, [self._name]) if is_there(session, "lookalike_collections") else []
        if not rows:
            raise _Missing
        encoder_id, dim, type_ = rows[0]
        return _Shape(encoder_id, dim, type_, usable_version(session))

    def _total(self, session: Session, shape: _Shape) -> int:
        """How many items there are. Raises _Missing where it was dropped meanwhile, also to be made anew otherwise."""
        sql = "SELECT count FROM lookalike_collections WHERE name = %s AND encoder_id = %s"
        rows = session.rows(sql, [self._name, shape.encoder_id])
        if not rows:
            raise _Missing
        return int(rows[0][0])

    def _changed(
        self, session: Session, shape: _Shape, with_: str = "", more: str = "0", values: Sequence[Any] = ()
    ) -> None:
        """Change items, and in the same statement how many there are. `more`: by how many, as SQL.

        Nobody else changes or drops the collection until the transaction ends. Raises _Missing as `_total`.
        """
        sql = f"""{with_} UPDATE lookalike_collections SET count = count + {more}, generation = generation + 1
            WHERE name = %s AND encoder_id = %s"""  # noqa: S608 our names
        if not session.changed(sql, [*values, self._name, shape.encoder_id]):
            raise _Missing

    def _build(self, shape: _Shape, wanted: Index, settings: str, session: Session, *, count: int, again: bool) -> None:
        its_lock = f"({_BUILDING}, hashtext('{self._table}'))"
        while not session.rows(f"SELECT pg_try_advisory_lock{its_lock}")[0][0]:
            time.sleep(_LOOK_S)
        try:
            session.rows(settings)
            build_near(session, self._table, f"{shape.type_}_cosine_ops", wanted, again=again)
            build_ranges(session, self._table, count)
            session.rows(f"ANALYZE {self._table}")
        finally:  # at once: what failed is tried otherwise by another connection
            with suppress(Exception):  # it was lost, and the lock with it
                session.rows(f"SELECT pg_advisory_unlock{its_lock}")

    def _without(self, session: Session, shape: _Shape, ids: list[bytes]) -> None:
        gone = f"WITH gone AS (DELETE FROM {self._table} WHERE id = ANY(%s::bytea[]) RETURNING id)"  # noqa: S608 our names
        self._changed(session, shape, gone, "-(SELECT count(*) FROM gone)", [ids])

    def _of_ids(self, session: Session, shape: _Shape, ids: list[bytes], *, vectors: bool) -> list[RemoteItem]:
        fields = fields_sql(shape.type_, vectors=vectors)
        sql = f"SELECT {fields} FROM {self._table} WHERE id = ANY(%s::bytea[])"  # noqa: S608 our names
        return [item_of(row, shape.type_) for row in session.rows(sql, [ids])]

    def _found(
        self, session: Session, shape: _Shape, lists: Sequence[Sequence[tuple[bytes, float]]]
    ) -> list[list[Found]]:
        """Ids with scores as items."""
        ids = list(dict.fromkeys(id for found in lists for id, _ in found))
        items = {item.id: item for item in self._of_ids(session, shape, ids=ids, vectors=True)} if ids else {}
        return [[Found(items[text_of_bytes(id)], score) for id, score in found] for found in lists]


def _pages(ids: Iterable[str]) -> Iterator[list[bytes]]:
    each = iter(dict.fromkeys(ids))
    while some := [utf8(id) for id in islice(each, PAGE)]:
        yield some
