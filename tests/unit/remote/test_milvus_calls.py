"""Calls of Milvus end, whatever the server does: with an answer, or with an error that says what to do."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from lookalike.core.errors import RemoteRefused, RemoteUnavailable
from lookalike.remote.contract import RemoteFacts, RemoteItem
from lookalike.remote.milvus import connect
from milvus_servers import MilvusServer

DIM = 4
LONG_S, SHORT_S = 300.0, 1.5
"""Time-outs: a busy machine's start of a server, and one that shall pass: nobody is there to answer."""


@pytest.fixture
def server(tmp_path):
    server = MilvusServer(tmp_path)
    server.start()
    yield server
    server.kill()


def items(first: int, behind: int) -> list[RemoteItem]:
    vector = np.eye(1, DIM, dtype=np.float16)[0]
    return [
        RemoteItem(f"{one:04}", "/x", b"/", b"", 1, 1, None, None, 1, 1, "", vector=vector)
        for one in range(first, behind)
    ]


def test_a_server_killed_while_items_are_put_loses_and_doubles_none_once_it_is_back(server):
    engine = connect(f"{server.address}/shop", timeout_s=LONG_S)
    engine.create(RemoteFacts("toy-1", "toy", DIM))
    engine.upsert(items(0, 500))
    putting = threading.Thread(target=lambda: [engine.upsert(items(at, at + 50)) for at in range(500, 3000, 50)])
    putting.start()
    while engine.count() < 700:
        time.sleep(0.05)
    server.kill()
    server.start()
    putting.join(LONG_S)
    assert [item.id for item in engine.items()] == [item.id for item in items(0, 3000)]
    assert len(engine.nearest(np.eye(1, DIM, dtype=np.float32), 100)[0]) == 100


def test_a_server_that_is_gone_is_said_so_within_the_time_and_answers_when_it_is_back(server):
    connect(f"{server.address}/shop", timeout_s=LONG_S).create(RemoteFacts("toy-1", "toy", DIM))
    engine = connect(f"{server.address}/shop", timeout_s=LONG_S)
    engine.upsert(items(0, 10))
    server.kill()
    engine._calls.timeout_s = SHORT_S
    for call in (engine.describe, engine.count, lambda: list(engine.items()), lambda: engine.upsert(items(0, 1))):
        with pytest.raises(RemoteUnavailable, match="did not answer") as away:
            call()
        assert away.value.hint
    server.start()
    assert connect(f"{server.address}/shop", timeout_s=LONG_S).count() == 10


def test_a_server_that_takes_calls_and_never_answers_holds_nobody_up():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        engine = connect(f"milvus://127.0.0.1:{silent.getsockname()[1]}/shop", timeout_s=SHORT_S)
        with pytest.raises(RemoteUnavailable):
            engine.describe()


def test_a_collection_of_somebody_else_is_refused_and_no_secret_is_shown(server):
    from pymilvus import MilvusClient

    connect(f"{server.address}/shop", timeout_s=LONG_S).describe()
    with_token = connect(f"{server.address}/theirs", token="root:theirs_settings", timeout_s=LONG_S)
    client = MilvusClient(server.address.replace("milvus", "http"))
    client.create_collection("theirs", dimension=DIM)
    client.close()
    with pytest.raises(RemoteRefused, match="not made by lookalike"):
        with_token.describe()
    with pytest.raises(RemoteRefused, match=r"refused: .*\*\*\*") as refused:
        with_token.entries("roots")
    assert "theirs_settings" not in f"{refused.value} {refused.value.hint}"


def test_a_closed_engine_answers_nothing(server):
    engine = connect(f"{server.address}/shop", timeout_s=LONG_S)
    assert engine.describe() is None
    engine.close()
    with pytest.raises(ValueError, match="closed"):
        engine.describe()


def test_files_that_another_process_has_open_are_refused_with_what_to_do(tmp_path):
    address = f"milvus://{'' if tmp_path.as_posix().startswith('/') else '/'}{tmp_path.as_posix()}/shop.db"
    assert connect(address, timeout_s=LONG_S).describe() is None
    other = (
        "import sys\nfrom lookalike.core.errors import RemoteRefused\nfrom lookalike.remote.milvus import connect\n"
        f"try: connect(sys.argv[1], timeout_s={LONG_S}).describe()\n"
        "except RemoteRefused as refused: print(refused, refused.hint)"
    )
    said = subprocess.run([sys.executable, "-c", other, address], capture_output=True, text=True, check=True)
    assert "cannot be opened" in said.stdout
    assert "milvus-lite server" in said.stdout
    assert said.stderr == ""
