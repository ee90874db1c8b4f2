"""Building an index while this process goes on searching: in a process of its own, with one thread and low priority.

The child opens the collection by its path, builds, calibrates and publishes; searches of any process take the new index
with their next snapshot. It stops soon when its standard input ends: when it is told to, or when its parent dies
however it dies. What it did by then is kept for the next build.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lookalike.core.closing import Closing
from lookalike.core.errors import CollectionBusy

if TYPE_CHECKING:
    from lookalike.core.arrays import Vectors

NICENESS = 19
"""The lowest priority there is: it takes what searches leave."""
THREADS = 1
_STOP_S = 2.0
"""Seconds to end by itself when told to; killed after that it loses the work since its last checkpoint."""
_BOOTSTRAP = (
    "import json, sys; job = json.loads(sys.stdin.readline()); sys.path[:] = job['path'];"
    "from lookalike.engine.background import run; run(job)"
)


class BackgroundBuild(Closing):
    """The child process. `words`: questions to calibrate with, float32 (t, dim), or None."""

    def __init__(self, collection: Path, words: Vectors | None) -> None:
        lowered: dict[str, Any] = (  # a group of its own: the terminal's Ctrl-C is not for it
            {"process_group": 0}
            if os.name == "posix"
            else {"creationflags": getattr(subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0)}
        )
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-W", "ignore", "-c", _BOOTSTRAP],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **lowered,
        )
        job = {"path": sys.path, "collection": str(collection), "words": None, "dim": 0}
        if words is not None:
            job |= {"words": base64.b64encode(words.tobytes()).decode("ascii"), "dim": words.shape[1]}
        assert self._process.stdin is not None
        with suppress(OSError):  # it died at once; `wait` tells
            self._process.stdin.write(json.dumps(job).encode() + b"\n")
            self._process.stdin.flush()

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def wait(self, timeout_s: float | None = None) -> bool:
        """Whether it ended, and well, within the time."""
        try:
            return self._process.wait(timeout_s) == 0
        except subprocess.TimeoutExpired:
            return False

    def close(self) -> None:
        """Stop it; what it did is kept."""
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def run(job: dict[str, Any]) -> None:
    """What the child does."""
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    for library in ("OMP", "OPENBLAS"):
        os.putenv(f"{library}_NUM_THREADS", str(THREADS))  # neither is loaded yet
    import numpy as np

    from lookalike.engine.indexing import build_index
    from lookalike.store.collection_store import Store

    stop = threading.Event()
    threading.Thread(target=_watch_input, args=(stop,), daemon=True).start()
    words = None
    if job["words"] is not None:
        words = np.frombuffer(base64.b64decode(job["words"]), dtype=np.float32).reshape(-1, job["dim"])
    with Store.open(Path(job["collection"]), create=False) as store, suppress(CollectionBusy):
        for _ in build_index(store, lambda: words, threads=THREADS, stop=stop):
            pass


def _watch_input(stop: threading.Event) -> None:
    """Set `stop` when standard input ends."""
    while os.read(sys.stdin.fileno(), 1):  # not through its buffer, whose lock the end of Python would wait for
        pass
    stop.set()
