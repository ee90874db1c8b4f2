"""The photos that the built-in encoder is measured on, as files, out of snapshots of public repositories.

    python tools/bench/test_photos.py --snapshots DIR --out DIR

writes OUT/flickr-1k (1,000 photos and `captions.csv`), OUT/caltech-even (a folder for each of 101 classes) and
OUT/imagenette-held (a folder for each of 10 classes). None of them was trained on: which photos a training takes stands
in `lookalike.training.photo_sets`, and Imagenette's test photos are those of `val/` that its draw leaves. `snapshots`
is the folder that training reads (docs/training.md). What is there already is left as it is.
"""

from __future__ import annotations

import csv
import io
from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path

from lookalike.training.photo_sets import PHOTO_SETS
from lookalike.training.snapshots import Snapshots, photos_of

CAPTIONS = "data/captions.txt"


def write_photos(photos: list[tuple[str, str, str]], repository: str, snapshots: Snapshots, folder: Path) -> None:
    """Each photo (path, blob, label) as folder/LABEL/NAME."""
    with snapshots.reader(repository) as read:
        for path, blob, label in photos:
            target = folder / label / path.rsplit("/", 1)[-1]
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.exists():
                target.write_bytes(read(blob))
    print(f"{folder}: {len(photos):,} photos")


def write_flickr(snapshots: Snapshots, folder: Path) -> None:
    held = next(each for each in PHOTO_SETS if each.name == "flickr_test")
    write_photos(photos_of(held, snapshots), held.repository, snapshots, folder)
    table = snapshots.text(held.repository, held.commit, CAPTIONS)
    rows = [(row[0], ",".join(row[1:])) for row in csv.reader(io.StringIO(table)) if row and row[0] != "image"]
    with (folder / "captions.csv").open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows([("image", "caption"), *rows])


def write_caltech(snapshots: Snapshots, folder: Path) -> None:
    held = next(each for each in PHOTO_SETS if each.name == "caltech_test")
    write_photos(photos_of(held, snapshots), held.repository, snapshots, folder)


def write_imagenette(snapshots: Snapshots, folder: Path) -> None:
    trained = next(each for each in PHOTO_SETS if each.name == "imagenette")
    taken = {path for path, _, _ in photos_of(trained, snapshots)}
    there = photos_of(replace(trained, per_class=None, pattern="^val/"), snapshots)
    write_photos([photo for photo in there if photo[0] not in taken], trained.repository, snapshots, folder)


def main() -> None:
    parser = ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--snapshots", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    snapshots = Snapshots(asked.snapshots)
    write_flickr(snapshots, asked.out / "flickr-1k")
    write_caltech(snapshots, asked.out / "caltech-even")
    write_imagenette(snapshots, asked.out / "imagenette-held")


if __name__ == "__main__":
    main()
