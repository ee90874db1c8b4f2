"""What is PostgreSQL's own: its index and filters together, its failures. The rest is in the contract tests."""

from __future__ import annotations

import gc
import os
import random
import socket
import threading
import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import psutil
import pytest

from filter_oracle import DECLARED, drawn_condition, drawn_metadata, is_met
from lookalike.core.conditions import And, Compare, Not
from lookalike.core.errors import EncoderMismatch, RemoteRefused, RemoteUnavailable
from lookalike.remote import postgres_indexes, postgres_plan
from lookalike.remote.contract import Asked, RemoteFacts, RemoteItem
from lookalike.remote.postgres import PostgresEngine, connect
from lookalike.remote.postgres_filter import where_of
from postgres_servers import POSTGRES, PostgresServer, postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

DIM, ITEMS, GROUPS = 16, 3000, 30
FACTS = RemoteFacts("toy-1", "toy", DIM)


@pytest.fixture(scope="module", params=POSTGRES)
def server(request) -> Iterator[PostgresServer]:
    with postgres(request.param) as server:
        yield server


def engine_of(server: PostgresServer, name: str, **how) -> PostgresEngine:
    return connect(f"{server.address}&collection={name}", **how)


def vectors_in_groups() -> np.ndarray:
    """float16 (ITEMS, DIM): item i lies near the middle of group i % GROUPS."""
    draw = np.random.default_rng(5)
    vectors = np.tile(draw.standard_normal((GROUPS, DIM)), (ITEMS // GROUPS, 1))
    vectors += 0.2 * draw.standard_normal((ITEMS, DIM))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)


def item_of(one: int, vector: np.ndarray) -> RemoteItem:
    metadata = {"group": one % GROUPS, "half": one % 2, "place": one}
    uri = os.path.join(os.path.abspath(os.sep), f"{one}.jpg")
    return RemoteItem(f"{one:06}", uri, b"/", b"", 5, 5, None, None, 4, 3, "PNG", metadata=metadata, vector=vector)


def put(engine: PostgresEngine, vectors: np.ndarray) -> None:
    for start in range(0, len(vectors), 1000):
        engine.upsert([item_of(start + one, vector) for one, vector in enumerate(vectors[start : start + 1000])])


@pytest.mark.parametrize(("method", "graph_up_to"), [("hnsw", 20_000_000), ("ivfflat", ITEMS - 1)])
def test_recall_holds_with_an_index_under_every_filter(server, monkeypatch, method, graph_up_to):
    """Also where the filter leaves out just what is near, so that the index finds nothing that may answer.

    A collection that grows beyond what a graph is for gets lists instead.
    """
    monkeypatch.setattr(postgres_plan, "INDEX_FROM", 1000)
    monkeypatch.setattr(postgres_plan, "HNSW_UP_TO", graph_up_to)
    monkeypatch.setattr(postgres_plan, "COMPARED_AT_MOST", 100)
    vectors = vectors_in_groups()
    engine = engine_of(server, f"recall_{method}")
    engine.create(FACTS)
    put(engine, vectors[: ITEMS // 2])
    engine.build_index()
    assert engine.describe().index == "hnsw"
    put(engine, vectors)
    engine.build_index()
    assert engine.describe().index == method
    exact = vectors.astype(np.float32)
    conditions = {
        "all": (None, lambda _: True),
        "half": (Compare("half", "=", 1), lambda one: one % 2 == 1),
        "few": (Compare("place", "<", 40), lambda one: one < 40),
        "not near": (Not(Compare("group", "=", 3)), lambda one: one % GROUPS != 3),
        "none": (And((Compare("half", "=", 1), Compare("half", "=", 0))), lambda _: False),
    }
    for name, (condition, passes) in conditions.items():
        allowed = [one for one in range(ITEMS) if passes(one)]
        found = engine.nearest(exact[3:33:3], 10, asked=Asked(condition) if condition else None)
        right, wanted = 0, 0
        for vector, its in zip(exact[3:33:3], found, strict=True):
            assert all(passes(each.item.metadata["place"]) for each in its), name
            scores = np.sort(exact[allowed] @ vector)[::-1][:10]
            assert len(its) == len(scores), name
            right += sum(each.score >= scores[-1] - 1e-3 for each in its)
            wanted += len(scores)
        assert right >= 0.9 * wanted, name
    engine.close()


def test_ranges_by_indexes_are_those_by_hand(server, monkeypatch):
    """Conditions of all kinds, over items with several values of a field, one or none, where no table is read whole."""
    monkeypatch.setattr(postgres_indexes, "INDEX_FROM", 100)
    engine, draw, items = engine_of(server, "ranges"), random.Random(17), []
    engine.create(FACTS)
    for one, vector in enumerate(vectors_in_groups()[:200]):
        of_bytes, own = drawn_metadata(draw, one)
        known = {name: value for name, value in {**of_bytes, **own}.items() if value is not None}
        items.append(replace(item_of(one, vector), metadata=known))
    engine.upsert(items)
    engine.build_index()
    of_database = "ALTER DATABASE postgres SET enable_seqscan = {}"
    engine._connections.run(lambda session: session.rows(of_database.format("off")))
    engine.close()
    by_index, wrong = engine_of(server, "ranges"), []
    try:
        assert any("ranges of 12 fields" in line for line in by_index.explain())
        plan = "EXPLAIN SELECT id FROM lookalike_items_ranges WHERE {}"
        where = where_of(Asked(Compare("price", "<", 2), DECLARED))
        told = by_index._connections.run(lambda session: session.rows(plan.format(where.sql), where.values))
        assert "lookalike_items_ranges_r" in str(told)
        for _ in range(150):
            condition = drawn_condition(draw)
            found = {item.id for item in by_index.items(asked=Asked(condition, DECLARED))}
            if found != {item.id for item in items if is_met(condition, item)}:
                wrong.append(condition)
    finally:
        by_index._connections.run(lambda session: session.rows(of_database.format("on")))
        by_index.close()
    assert wrong == []


def test_an_index_is_built_again_and_found_by_others(server, monkeypatch):
    monkeypatch.setattr(postgres_plan, "INDEX_FROM", 100)
    engine = engine_of(server, "again")
    engine.create(FACTS)
    put(engine, vectors_in_groups()[:200])
    for again in (False, False, True):
        engine.build_index(again=again)
    other = engine_of(server, "again")
    assert other.describe().index == "hnsw"
    assert any("index hnsw" in line for line in other.explain())
    assert len(other.nearest(np.eye(1, DIM, dtype=np.float32), 7)[0]) == 7
    for each in (engine, other):
        each.close()


def test_numbers_of_items_stay_right_whatever_is_put_twice_or_removed_twice(server):
    engine = engine_of(server, "counts")
    engine.create(FACTS)
    vectors = vectors_in_groups()[:50]
    put(engine, vectors)
    put(engine, vectors[::-1])
    engine.delete(["000001", "000001", "nobody"])
    before = engine.describe()
    engine.delete(["000001"])
    assert (before.count, engine.count()) == (49, 49)
    assert engine.describe().generation > before.generation
    with pytest.raises(EncoderMismatch):
        engine.create(RemoteFacts("toy-2", "toy", DIM))
    engine.drop()
    assert engine.describe() is None
    with pytest.raises(RemoteRefused, match="no such collection"):
        engine.count()
    engine.close()


def test_a_killed_server_costs_no_item_and_doubles_none(server):
    """Killed while items are put and asked for by others, started again: every call is answered, or says so in time."""
    engine = engine_of(server, "killed", timeout_s=120)
    engine.create(FACTS)
    vectors = vectors_in_groups()
    confirmed: list[int] = []
    errors: list[Exception] = []
    is_over = threading.Event()

    def asks() -> None:
        while not is_over.is_set():
            with suppress(RemoteUnavailable):
                found = engine.nearest(np.eye(1, DIM, dtype=np.float32), 5)
                errors.extend(ValueError("doubled") for each in found if len({f.item.id for f in each}) < len(each))
            time.sleep(0.01)

    asking = threading.Thread(target=asks)
    asking.start()
    try:
        for start in range(0, ITEMS // 2, 100):
            some = [item_of(start + one, vector) for one, vector in enumerate(vectors[start : start + 100])]
            if start == 500:
                server.kill()
                again = threading.Timer(1.0, server.start_again)
                again.start()
                with suppress(RemoteUnavailable):
                    engine.upsert(some)
                again.join()
            engine.upsert(some)
            confirmed += range(start, start + 100)
    finally:
        is_over.set()
        asking.join()
    assert errors == []
    assert [item.id for item in engine.items()] == [f"{one:06}" for one in confirmed]
    assert engine.describe().count == ITEMS // 2
    engine.close()


def test_a_server_that_says_nothing_is_given_up_in_time(server):
    patient, engine = (engine_of(server, "silent", timeout_s=limit_s) for limit_s in (120, 1))
    patient.create(FACTS)
    patient.close()
    until_it_answers(engine)
    processes = [server.process, *server.process.children()]
    for process in processes:
        with suppress(psutil.NoSuchProcess):  # that of a connection just closed ends by itself
            process.suspend()
    try:
        with pytest.raises(RemoteUnavailable):
            engine.describe()
    finally:
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.resume()
    until_it_answers(engine)
    engine.close()


def until_it_answers(engine: PostgresEngine) -> None:
    """A busy machine may not do it in the time of an engine that waits for a second."""
    end = time.monotonic() + 120
    while True:
        try:
            assert engine.describe().count == 0
        except RemoteUnavailable:
            assert time.monotonic() < end
        else:
            return


def test_a_server_that_goes_away_in_the_first_moment_leaves_no_line_open():
    """A line that is left open is a warning where it is forgotten, and so an error of whatever runs just then."""
    let_in_and_ready = b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I"

    def hang_up() -> None:
        for _ in range(3):
            with listening.accept()[0] as line:
                line.recv(1000)
                line.sendall(let_in_and_ready)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        hanging_up = threading.Thread(target=hang_up)
        hanging_up.start()
        address = f"postgresql://me@127.0.0.1:{listening.getsockname()[1]}/db?collection=shop&sslmode=disable"
        with pytest.raises(RemoteUnavailable):
            connect(address, timeout_s=120).describe()
        hanging_up.join()
    gc.collect()


def test_a_password_is_asked_for_and_never_shown(server, tmp_path):
    rules = server.data / "pg_hba.conf"
    before = rules.read_text()
    engine = engine_of(server, "guarded")
    engine.create(FACTS)
    reload = engine._connections.run
    reload(lambda session: session.rows("ALTER ROLE postgres PASSWORD 'x-5:1'"))
    rules.write_text("local all all scram-sha-256\nhost all all all scram-sha-256\n")
    reload(lambda session: session.rows("SELECT pg_reload_conf()"))
    passfile = tmp_path / "pgpass"
    passfile.write_text("# ours\nother:*:*:*:no\n*:5432:postgres:postgres:x-5\\:1\n")
    passfile.chmod(0o600)
    try:
        for how in ({}, {"password": "wrong-5"}):
            with pytest.raises(RemoteRefused) as refused:
                engine_of(server, "guarded", **how).describe()
            assert "wrong-5" not in str(refused.value)
            assert "LOOKALIKE_POSTGRES_PASSWORD" in refused.value.hint
        for how in ({"password": "x-5:1"}, {"passfile": passfile}):
            known = engine_of(server, "guarded", **how)
            assert known.describe().count == 0
            known.close()
    finally:
        rules.write_text(before)
        reload(lambda session: session.rows("SELECT pg_reload_conf()"))
        engine.close()
