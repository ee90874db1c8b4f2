"""Kill a process that takes in a catalogue with SIGKILL at random instants and check that nothing was lost or mixed up.

    python tests/crash/kill_while_cataloguing.py [--kills 20] [--rows 3000]

After each kill the collection must open and be whole, no id may be there twice, and every item must be that of its row:
its picture the one that the row names, its price one that the row has had. The next run goes on; when one finishes,
every row must be there as it is now, and the catalogue changes: prices, pictures, rows that come and go.
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import lookalike
from lookalike.store.collection_store import Store
from lookalike.testing import ToyEncoder, draw_pictures

CHILD = """
import sys, lookalike
from lookalike.testing import ToyEncoder
if __name__ == "__main__":
    with lookalike.open(sys.argv[1], encoder=ToyEncoder()) as shop:
        print("start", flush=True)
        for _ in shop.sync(sys.argv[2:]):
            pass
"""
PICTURES = 240


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--rows", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=8)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lookalike-crash-") as work:
        run(asked, Path(work))


def run(asked: argparse.Namespace, work: Path) -> None:
    chance = random.Random(asked.seed)
    draw_pictures(work / "img", PICTURES)
    pictures = [f"img/{path.name}" for path in sorted((work / "img").iterdir())]
    rows = {f"{n:05d}": [chance.choice(pictures), n] for n in range(asked.rows)}
    past: dict[str, set[tuple[str, int]]] = {}
    write(work / "c.csv", rows, past)
    place = work / "c.lookalike"
    kills = finished = 0
    longest = 60.0  # seconds; once a run has finished, as long as it took
    while kills < asked.kills:
        sources = [work / "img", work / "c.csv"] if finished else [work / "c.csv"]
        command = [sys.executable, "-c", CHILD, str(place), *map(str, sources)]
        child = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert child.stdout is not None
        child.stdout.readline()
        began = time.monotonic()
        try:
            child.wait(chance.uniform(0.0, longest))
        except subprocess.TimeoutExpired:
            os.kill(child.pid, signal.SIGKILL)
            child.wait()
            kills += 1
        else:
            assert child.returncode == 0, f"the run failed with {child.returncode}"
            longest = max(2.0, 1.2 * (time.monotonic() - began))
            finished += 1
        child.stdout.close()
        count = check(work, past, rows if child.returncode == 0 else None)
        print(f"kill {kills:3d}  finished runs {finished:3d}  items {count:6d}", flush=True)
        if child.returncode == 0:
            change(rows, pictures, chance)
            write(work / "c.csv", rows, past)
    subprocess.run(
        [sys.executable, "-c", CHILD, str(place), str(work / "c.csv")], check=True, stdout=subprocess.DEVNULL
    )
    check(work, past, rows)
    print(f"{kills} kills, {finished} finished runs: nothing lost, doubled or mixed up")


def write(path: Path, rows: dict[str, list], past: dict[str, set[tuple[str, int]]]) -> None:
    """The catalogue as it is now, put in place at once; `past` learns what each row has said."""
    for id, (picture, price) in rows.items():
        past.setdefault(id, set()).add((picture, price))
    new = path.with_suffix(".new")
    with new.open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream)
        table.writerow(["id", "file", "price"])
        table.writerows([id, *row] for id, row in rows.items())
    new.replace(path)


def change(rows: dict[str, list], pictures: list[str], chance: random.Random) -> None:
    """New prices, other pictures, rows that go and rows that come."""
    for id in chance.sample(sorted(rows), len(rows) // 3):
        rows[id][1] += 1
    for id in chance.sample(sorted(rows), 50):
        rows[id][0] = chance.choice(pictures)
    for id in chance.sample(sorted(rows), 50):
        del rows[id]
    rows |= {f"new{chance.randrange(10**9)}": [chance.choice(pictures), 1] for _ in range(50)}


def check(work: Path, past: dict[str, set[tuple[str, int]]], now: dict[str, list] | None) -> int:
    """Every item is one of its row's; with `now`, all rows are there as they are. Returns how many items there are."""
    place = work / "c.lookalike"
    if not (place / "collection.sqlite").exists():
        return 0
    with Store.open(place) as store:
        if store.current_space() is None:
            return 0
        with store.snapshot() as snapshot:
            found = [item for some in snapshot.items_of(range(snapshot.count)).values() for item in some]
    products = {item.id: item for item in found if item.metadata.get("group")}
    assert len({item.id for item in found}) == len(found), "an id is there twice"
    for id, item in products.items():
        said = (os.path.relpath(item.uri, work), item.metadata["price"])
        assert said in past[id], f"{id} says {said}"
        assert now is None or said == tuple(now[id]), f"{id} says {said}, its row {now[id]}"
    assert now is None or set(products) == set(now), "a finished run left rows out"
    with lookalike.open(place, encoder=ToyEncoder()) as shop:
        report = shop.verify(sample=PICTURES)
        assert not report.problems, report.problems[:5]
    return len(found)


if __name__ == "__main__":
    main()
