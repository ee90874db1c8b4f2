"""What others do to a collection in PostgreSQL: drop it, make another, vanish amid a write, write at the same time."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pytest

from lookalike.core.errors import RemoteRefused
from lookalike.remote import postgres_plan
from lookalike.remote.contract import RemoteFacts, RemoteItem
from lookalike.remote.postgres import PostgresEngine, connect
from postgres_servers import POSTGRES, PostgresServer, postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

DIM = 4
FACTS = RemoteFacts("toy-1", "toy", DIM)
ITEMS = [
    RemoteItem(f"{one:06}", f"/{one}.jpg", b"/", b"", 5, 5, None, None, 4, 3, "PNG", vector=vector)
    for one, vector in enumerate(np.tile(np.eye(DIM, dtype=np.float16), (25, 1)))
]
LONG_S = 300.0
"""What a busy machine may take for anything."""


@pytest.fixture(scope="module", params=POSTGRES)
def server(request) -> Iterator[PostgresServer]:
    with postgres(request.param) as server:
        yield server


def engine_of(server: PostgresServer, name: str, *, user: str = "postgres", **how) -> PostgresEngine:
    return connect(f"{server.address.replace('postgres@', f'{user}@')}&collection={name}", **how)


def test_a_collection_that_somebody_dropped_is_said_not_to_be_there_by_every_call(server):
    one, other = engine_of(server, "dropped"), engine_of(server, "dropped")
    one.create(FACTS)
    calls = {
        "put": lambda: other.upsert(ITEMS[:3]),
        "set": lambda: other.set_entries("roots", {"a": 1}),
        "delete": lambda: other.delete(["000001"]),
        "nearest": lambda: other.nearest(np.eye(1, DIM, dtype=np.float32), 3),
        "stems": lambda: other.with_stems(["red"], 3),
        "count": other.count,
        "items": lambda: list(other.items()),
        "explain": other.explain,
        "build": other.build_index,
    }
    for name, call in calls.items():
        one.create(FACTS)
        call()
        one.drop()
        with pytest.raises(RemoteRefused, match="no such collection") as refused:
            call()
        assert refused.value.hint, name
    for each in (one, other):
        each.close()


def test_no_vector_comes_into_a_collection_that_was_made_anew_with_another_encoder(server):
    one, other = engine_of(server, "anew"), engine_of(server, "anew")
    one.create(FACTS)
    for change in (lambda: other.upsert(ITEMS[:3]), lambda: other.set_entries("roots", {"a": 1})):
        change()
        before = one.describe().generation
        one.drop()
        one.create(RemoteFacts("toy-2", "toy", DIM))
        assert one.describe().generation > before
        with pytest.raises(RemoteRefused, match="another in its place"):
            change()
        assert (one.count(), one.entries("roots")) == (0, {})
        one.drop()
        other.create(FACTS)
    for each in (one, other):
        each.close()


def test_who_vanishes_amid_a_write_holds_nobody_up(server):
    """Its lock goes with it, and where it comes back what it did is done anew."""
    vanished, other = engine_of(server, "vanished", timeout_s=5), engine_of(server, "vanished", timeout_s=120)
    other.create(FACTS)
    is_there, goes_on = threading.Event(), threading.Event()

    def held(session) -> None:
        session.rows("UPDATE lookalike_collections SET generation = generation WHERE name = 'vanished'")
        is_there.set()
        assert goes_on.wait(LONG_S)

    vanishing = threading.Thread(target=lambda: vanished._connections.run(held))
    vanishing.start()
    assert is_there.wait(LONG_S)
    other.upsert(ITEMS[1:2])
    goes_on.set()
    vanishing.join(LONG_S)
    assert not vanishing.is_alive()
    vanished.upsert(ITEMS[2:3])
    assert other.count() == 2
    for each in (vanished, other):
        each.close()


def test_rights_are_enough_where_the_tables_are_there_and_missing_ones_are_told(server):
    owner = engine_of(server, "rights")
    owner.create(FACTS)
    owner.upsert(ITEMS[:3])
    say = owner._connections.run
    for role, rights in {"reader": "SELECT", "writer": "SELECT, INSERT, UPDATE, DELETE"}.items():
        say(lambda session, role=role: session.rows(f"CREATE ROLE {role} LOGIN"))
        grant = f"GRANT {rights} ON ALL TABLES IN SCHEMA public TO {role}"
        say(lambda session, grant=grant: session.rows(grant))
    reader, writer = (engine_of(server, "rights", user=role) for role in ("reader", "writer"))
    assert reader.describe().count == len(reader.nearest(np.eye(1, DIM, dtype=np.float32), 3)[0]) == 3
    writer.create(FACTS)
    writer.upsert(ITEMS[:4])
    writer.delete(["000000"])
    assert reader.count() == 3
    for change in (
        lambda: reader.upsert(ITEMS[:4]),
        lambda: reader.set_entries("roots", {"a": 1}),
        lambda: reader.delete(["000001"]),
    ):
        with pytest.raises(RemoteRefused, match="permission denied") as refused:
            change()
        assert refused.value.hint
    say(lambda session: session.rows("ALTER ROLE writer SET default_transaction_read_only = on"))
    writer.close()
    writer = engine_of(server, "rights", user="writer")
    with pytest.raises(RemoteRefused, match="read-only") as refused:
        writer.upsert(ITEMS[:4])
    assert "only read" in refused.value.hint
    for each in (owner, reader, writer):
        each.close()


def test_an_answer_is_of_one_moment_whatever_others_remove_meanwhile(server):
    """Its ids are found by one statement, and the items fetched by another."""
    asking, other = engine_of(server, "moment"), engine_of(server, "moment")
    asking.create(FACTS)
    asking.upsert(ITEMS)
    of_ids = asking._of_ids

    def late(session, shape, **how):
        other.delete([item.id for item in ITEMS[: len(ITEMS) // 2]])
        return of_ids(session, shape, **how)

    asking._of_ids = late
    (found,) = asking.nearest(np.eye(1, DIM, dtype=np.float32), len(ITEMS))
    assert {each.item.id for each in found} == {item.id for item in ITEMS}
    asking._of_ids = of_ids
    assert len(asking.nearest(np.eye(1, DIM, dtype=np.float32), len(ITEMS))[0]) == len(ITEMS) // 2
    for each in (asking, other):
        each.close()


def test_who_asks_for_an_index_that_another_builds_waits_for_it(server, monkeypatch):
    monkeypatch.setattr(postgres_plan, "INDEX_FROM", 10)
    engine = engine_of(server, "built", timeout_s=120)
    engine.create(FACTS)
    engine.upsert(ITEMS)
    with ThreadPoolExecutor(4) as pool:
        for building in [pool.submit(engine.build_index, again=True) for _ in range(4)]:
            building.result()
    assert engine.describe().index == "hnsw"
    engine.close()


def test_writers_at_once_leave_the_right_count(server):
    engines = [engine_of(server, "at_once", timeout_s=120) for _ in range(4)]
    engines[0].create(FACTS)

    def write(seed: int) -> None:
        draw = random.Random(seed)
        for _ in range(25):
            some = draw.sample(ITEMS, 30)
            if draw.random() < 0.6:
                engines[seed].upsert(some)
            else:
                engines[seed].delete([item.id for item in some])

    with ThreadPoolExecutor(len(engines)) as pool:
        list(pool.map(write, range(len(engines))))
    assert engines[0].describe().count == engines[0].count() == len(list(engines[0].items()))
    for each in engines:
        each.close()
