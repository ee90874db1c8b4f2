"""Building an index in a process of its own: one that gives way to searches and can be stopped at any moment.

Inside one process a background build takes the caches, the interpreter's lock between its calls and the priority of
everything else; and FAISS cannot be interrupted while it trains. Here `stop` ends the process at once: what it
noted on the disk by then is where the next build goes on.

A plain process with two pipes, not `multiprocessing`: that one would run the user's main module again.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from lookalike.core.errors import LookalikeError
from lookalike.index.building import CHECKPOINT_S, BuildProgress, build
from lookalike.index.manifest import Identity, Manifest

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from lookalike.index.kinds import IndexSpec

_BOOTSTRAP = (
    "import pickle, sys; sys.path[:] = pickle.load(sys.stdin.buffer);"
    "from lookalike.index.building_process import serve; serve()"
)
_PATIENCE_S = 0.2
"""How long `stop` may be overlooked."""
_LOWEST_PRIORITY = 19


@dataclass(frozen=True, slots=True)
class RowsFile:
    """Float16 rows in a file, little-endian: `count` of them from byte `offset` on, as the identity's `dim` says."""

    path: Path
    offset: int
    count: int

    @classmethod
    def of(cls, rows: Any) -> Self:
        """Where the first of mapped rows lie, for another process to map."""
        return cls(Path(rows.filename), rows.offset, len(rows))


@dataclass(frozen=True, slots=True)
class _Order:
    spec: IndexSpec
    rows: RowsFile
    path: Path
    identity: Identity
    threads: int
    checkpoint_s: float
    gives_way: bool


def build_in_process(
    spec: IndexSpec,
    rows: RowsFile,
    path: Path,
    *,
    identity: Identity,
    told: Callable[[BuildProgress], None] | None = None,
    threads: int = 1,
    stop: threading.Event | None = None,
    checkpoint_s: float = CHECKPOINT_S,
    gives_way: bool = True,
) -> Manifest | None:
    """`building.build` in a process of its own, of the lowest priority where it `gives_way`; None when stopped.

    The caller's thread waits for it.

    The process ends with this one, however that ends. Raises what `build` raises, and LookalikeError when the process
    was killed from outside.
    """
    order = _Order(spec, rows, path, identity, threads, checkpoint_s, gives_way)
    process = subprocess.Popen([sys.executable, "-c", _BOOTSTRAP], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    over = threading.Event()
    watch = threading.Thread(target=_kill_when, args=(process, stop or threading.Event(), over), daemon=True)
    watch.start()
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        with contextlib.suppress(BrokenPipeError):  # it ended already: its answer is missing and says so
            process.stdin.write(pickle.dumps(sys.path) + pickle.dumps(order))
            process.stdin.flush()
        answer = _last_answer(process.stdout, told or (lambda _progress: None))
    finally:
        over.set()
        process.kill()
        process.wait()
        watch.join()
        for pipe in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):
                pipe.close()  # type: ignore[union-attr]  # opened as PIPE
    if isinstance(answer, Manifest):
        return answer
    if stop is not None and stop.is_set():
        return None
    if isinstance(answer, BaseException):
        raise answer
    raise LookalikeError(
        f"the process that built the index {path} was ended from outside", hint="another build goes on where it was"
    )


def serve() -> None:
    """What the process does: take an order from standard input, answer with progress, then a manifest or an error."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints must not land among the answers
    order: _Order = pickle.load(sys.stdin.buffer)  # noqa: S301 written by the process that started this one
    threading.Thread(target=_end_with_parent, daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal reaches it too: its parent decides
    if order.gives_way:
        _give_way()
    try:
        _send(answers, _run(order, lambda progress: _send(answers, progress)))
    except Exception as error:  # whatever it is, the one who ordered has to hear of it
        _send(answers, _picklable(error))


def _run(order: _Order, told: Callable[[BuildProgress], None]) -> Manifest | None:
    import numpy as np

    shape = (order.rows.count, order.identity.dim)
    rows = np.memmap(order.rows.path, dtype="<f2", mode="r", offset=order.rows.offset, shape=shape)
    return build(
        order.spec,
        rows,
        order.path,
        identity=order.identity,
        told=told,
        threads=order.threads,
        checkpoint_s=order.checkpoint_s,
    )


def _last_answer(answers: IO[bytes], told: Callable[[BuildProgress], None]) -> Any:
    """Pass progress on; give what is none, or None when the process ended without a word."""
    while True:
        try:
            answer = pickle.load(answers)  # noqa: S301 written by the process started here
        except (EOFError, pickle.UnpicklingError):
            return None
        if not isinstance(answer, BuildProgress):
            return answer
        told(answer)


def _kill_when(process: subprocess.Popen[bytes], stop: threading.Event, over: threading.Event) -> None:
    while not over.is_set():
        if stop.wait(_PATIENCE_S):
            process.kill()
            return


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


def _give_way() -> None:
    os.putenv("OMP_WAIT_POLICY", "passive")  # for FAISS, not loaded yet: its waiting threads would spin
    with contextlib.suppress(OSError):
        if sys.platform == "win32":
            import ctypes

            below_normal = 0x4000
            kernel = ctypes.windll.kernel32
            kernel.SetPriorityClass(kernel.GetCurrentProcess(), below_normal)
        else:
            os.nice(_LOWEST_PRIORITY)


def _picklable(error: Exception) -> Exception:
    """`error` itself where it survives the way, else its words."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 made here
    except Exception:  # errors with arguments of their own do not pickle, each in its way
        return LookalikeError(str(error), hint=getattr(error, "hint", ""))
    return error


def _send(answers: IO[bytes], answer: Any) -> None:
    answers.write(pickle.dumps(answer))
    answers.flush()
