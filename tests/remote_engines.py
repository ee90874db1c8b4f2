"""The engines elsewhere that contract tests run on, each a real server: `with served(...) as opened`."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from lookalike.remote.postgres import connect
from postgres_servers import POSTGRES, postgres

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lookalike.remote.contract import RemoteEngine

ENGINES = [*POSTGRES]


@contextmanager
def served(which: str, folder: Path) -> Iterator[Callable[[str], RemoteEngine]]:
    """A server with its data in a folder; gives what makes an engine for a collection's name. Both end with it."""
    with ExitStack() as stack:
        address = stack.enter_context(postgres(which, folder))

        def opened(name: str) -> RemoteEngine:
            engine = connect(f"{address}&collection={name}", timeout_s=20)
            stack.callback(engine.close)
            return engine

        yield opened
