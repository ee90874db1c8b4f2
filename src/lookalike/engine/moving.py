"""Moving duplicates aside by a plan, with a journal: nothing is deleted, everything can be brought back.

Files go in small batches. A batch is noted in the journal, its files are carried, and what became of each is noted; the
items of the collection follow in that same commit. A file that is not what was indexed, by its bytes, stays. A process
that dies leaves an open batch, which `finish` ends in the direction in which it was under way.
"""

from __future__ import annotations

import hashlib
import os
import time
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import groupby, islice
from typing import TYPE_CHECKING, Any

from lookalike.core.causes import cause_of
from lookalike.core.errors import QueryError
from lookalike.engine.carrying import Stays, carry
from lookalike.engine.fill import is_as_indexed
from lookalike.engine.move_plan import LeftItem
from lookalike.engine.reports import Progress
from lookalike.engine.sources import sources_of
from lookalike.store.moves import MeantMove

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from lookalike.core.protocols import Source
    from lookalike.engine.move_plan import MovePlan, PlannedFile, PlannedMove
    from lookalike.store.collection_store import ItemRecord, Store, Writer
    from lookalike.store.moves import Move

BATCH = 64
"""Items of one commit: what a crash leaves to be looked at."""
_DIGEST_BYTES = 16
_BLOCK = 1 << 20
STAYED = "its picture stayed"


@dataclass(frozen=True, slots=True)
class MoveReport:
    """What a move, or an undo, came to.

    `items`: pictures that went, `files`: with what belongs to them, `bytes`: of all those. `left`: what stayed, and
    why; `again`: of an undo, items that the collection knows again. `interrupted`: the rest was not touched.
    """

    items: int
    files: int
    bytes: int
    left: tuple[LeftItem, ...]
    seconds: float
    interrupted: bool = False
    again: int = 0

    def as_dict(self) -> dict[str, Any]:
        """The key "moved", or "undone", of `duplicates --json`."""
        return {
            "items": self.items,
            "files": self.files,
            "bytes": self.bytes,
            "left": [each.as_dict() for each in self.left],
            "again": self.again,
            "seconds": round(self.seconds, 3),
            "interrupted": self.interrupted,
        }


class _Tally:
    """What was moved so far. `total`: pictures that are to be moved, `seen`: those that went or stayed."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.seen = self.items = self.files = self.bytes = self.again = 0
        self.left: list[LeftItem] = []
        self._started = time.monotonic()

    def leave(self, id: str, uri: str, reason: str) -> None:
        self.left.append(LeftItem(id, uri, reason))

    def count(self, carried: _Carried, place: str) -> None:
        self.seen += carried.pictures
        for move in carried.done:
            self.files += 1
            self.items += move.item is not None
            self.bytes += move.size
        for move, reason in carried.left:
            self.leave(move.item or "", os.fsdecode(getattr(move, place)), reason)

    def progress(self) -> Progress:
        seconds = time.monotonic() - self._started
        return Progress("move", self.items, self.total, encoded=0, skipped=len(self.left), seconds=seconds)

    def report(self) -> MoveReport:
        seconds = time.monotonic() - self._started
        interrupted = self.seen < self.total
        return MoveReport(self.items, self.files, self.bytes, tuple(self.left), seconds, interrupted, self.again)


@dataclass(slots=True)
class _Carried:
    """What became of files of the journal: `left` with the reasons, `untouched` after a stop. `pictures` were tried."""

    done: list[Move] = field(default_factory=list)
    left: list[tuple[Move, str]] = field(default_factory=list)
    untouched: list[Move] = field(default_factory=list)
    pictures: int = 0

    @property
    def not_done(self) -> list[tuple[Move, str]]:
        """All that is where it was, as the journal takes it."""
        return [*self.left, *((move, "") for move in self.untouched)]


def move(store: Store, plan: MovePlan, stop: threading.Event | None = None) -> Iterator[Progress | MoveReport]:
    """Carry the files of `plan` away.

    Raises CollectionBusy, CollectionReadOnly, and QueryError where its folder cannot be made: nothing is touched then.
    """
    if plan.moves:
        _make_folder(plan.target)
    tally = _Tally(len(plan.moves))
    with store.writer() as writer:
        _finish(writer, store.open_moves())
        run = writer.moves.begin_run(plan.target, {"items": len(plan.moves)})
        roots = {root.number: root.path for root in store.roots()}
        with store.snapshot() as snapshot:
            digests = {id: of_bytes for id, (of_bytes, _) in snapshot.digests_of(m.item.id for m in plan.moves).items()}
            kept = {each.keep: snapshot.item(each.keep) for each in plan.moves}
        sources = sources_of(store)
        waiting = iter(plan.moves)
        while not _is_set(stop) and (batch := list(islice(waiting, BATCH))):
            meant: list[MeantMove] = []
            for each in batch:
                if _is_set(stop):
                    break
                try:
                    _refuse_without_kept(kept[each.keep], sources)
                    meant += _meant(each, roots[each.item.root], digests.get(each.item.id))
                except Stays as why:
                    tally.seen += 1
                    tally.leave(each.item.id, each.item.uri, str(why))
            carried = _carry_all(writer.moves.mean(run, meant), _carry_there, stop)
            writer.moves.settle(carried.done, carried.not_done)
            tally.count(carried, "source")
            yield tally.progress()
        _drop_empty_folders(plan.target, (file.target for each in plan.moves for file in each.files))
        writer.moves.end_run(run)
        writer.make_columns(stop=stop)
    yield tally.report()


def _make_folder(target: bytes) -> None:
    try:
        os.makedirs(target, exist_ok=True)
    except OSError as error:
        what = f"{os.fsdecode(target)} cannot be made ({cause_of(error)})"
        raise QueryError(what, hint="name another folder") from error


def undo(store: Store, stop: threading.Event | None = None) -> Iterator[Progress | MoveReport]:
    """Bring back what the last move that still stands carried away. Nothing to bring back is a report of nothing.

    Raises CollectionBusy, CollectionReadOnly.
    """
    with store.writer() as writer:
        _finish(writer, store.open_moves())
        found = store.last_move_run()
        moves = [] if found is None else [each for each in found[1] if each.state == "done"]
        pictures = _by_picture(moves)
        tally = _Tally(len(pictures))
        waiting = iter(pictures)
        while not _is_set(stop) and (batch := [each for some in islice(waiting, BATCH) for each in some]):
            writer.moves.mean_back(batch)
            carried = _carry_all(batch, _carry_back, stop)
            tally.again += len(writer.moves.settle_back(carried.done, carried.not_done))
            tally.count(carried, "target")
            yield tally.progress()
        if found is not None:
            _drop_empty_folders(found[0].target, (each.target for each in moves))
        writer.make_columns(stop=stop)
    yield tally.report()


def finish(store: Store) -> int:
    """End moves that were cut short, in their direction; returns how many files were looked at.

    Raises CollectionBusy while the one that moves is still at work, CollectionReadOnly.
    """
    if not store.open_moves():
        return 0
    with store.writer() as writer:
        return _finish(writer, store.open_moves())


def _finish(writer: Writer, moves: Sequence[Move]) -> int:
    forward = [each for each in moves if each.state == "meant"]
    if forward:
        carried = _carry_all(forward, _carry_there)
        writer.moves.settle(carried.done, carried.left)
    backward = [each for each in moves if each.state == "undoing"]
    if backward:
        carried = _carry_all(backward, _carry_back)
        writer.moves.settle_back(carried.done, carried.left)
    return len(moves)


def _refuse_without_kept(kept: ItemRecord | None, sources: Mapping[int, Source]) -> None:
    """Raises Stays where the item that is to stay for another one went, or changed, since the plan was made."""
    if kept is None or not is_as_indexed(kept, sources):
        raise Stays("the one to keep is not there as it was indexed")


def _meant(planned: PlannedMove, root: bytes, digest: bytes | None) -> list[MeantMove]:
    """The files of an item as the journal takes them. Raises Stays when its picture is not the one that was indexed."""
    item = planned.item
    meant = []
    for number, file in enumerate(planned.files):
        of_bytes = _digest(file)
        if number == 0 and of_bytes != digest:
            raise Stays("its bytes are not those that were indexed; lookalike index looks at it again")
        meant.append(
            MeantMove(
                item=item.id if number == 0 else None,
                root=root,
                key=item.key,
                source=file.source,
                target=file.target,
                size=file.size,
                modified_ns=file.modified_ns,
                digest=of_bytes,
            )
        )
    return meant


def _digest(file: PlannedFile) -> bytes:
    """BLAKE2b-128 of a file as it is planned. Raises Stays when it cannot be read, or is another now."""
    digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
    try:
        with open(file.source, "rb") as stream:
            while block := stream.read(_BLOCK):
                digest.update(block)
        found = os.lstat(file.source)
    except OSError as error:
        raise Stays(f"it cannot be read now ({cause_of(error)})") from error
    if (found.st_size, found.st_mtime_ns) != (file.size, file.modified_ns):
        raise Stays("it changed just now")
    return digest.digest()


def _carry_all(
    moves: Sequence[Move], carry_one: Callable[[Move], None], stop: threading.Event | None = None
) -> _Carried:
    """Carry files to where they are meant to be. What belongs to a picture that stays does too."""
    carried = _Carried()
    for together in _by_picture(moves):
        if _is_set(stop):
            carried.untouched += together
            continue
        carried.pictures += 1
        stays = False
        for each in together:
            if stays:
                carried.left.append((each, STAYED))
                continue
            try:
                carry_one(each)
                carried.done.append(each)
            except Stays as why:
                stays = each.item is not None
                carried.left.append((each, str(why)))
    return carried


def _by_picture(moves: Iterable[Move]) -> list[list[Move]]:
    """Files of the journal in their order, each picture with what belongs to it."""
    return [list(together) for _, together in groupby(moves, key=lambda move: (move.root, move.key))]


def _carry_there(move: Move) -> None:
    _refuse_changed(move)
    carry(move.source, move.target)


def _carry_back(move: Move) -> None:
    _refuse_without_root(move)
    carry(move.target, move.source)


def _refuse_without_root(move: Move) -> None:
    """Raises Stays where the disk that a file came from is away: no folder is made in its place."""
    folder = move.root if move.key else os.path.dirname(move.root)
    if not os.path.isdir(folder):
        raise Stays(f"there is no folder {os.fsdecode(folder)} now")


def _refuse_changed(move: Move) -> None:
    """Raises Stays for a file that is another than the journal speaks of; one that is away is `carry`'s to judge."""
    with suppress(FileNotFoundError, NotADirectoryError):
        found = os.lstat(move.source)
        if (found.st_size, found.st_mtime_ns) != (move.size, move.modified_ns):
            raise Stays("it changed meanwhile")


def _drop_empty_folders(target: bytes, places: Iterable[bytes]) -> None:
    """Remove folders below `target` that were made for files and hold none now; never `target` itself."""
    for folder in sorted(set(map(os.path.dirname, places)), key=len, reverse=True):
        place = folder
        with suppress(OSError):  # there is something in it
            while len(place) > len(target):
                os.rmdir(place)
                place = os.path.dirname(place)


def _is_set(stop: threading.Event | None) -> bool:
    return stop is not None and stop.is_set()
