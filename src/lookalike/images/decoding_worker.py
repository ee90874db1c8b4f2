"""The process that reads and decodes files for `decoding_pool`; started by it, never imported by others.

It takes pickled jobs from standard input, one at a time, and answers on standard output. It ends when its
input closes, whatever it is doing: so it never outlives the process that started it. numpy is not loaded.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import os
import pickle
import signal
import struct
import sys
import threading
from dataclasses import dataclass
from functools import lru_cache
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, NoReturn

from lookalike.core.causes import cause_of
from lookalike.core.errors import CannotDecode
from lookalike.core.wording import Wording
from lookalike.images.decode import DIGEST_BYTES, decode_image, digest
from lookalike.images.folder import unreadable_code

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from PIL.Image import Image

    from lookalike.core.protocols import Source
    from lookalike.core.records import Asset, DecodeLimits

FRAME = struct.Struct("<II")
"""Before each answer: the lengths of its pickled head and of its raw body, in bytes."""
_PIECE_BYTES = 1 << 23  # most pictures come in one piece, which needs no joining


@dataclass(frozen=True, slots=True)
class Job:
    """`source`: pickled; None when it is the one of the job before. `fit`: pickled too, see `decode_many`."""

    kind: Literal["decode", "digest"]
    source: bytes | None
    asset: Asset
    side: int
    limits: DecodeLimits
    fit: bytes | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """`kind`: "ready", "picture", "digest", "skipped" (`values`: code, reason) or "no-source" (`values`: why)."""

    kind: str
    values: tuple[Any, ...] = ()


def serve() -> None:
    """Work until standard input closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole terminal: the parent decides
    answers = _own_output()
    jobs: SimpleQueue[Job] = SimpleQueue()
    threading.Thread(target=_receive, args=(sys.stdin.buffer, jobs), daemon=True).start()
    importlib.import_module("PIL.JpegImagePlugin")  # what nearly every folder needs is not part of a file's time
    _send(answers, Answer("ready"))
    source: Source | None = None
    while True:
        job = jobs.get()
        try:
            if job.source is not None:
                source = pickle.loads(job.source)  # noqa: S301 - the parent wrote it
        except Exception as error:  # unpickling runs the source's own code
            _send(answers, Answer("no-source", (f"{type(error).__name__}: {error}",)))
            continue
        assert source is not None
        answer, body = _work(job, source)
        _send(answers, answer, body)


def _own_output() -> BinaryIO:
    """Standard output for ourselves alone; what C libraries print goes nowhere."""
    answers = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    return answers


def _receive(stream: BinaryIO, jobs: SimpleQueue[Job]) -> NoReturn:
    """Pass jobs on; end the process at once when the parent is gone, even in the middle of a decode."""
    with contextlib.suppress(Exception):
        while True:
            jobs.put(pickle.load(stream))  # noqa: S301 - the parent wrote it
    os._exit(0)


def _send(answers: BinaryIO, answer: Answer, body: bytes = b"") -> None:
    head = pickle.dumps(answer)
    try:
        answers.write(FRAME.pack(len(head), len(body)))
        answers.write(head)
        answers.write(body)
        answers.flush()
    except OSError:
        os._exit(0)  # nobody listens any more


def _work(job: Job, source: Source) -> tuple[Answer, bytes]:
    from PIL import Image

    try:
        if job.kind == "digest":
            return Answer("digest", (_settled(source, job, _digest_of),)), b""
        Image.MAX_IMAGE_PIXELS = job.limits.max_pixels // 2  # Pillow's own checks refuse twice this
        data = _settled(source, job, b"".join)
        picture = decode_image(data, side=job.side, limits=job.limits)
    except CannotDecode as error:
        return Answer("skipped", (error.code, error.said[0])), b""
    except MemoryError:
        return Answer("skipped", ("out-of-memory", "not enough memory to read the file")), b""
    except OSError as error:
        return Answer("skipped", (unreadable_code(error), f"the file cannot be read: {cause_of(error)}")), b""
    except Exception as error:  # a source's `open` is anybody's code; it may only cost its file
        return Answer("skipped", ("unreadable", f"the source cannot open it: {type(error).__name__}: {error}")), b""
    known = (picture.width, picture.height, picture.format, digest(data), picture.pixels_digest, picture.metadata)
    image = picture.image if job.fit is None else _unpickled(job.fit)(picture.image)
    return Answer("picture", (image.size, *known, picture.greys)), image.tobytes()


@lru_cache(maxsize=1)
def _unpickled(fit: bytes) -> Callable[[Image], Image]:
    fitting: Callable[[Image], Image] = pickle.loads(fit)  # noqa: S301 - the parent wrote it
    return fitting


def _settled(source: Source, job: Job, take: Callable[[Iterator[bytes]], bytes]) -> bytes:
    """What `take` makes of the file's bytes, if the file stayed the same meanwhile; tried twice."""
    for _ in range(2):
        with source.open(job.asset) as stream:
            before = _state(stream)
            size = before[0] if before else job.limits.max_bytes
            if size > job.limits.max_bytes:
                raise CannotDecode("too-big", Wording("file_too_big", size=size, most=job.limits.max_bytes))
            taken = take(_pieces(stream, size + 1))
            if before is None or (before == _state(stream) and stream.tell() == size):
                return taken
    raise CannotDecode("changing", "the file is being written; it is taken when it has settled")


def _state(stream: BinaryIO) -> tuple[int, int] | None:
    """Size and time of change of the open file; None for a stream that is no file."""
    try:
        status = os.fstat(stream.fileno())
    except (OSError, AttributeError):
        return None
    return status.st_size, status.st_mtime_ns


def _pieces(stream: BinaryIO, most: int) -> Iterator[bytes]:
    """The stream, but no more than `most` bytes of it: a file that grows is not chased."""
    while most > 0 and (piece := stream.read(min(most, _PIECE_BYTES))):
        most -= len(piece)
        yield piece


def _digest_of(pieces: Iterator[bytes]) -> bytes:
    running = hashlib.blake2b(digest_size=DIGEST_BYTES)
    for piece in pieces:
        running.update(piece)
    return running.digest()
