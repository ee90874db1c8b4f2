"""Pages of groups of duplicates in a collection that has very many: time until the first page, and to each next one.

    python tools/bench/duplicates_groups.py --work DIR [--groups 50000] [--settled 0.5] [--out FILE]

The collection is made of nothing but rows: pictures that no file has, in groups of all kinds, most of them with what a
camera writes. In the share `--settled` of the groups of several pictures every picture is like every other one in one
way; in the others some pairs are missing, so that who is in the group depends on which item is kept.
"""

from __future__ import annotations

import hashlib
import random
import shutil
import time
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from index_report import in_child, resident_peak_bytes
from measuring import arguments, megabytes, show

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lookalike.store.likenesses import PairRecord
    from lookalike.store.records import Found

KINDS = {"same": 0.3, "copy": 0.4, "edited": 0.2, "burst": 0.1}
"""Shares of groups."""
_MEMBERS = {"same": 2, "copy": 3, "edited": 3, "burst": 4}
_WHY = {
    "copy": (("size", 50), ("formats", "JPEG", "PNG")),
    "edited": (("cropped", 62, 62), ("upper_left",)),
    "burst": (("later", 0.4), ("same_camera",)),
}
_AT_ONCE = 4_000
_NEXT = 20
"""Pages asked for behind the first one."""


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--groups", type=int, default=50_000)
    parser.add_argument("--settled", type=float, default=0.5)
    asked = parser.parse_args()
    place = asked.work / f"groups-{asked.groups}-{asked.settled}.lookalike"
    if not place.exists():
        make(place, asked.groups, asked.settled)
    figures = in_child("duplicates_groups", "pages", place=str(place))
    goals = {
        "the first page in less than 3 s": figures["first page, seconds"] < 3,
        "each next page in less than 100 ms": figures["slowest of the next pages, ms"] < 100,
    }
    show(f"pages of {asked.groups:,} groups", figures, goals, asked.out)


def pages(place: str) -> dict[str, Any]:
    """Ask for the first pages of a collection that was just opened."""
    import lookalike
    from lookalike.testing import ToyEncoder

    with lookalike.open(place, encoder=ToyEncoder()) as collection:
        started, began = time.perf_counter(), time.process_time()
        page = collection.duplicates.groups()
        first, of_processor = time.perf_counter() - started, time.process_time() - began
        each = []
        for _ in range(_NEXT):
            started = time.perf_counter()
            page = collection.duplicates.groups(after=page.next)
            each.append(1000 * (time.perf_counter() - started))
        return {
            "groups": sum(page.counts.values()),
            "first page, seconds": first,
            "first page, seconds of a processor": of_processor,
            "next page, median, ms": float(np.median(each)),
            "slowest of the next pages, ms": max(each),
            "peak resident, MB": megabytes(resident_peak_bytes()),
        }


def make(place: Path, groups: int, settled: float) -> None:
    """The collection, with its likenesses."""
    from lookalike.engine.likeness import METHOD
    from lookalike.engine.spool import batches
    from lookalike.store.collection_store import Store
    from lookalike.testing import ToyEncoder

    shutil.rmtree(place, ignore_errors=True)
    drawing = random.Random(14)
    kinds = drawing.choices([*KINDS], [*KINDS.values()], k=groups)
    with Store.open(place) as store:
        with store.writer() as writer:
            root = writer.add_root(b"/photos", is_file=False)
            space = writer.create_space(ToyEncoder().id, "toy", ToyEncoder().dim)
            for some in batches(_files(kinds, root.number, drawing), _AT_ONCE):
                writer.put(space, some)
        with store.snapshot() as snapshot:
            pictures = snapshot.pictures()[0].tolist()
        store.likenesses.put(_pairs(kinds, pictures, settled, METHOD, drawing), pictures, METHOD)


def _files(kinds: list[str], root: int, drawing: random.Random) -> Iterator[Found]:
    from lookalike.store.records import Found
    from lookalike.testing import ToyEncoder

    vector = np.eye(1, ToyEncoder().dim, dtype=np.float32)[0]
    for group, kind in enumerate(kinds):
        for member in range(_MEMBERS[kind]):
            name, width = f"{group}-{member}.jpg", drawing.choice((800, 1600, 4000))
            content = f"{group}" if kind == "same" else name
            taken = f"2020-05-{drawing.randint(1, 28)}T12:00:{drawing.randint(10, 59)}"
            told = {"taken": taken, "taken_from": "exif", "camera": "Canon EOS 80D", "tags": ["a", "b"], "city": "Riga"}
            yield Found(
                root=root,
                key=name.encode(),
                uri=f"/photos/{name}",
                size=drawing.randint(100_000, 5_000_000),
                modified_ns=drawing.randint(1, 10**18),
                bytes_digest=hashlib.blake2b(name.encode(), digest_size=16).digest(),
                pixels_digest=hashlib.blake2b(content.encode(), digest_size=16).digest(),
                width=width,
                height=3 * width // 4,
                format=drawing.choice(("JPEG", "JPEG", "PNG")),
                picture_metadata=told if drawing.random() < 0.7 else {},
                vector=vector,
            )


def _pairs(
    kinds: list[str], pictures: list[int], settled: float, method: int, drawing: random.Random
) -> Iterator[PairRecord]:
    """Pictures are numbered in the order in which they came."""
    from lookalike.engine.likeness_words import stored
    from lookalike.store.likenesses import PairRecord

    numbers = iter(pictures)
    for kind in kinds:
        members = [next(numbers) for _ in range(1 if kind == "same" else _MEMBERS[kind])]
        pairs = [*combinations(members, 2)]
        for first, second in pairs if drawing.random() < settled else pairs[:-1]:
            yield PairRecord(first, second, kind, drawing.randint(80, 99) / 100, stored(_WHY[kind]), method)


if __name__ == "__main__":
    main()
