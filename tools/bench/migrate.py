"""Moving a collection to an encoder derived from its own: how fast is that without reading a picture?

    python tools/bench/migrate.py [--rows 100000] [--work DIR]

The rows are vectors of the built-in's width that no picture made: only the arithmetic, the files and SQLite are timed.
Each move begins with the same collection: to its first half of the components, to a projection of half the width with a
bias (a PCA), and to an ensemble of the encoder and that projection.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
from index_collection import found

from lookalike.encoders.derived import Derived, Projection
from lookalike.encoders.ensemble import Ensemble
from lookalike.encoders.load import load_encoder
from lookalike.engine.derive import derive, origins
from lookalike.store.collection_store import Store

_BATCH = 10_000


def make(place: Path, count: int) -> None:
    encoder = load_encoder("builtin")
    random = np.random.default_rng(0)
    with Store.open(place) as store, store.writer() as writer:
        root = writer.add_root(b"/photos", is_file=False)
        space = writer.create_space(encoder.id, encoder.name, encoder.dim)
        for start in range(0, count, _BATCH):
            rows = random.standard_normal((min(_BATCH, count - start), encoder.dim), np.float32)
            writer.put(space, [*found(rows, root.number, start)])


def seconds(place: Path, encoder: object) -> tuple[float, int]:
    """How long filling the space took, and how many vectors it got."""
    with Store.open(place) as store, store.writer() as writer:
        space = writer.create_space(encoder.id, encoder.name, encoder.dim)
        started = time.perf_counter()
        count = sum(derive(store, writer, origins(store, encoder, lambda _: None), space, stop=None))
        return time.perf_counter() - started, count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--work", type=Path)
    asked = parser.parse_args()
    base = load_encoder("builtin")
    random = np.random.default_rng(1)
    half = Projection(random.standard_normal((base.dim, base.dim // 2)), random.standard_normal(base.dim // 2) / 9)
    pca = Derived(base, half, half, name="pca", id="pca-000000000000")
    both = Ensemble([(base, 1), (pca, 1)], name="both", id="both-000000000000")
    with tempfile.TemporaryDirectory(dir=asked.work) as folder:
        make(Path(folder) / "start", asked.rows)
        for encoder in (load_encoder(f"builtin@{base.dim // 2}"), pca, both):
            place = shutil.copytree(Path(folder) / "start", Path(folder) / "moving")
            took, count = seconds(place, encoder)
            shutil.rmtree(place)
            name = f"{encoder.name} ({encoder.dim})"
            print(f"{name:<18} {count:,} vectors in {took:6.2f} s: {count / took:>10,.0f}/s")


if __name__ == "__main__":
    main()
