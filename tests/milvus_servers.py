"""milvus-lite for tests: in this process, and as a server on 127.0.0.1."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import weakref
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lookalike.remote.milvus import connect

if TYPE_CHECKING:
    from collections.abc import Iterator

MILVUS = ["milvus-lite", "milvus-lite's server"]
START_S = 300.0
"""What a server may take to start on a busy machine; alone it takes 3."""


@contextmanager
def milvus(which: str, folder: Path) -> Iterator[str]:
    """An address that ends in what a collection's name is appended to."""
    if which == MILVUS[0]:
        yield f"milvus://{'' if folder.as_posix().startswith('/') else '/'}{folder.as_posix()}/lite.db#"
        return
    with milvus_server(folder) as server:
        yield f"{server.address}/"


@contextmanager
def milvus_server(folder: Path) -> Iterator[MilvusServer]:
    """A server that answers, with its data in a folder."""
    server = MilvusServer(folder)
    server.start()
    try:
        connect(f"{server.address}/none", timeout_s=START_S).describe()
        yield server
    finally:
        server.kill()


class MilvusServer:
    """A server with its data in a folder, which may be killed and started again at its address."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        held = socket.socket()
        if hasattr(socket, "SO_REUSEPORT"):  # while it does not run nobody is given its port, which gRPC would share
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        held.bind(("127.0.0.1", 0))
        self._port = held.getsockname()[1]
        if hasattr(socket, "SO_REUSEPORT"):
            weakref.finalize(self, os.close, held.detach())
        held.close()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"milvus://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Returns at once: whoever calls it tries until it answers."""
        program = Path(sys.executable).with_name("milvus-lite")
        place = ["--data-dir", str(self._folder / "data"), "--host", "127.0.0.1", "--port", str(self._port)]
        place += ["--max-workers", "1"]  # as docs/milvus.md says
        with (self._folder / "log.txt").open("ab") as log:
            self._process = subprocess.Popen([program, "server", *place], stdout=log, stderr=log)

    def kill(self) -> None:
        """As by kill -9."""
        assert self._process is not None, "it was started"
        self._process.kill()
        self._process.wait()
