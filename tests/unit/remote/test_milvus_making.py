"""Making a collection on Milvus takes several steps; broken off behind any of them, the next making is whole."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np
import pytest
from pymilvus import MilvusClient
from pymilvus.client.grpc_handler import GrpcHandler

from lookalike.core.errors import EncoderMismatch
from lookalike.remote.contract import RemoteFacts, RemoteItem
from lookalike.remote.milvus import connect
from milvus_servers import milvus_server

if TYPE_CHECKING:
    from collections.abc import Iterator

LONG_S = 300.0
DIM, WIDER = 4, 8
STEPS = ("create_collection", "create_index", "load_collection", "upsert_rows")


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> Iterator[str]:
    with milvus_server(tmp_path_factory.mktemp("server")) as server:
        yield server.address


def break_off_behind(step: int, monkeypatch) -> list[str]:
    """Ends whoever asks by pymilvus behind its `step`th change; gives the names of the changes, filled as they come."""
    done: list[str] = []

    def breaking(name, change):
        def call(*args, **kwargs):
            answer = change(*args, **kwargs)
            done.append(name)
            if len(done) == step:
                raise KeyboardInterrupt
            return answer

        return call

    for name in STEPS:
        monkeypatch.setattr(GrpcHandler, name, breaking(name, getattr(GrpcHandler, name)))
    return done


def item(dim: int) -> RemoteItem:
    vector = np.eye(1, dim, dtype=np.float16)[0]
    return RemoteItem("a", "/a", b"/", b"a", 1, 1, b"d" * 16, None, 1, 1, "", stems=("red",), vector=vector)


def test_a_making_that_broke_off_is_made_whole_by_the_next_also_for_another_encoder(address, monkeypatch):
    """For another one until there is a place for items."""
    client = MilvusClient(address.replace("milvus", "http"))
    first, other = RemoteFacts("toy-1", "toy", DIM), RemoteFacts("toy-2", "toy two", WIDER)
    step, done = 0, ["more"]
    while len(done) >= step:
        step += 1
        name = f"made_{step}"
        engine = connect(f"{address}/{name}", timeout_s=LONG_S)
        with monkeypatch.context() as patches, suppress(KeyboardInterrupt):
            done = break_off_behind(step, patches)
            engine.create(first)
        facts = other
        if client.has_collection(name):
            with pytest.raises(EncoderMismatch):
                engine.create(other)
            facts = first
        engine.create(facts)
        assert set(client.list_indexes(name)) == {"vector", "rarity", "picture"}
        assert client.list_indexes(f"{name}_settings") == ["nothing"]
        assert engine.describe().encoder_id == facts.encoder_id
        engine.upsert([item(facts.dim)])
        assert engine.nearest(np.eye(1, facts.dim, dtype=np.float32), 3)[0][0].item.id == "a"
        assert engine.with_stems(["red"], 3)[0].item.id == "a"
        engine.close()
    client.close()
    assert step > len(STEPS)
