"""milvus-lite in this process: for each folder of its files a server on 127.0.0.1, which answers one call at a time.

One at a time because it takes one writer only (its adapter/grpc/server.py says so): two who write at once spoil its
log, and what both had confirmed is gone when the process ends suddenly. pymilvus would start it with ten threads.
"""

from __future__ import annotations

import atexit
import threading
from typing import TYPE_CHECKING

from lookalike.core.causes import cause_of
from lookalike.core.errors import RemoteRefused

if TYPE_CHECKING:
    from pathlib import Path

    import grpc
    from milvus_lite.db import MilvusLite

_GRACE_S = 2.0
"""How long the end of a process waits for calls under way."""
_starting = threading.Lock()
_running: dict[Path, tuple[str, grpc.Server, MilvusLite]] = {}
"""By folder: address, server and files."""


def address_in_process(folder: Path, shown: str) -> str:
    """The address, of HTTP, of milvus-lite on a folder, started at the first call. `shown` names it in errors.

    Raises RemoteRefused where milvus-lite is not installed, or cannot open that folder.
    """
    try:
        from milvus_lite.adapter.grpc.server import start_server_in_thread
        from milvus_lite.exceptions import DataDirLockedError, MilvusLiteError
    except ImportError:
        raise RemoteRefused(f"{shown} needs milvus-lite, 3.0 or later", hint="pip install -U milvus-lite") from None
    folder = folder.resolve()
    with _starting:
        if folder not in _running:
            if not folder.parent.is_dir():
                missing = f"there is no folder {folder.parent}"
                raise RemoteRefused(f"{shown} cannot be opened: {missing}", hint="make that folder first")
            try:
                server, files, port = start_server_in_thread(str(folder), port=0, max_workers=1)
            except DataDirLockedError:
                raise RemoteRefused(f"{shown} cannot be opened: another process has it open", hint=_MANY) from None
            except (MilvusLiteError, OSError) as error:
                raise RemoteRefused(f"{shown} cannot be opened: {cause_of(error)}", hint=_OURS) from None
            _running[folder] = (f"http://127.0.0.1:{port}", server, files)
            atexit.register(_stop, server, files)
        return _running[folder][0]


_OURS = "give a path in a folder of yours, where milvus-lite keeps its files or may make them"
_MANY = "one process at a time may have such files open; for more, start milvus-lite server --max-workers 1"


def _stop(server: grpc.Server, files: MilvusLite) -> None:
    server.stop(_GRACE_S).wait()
    files.close()
