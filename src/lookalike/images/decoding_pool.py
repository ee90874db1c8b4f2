"""Reading and decoding in worker processes, so that one bad file costs itself and nothing else.

Promises: every job gets exactly one answer, and the answer carries its job. A codec that crashes, is killed
or runs out of memory costs the file it had in hand (`Skipped`, code "crashed"); a file over
`limits.timeout_s` costs itself ("too-slow"); the worker is replaced. Jobs are taken from the iterable
only in the thread that asks for results, and only a few ahead of them: memory is bounded. Workers start when the
first job comes and end with this process, however it ends.

Each worker is attended by a thread here; one more thread watches the time.
"""

from __future__ import annotations

import contextlib
import pickle
import queue
import signal
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any, Literal, TypeAlias

from lookalike.core.child_processes import ended, started
from lookalike.core.closing import Closing
from lookalike.core.errors import LookalikeError, SourceError
from lookalike.core.records import Asset, DecodeLimits, Picture, Skipped
from lookalike.core.wording import Wording
from lookalike.images.fingerprint import fingerprint_of_greys

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterable, Iterator

    from PIL.Image import Image

    from lookalike.core.protocols import Source

    Fit: TypeAlias = Callable[[Image], Image]

AHEAD = 32
"""Jobs in hand beyond two for each worker: the batch that an encoder fills while it is busy with another."""
_START_TIMEOUT_S = 60.0
_WATCH_EVERY_S = 0.1
_PATIENCE_S = 0.2
"""How long a wait for results may overlook `stop`, and Ctrl-C on Windows."""
_PIPE_BYTES = 1 << 20
"""A whole reduced picture fits into the pipe (Linux; elsewhere the system's own size holds)."""


def decode_many(
    jobs: Iterable[tuple[Source, Asset]], *, side: int, limits: DecodeLimits, workers: int, fit: Fit | None = None
) -> Iterator[tuple[Source, Asset, Picture | Skipped]]:
    """`DecodingPool.decode_many` with a pool of its own."""
    with DecodingPool(workers) as pool:
        yield from pool.decode_many(jobs, side=side, limits=limits, fit=fit)


def digest_many(
    jobs: Iterable[tuple[Source, Asset]], *, limits: DecodeLimits, workers: int
) -> Iterator[tuple[Source, Asset, bytes | Skipped]]:
    """`DecodingPool.digest_many` with a pool of its own."""
    with DecodingPool(workers) as pool:
        yield from pool.digest_many(jobs, limits=limits)


class DecodingPool(Closing):
    """Worker processes for one sync; a context manager. Used from one thread at a time.

    `stop`: once it is set, results end within a quarter of a second, whatever the workers are doing.
    """

    def __init__(self, workers: int, *, stop: threading.Event | None = None) -> None:
        if workers < 1:
            raise ValueError(f"workers is {workers}; at least one is needed")
        self._stop = stop or threading.Event()
        self._count = workers
        self._tasks: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._workers = [_Worker() for _ in range(workers)]
        self._threads: list[threading.Thread] = []
        self._closed = threading.Event()

    def close(self) -> None:
        """End the workers at once, whatever they are doing."""
        self._closed.set()
        for _ in self._threads:
            self._tasks.put(None)
        for worker in self._workers:
            worker.kill()
        for thread in self._threads:
            thread.join()
        self._threads.clear()

    def decode_many(
        self, jobs: Iterable[tuple[Source, Asset]], *, side: int, limits: DecodeLimits, fit: Fit | None = None
    ) -> Iterator[tuple[Source, Asset, Picture | Skipped]]:
        """Pictures, reduced for encoders that look at `side` pixels, in the order in which they get done.

        `fit`: what the worker still does to the reduced picture, a PIL image in mode RGB, before `pixels` is taken from
        it: an encoder's own resize costs less there, and a small picture travels faster. Digests are not touched.
        Raises SourceError when a source cannot be used in another process.
        """
        return self._run("decode", jobs, side, limits, None if fit is None else pickle.dumps(fit))

    def digest_many(
        self, jobs: Iterable[tuple[Source, Asset]], *, limits: DecodeLimits
    ) -> Iterator[tuple[Source, Asset, bytes | Skipped]]:
        """The 16-byte BLAKE2b of all bytes of each file, in the order in which they get done."""
        return self._run("digest", jobs, 0, limits)

    def _run(
        self,
        kind: Literal["decode", "digest"],
        jobs: Iterable[tuple[Source, Asset]],
        side: int,
        limits: DecodeLimits,
        fit: bytes | None = None,
    ) -> Iterator[tuple[Source, Asset, Any]]:
        run = _Run(kind, side, limits, fit)
        waiting = iter(jobs)
        in_hand, exhausted = 0, False
        try:
            while True:
                while not exhausted and in_hand < 2 * self._count + AHEAD:
                    job = next(waiting, None)
                    if job is None:
                        exhausted = True
                    else:
                        self._start()
                        self._tasks.put(_Task(run, *job))
                        in_hand += 1
                if in_hand == 0:
                    return
                answered = self._next_answer(run)
                if answered is None:
                    return
                source, asset, answer = answered
                in_hand -= 1
                if isinstance(answer, Exception):
                    raise answer
                yield source, asset, answer
        finally:
            run.cancelled = True

    def _next_answer(self, run: _Run) -> tuple[Source, Asset, Any] | None:
        """The next answer; None when the pool is to stop."""
        while not self._stop.is_set():
            if self._closed.is_set():
                raise ValueError("the decoding pool is closed")
            with contextlib.suppress(queue.Empty):
                return run.answers.get(timeout=_PATIENCE_S)
        return None

    def _start(self) -> None:
        if self._threads:
            return
        if self._closed.is_set():
            raise ValueError("the decoding pool is closed")
        self._threads = [threading.Thread(target=self._attend, args=(w,), daemon=True) for w in self._workers]
        self._threads.append(threading.Thread(target=self._watch, daemon=True))
        for thread in self._threads:
            thread.start()

    def _attend(self, worker: _Worker) -> None:
        """Hand tasks to one worker, one at a time."""
        while (task := self._tasks.get()) is not None and not self._closed.is_set():
            if task.run.cancelled:
                continue
            try:
                answer: Any = worker.do(task)
            except Exception as error:  # it belongs to the thread that asks for results
                answer = error
            task.run.answers.put((task.source, task.asset, answer))
        worker.kill()
        worker.discard()

    def _watch(self) -> None:
        while not self._closed.wait(_WATCH_EVERY_S):
            for worker in self._workers:
                worker.kill_if_overdue()


@dataclass(slots=True)
class _Run:
    """What all tasks of one call share. Once `cancelled`, those not begun are dropped."""

    kind: Literal["decode", "digest"]
    side: int
    limits: DecodeLimits
    fit: bytes | None
    answers: queue.SimpleQueue[tuple[Source, Asset, Any]] = field(default_factory=queue.SimpleQueue)
    cancelled: bool = False


@dataclass(frozen=True, slots=True)
class _Task:
    run: _Run
    source: Source
    asset: Asset


class _Worker:
    """One worker process, started when there is something to do and again after its death.

    `do` is called by its attending thread only; `kill` and `kill_if_overdue` by any.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._deadline: float | None = None
        self._overdue = False
        self._stopped = False
        self._known_source: Source | None = None

    def do(self, task: _Task) -> Picture | bytes | Skipped:
        """The answer to one task. Raises SourceError, or LookalikeError when no process can be started."""
        if self._process is None or self._overdue or self._process.poll() is not None:
            self._launch()
        message = self._message(task)
        answer, body = self._exchange(message, task.run.limits.timeout_s)
        if answer is None:
            return _skipped(task.asset, *self._obituary(task.run.limits))
        self._known_source = task.source
        if answer.kind == "picture":
            return _picture(answer.values, body)
        if answer.kind == "digest":
            return bytes(answer.values[0])
        if answer.kind == "no-source":
            raise SourceError(
                f"{type(task.source).__name__} cannot be used in another process: {answer.values[0]}",
                hint="define the source in a module that can be imported, not in the main script",
            )
        return _skipped(task.asset, *answer.values)

    def kill(self) -> None:
        """End the process for good, at once."""
        with self._lock:
            self._stopped = True
            if self._process is not None:
                self._process.kill()

    def kill_if_overdue(self) -> None:
        with self._lock:
            if self._process is not None and self._deadline is not None and time.monotonic() > self._deadline:
                self._overdue = True
                self._process.kill()

    def _message(self, task: _Task) -> bytes:
        from lookalike.images.decoding_worker import Job

        try:
            source = None if task.source is self._known_source else pickle.dumps(task.source)
        except Exception as error:  # pickling runs the source's own code
            raise SourceError(f"{type(task.source).__name__} cannot be sent to another process: {error}") from error
        run = task.run
        return pickle.dumps(Job(run.kind, source, task.asset, run.side, run.limits, run.fit))

    def _launch(self) -> None:
        self.discard()
        process = started("lookalike.images.decoding_worker")
        _widen(process.stdout)
        with self._lock:
            self._process, self._overdue, self._known_source = process, False, None
            if self._stopped:
                process.kill()
        answer, _ = self._exchange(pickle.dumps(sys.path), _START_TIMEOUT_S)
        if answer is None:
            raise LookalikeError(
                f"the process that decodes pictures does not start (exit status {process.wait()})",
                hint="lookalike doctor",
            )

    def _exchange(self, message: bytes, timeout_s: float) -> tuple[Any, Any]:
        """Send a message and wait for its answer; (None, None) when the process died instead."""
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        with self._lock:
            self._deadline = time.monotonic() + timeout_s
        try:
            process.stdin.write(message)
            process.stdin.flush()
            return _read_answer(process.stdout)
        except (OSError, EOFError):
            return None, None
        finally:
            with self._lock:
                self._deadline = None

    def _obituary(self, limits: DecodeLimits) -> tuple[str, Wording]:
        """Why the process died: code and sentence."""
        assert self._process is not None
        self._process.kill()  # its pipe may have broken before it ended
        status = self._process.wait()
        if self._overdue:
            return "too-slow", Wording("decoding_too_slow", seconds=f"{limits.timeout_s:g}")
        return "crashed", Wording("decoding_crashed", told=_status_in_words(status))

    def discard(self) -> None:
        """Give back what a dead process leaves behind."""
        if self._process is not None:
            ended(self._process)


def _widen(pipe: IO[bytes] | None) -> None:
    """Make room for a whole picture, where the system allows it: a user's quota of such room may be used up."""
    if pipe is not None and sys.platform == "linux":
        import fcntl

        with contextlib.suppress(OSError):
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


def _read_answer(stream: IO[bytes]) -> tuple[Any, Any]:
    """One answer and its raw body, as an array of bytes. Raises EOFError when the stream ends."""
    from lookalike.images.decoding_worker import FRAME

    head_bytes, body_bytes = FRAME.unpack(_read_exactly(stream, FRAME.size))
    answer = pickle.loads(_read_exactly(stream, head_bytes))  # noqa: S301 - our own process wrote it
    return answer, _read_exactly(stream, body_bytes) if body_bytes else None


def _read_exactly(stream: IO[bytes], count: int) -> bytearray:
    buffer = bytearray(count)
    view, filled = memoryview(buffer), 0
    while filled < count:
        got = stream.readinto(view[filled:])  # type: ignore[attr-defined]
        if not got:
            raise EOFError
        filled += got
    return buffer


def _picture(values: tuple[Any, ...], body: bytearray) -> Picture:
    import numpy as np

    (width, height), full_width, full_height, name, bytes_digest, pixels_digest, metadata, greys = values
    pixels = np.frombuffer(body, dtype=np.uint8).reshape(height, width, 3)
    fingerprint = fingerprint_of_greys(greys, full_width, full_height)
    return Picture(pixels, full_width, full_height, name, bytes_digest, pixels_digest, metadata, fingerprint)


def _skipped(asset: Asset, code: str, reason: str | Wording) -> Skipped:
    said = reason if isinstance(reason, Wording) else None
    return Skipped(asset.uri, str(reason), code, asset.key, size=asset.size, modified_ns=asset.modified_ns, said=said)


def _status_in_words(status: int) -> str:
    """An exit status as a person knows it; negative ones are signals."""
    with contextlib.suppress(ValueError):
        return signal.Signals(-status).name if status < 0 else f"exit status {status}"
    return f"signal {-status}"
