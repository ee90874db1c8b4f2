"""Files waiting to be taken, kept on disk so that a run over a million of them needs no memory for them."""

from __future__ import annotations

import pickle
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from lookalike.core.closing import Closing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import IO

    from lookalike.core.records import Asset

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Pending:
    """A file to take: the number of its root, and that of the picture last seen there, if any.

    `id`: the one its catalogue gives it, None where ids are made up.
    """

    root: int
    asset: Asset
    picture: int | None
    id: str | None = None


class Spool(Closing):
    """A first-in, first-out file of Pending in the system's temporary folder; gone when closed."""

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile(prefix="lookalike-")  # noqa: SIM115 closed by `close`
        self.count = 0

    def add(self, pending: Pending) -> int:
        """Where it lies, for `at`."""
        place = self._file.tell()
        pickle.dump((pending.root, pending.asset, pending.picture, pending.id), self._file, protocol=5)
        self.count += 1
        return place

    def at(self, places: Iterable[int]) -> Iterator[Pending]:
        """What `add` put there; nothing may be added afterwards."""
        for place in places:
            self._file.seek(place)
            yield Pending(*pickle.load(self._file))  # noqa: S301 our own temporary file, written above

    def __iter__(self) -> Iterator[Pending]:
        self._file.seek(0)
        for _ in range(self.count):
            yield Pending(*pickle.load(self._file))  # noqa: S301 our own temporary file, written above

    def close(self) -> None:
        self._file.close()


def batches(values: Iterable[Value], size: int) -> Iterator[list[Value]]:
    """Lists of up to `size` values, in order."""
    batch: list[Value] = []
    for value in values:
        batch.append(value)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
