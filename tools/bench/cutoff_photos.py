"""Photos for measuring the relevance cut-off, as vectors: none of them was trained on, all have a class.

    python tools/bench/cutoff_photos.py --snapshots DIR --out DIR [--encoder NAME ...]

reads each photo out of snapshots of public repositories (docs/training.md tells how to fetch them) and writes
OUT/ENCODER/SET.npy, float16 (photos, dim), with the classes in OUT/SET.json. What is there already is left as it is.
"""

from __future__ import annotations

import csv
import io
import json
import sys
from argparse import ArgumentParser
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lookalike.core.errors import CannotDecode
from lookalike.encoders.load import load_encoder
from lookalike.images.decode import decode_picture
from lookalike.training.photo_sets import PHOTO_SETS, PhotoSet
from lookalike.training.snapshots import Snapshots, photos_of

if TYPE_CHECKING:
    from lookalike.core.protocols import Encoder

AT_ONCE = 64
HELD_OUT = {  # of sets that were trained on in part: photos a class that were not
    "imagenette": 150,
    "sea": 100,
    "pacs": 60,
    "scenes": 150,
    "flowers": 150,
    "trash": 100,
    "imagewoof": 100,
}
HELD_OUT_WHOLE = {"caltech_test": 40, "flickr_test": 1000}
UNSEEN = (
    PhotoSet("fashion", "GaneshNeupane01/Fashion-Recommendation-System", "7cf263426a1a", r"^images/", 0, 60),
    PhotoSet("cars", "fmejbah/car_dataset1", "2ac6920297f5", r"^cars_train/", 0, 500),
)
FASHION_TABLE = ("animmala3942/FashionProductRecommendationSystem", "91e8036739fe", "styles.csv", "id", "articleType")


@dataclass(frozen=True)
class Photos:
    """A set's photos: (path, blob, class) of one repository."""

    name: str
    repository: str
    found: list[tuple[str, str, str]]


def held_out(photos: PhotoSet, snapshots: Snapshots, per_class: int) -> list[tuple[str, str, str]]:
    """Photos of a set that training did not draw, at most so many a class."""
    trained = {path for path, _, _ in photos_of(photos, snapshots)}
    everything = photos_of(replace(photos, per_class=None), snapshots)
    rest: dict[str, list[tuple[str, str, str]]] = {}
    for photo in everything:
        if photo[0] not in trained:
            rest.setdefault(photo[2], []).append(photo)
    return [photo for label in sorted(rest) for photo in sorted(rest[label])[:per_class]]


def all_sets(snapshots: Snapshots) -> list[Photos]:
    sets = {each.name: each for each in PHOTO_SETS}
    chosen = [
        Photos(name, sets[name].repository, held_out(sets[name], snapshots, count)) for name, count in HELD_OUT.items()
    ]
    for name, count in HELD_OUT_WHOLE.items():
        found = photos_of(replace(sets[name], per_class=count), snapshots)
        chosen.append(Photos(name, sets[name].repository, found))
    repository, commit, path, key, label = FASHION_TABLE
    table = csv.DictReader(io.StringIO(snapshots.text(repository, commit, path)))
    labels = {row[key]: row[label] for row in table}
    for each in UNSEEN:
        found = photos_of(each, snapshots, labels=labels if each.name == "fashion" else None)
        chosen.append(Photos(each.name, each.repository, found))
    return chosen


def write_vectors(photos: Photos, snapshots: Snapshots, encoders: dict[str, Encoder], out: Path) -> None:
    """Each photo is decoded once for all encoders; one that cannot be decoded is left out of all."""
    labels: list[str] = []
    keys: list[str] = []
    vectors: dict[str, list[np.ndarray]] = {name: [] for name in encoders}
    side = max(encoder.image_side for encoder in encoders.values())
    with snapshots.reader(photos.repository) as read:
        for start in range(0, len(photos.found), AT_ONCE):
            pixels = []
            for path, blob, label in photos.found[start : start + AT_ONCE]:
                try:
                    pixels.append(decode_picture(read(blob), side=side).pixels)
                except CannotDecode:
                    continue
                labels.append(label)
                keys.append(path)
            for name, encoder in encoders.items():
                vectors[name].append(encoder.encode_images(pixels).astype(np.float16))
    for name, parts in vectors.items():
        (out / name).mkdir(parents=True, exist_ok=True)
        np.save(out / name / f"{photos.name}.npy", np.concatenate(parts))
    (out / f"{photos.name}.json").write_text(json.dumps({"keys": keys, "labels": labels}), encoding="utf-8")
    print(f"{photos.name}: {len(labels):,} photos, {len(set(labels))} classes", file=sys.stderr, flush=True)


def main() -> None:
    parser = ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--snapshots", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--encoder", action="append", help="a name, or the folder of an export; may be repeated")
    asked = parser.parse_args()
    snapshots = Snapshots(asked.snapshots)
    encoders: dict[str, Encoder] = {}
    for name in asked.encoder or ["builtin"]:
        encoder = load_encoder(name, threads=1)
        encoders[encoder.name] = encoder
    for photos in all_sets(snapshots):
        if not all((asked.out / name / f"{photos.name}.npy").exists() for name in encoders):
            write_vectors(photos, snapshots, encoders, asked.out)


if __name__ == "__main__":
    main()
