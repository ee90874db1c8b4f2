"""A collection elsewhere that cannot be had: every command says what happened and what to do, and soon."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lookalike.testing import ToyEncoder
from milvus_servers import milvus_server
from postgres_servers import POSTGRES, postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

LOOKALIKE = str(Path(sys.executable).with_name("lookalike"))
SOON, PATIENTLY = ({"COLUMNS": "80", "LOOKALIKE_REMOTE_TIMEOUT": seconds} for seconds in ("2", "120"))
"""Environments of commands that nobody answers, and of those that a busy machine's server shall answer."""
NO_NAME, REFUSED = "nohost.invalid", "127.0.0.1:9"
UNREACHABLE = [
    f"milvus://{NO_NAME}/shop",
    f"milvus://{REFUSED}/shop",
    f"postgresql://me@{NO_NAME}/db?collection=shop",
    f"postgresql://me@{REFUSED}/db?collection=shop",
]
SEARCH, INDEX, MOVE = (
    ["search", "a red circle", "--collection"],
    ["index", "{photos}", "--collection"],
    ["move", "{here}"],
)
ASKED = [*((SEARCH, address) for address in UNREACHABLE), (INDEX, UNREACHABLE[1]), (MOVE, UNREACHABLE[3])]


def said(arguments: list[str], environment: dict[str, str] = PATIENTLY) -> str:
    """What a command that fails writes, in one line."""
    env = {**os.environ, **environment}
    done = subprocess.run([LOOKALIKE, *arguments], check=False, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    return " ".join(done.stderr.split())


@pytest.mark.parametrize(("command", "address"), ASKED)
def test_a_server_that_cannot_be_reached_is_told_with_the_reason(command, address, collection, pictures):
    given = [part.format(photos=pictures, here=collection.place) for part in command]
    told = said([*given, address], SOON)
    assert "not answer" in told
    assert ("refused" in told) is (REFUSED in address)
    assert "look whether the server runs" in told or "see whether the server runs" in told


@pytest.mark.parametrize("address", UNREACHABLE[1::2])
def test_a_service_says_when_it_starts_that_its_engine_is_away(address):
    command = [LOOKALIKE, "serve", "--port", "0", "--collection", address]
    with subprocess.Popen(command, env={**os.environ, **SOON}, stderr=subprocess.PIPE, text=True) as service:
        assert service.stderr is not None
        try:
            told = [service.stderr.readline() for _ in range(2)]
        finally:
            service.terminate()
            service.stderr.read()
    assert "lookalike is at http://127.0.0.1:" in told[0]
    assert "not answer" in told[1]
    assert "refused" in told[1]


@pytest.fixture(scope="module")
def servers(tmp_path_factory) -> Iterator[dict[str, str]]:
    """What collections' names are appended to."""
    with ExitStack() as stack:
        milvus = stack.enter_context(milvus_server(tmp_path_factory.mktemp("milvus")))
        server = stack.enter_context(postgres(next(iter(POSTGRES))))
        yield {"milvus": f"{milvus.address}/", "postgres": f"{server.address}&collection="}


@pytest.mark.parametrize("which", ["milvus", "postgres"])
def test_a_name_that_is_not_there_is_told_with_what_makes_it(servers, which, tmp_path):
    address = f"{servers[which]}nobody"
    for arguments in (
        ["search", "red", "--collection", address],
        ["move", address, str(tmp_path / "back.lookalike")],
    ):
        told = said(arguments)
        assert "there is no collection" in told
        assert "lookalike index FOLDER" in told
    assert not (tmp_path / "back.lookalike").exists()
    assert "on this computer" in said(["duplicates", "--collection", address])


def test_a_collection_of_another_encoder_is_not_mixed_with(servers, collection, pictures, colour_encoder):
    address = f"{servers['postgres']}mixed"
    command = [LOOKALIKE, "move", collection.place, address]
    subprocess.run(command, env={**os.environ, **PATIENTLY}, check=True, capture_output=True)
    told = said(["index", str(pictures), "--encoder", str(colour_encoder), "--collection", address])
    assert ToyEncoder().name in told
    assert "name another collection" in told
