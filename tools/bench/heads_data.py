"""The two catalogues that heads are measured on, as files a user would have: a table, and the photos beside it.

    python tools/bench/heads_data.py --snapshots DIR --fashion DIR --out DIR

writes OUT/fashion/catalogue.csv (id, image, title, category: 9,583 products; the photos stay where `fashion.py` has
them) and OUT/flickr8k/catalogue.csv (image, caption: 8,091 photos) with its photos, those of `flickr-1k` in `test/`.
`snapshots` is the folder that training reads (docs/training.md). What is there already is left as it is.
"""

from __future__ import annotations

import csv
import io
import os
from argparse import ArgumentParser
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import fashion
from test_photos import write_photos

from lookalike.training.photo_sets import PHOTO_SETS
from lookalike.training.snapshots import Snapshots, photos_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FLICKR, HELD = "flickr", "flickr_test"
TABLES = {FLICKR: "ignore_captions.txt", HELD: "captions.txt"}


def write_fashion(folder: Path, out: Path) -> Path:
    """The products as a catalogue; a type of fewer than three products is no category to learn."""
    products = fashion.load_products(folder)
    types = Counter(next(iter(product.attributes["type"])) for product in products)
    rows = []
    for product in products:
        kind = next(iter(product.attributes["type"]))
        image = os.path.abspath(folder / "images" / f"{product.number}.jpg")
        rows.append((product.number, image, product.title, kind if types[kind] > 2 else ""))
    return _write(out / "fashion" / "catalogue.csv", ("id", "image", "title", "category"), rows)


def write_flickr(snapshots: Snapshots, out: Path) -> Path:
    """All photos of Flickr8k with their captions; `test/` holds the 1,000 that the built-in encoder never saw."""
    folder = out / "flickr8k"
    sets = {each.name: each for each in PHOTO_SETS if each.name in TABLES}
    barred = {path.rsplit("/", 1)[-1] for path, _, _ in photos_of(sets[HELD], snapshots)}
    captions: list[tuple[str, str]] = []
    for name, part in ((FLICKR, "train"), (HELD, "test")):
        photos = photos_of(sets[name], snapshots, barred if name == FLICKR else ())
        write_photos(photos, sets[name].repository, snapshots, folder / part)
        names = {path.rsplit("/", 1)[-1] for path, _, _ in photos}
        table = snapshots.text(sets[HELD].repository, sets[HELD].commit, f"data/{TABLES[name]}")
        read = ((row[0], ",".join(row[1:])) for row in csv.reader(io.StringIO(table)) if row)
        captions += [(f"{part}/{image}", caption) for image, caption in read if image in names]
    return _write(folder / "catalogue.csv", ("image", "caption"), captions)


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows([header, *rows])
    return path


def main() -> None:
    parser = ArgumentParser(description=__doc__.partition("\n")[0])
    for name in ("snapshots", "fashion", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    asked = parser.parse_args()
    print(write_fashion(asked.fashion, asked.out))
    print(write_flickr(Snapshots(asked.snapshots), asked.out))


if __name__ == "__main__":
    main()
