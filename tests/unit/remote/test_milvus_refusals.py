"""What a Milvus with users, or one that is just starting, answers: said as it is, with what to do, and no secret in it.

milvus-lite has no users. So this is a server that answers as Milvus does (internal/proxy/authentication_interceptor.go,
privilege_interceptor.go, pkg/util/merr/errors.go), through pymilvus' own classes.
"""

from __future__ import annotations

import time
from concurrent import futures
from contextlib import contextmanager
from typing import TYPE_CHECKING

import grpc
import pytest
from pymilvus.grpc_gen import common_pb2, milvus_pb2, milvus_pb2_grpc

from lookalike.core.errors import RemoteRefused, RemoteUnavailable
from lookalike.remote.milvus import connect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LONG_S, SHORT_S = 120.0, 1.5
WRONG = "auth check failure, please check username and password are correct"
FORBIDDEN = "PrivilegeDescribeCollection: permission deny to reader in the `default` database"


class Milvus(milvus_pb2_grpc.MilvusServiceServicer):
    """`on_connect`, `on_question`: what it does first when it is connected to, and when a collection is asked for."""

    def __init__(self, on_connect: Callable, on_question: Callable) -> None:
        self.asked = 0
        self._on_connect, self._on_question = on_connect, on_question

    def Connect(self, request, context):  # noqa: N802 gRPC's name
        self.asked += 1
        self._on_connect(context)
        return milvus_pb2.ConnectResponse(status=common_pb2.Status(), identifier=1)

    def DescribeCollection(self, request, context):  # noqa: N802 gRPC's name
        self.asked += 1
        status = self._on_question(context) or common_pb2.Status(code=100, reason="collection not found")
        return milvus_pb2.DescribeCollectionResponse(status=status)


@contextmanager
def answering(on_connect=lambda context: None, on_question=lambda context: None) -> Iterator[tuple[str, Milvus]]:
    server, milvus = grpc.server(futures.ThreadPoolExecutor(2)), Milvus(on_connect, on_question)
    milvus_pb2_grpc.add_MilvusServiceServicer_to_server(milvus, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"milvus://127.0.0.1:{port}/shop", milvus
    finally:
        server.stop(None).wait()


def refuses(code: grpc.StatusCode, text: str) -> Callable:
    return lambda context: context.abort(code, text)


@pytest.mark.parametrize("token", [None, "root:hush-5", "hush-5"])
@pytest.mark.parametrize("where", ["on_connect", "on_question"])
@pytest.mark.parametrize(
    ("code", "text"),
    [
        (grpc.StatusCode.UNAUTHENTICATED, WRONG),
        (grpc.StatusCode.UNAUTHENTICATED, f"{WRONG}: username: root, password: hush-5"),
        (grpc.StatusCode.PERMISSION_DENIED, FORBIDDEN),
    ],
)
def test_a_wrong_token_and_missing_rights_are_told_at_once_with_where_the_token_stands(token, where, code, text):
    with answering(**{where: refuses(code, text)}) as (address, milvus):
        engine = connect(address, token=token, timeout_s=LONG_S)
        with pytest.raises(RemoteRefused, match="refused") as refused:
            engine.describe()
        engine.close()
    said = f"{refused.value} {refused.value.hint}"
    assert "hush-5" not in said or token is None
    assert "LOOKALIKE_MILVUS_TOKEN" in refused.value.hint
    assert milvus.asked <= 3


def test_a_wrong_token_that_comes_as_a_status_is_told_too():
    """So do versions before 2.3, with the password in it."""
    status = common_pb2.Status(code=1100, reason=f"{WRONG}: username: root, password: hush-5: invalid parameter")
    with answering(on_question=lambda _: status) as (address, _):
        engine = connect(address, token="root:hush-5", timeout_s=LONG_S)
        with pytest.raises(RemoteRefused, match="auth check failure") as refused:
            engine.describe()
        engine.close()
    assert "hush-5" not in str(refused.value)
    assert "LOOKALIKE_MILVUS_TOKEN" in refused.value.hint


STARTING = [
    (1, "service not ready[proxy=1: Initializing]"),
    (2, "service unavailable"),
    (106, "collection on recovering"),
    (503, "channel not available"),
    (901, "node not found"),
]


@pytest.mark.parametrize(("code", "reason"), STARTING)
def test_a_server_that_is_starting_is_waited_for(code, reason):
    left = [common_pb2.Status(code=code, reason=reason)] * 2
    with answering(on_question=lambda _: left.pop() if left else None) as (address, _):
        engine = connect(address, timeout_s=LONG_S)
        assert engine.describe() is None
        engine.close()
    assert left == []


@pytest.mark.parametrize(("code", "reason"), [*STARTING, (101, "collection not loaded"), (103, "not fully loaded")])
def test_one_that_never_gets_ready_is_given_up_in_time(code, reason):
    with answering(on_question=lambda _: common_pb2.Status(code=code, reason=reason)) as (address, _):
        engine = connect(address, timeout_s=SHORT_S)
        began = time.monotonic()
        with pytest.raises(RemoteUnavailable):
            engine.describe()
        assert time.monotonic() - began < LONG_S
        engine.close()


def test_a_mistake_of_the_server_is_not_asked_again_and_again():
    with answering(on_question=lambda _: common_pb2.Status(code=1, reason="broken")) as (address, milvus):
        engine = connect(address, timeout_s=LONG_S)
        with pytest.raises(RemoteRefused, match="broken"):
            engine.describe()
        engine.close()
    assert milvus.asked <= 3
