"""Kill a process that builds an index with SIGKILL at random instants: the collection answers as before.

    python tests/crash/kill_while_building.py [--kills 20] [--rows 20000]

After each kill the collection must open, be whole, and answer like the exact search, whether the killed build was just
published or not; the next build goes on, and the last one is let through.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from lookalike import Query, Term
from lookalike.engine.collection import Collection
from lookalike.store.collection_store import Store
from lookalike.testing import ToyEncoder
from stored_files import found

CHILD = """
import sys, lookalike
from lookalike.testing import ToyEncoder
with lookalike.open(sys.argv[1], encoder=ToyEncoder(text=False), create=False) as pictures:
    for _ in pictures.build_index(again=True):
        print("building", flush=True)
"""
QUESTION = np.cos(np.arange(1, 65)).astype(np.float32)


def fill(path: Path, rows: int) -> None:
    encoder = ToyEncoder(text=False)
    vectors = np.random.default_rng(0).standard_normal((rows, 64)).astype(np.float32)
    with Store.open(path) as store, store.writer() as writer:
        root = writer.add_root(os.fsencode(os.path.abspath(os.sep)), is_file=False)
        space = writer.create_space(encoder.id, encoder.name, encoder.dim)
        writer.put(space, [found(root, b"%d.jpg" % each, str(each), vector=vectors[each]) for each in range(rows)])


def answers(path: Path, *, effort: int | None) -> list[str]:
    with Collection(Store.open(path, create=False), encoder=ToyEncoder(text=False)) as pictures:
        problems = pictures.verify(sample=0).problems
        assert problems == (), problems
        return [hit.uri for hit in pictures.search(Query((Term("vector", QUESTION),), k=10, effort=effort))]


def kill_one(path: Path, longest_s: float) -> str:
    with subprocess.Popen([sys.executable, "-c", CHILD, str(path)], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(random.uniform(0, longest_s))
        was = "done" if child.poll() is not None else "building"
        child.send_signal(signal.SIGKILL)
    return was


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--rows", type=int, default=20_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lookalike-crash-") as folder:
        path = Path(folder, "c.lookalike")
        fill(path, asked.rows)
        exact = answers(path, effort=None)
        with Collection(Store.open(path), encoder=ToyEncoder(text=False)) as pictures:
            pictures.configure_index(kind="hnsw")
            started = time.monotonic()
            list(pictures.build_index())
            took = time.monotonic() - started
        for number in range(asked.kills):
            was = kill_one(path, 1.2 * took)
            assert answers(path, effort=asked.rows) == exact
            print(f"kill {number + 1}: {was}, whole")
        with Collection(Store.open(path), encoder=ToyEncoder(text=False)) as pictures:
            *_, report = pictures.build_index(again=True)
            assert report.built
        assert answers(path, effort=asked.rows) == exact
        left = {file.name.split(".")[0] for file in path.glob("spaces/*/index-*")}
        assert len(left) == 1, left
    print(f"{asked.kills} kills, nothing lost")
    return 0


if __name__ == "__main__":
    sys.exit(main())
