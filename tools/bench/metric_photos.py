"""The photos that metric learning is measured on, and what encoders make of them.

    python tools/bench/metric_photos.py --snapshots DIR --fashion DIR --out DIR --encoders builtin DIR/teacher

writes OUT/SET.ENCODER.npz (`vectors` float32 (n, dim), `labels`, `names`) for each set and encoder, and leaves what is
there. `--snapshots` is the folder that training reads, `--fashion` the one that `fashion.py` describes, `teacher` the
ImageNet network of docs/training.md as an encoder.

Sets, at most `PER_CLASS` photos of a class (of PACS: of each of its four styles), drawn with a fixed seed:

    caltech    the even numbers, which the built-in has not seen; Faces_easy shows the photos of Faces again: left out
    pacs       the photos which the built-in's training has not drawn; a class is the thing, in whatever style
    clothing   all of it was in the built-in's training, with its labels: no class of it is new to that space
    fashion    products by kind (articleType), which no training has seen
"""

from __future__ import annotations

import csv
import io
import random
from argparse import ArgumentParser
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lookalike.core.errors import CannotDecode
from lookalike.encoders.load import load_encoder
from lookalike.images.decode import decode_picture
from lookalike.training.photo_sets import PHOTO_SETS
from lookalike.training.snapshots import Snapshots, photos_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lookalike.core.arrays import Pixels
    from lookalike.core.protocols import Encoder
    from lookalike.training.photo_sets import PhotoSet

SETS = ("caltech", "pacs", "clothing", "fashion")
PER_CLASS = {"caltech": 80, "pacs": 60, "clothing": 150, "fashion": 60}
LEAST = 10
"""Photos a class has to have: as many as the ranks of map@10."""
NO_CLASS = {"Not sure", "Other", "Skip", "Faces_easy"}
SAME = {"person": "Faces", "guitar": "electric_guitar", "dalmatian": "dog"}
"""Classes of PACS and Caltech that fit each other's photos: one class here (elephant has one name in both)."""
_SEED = 12
_AT_ONCE = 32


@dataclass(frozen=True)
class Photo:
    """`group`: what `PER_CLASS` counts; `name`: set and file."""

    name: str
    label: str
    group: str
    where: str


def _set(name: str) -> PhotoSet:
    return next(each for each in PHOTO_SETS if each.name == name)


def listed(name: str, snapshots: Snapshots, fashion: Path) -> list[Photo]:
    """All photos of a set that have a class."""
    if name == "fashion":
        with (fashion / "styles.csv").open(newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
        here = [(row["id"], row["articleType"]) for row in rows if (fashion / "images" / f"{row['id']}.jpg").exists()]
        return [Photo(f"fashion/{number}", kind, kind, number) for number, kind in here]
    if name == "pacs":
        trained = _set("pacs")
        seen = {path for path, _, _ in photos_of(trained, snapshots)}
        found = [each for each in photos_of(replace(trained, per_class=None), snapshots) if each[0] not in seen]
        return [Photo(path, label.partition("/")[2], label, blob) for path, blob, label in found]
    if name == "clothing":
        of = _set("clothing")
        table = csv.DictReader(io.StringIO(snapshots.text(of.repository, of.commit, "images.csv")))
        labels = {row["image"]: row["label"] for row in table}
        return [Photo(path, label, label, blob) for path, blob, label in photos_of(of, snapshots, labels=labels)]
    return [Photo(path, label, label, blob) for path, blob, label in photos_of(_set("caltech_test"), snapshots)]


def drawn(photos: list[Photo], per_class: int) -> list[Photo]:
    """At most `per_class` of each group, classes of at least `LEAST`, by class and name."""
    groups: dict[str, list[Photo]] = defaultdict(list)
    for photo in sorted(photos, key=lambda each: each.name):
        if photo.label not in NO_CLASS:
            groups[photo.group].append(replace(photo, label=SAME.get(photo.label, photo.label)))
    draw = random.Random(_SEED)
    kept = [photo for group in sorted(groups) for photo in draw.sample(groups[group], len(groups[group]))[:per_class]]
    count: dict[str, int] = defaultdict(int)
    for photo in kept:
        count[photo.label] += 1
    return sorted((each for each in kept if count[each.label] >= LEAST), key=lambda each: (each.label, each.name))


def pixels(name: str, photos: list[Photo], snapshots: Snapshots, fashion: Path, side: int) -> Iterator[Pixels | None]:
    """Each photo decoded; None for one that cannot be."""
    if name == "fashion":
        yield from (_decoded((fashion / "images" / f"{photo.where}.jpg").read_bytes(), side) for photo in photos)
        return
    of = _set("caltech_test" if name == "caltech" else name)
    with snapshots.reader(of.repository) as read:
        yield from (_decoded(read(photo.where), side) for photo in photos)


def _decoded(content: bytes, side: int) -> Pixels | None:
    try:
        return decode_picture(content, side=side).pixels
    except CannotDecode:
        return None


def write(name: str, encoder: Encoder, snapshots: Snapshots, fashion: Path, target: Path) -> None:
    photos = drawn(listed(name, snapshots, fashion), PER_CLASS[name])
    vectors, kept, batch = [], [], []
    for photo, picture in zip(photos, pixels(name, photos, snapshots, fashion, encoder.image_side), strict=True):
        if picture is None:
            continue
        kept.append(photo)
        batch.append(picture)
        if len(batch) == _AT_ONCE:
            vectors.append(encoder.encode_images(batch))
            batch = []
    if batch:
        vectors.append(encoder.encode_images(batch))
    np.savez(
        target,
        vectors=np.concatenate(vectors),
        labels=np.array([photo.label for photo in kept]),
        names=np.array([photo.name for photo in kept]),
    )
    print(f"{target.name}: {len(kept):,} photos of {len({photo.label for photo in kept})} classes", flush=True)


def main() -> None:
    parser = ArgumentParser(description=__doc__.partition("\n")[0])
    for name in ("snapshots", "fashion", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--encoders", nargs="+", required=True)
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    for encoder in map(load_encoder, asked.encoders):
        for name in SETS:
            target = asked.out / f"{name}.{encoder.name}.npz"
            if not target.exists():
                write(name, encoder, Snapshots(asked.snapshots), asked.fashion, target)


if __name__ == "__main__":
    main()
