"""The engines elsewhere that contract tests run on, each a real server: `with served(...) as opened`."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from lookalike.remote.opening import Access, connect
from milvus_servers import MILVUS, milvus
from postgres_servers import POSTGRES, postgres

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lookalike.remote.contract import RemoteEngine

ENGINES = [*POSTGRES, *MILVUS]


@contextmanager
def served(which: str, folder: Path) -> Iterator[Callable[[str], RemoteEngine]]:
    """A server with its data in a folder; gives what makes an engine for a collection's name. Both end with it."""
    with ExitStack() as stack:
        if which in MILVUS:
            before_name = stack.enter_context(milvus(which, folder))
        else:
            before_name = f"{stack.enter_context(postgres(which)).address}&collection="

        def opened(name: str) -> RemoteEngine:
            engine = connect(f"{before_name}{name}", Access(timeout_s=120))
            stack.callback(engine.close)
            return engine

        yield opened
