"""The pictures of a material as pixels of one size, kept on disk: networks learn from them epoch after epoch.

`pixels.npy` is uint8 (n, side, side, 3) in the order of the material, each picture squashed to a square as the exported
encoder will see it; `pixels.json` says what it was made of, and which rows could not be decoded any more. What is there
and made of the same is used again.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lookalike.core.cores import usable_cores
from lookalike.core.errors import SourceError
from lookalike.core.records import Asset, DecodeLimits, Skipped
from lookalike.encoders.preprocess import Preprocessing
from lookalike.images.decoding_pool import decode_many
from lookalike.images.folder import folder as pictures_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from lookalike.core.protocols import Source
    from lookalike.training.material import Material

_PIXELS, _NOTES = "pixels.npy", "pixels.json"


@dataclass(frozen=True, slots=True)
class LabelledPixels:
    """Photos to learn from: uint8 (n, side, side, 3), labels int64 (n,), -1 for none, and their split, uint8 (n,)."""

    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]
    split: NDArray[np.uint8]

    def rows(self, part: int) -> NDArray[np.int64]:
        """The labelled photos of a part of the split."""
        return np.flatnonzero((self.split == part) & (self.labels >= 0))

    @property
    def classes(self) -> int:
        return int(self.labels.max()) + 1


def pixels_of(material: Material, side: int, work: Path) -> LabelledPixels:
    """The pictures of `material`, packed in `work` at `side` pixels. A row that cannot be decoded is black, unlabelled.

    Raises SourceError where nothing is labelled.
    """
    if material.labels is None:
        raise SourceError("no picture has a label", hint="name their column with --label-column, or give class folders")
    folder = work / f"pixels-{side}"
    made_of = hashlib.blake2b(json.dumps([side, stamps(material.uris)]).encode(), digest_size=16).hexdigest()
    if (notes := _notes(folder)).get("made_of") != made_of:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / _NOTES).unlink(missing_ok=True)
        notes = {"made_of": made_of, "bad": _pack(material.uris, side, folder / _PIXELS)}
        (folder / _NOTES).write_text(json.dumps(notes), encoding="utf-8")
    labels = material.labels.copy()
    labels[notes["bad"]] = -1
    return LabelledPixels(np.load(folder / _PIXELS, mmap_mode="r"), labels, material.split)


def stamps(uris: Sequence[str]) -> list[tuple[str, int, int]]:
    """Each file as it is now: its name, size and time of change, -1 for one that is gone."""
    found = []
    for uri in uris:
        try:
            now = os.stat(uri)
            found.append((uri, now.st_size, now.st_mtime_ns))
        except OSError:
            found.append((uri, -1, -1))
    return found


def squashed(side: int) -> Preprocessing:
    """How pictures are packed: the same fitting as the exported encoder's."""
    return Preprocessing(size=(side, side), interpolation="bicubic", resize_mode="squash")


def _notes(folder: Path) -> dict[str, Any]:
    try:
        return dict(json.loads((folder / _NOTES).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def _pack(uris: Sequence[str], side: int, target: Path) -> list[int]:
    """Write the pictures; the rows of those that cannot be decoded."""
    rows = np.lib.format.open_memmap(target, mode="w+", dtype=np.uint8, shape=(len(uris), side, side, 3))
    at = {os.fspath(uri): row for row, uri in enumerate(uris)}
    missing = set(range(len(uris)))
    limits = DecodeLimits()
    for _, asset, outcome in decode_many(
        _jobs(uris), side=side, limits=limits, workers=usable_cores(), fit=squashed(side).fit
    ):
        if not isinstance(outcome, Skipped):
            row = at[asset.uri]
            rows[row] = squashed(side).fitted([outcome.pixels])[0]
            missing.discard(row)
    rows.flush()
    return sorted(missing)


def _jobs(uris: Sequence[str]) -> Iterator[tuple[Source, Asset]]:
    for uri in uris:
        try:
            source = pictures_in(uri)
        except SourceError:
            continue
        for asset in source.assets():
            if isinstance(asset, Asset):
                yield source, asset
