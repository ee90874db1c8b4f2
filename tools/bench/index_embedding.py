"""Real vectors for the index measurements: photos and views of them, embedded once and kept as float16.

A photo gives a vector of the whole; when more vectors are wanted than there are photos, further ones come of views: a
part of 60 to 95 % of each side, mirrored or not, drawn by seed. Rows are shuffled by seed, so any first so many of them
are a fair sample. Some photos are held out with all their views: they are the picture queries.

Width 512 is a second encoder, one that exists: the embedding of a picture beside that of its middle (60 % of each
side), both of unit length, over the root of two: what an ensemble frozen into one space looks like. A text stands on
both sides. So 512 behaves as real data does, and costs a second pass over the photos, not a second model.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

SEED = 10
PARTS = ("whole", "middle")
QUERIES = 1000
"""Photos held out, and captions taken."""
_LEAST_SIDE, _LARGEST_SIDE = 0.6, 0.95
"""Of a view, as share of the photo's."""
_MIDDLE = 0.6
_BATCH = 32
_CHUNK = 4096
"""Vectors between two notes of how far it has come."""
_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}


@dataclass(frozen=True)
class Real:
    """What was embedded: `rows` float16 (n, dim); queries, float32 (q, dim), of held-out photos and of captions."""

    rows: Any
    pictures: Any
    texts: Any


class Photos:
    """Pictures out of folders and of stacks, uint8 (n, h, w, 3) in .npy files, by one running number."""

    def __init__(self, sources: Sequence[Path], side: int) -> None:
        self._side = side
        self._entries: list[tuple[Any, int | None]] = []
        for source in sources:
            if source.suffix == ".npy":
                stack = np.load(source, mmap_mode="r")
                self._entries += [(stack, number) for number in range(len(stack))]
            else:
                found = sorted(path for path in source.rglob("*") if path.suffix.lower() in _SUFFIXES)
                self._entries += [(path, None) for path in found]

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, number: int) -> Any:
        """uint8 (height, width, 3)."""
        from lookalike.images.decode import decode_picture

        source, position = self._entries[number]
        if position is not None:
            return np.asarray(source[position])
        return decode_picture(source.read_bytes(), side=2 * self._side).pixels


def view_of(pixels: Any, number: int, view: int) -> Any:
    """View 0 is the photo itself; the others are parts of it, always the same for the same numbers."""
    if view == 0:
        return pixels
    chance = np.random.default_rng([SEED, number, view])
    height, width = pixels.shape[:2]
    sides = chance.uniform(_LEAST_SIDE, _LARGEST_SIDE, 2)
    tall, wide = max(int(height * sides[0]), 1), max(int(width * sides[1]), 1)
    top, left = int(chance.integers(height - tall + 1)), int(chance.integers(width - wide + 1))
    part = pixels[top : top + tall, left : left + wide]
    return np.ascontiguousarray(part[:, ::-1] if chance.random() < 0.5 else part)


def middle_of(pixels: Any) -> Any:
    height, width = pixels.shape[:2]
    tall, wide = max(int(height * _MIDDLE), 1), max(int(width * _MIDDLE), 1)
    top, left = (height - tall) // 2, (width - wide) // 2
    return np.ascontiguousarray(pixels[top : top + tall, left : left + wide])


def embed(photos: Photos, captions: Sequence[str], encoder: Any, folder: Path, *, count: int, part: str) -> None:
    """Write PART.npy (count, dim) and PART-queries.npy into `folder`, and the captions' vectors.

    Goes on where it was interrupted.
    """
    held = np.sort(np.random.default_rng(SEED).permutation(len(photos))[: min(QUERIES, len(photos) // 10)])
    queries = folder / f"{part}-queries.npy"
    if not queries.exists():
        np.save(queries, np.concatenate(list(_encoded(photos, [(int(number), 0) for number in held], encoder, part))))
    texts = folder / "texts.npy"
    if not texts.exists():
        np.save(texts, encoder.encode_texts(list(captions[:QUERIES])))
    _fill(folder / f"{part}.npy", _pairs(len(photos), set(held.tolist()), count), photos, encoder, part)


def real_vectors(folder: Path, dim: int) -> Real:
    """What `embed` wrote: for a width of one part the whole pictures alone, for two parts both side by side."""
    whole, texts = np.load(folder / "whole.npy", mmap_mode="r"), np.load(folder / "texts.npy")
    pictures = np.load(folder / "whole-queries.npy")
    if dim == whole.shape[1]:
        return Real(whole, pictures, texts)
    middle = np.load(folder / "middle.npy", mmap_mode="r")
    return Real(
        np.hstack([whole[: len(middle)], middle]) * np.float16(0.5**0.5),
        np.hstack([pictures, np.load(folder / "middle-queries.npy")]) * np.float32(0.5**0.5),
        np.hstack([texts, texts]) * np.float32(0.5**0.5),
    )


def _pairs(photos: int, held: set[int], count: int) -> list[tuple[int, int]]:
    """(photo, view) of each vector wanted, all photos before their second views."""
    kept = [number for number in range(photos) if number not in held]
    return [(kept[position % len(kept)], position // len(kept)) for position in range(count)]


def _fill(path: Path, pairs: list[tuple[int, int]], photos: Photos, encoder: Any, part: str) -> None:
    note = path.with_suffix(".done.json")
    done = json.loads(note.read_text())["done"] if note.exists() else 0
    wanted = (len(pairs), encoder.dim)
    rows = np.lib.format.open_memmap(path, mode="r+" if done else "w+", dtype=np.float16, shape=wanted)
    places = np.random.default_rng(SEED).permutation(len(pairs))
    for start in range(done, len(pairs), _CHUNK):
        some = pairs[start : start + _CHUNK]
        rows[places[start : start + len(some)]] = np.concatenate(list(_encoded(photos, some, encoder, part)))
        rows.flush()
        note.write_text(json.dumps({"done": start + len(some)}))
        print(f"{part}: {start + len(some):,} of {len(pairs):,}", flush=True)


def _encoded(photos: Photos, pairs: list[tuple[int, int]], encoder: Any, part: str) -> Iterator[Any]:
    for start in range(0, len(pairs), _BATCH):
        views = [view_of(photos[number], number, view) for number, view in pairs[start : start + _BATCH]]
        yield encoder.encode_images(views if part == "whole" else [middle_of(view) for view in views])
