"""A catalogue whose pictures are known already must be taken in at 20,000 rows a second, and so must its new prices.

    python tools/bench/catalogue_rate.py [--rows 100000] [--format parquet|csv|jsonl]

Makes a folder of as many small pictures and a collection that knows them, then a catalogue of 20 typed columns with a
row for each. Three runs of `Collection.sync` are timed: the first intake; one after every price changed; one after
nothing changed. Nothing may be decoded, encoded or skipped in any of them. "Taken in" is until every row is committed
and answers searches; "whole run" adds what makes large collections quick: words in full text, columns for filters. The
rates are by the clock of the processor, so that a busy machine gives nearly the same; the wall's stands beside them.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from measuring import arguments, megabytes, show

import lookalike
from lookalike.store.collection_store import Found, Store
from lookalike.testing import ToyEncoder

if TYPE_CHECKING:
    from collections.abc import Iterator

RATE = 20_000
BATCH = 5000
WORDS = (
    *("shirt", "dress", "jeans", "shoes", "bag", "watch", "cotton", "slim"),
    *("summer", "checked", "striped", "classic", "leather", "soft", "navy", "red"),
)
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108020000009077"
    "53de0000000c4944415408d763f8cfc000000301010018dd8db00000000049454e44ae426082"
)


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--format", choices=("parquet", "csv", "jsonl"), default="parquet")
    asked = parser.parse_args()
    figures: dict[str, Any] = {}
    rates = {}
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        know_pictures(work, asked.rows)
        table = work / f"catalogue.{asked.format}"
        for run, raise_by in (("first intake", 0.0), ("all prices changed", 1.0), ("nothing changed", 1.0)):
            write_table(table, asked.rows, raise_by)
            taken, took, wall, report = timed(work, table)
            rates[run] = asked.rows / taken
            figures[f"{run}, taken in, rows/s"] = round(asked.rows / taken)
            figures[f"{run}, whole run, rows/s"] = round(asked.rows / took)
            figures[f"{run}, whole run, rows/s by the wall"] = round(asked.rows / wall)
            figures[f"{run}, added, changed"] = f"{report.added:,}, {report.changed:,}"
            if report.encoded or report.skipped:
                sys.exit(f"{run}: {report.encoded} encoded, {len(report.skipped)} skipped: {report.skipped[:1]}")
        figures["largest memory, MB"] = megabytes(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
    goals = {f"{run}, taken in: at least {RATE:,} rows/s": rate >= RATE for run, rate in rates.items()}
    show(f"A {asked.format} catalogue of {asked.rows:,} known pictures", figures, goals, asked.out)


def timed(work: Path, table: Path) -> tuple[float, float, float, Any]:
    """Seconds until all rows are in, of the whole run, and of the whole run by the wall; and its report."""
    with lookalike.open(work / "c.lookalike", encoder=ToyEncoder()) as collection:
        taken = None
        began, began_wall = time.process_time(), time.perf_counter()
        for event in collection.sync([table], index="later"):
            if taken is None and isinstance(event, lookalike.Progress) and event.stage == "finish":
                taken = time.process_time() - began
        assert taken is not None, "a run says that it finishes"
        return taken, time.process_time() - began, time.perf_counter() - began_wall, event


def know_pictures(work: Path, count: int) -> None:
    """A folder of pictures, and a collection that has taken them."""
    folder = work / "pictures"
    folder.mkdir()
    encoder = ToyEncoder()
    with Store.open(work / "c.lookalike") as store, store.writer() as writer:
        root = writer.add_root(os.fsencode(folder), is_file=False)
        space = writer.create_space(encoder.id, encoder.name, encoder.dim)
        vectors = np.random.default_rng(1).standard_normal((count, encoder.dim)).astype(np.float32)
        for first in range(0, count, BATCH):
            numbers = range(first, min(first + BATCH, count))
            writer.put(space, [found(folder, root.number, number, vectors[number]) for number in numbers])
        writer.finish([])
        writer.make_columns()


def found(folder: Path, root: int, number: int, vector: Any) -> Found:
    path = folder / f"{number:06d}.png"
    content = PNG + number.to_bytes(8, "big")
    path.write_bytes(content)
    there = path.stat()
    digest = hashlib.blake2b(content, digest_size=16).digest()
    metadata = {"orientation": "square", "colours": ["black"]}
    return Found(
        root=root,
        key=path.name.encode(),
        uri=str(path),
        size=there.st_size,
        modified_ns=there.st_mtime_ns,
        bytes_digest=digest,
        pixels_digest=digest,
        width=1,
        height=1,
        format="PNG",
        vector=vector,
        picture_metadata=metadata,
    )


def rows(count: int, raise_by: float) -> Iterator[dict[str, Any]]:
    """Products as a shop lists them."""
    chance = random.Random(7)
    for number in range(count):
        yield {
            "id": f"{number:07d}",
            "file": f"pictures/{number:06d}.png",
            "title": " ".join(chance.choices(WORDS, k=4)),
            "description": " ".join(chance.choices(WORDS, k=15)),
            "brand": f"brand {chance.randrange(300)}",
            "colour": chance.choice(("red", "navy", "white", "black")),
            "gender": chance.choice(("Men", "Women", "Boys", "Girls", "Unisex")),
            "category": chance.choice(("Apparel", "Footwear", "Accessories")),
            "season": chance.choice(("Summer", "Winter", "Fall", "Spring")),
            "usage": chance.choice(("Casual", "Sports", "Formal")),
            "price": round(chance.uniform(5, 200), 2) + raise_by,
            "discount": chance.randrange(0, 70, 5),
            "rating": round(chance.uniform(1, 5), 1),
            "stock": chance.randrange(100),
            "weight": round(chance.uniform(0.1, 3), 3),
            "added": f"2024-{chance.randrange(1, 13):02d}-{chance.randrange(1, 29):02d}",
            "year": chance.randrange(2010, 2025),
            "is_new": chance.random() < 0.1,
            "sku": f"SKU-{chance.randrange(10**8):08d}",
            "tags": "|".join(chance.sample(WORDS, 2)),
        }


def write_table(path: Path, count: int, raise_by: float) -> None:
    products = list(rows(count, raise_by))
    if path.suffix == ".parquet":
        import pyarrow as pa
        import pyarrow.parquet

        pa.parquet.write_table(pa.Table.from_pylist(products), path)
    elif path.suffix == ".csv":
        import csv

        with path.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, fieldnames=list(products[0]))
            writer.writeheader()
            writer.writerows(products)
    else:
        path.write_text("".join(json.dumps(product) + "\n" for product in products), encoding="utf-8")


if __name__ == "__main__":
    main()
