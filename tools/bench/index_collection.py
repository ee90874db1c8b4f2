"""Collections of so many rows, made from the vectors without pictures, for measurements of the whole search path."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from index_world import World

_BATCH = 10_000
FOLDERS = (2, 5, 10, 10, 10)
"""Folders in folders: the first level parts the pictures in halves, the second in tenths, down to 0.01 %."""


class GivenEncoder:
    """The encoder of the vectors at hand. Words go through the real text tower; a width of two parts takes it twice."""

    modalities = frozenset({"image", "text"})
    image_side = 96
    tolerance = 1e-3

    def __init__(self, work: Path, dim: int) -> None:
        made_by = json.loads((work / "encoder.json").read_text())
        self._of = made_by["id"]
        self._parts = dim // made_by["dim"]
        self._words: Any = None
        self.id = self.name = f"{self._of}-x{self._parts}"
        self.dim = dim

    def encode_images(self, pictures: Sequence[Any]) -> Any:
        raise TypeError(f"{len(pictures)} pictures: only vectors and words are asked for here")

    def encode_texts(self, texts: Sequence[str]) -> Any:
        from lookalike.encoders.load import load_encoder_by_id

        self._words = self._words or load_encoder_by_id(self._of)
        return np.hstack([self._words.encode_texts(texts)] * self._parts) / np.float32(self._parts**0.5)


def folder_of(number: int, levels: int = len(FOLDERS)) -> str:
    """The folder of a picture, or one above it: which one says nothing about the picture."""
    parts = []
    for folders in FOLDERS[:levels]:
        number, part = divmod(number, folders)
        parts.append(str(part))
    return "/".join(parts)


def found(rows: Any, root: int, start: int) -> Iterator[Any]:
    """What an indexing run hands to the store for `rows`, numbered from `start`."""
    from lookalike.store.records import Found

    for number, vector in enumerate(rows.astype(np.float32), start=start):
        name = f"{folder_of(number)}/{number:08d}.jpg"
        digest = hashlib.blake2b(name.encode(), digest_size=16).digest()
        yield Found(
            root=root,
            key=name.encode(),
            uri=f"/photos/{name}",
            size=50_000 + number,
            modified_ns=number,
            bytes_digest=digest,
            pixels_digest=digest[::-1],
            width=640,
            height=480,
            format="JPEG",
            metadata={},
            picture_metadata={"camera": f"camera {number % 7}"},
            vector=vector,
        )


def made_collection(world: World, kinds: Sequence[str] | None = None, *, index: bool = True) -> Any:
    """The opened collection over all rows of a world, kept in its work folder, its index built as it chooses.

    `kinds`: the first one is asked for instead: a dry run is so small that nothing would be built.
    """
    import lookalike
    from lookalike.engine.indexing import WISHES_SETTING
    from lookalike.engine.plan import Wishes
    from lookalike.store.collection_store import Store

    encoder = GivenEncoder(world.work, world.dim)
    place = world.work / f"c-{world.dim}-{world.count}.lookalike"
    finished = place.with_suffix(".finished")
    if not finished.exists():
        shutil.rmtree(place, ignore_errors=True)
        with Store.open(place) as store, store.writer() as writer:
            root = writer.add_root(b"/photos", is_file=False)
            space = writer.create_space(encoder.id, encoder.name, world.dim)
            for start in range(0, world.count, _BATCH):
                writer.put(space, [*found(world.rows[start : start + _BATCH], root.number, start)])
            writer.make_columns()
            if kinds:
                writer.set_setting(WISHES_SETTING, Wishes(kind=kinds[0]).as_dict())
        finished.touch()
    collection = lookalike.open(place, encoder=encoder)
    if index:
        for _ in collection.build_index():
            pass
    return collection


def rows_of(results: Sequence[Any], k: int) -> Any:
    """Row numbers int64 (q, k) of answers, -1 where there are fewer: the number in a name is that of its row."""
    rows = np.full((len(results), k), -1, dtype=np.int64)
    for position, hits in enumerate(results):
        numbers = [int(Path(hit.uri).stem) for hit in hits]
        rows[position, : len(numbers)] = numbers
    return rows
