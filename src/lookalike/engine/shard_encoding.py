"""Encoding a shard: read, decode, fingerprint, encode, write. The same code in this process and on a cluster.

A file that is no picture, or that ends its decoder, costs itself: it becomes a row of the shard's errors.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from lookalike.core.closing import Closing
from lookalike.core.cores import usable_cores
from lookalike.core.records import Picture, Skipped
from lookalike.engine.pace import Pace, no_vector
from lookalike.engine.reports import ShardReport
from lookalike.engine.shard_files import Encoded, Entry, write_shard
from lookalike.images.decoding_pool import DecodingPool

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

    from lookalike.core.protocols import Encoder, Source
    from lookalike.core.records import DecodeLimits
    from lookalike.engine.shard_folder import ShardFolder
    from lookalike.engine.spool import Pending

HERE = "here"
"""In a report in place of the id of a node: this process."""
_KEPT = ("width", "height", "format", "bytes_digest", "pixels_digest", "metadata", "fingerprint")
"""What a shard keeps of a picture beside its vector."""


@dataclass(frozen=True, slots=True)
class ShardTask:
    """What all shards of a run share: where they are written, and by number the roots' sources and paths."""

    folder: ShardFolder
    sources: Mapping[int, Source]
    roots: Mapping[int, bytes]
    limits: DecodeLimits


@dataclass(frozen=True, slots=True)
class ShardJob:
    """The files of one shard."""

    name: str
    files: tuple[Pending, ...]


class Started(Protocol):
    """Workers that encode shards. `count`: how many at once."""

    @property
    def count(self) -> int: ...

    def encode(self, jobs: Iterator[ShardJob]) -> Iterator[ShardReport]:
        """Encode every shard; a report when it is finished, in any order. Takes few jobs ahead of what it reports.

        Ends soon once `stop` is set, without the shards in hand. Raises LookalikeError.
        """
        ...


class ShardWorkers(Protocol):
    """Where shards are encoded: `Here`, or a cluster."""

    def start(
        self, encoder: Encoder, task: ShardTask, stop: threading.Event | None
    ) -> AbstractContextManager[Started]: ...


@dataclass(frozen=True, slots=True)
class Here:
    """Encoding in this process, one shard after another; `workers` processes decode, None for as many as cores."""

    workers: int | None = None

    @contextmanager
    def start(self, encoder: Encoder, task: ShardTask, stop: threading.Event | None) -> Iterator[Started]:
        with ShardEncoder(encoder, task, self.workers or usable_cores(), stop) as encoding:
            yield _StartedHere(encoding)


@dataclass(frozen=True, slots=True)
class _StartedHere:
    encoding: ShardEncoder
    count: int = 1

    def encode(self, jobs: Iterator[ShardJob]) -> Iterator[ShardReport]:
        for job in jobs:
            report = self.encoding.encode(job, HERE)
            if report is None:
                return
            yield report


class ShardEncoder(Closing):
    """Encodes one shard after another, with an encoder and decoding processes that stay; a context manager."""

    def __init__(self, encoder: Encoder, task: ShardTask, workers: int, stop: threading.Event | None = None) -> None:
        self._encoder = encoder
        self._task = task
        self._stop = stop
        self._pool = DecodingPool(workers, stop=stop)
        self._pace = Pace()

    def encode(self, job: ShardJob, node: str) -> ShardReport | None:
        """Encode and write a shard; `node`: what the report says of the place. None when `stop` was set before its end.

        Raises EncoderBroken, SourceError, OSError.
        """
        started = time.monotonic()
        outcomes: dict[int, Encoded | Skipped] = {}
        decoded: list[tuple[int, Picture]] = []
        for at, outcome in self._decoded(job):
            if isinstance(outcome, Skipped):
                outcomes[at] = outcome
                continue
            decoded.append((at, outcome))
            if len(decoded) >= self._pace.size:
                outcomes |= self._encoded(job, decoded)
                decoded = []
        outcomes |= self._encoded(job, decoded)
        if len(outcomes) < len(job.files) or (self._stop is not None and self._stop.is_set()):
            return None
        roots = self._task.roots
        entries = [Entry(roots[file.root], file.asset, file.id, outcomes[at]) for at, file in enumerate(job.files)]
        write_shard(self._task.folder, job.name, self._encoder.dim, entries)
        skipped = sum(isinstance(each, Skipped) for each in outcomes.values())
        return ShardReport(job.name, len(entries) - skipped, skipped, node, time.monotonic() - started)

    def close(self) -> None:
        """End the decoding processes."""
        self._pool.close()

    def _decoded(self, job: ShardJob) -> Iterator[tuple[int, Picture | Skipped]]:
        """Each file's position in the job, and what became of it, in the order in which they get done."""
        place = {id(each.asset): at for at, each in enumerate(job.files)}
        files = ((self._task.sources[each.root], each.asset) for each in job.files)
        encoder, fit = self._encoder, getattr(self._encoder, "fit", None)
        for _, asset, outcome in self._pool.decode_many(
            files, side=encoder.image_side, limits=self._task.limits, fit=fit
        ):
            yield place[id(asset)], outcome

    def _encoded(self, job: ShardJob, decoded: list[tuple[int, Picture]]) -> dict[int, Encoded | Skipped]:
        if not decoded:
            return {}
        vectors = self._pace.encode(self._encoder, [picture for _, picture in decoded])
        outcomes: dict[int, Encoded | Skipped] = {}
        for (at, picture), vector in zip(decoded, vectors, strict=True):
            if vector is None:
                outcomes[at] = no_vector(self._encoder, job.files[at].asset)
            else:
                facts = {name: getattr(picture, name) for name in _KEPT}
                outcomes[at] = Encoded(**facts, vector=vector)
        return outcomes
