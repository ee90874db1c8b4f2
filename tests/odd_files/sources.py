"""Sources that misbehave on purpose. Importable, because a source is opened in another process."""

from __future__ import annotations

import io
import os
import signal
import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from lookalike.core.records import Asset

if TYPE_CHECKING:
    from collections.abc import Iterator

KILLS, HANGS, INTERRUPTS, RAISES, LISTENS = b"kills", b"hangs", b"interrupts", b"raises", b"listens"
"""Names of entries that do so to the process that opens them."""


@dataclass(frozen=True, slots=True)
class BadManners:
    """Serves `content` under every key, after doing what the key's first word says. `port`: whom LISTENS calls."""

    content: bytes
    keys: tuple[bytes, ...]
    port: int = 0

    def assets(self) -> Iterator[Asset]:
        for key in self.keys:
            yield Asset(key, key.decode(), len(self.content), 0)

    def open(self, asset: Asset) -> BinaryIO:
        manner = asset.key.split()[0]
        if manner == KILLS:
            os.kill(os.getpid(), signal.SIGKILL if os.name == "posix" else signal.SIGTERM)
        elif manner == HANGS:
            time.sleep(600)
        elif manner == INTERRUPTS:
            signal.raise_signal(signal.SIGINT)
        elif manner == RAISES:
            raise RuntimeError("this source is out of order")
        elif manner == LISTENS:
            with socket.create_connection(("127.0.0.1", self.port)) as line:
                line.recv(1)
        return io.BytesIO(self.content)


class _Restless(io.FileIO):
    """A file that grows while it is read."""

    def read(self, size: int | None = -1) -> bytes:
        content = super().read(size)
        with open(self.name, "ab") as file:
            file.write(b"more")
        return content


@dataclass(frozen=True, slots=True)
class Restless:
    """One file that never settles."""

    path: str

    def assets(self) -> Iterator[Asset]:
        yield Asset(b"file", self.path, 0, 0)

    def open(self, asset: Asset) -> BinaryIO:
        return _Restless(asset.uri)  # type: ignore[return-value]
