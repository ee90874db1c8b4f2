"""Masks made cold from mapped columns must take at most 15 ms over a million items, on one thread.

    python tools/bench/columns.py [--items 1000000]

Makes a collection of items in 20,000 folders with metadata as cameras and shops write it (one in twenty shows a picture
that another item shows too), writes its columns, and takes the time of conditions over all items: the set is opened
anew for each, its pages are in the system's cache. Beside them the same folder's mask by SQL, and how long columns take
to be written, and to be brought up to date when a thousand items changed. Times are of the processor, so that a busy
machine gives the same. With few items it shows from how many on columns are worth having.
"""

from __future__ import annotations

import json
import os
import random
import resource
import sqlite3
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from measuring import arguments, megabytes, show

from lookalike.store.collection_store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROUNDS, ROUNDS_OF_SQL = 11, 3
DIM = 8
MASK_MS = 15.0
CHANGES = 1000
CAMERAS = ["Canon EOS 5D", "NIKON D750", "SONY ILCE-7M3", "Pixel 7", "iPhone 13"]
COLOURS = ["red", "pink", "navy", "white", "black", "green", "beige"]
TOP = os.path.abspath(os.sep)
ROOT = os.fsencode(os.path.join(TOP, "photos"))


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--items", type=int, default=1_000_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        place = Path(name) / "c.lookalike"
        fill(place, asked.items)
        with Store.open(place) as store:
            by_sql = {
                f"SQL, {what}, ms": milliseconds(below(store, path), ROUNDS_OF_SQL) for what, path in folders().items()
            }
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            started = time.process_time()
            with store.writer() as writer:
                writer.make_columns(least=1)
            took = time.process_time() - started
            grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
            size = sum(each.stat().st_size for each in (place / "columns").rglob("*.*"))
            updated = updated_s(store)
            masks = {f"{what}, ms": milliseconds(mask) for what, mask in conditions(store).items()}
    figures = {
        "items": asked.items,
        "columns written, s": took,
        f"brought up to date after {CHANGES:,} items changed, s": updated,
        "peak memory more than before, MB": megabytes(grown * (1 if sys.platform == "darwin" else 1024)),
        "columns on disk, MB": megabytes(size),
        **by_sql,
        **masks,
    }
    show("masks from columns", figures, {"at most 15 ms": all(each <= MASK_MS for each in masks.values())}, asked.out)


def updated_s(store: Store) -> float:
    """Columns made again after some items got another price."""
    connection = sqlite3.connect(store.path / "collection.sqlite")
    with connection:
        connection.execute(
            "UPDATE items SET metadata = json_set(metadata, '$.price', 1.5) WHERE number IN"
            " (SELECT number FROM items ORDER BY random() LIMIT ?)",
            (CHANGES,),
        )
        connection.execute("UPDATE collection SET generation = generation + 1")
    connection.close()
    started = time.process_time()
    with store.writer() as writer:
        writer.make_columns(least=1)
    return time.process_time() - started


def conditions(store: Store) -> dict[str, Callable[[], object]]:
    """What is asked of all items; each opens the set anew."""

    def price_and_colour() -> object:
        with store.snapshot() as snapshot:
            columns = snapshot.columns()
            colours = columns.words("metadata.colour")
            chosen = columns.numbers("metadata.price") < 50.0
            red, pink = colours.code(b"red"), colours.code(b"pink")
            chosen &= (colours.codes == red) | (colours.codes == pink)
            return columns.row_mask(chosen)

    def cheap() -> object:
        with store.snapshot() as snapshot:
            columns = snapshot.columns()
            return columns.row_mask(columns.numbers("metadata.price") < 50.0)

    def camera() -> object:
        with store.snapshot() as snapshot:
            columns = snapshot.columns()
            cameras = columns.words("metadata.camera")
            return columns.row_mask(cameras.codes == cameras.code(b"Pixel 7"))

    asked = {
        "price < 50": cheap,
        "camera = 'Pixel 7'": camera,
        "price < 50 and colour in (red, pink)": price_and_colour,
    }
    return asked | {what: below(store, path) for what, path in folders().items()}


def folders() -> dict[str, bytes]:
    """Places below which masks are made, from all items to few."""
    names = {
        "below everything": "",
        "below a hundredth of the folders": "07",
        "below one folder": os.path.join("07", "0007"),
    }
    return {what: os.path.join(ROOT, os.fsencode(name)).rstrip(os.fsencode(os.sep)) for what, name in names.items()}


def below(store: Store, path: bytes) -> Callable[[], object]:
    def mask() -> object:
        with store.snapshot() as snapshot:
            return snapshot.mask_below(path)

    return mask


def milliseconds(call: Callable[[], object], rounds: int = ROUNDS) -> float:
    """The median time of a call."""
    took = []
    for _ in range(rounds):
        started = time.process_time()
        call()
        took.append(1000 * (time.process_time() - started))
    return statistics.median(took)


def fill(place: Path, items: int, own: Callable[[random.Random, int], dict[str, object]] | None = None) -> None:
    """A collection of that many items, written past the store, which would take minutes.

    `own`: makes the metadata of an item; None for a price and a colour.
    """
    with Store.open(place) as store, store.writer() as writer:
        root = writer.add_root(ROOT, is_file=False)
        space = writer.create_space("toy-0123456789ab", "toy", DIM)
    pictures = items - items // 20
    rows = place / "spaces" / space.slug / "rows-0.f16"
    os.truncate(rows, rows.stat().st_size + pictures * DIM * 2)
    connection = sqlite3.connect(place / "collection.sqlite")
    with connection:
        each = range(1, pictures + 1)
        connection.executemany("INSERT INTO pictures (number, items) VALUES (?, 0)", ((one,) for one in each))
        connection.executemany(
            "INSERT INTO contents VALUES (?, ?, ?, 1000, 4000, 3000, 'JPEG', ?)",
            (
                (one, one.to_bytes(16, "big"), one, metadata)
                for one, metadata in zip(each, of_bytes(pictures), strict=True)
            ),
        )
        connection.executemany(
            "INSERT INTO vectors VALUES (?, ?, 0, ?)", ((one, space.number, one - 1) for one in each)
        )
        connection.executemany(
            "INSERT INTO items VALUES (?, ?, ?, ?, NULL, 1000, ?, ?, ?, ?, 0)",
            (
                (one, f"{one:016x}", root.number, key, 1_700_000_000_000_000_000 + one, picture, picture, metadata)
                for one, key, picture, metadata in items_of(items, pictures, own or priced)
            ),
        )
        connection.execute("UPDATE spaces SET count = ?", (pictures,))
        connection.execute("UPDATE collection SET generation = generation + 1")
    connection.close()


def of_bytes(count: int) -> Iterator[str]:
    draw = random.Random(0)
    for one in range(count):
        taken = f"20{one % 24:02}-{one % 12 + 1:02}-{one % 28 + 1:02}T12:00:00"
        yield json.dumps({"format": "JPEG", "taken": taken, "camera": draw.choice(CAMERAS)})


def priced(draw: random.Random, _: int) -> dict[str, object]:
    return {"price": round(draw.uniform(1, 500), 2), "colour": draw.choice(COLOURS)}


def items_of(
    count: int, pictures: int, own: Callable[[random.Random, int], dict[str, object]]
) -> Iterator[tuple[int, bytes, int, str]]:
    draw = random.Random(1)
    for one in range(1, count + 1):
        key = b"%02d/%04d/IMG_%07d.jpg" % (one % 100, one // 100 % 200, one)
        yield one, key, (one - 1) % pictures + 1, json.dumps(own(draw, one))


if __name__ == "__main__":
    main()
