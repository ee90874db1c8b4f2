"""Photos to memory-mapped arrays of one size, once: training then reads rows, not files.

`NAME.npy` is uint8 (n, side, side, 3): the whole photo squashed to a square, as the encoder will see it.
`NAME.json` holds, in the same order, `paths`, `blobs`, `labels`, and `bad`: rows whose photo could not be decoded
(they stay black and are never drawn). Decoding is the library's own (`images.decode`).
"""

from __future__ import annotations

import json
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from lookalike.core.errors import CannotDecode
from lookalike.encoders.preprocess import Preprocessing
from lookalike.images.decode import decode_picture

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from lookalike.training.snapshots import Snapshots

_PHOTOS_AT_ONCE = 500  # per task of a worker process: large enough that starting git costs nothing


@dataclass(frozen=True, slots=True)
class PackList:
    """What is in a pack, row by row."""

    repository: str
    paths: list[str]
    blobs: list[str]
    labels: list[str]
    bad: list[int]

    @classmethod
    def read(cls, packs: Path, name: str) -> Self:
        return cls(**json.loads((packs / f"{name}.json").read_text(encoding="utf-8", errors="surrogateescape")))


def squash(side: int) -> Preprocessing:
    """How photos are packed: the same fitting as the exported encoder's."""
    return Preprocessing(size=(side, side), interpolation="bicubic", resize_mode="squash")


def pack(
    name: str,
    repository: str,
    photos: Sequence[tuple[str, str, str]],
    snapshots: Snapshots,
    packs: Path,
    *,
    side: int,
    workers: int = 1,
) -> PackList:
    """Write the pack `name` of `photos` (path, blob, label), or read its list when it is there already."""
    listing = packs / f"{name}.json"
    if listing.exists():
        return PackList.read(packs, name)
    packs.mkdir(parents=True, exist_ok=True)
    target = packs / f"{name}.npy"
    np.lib.format.open_memmap(target, mode="w+", dtype=np.uint8, shape=(len(photos), side, side, 3)).flush()
    blobs = [blob for _, blob, _ in photos]
    starts = range(0, len(photos), _PHOTOS_AT_ONCE)
    with ProcessPoolExecutor(workers) as pool:
        tasks = [
            pool.submit(_pack_part, snapshots, repository, blobs[start : start + _PHOTOS_AT_ONCE], target, start)
            for start in starts
        ]
        bad = [row for task in tasks for row in task.result()]
    made = PackList(repository, [path for path, _, _ in photos], blobs, [label for _, _, label in photos], bad)
    listing.write_text(json.dumps(asdict(made)), encoding="utf-8", errors="surrogateescape")
    return made


def pixels_of(packs: Path, name: str) -> NDArray[np.uint8]:
    """The pack's pictures, memory-mapped."""
    pictures: NDArray[np.uint8] = np.load(packs / f"{name}.npy", mmap_mode="r")
    return pictures


def _pack_part(snapshots: Snapshots, repository: str, blobs: list[str], target: Path, start: int) -> list[int]:
    """Pack some photos from row `start` on; the rows that could not be decoded."""
    rows = np.lib.format.open_memmap(target, mode="r+")
    side = rows.shape[1]
    fitting, bad = squash(side), []
    with snapshots.reader(repository) as read:
        for row, blob in enumerate(blobs, start):
            try:
                picture = decode_picture(read(blob), side=side)
            except CannotDecode:
                bad.append(row)
                continue
            rows[row] = fitting.fitted([picture.pixels])[0]
    rows.flush()
    return bad
