"""A server killed by -9 amid a run or a move costs time: the same call goes on, and nothing is lost or doubled."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import pytest

from lookalike.core.errors import RemoteUnavailable
from lookalike.engine import ingest, remote_staging, take
from lookalike.engine.moving_collections import move_here, move_there
from lookalike.engine.remote_collection import RemoteCollection
from lookalike.remote.contract import PAGE
from lookalike.remote.milvus import MilvusEngine
from lookalike.remote.opening import Access, connect
from lookalike.store.collection_store import Found, Store
from lookalike.testing import ToyEncoder
from milvus_servers import MILVUS, MilvusServer, milvus_server
from postgres_servers import POSTGRES, PostgresServer, postgres

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lookalike.engine.reports import SyncReport
    from lookalike.remote.contract import RemoteEngine

SOON_S, LONG_S = 2.0, 300.0
"""Time limits: of calls of a server that is dead, and of all others, which wait for a busy machine."""
BATCH = 5
ROWS = 3 * PAGE


class Killable:
    """A server that may be killed and started again."""

    def __init__(self, server: MilvusServer | PostgresServer) -> None:
        self._server = server
        self._engines: list[RemoteEngine] = []

    def engine(self, name: str) -> RemoteEngine:
        between = "&collection=" if isinstance(self._server, PostgresServer) else "/"
        self._engines.append(connect(f"{self._server.address}{between}{name}", Access(timeout_s=LONG_S)))
        return self._engines[-1]

    def close_engines(self) -> None:
        while self._engines:
            self._engines.pop().close()

    def kill(self, asking: RemoteEngine) -> None:
        """Kill it, and have one that asks wait no longer than it takes to see that: PostgreSQL's says so at once."""
        self._server.kill()
        if isinstance(asking, MilvusEngine):
            asking._calls.timeout_s = SOON_S

    def start_again(self) -> None:
        if isinstance(self._server, PostgresServer):
            self._server.start_again()
        else:
            self._server.start()


@contextmanager
def killable(which: str, folder: Path) -> Iterator[Killable]:
    with postgres(which) if which in POSTGRES else milvus_server(folder) as server:
        killable = Killable(server)
        yield killable
        killable.close_engines()


@pytest.fixture(scope="module", params=[next(iter(POSTGRES)), MILVUS[1]])
def server(request, tmp_path_factory) -> Iterator[Killable]:
    with killable(request.param, tmp_path_factory.mktemp("server")) as server:
        yield server


def killing(server: Killable, engine: RemoteEngine, *, at: int, answered: bool) -> RemoteEngine:
    """The engine, whose server dies at one of its upserts: before it, or behind it when it was `answered`."""
    put, puts = engine.upsert, []

    def upsert(items) -> None:
        puts.append(len(items))
        if len(puts) == at and not answered:
            server.kill(engine)
        put(items)
        if len(puts) == at and answered:
            server.kill(engine)

    engine.upsert = upsert
    return engine


def broken_off(work: Callable[[], object], server: Killable) -> None:
    with pytest.raises(RemoteUnavailable) as away:
        work()
    assert away.value.hint
    server.start_again()


def taken(engine: RemoteEngine, *paths: Path) -> SyncReport:
    return list(RemoteCollection(engine, encoder=ToyEncoder()).sync(paths))[-1]


@pytest.mark.parametrize("answered", [False, True])
def test_a_run_goes_on_with_what_was_confirmed(server, pictures, monkeypatch, answered):
    monkeypatch.setattr(take, "PUBLISH_EVERY", BATCH)
    monkeypatch.setattr(ingest, "PROGRESS_EVERY_S", 0)
    monkeypatch.setattr(remote_staging, "SEND_EVERY", BATCH)
    for module, late in ((take, "PUBLISH_EVERY_S"), (remote_staging, "SEND_EVERY_S")):
        monkeypatch.setattr(module, late, LONG_S)
    name = f"run_{int(answered)}"
    server.engine(name).describe()
    engine = killing(server, server.engine(name), at=2, answered=answered)
    broken_off(lambda: taken(engine, pictures), server)
    engine = server.engine(name)
    confirmed = engine.count()
    assert confirmed >= BATCH
    report = taken(engine, pictures)
    assert report.encoded == len(list(pictures.iterdir())) - confirmed
    assert sorted(item.uri for item in engine.items()) == sorted(map(str, pictures.iterdir()))
    assert engine.describe().count == engine.count() == report.added + confirmed
    assert taken(engine).added == 0


def test_a_move_goes_on_there_and_back(server, tmp_path):
    with Store.open(tmp_path / "many.lookalike") as store, Store.open(tmp_path / "back.lookalike") as back:
        fill(store)
        server.engine("moved").describe()
        engine = killing(server, server.engine("moved"), at=2, answered=True)
        broken_off(lambda: list(move_there(store, engine)), server)
        engine = server.engine("moved")
        confirmed = engine.count()
        assert confirmed == 2 * PAGE
        report = list(move_there(store, engine))[-1]
        assert (report.items, report.sent, report.differing) == (ROWS, ROWS - confirmed, ())
        coming = server.engine("moved")
        coming.items = killing_amid(server, coming)
        broken_off(lambda: list(move_here(coming, back)), server)
        report = list(move_here(engine, back))[-1]
        assert (report.items, report.differing) == (ROWS, ())
        assert report.sent < ROWS


def killing_amid(server: Killable, engine: RemoteEngine) -> Callable:
    """An engine's `items`, whose server dies when a page has come: what it had fetched before still comes."""
    items = engine.items

    def some(**how):
        for at, item in enumerate(items(**how)):
            if at == PAGE:
                server.kill(engine)
            yield item
        items_again = items(**how)
        next(items_again)

    return some


def fill(store: Store) -> None:
    vectors = np.random.default_rng(3).standard_normal((ROWS, 8))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)
    with store.writer() as writer:
        space = writer.create_space("toy-1", "toy", 8)
        root = writer.add_root(b"imported:0", is_file=False).number
        digests = [at.to_bytes(16, "big") for at in range(ROWS)]
        writer.put(
            space,
            [
                Found(root, b"%d" % at, f"/{at}.jpg", 1, 1, digest, None, None, None, "", {"at": at}, vectors[at])
                for at, digest in enumerate(digests)
            ],
        )
        writer.finish([])
