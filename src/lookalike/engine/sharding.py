"""Taking files by shards: what finished shards hold is used, the rest is encoded, by this process or by a cluster.

A shard is what a killed worker, or a killed driver, loses at most: what is finished stays in the folder of shards, and
the next run over the same files finds it there by place, size and time of each file. So every picture is in one shard
and, as collections take an item by its place, once in the collection.
"""

from __future__ import annotations

import hashlib
import os
import time
from array import array
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lookalike.core.causes import cause_of
from lookalike.core.errors import CollectionError
from lookalike.core.records import Skipped
from lookalike.engine.look import TRANSIENT
from lookalike.engine.shard_encoding import ShardJob, ShardTask
from lookalike.engine.shard_files import (
    FOLDERS,
    NOTE,
    claim,
    files_of,
    finished,
    places_in,
    read_shard,
    remove_shard,
)
from lookalike.engine.shard_folder import shard_folder
from lookalike.engine.spool import Spool, batches
from lookalike.engine.take import found_of

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from lookalike.core.protocols import Encoder, Source
    from lookalike.core.records import DecodeLimits
    from lookalike.engine.reports import ShardReport
    from lookalike.engine.shard_encoding import ShardWorkers, Started
    from lookalike.engine.shard_folder import ShardFolder
    from lookalike.engine.spool import Pending
    from lookalike.store.records import Found, Space
    from lookalike.store.writer import Writer

SHARD_AT_LEAST, SHARD_AT_MOST = 128, 8192
"""Files of a shard: below, starting one costs more than a few percent; above, a killed worker loses minutes."""
SHARDS_EACH = 8
"""Shards for each worker, so that all end at about the same time."""
PUT_AT_ONCE = 1024
"""Files in one commit."""


@dataclass(frozen=True, slots=True)
class Sharding:
    """How files are taken by shards. `folder`: an absolute path or an address, the same place for all `workers`.

    `keep`: leave the shards there when they were taken in; else the folder is empty at the end.
    """

    workers: ShardWorkers
    folder: str
    keep: bool = True


@dataclass(frozen=True, slots=True)
class EncodedShard:
    """What became of files that were asked for. `report` is None for a shard of an earlier run."""

    found: Sequence[tuple[Pending, Found]]
    skipped: Sequence[tuple[Pending, Skipped]]
    report: ShardReport | None


@dataclass(frozen=True, slots=True)
class ShardRun:
    """What a run over some roots needs. `roots`: number -> path.

    `retry`: try again what earlier shards list as no pictures. `afresh`: use nothing of earlier shards.
    """

    sharding: Sharding
    encoder: Encoder
    sources: Mapping[int, Source]
    roots: Mapping[int, bytes]
    limits: DecodeLimits
    retry: bool = False
    afresh: bool = False
    stop: threading.Event | None = None

    @property
    def is_stopping(self) -> bool:
        return self.stop is not None and self.stop.is_set()


def encode_in_shards(run: ShardRun, pending: Iterable[Pending]) -> Iterator[EncodedShard]:
    """Encode all of `pending`; each of them comes back once, unless `run.stop` is set before.

    What is yielded has to be safe when the next one is asked for. Raises LookalikeError, CollectionBusy while another
    run keeps shards in the folder; then, too, what is finished stays for the next run.
    """
    folder = shard_folder(run.sharding.folder)
    try:
        claim(folder, run.encoder.id, run.encoder.dim)
        with folder.held() if run.sharding.keep else nullcontext():
            yield from _in_folder(run, folder, pending)
    except OSError as error:
        raise CollectionError(f"shards cannot be kept in {folder.address}: {cause_of(error)}") from error


def _in_folder(run: ShardRun, folder: ShardFolder, pending: Iterable[Pending]) -> Iterator[EncodedShard]:
    kept = finished(folder)
    with Spool() as left, Spool() as held:
        for name, places in _found_in(run, _holders(run, folder, kept), pending, left, held).items():
            shard, missing = _taken(run, folder, name, list(held.at(places)), None)
            for each in missing:
                left.add(each)
            yield shard
            _let_go(run, folder, name)
            if run.is_stopping:
                return
        if left.count and not run.is_stopping:
            yield from _encoded(run, folder, left, kept)
    if not run.is_stopping:
        _tidy(run, folder, kept)


def _holders(run: ShardRun, folder: ShardFolder, kept: Sequence[str]) -> dict[bytes, str]:
    """The name of the latest finished shard that has a file, by the file's mark."""
    holder: dict[bytes, str] = {}
    for name in () if run.afresh else kept:
        for there in places_in(folder, name):
            if there.code == "" or not (run.retry or there.code in TRANSIENT):
                holder[_mark(there.root, there.key, there.uri, there.size, there.modified_ns)] = name
    return holder


def _found_in(
    run: ShardRun, holder: Mapping[bytes, str], pending: Iterable[Pending], left: Spool, held: Spool
) -> dict[str, array[int]]:
    """The shards that have some of `pending`, each with their places in `held`; the others go to `left`."""
    places: dict[str, array[int]] = {}
    for each in pending:
        asset, root = each.asset, run.roots[each.root]
        holding = holder.get(_mark(root, asset.key, os.fsencode(asset.uri), asset.size, asset.modified_ns))
        if holding is None:
            left.add(each)
        else:
            places.setdefault(holding, array("Q")).append(held.add(each))
    return places


def _mark(root: bytes, key: bytes, uri: bytes, size: int, modified_ns: int) -> bytes:
    """16 bytes that stand for a file as it was: millions are kept in memory."""
    said = b"%b\0%b\0%b\0%d\0%d" % (root, key, uri, size, modified_ns)
    return hashlib.blake2b(said, digest_size=16).digest()


def _encoded(run: ShardRun, folder: ShardFolder, left: Spool, kept: list[str]) -> Iterator[EncodedShard]:
    """Encode what is `left`; the names of finished shards are added to `kept`."""
    roots = {each.root for each in left}
    sources = {root: run.sources[root] for root in roots}
    task = ShardTask(folder, sources, {root: run.roots[root] for root in roots}, run.limits)
    in_hand: dict[str, Sequence[Pending]] = {}
    with run.sharding.workers.start(run.encoder, task, run.stop) as started:
        for report in started.encode(_jobs(left, started, in_hand)):
            shard, missing = _taken(run, folder, report.name, in_hand.pop(report.name), report)
            if missing:
                raise CollectionError(f"the shard {report.name} in {folder.address} does not hold what it was to hold")
            yield shard
            kept.append(report.name)
            _let_go(run, folder, report.name)


def _jobs(left: Spool, started: Started, in_hand: dict[str, Sequence[Pending]]) -> Iterator[ShardJob]:
    """Shards of one size, named by the time of the run: two runs never give one name, whatever is left of the first."""
    size = min(max(left.count // (SHARDS_EACH * started.count), SHARD_AT_LEAST), SHARD_AT_MOST)
    run = time.strftime("%Y%m%d%H%M%S", time.gmtime()) + f"{time.time_ns() // 1_000_000 % 1000:03}"
    for number, files in enumerate(batches(left, size)):
        name = f"{run}{number:06}"
        in_hand[name] = files
        yield ShardJob(name, tuple(files))


def _taken(
    run: ShardRun, folder: ShardFolder, name: str, files: Sequence[Pending], report: ShardReport | None
) -> tuple[EncodedShard, list[Pending]]:
    """What the shard `name` says of `files`, and those it says nothing of."""
    said = read_shard(folder, name)
    found: list[tuple[Pending, Found]] = []
    skipped: list[tuple[Pending, Skipped]] = []
    missing: list[Pending] = []
    for file in files:
        outcome = said.get((run.roots[file.root], file.asset.key))
        if outcome is None:
            missing.append(file)
        elif isinstance(outcome, Skipped):
            skipped.append((file, outcome))
        else:
            found.append((file, found_of(file, outcome.bytes_digest, outcome, outcome.vector)))
    return EncodedShard(found, skipped, report), missing


def _let_go(run: ShardRun, folder: ShardFolder, name: str) -> None:
    if not run.sharding.keep:
        remove_shard(folder, name)


def _tidy(run: ShardRun, folder: ShardFolder, kept: Sequence[str]) -> None:
    """Remove what killed workers left, and shards that nobody asked for any more: of a worker that outlived its run.

    What is not in the folders of shards is somebody else's.
    """
    wanted = {file for name in kept for file in files_of(name)} if run.sharding.keep else set()
    for file in folder.names() - wanted:
        if file.partition("/")[0] in FOLDERS:
            folder.remove(file)
    if not run.sharding.keep:
        folder.remove(NOTE)
    folder.remove_empty()


class ShardTaker:
    """Puts what comes out of shards into the collection. Counts as `take.Taker` does."""

    def __init__(self, writer: Writer, space: Space) -> None:
        self._writer = writer
        self._space = space
        self.reports: list[ShardReport] = []
        self.added = self.changed = self.encoded = self.reused = self.taken = 0

    def take(self, shard: EncodedShard) -> None:
        """Publish what was found. A file with the bytes it had is no change: its new time is noted, nothing else."""
        for some in batches(shard.found, PUT_AT_ONCE):
            known = self._writer.pictures_by_bytes([found.bytes_digest for _, found in some if found.bytes_digest])
            self._writer.put(self._space, [found for _, found in some])
            for file, found in some:
                self.added += file.picture is None
                self.changed += file.picture is not None and known.get(found.bytes_digest) != file.picture
        self.taken += len(shard.found)
        if shard.report is None:
            self.reused += len(shard.found)
        else:
            self.encoded += len(shard.found)
            self.reports.append(shard.report)
