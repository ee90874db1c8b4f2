"""Encoding by shards, here and on Ray, against indexing without shards on the same cores.

    python tools/bench/ray_rate.py --photos DIR [--count 3000] [--workers 2] [--runs 3] [--modes plain,ray]

Each way indexes the same photos into a new collection, in turns. Ray is one of this computer with `--workers` actors,
the cores divided among them. "start" is what passes before the first shard is begun: starting Ray and its actors and
loading the encoder there, which a long run does not notice. Rates are told with it and without. The vectors of the
last run of each way are compared with those of `plain`, picture by picture.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from measuring import arguments, link_photos, show

GOAL = 0.8
MODES = ("plain", "here", "ray")


def indexed(mode: str, photos: Path, place: Path, workers: int) -> tuple[float, float, int]:
    """Seconds in all, seconds before the first shard began, and pictures, of one way into a new collection."""
    import lookalike
    from lookalike.cluster.ray_workers import RayWorkers
    from lookalike.engine.reports import Progress
    from lookalike.engine.shard_encoding import Here
    from lookalike.engine.sharding import Sharding

    ways = {"plain": None, "here": Here(), "ray": RayWorkers(workers=workers)}
    shards = None if ways[mode] is None else Sharding(ways[mode], str(place / "shards"))
    first = 0.0
    with lookalike.open(place / "test.lookalike") as collection:
        encoder = collection.encoder
        encoder.encode_images([np.zeros((encoder.image_side, encoder.image_side, 3), np.uint8)])
        started = time.perf_counter()
        for event in collection.sync([photos], sharding=shards, index="later"):
            if isinstance(event, Progress) and event.stage == "take" and event.done and not first:
                first = time.perf_counter() - started
        seconds = time.perf_counter() - started
    begun = max(first - event.shards[0].seconds, 0.0) if event.shards else 0.0
    if event.shards:
        nodes = {shard.node for shard in event.shards}
        print(f"{mode}: {len(event.shards)} shards on {len(nodes)} node(s), {len(event.skipped)} files skipped")
    return seconds, begun, event.added


def vectors(place: Path) -> dict[bytes, np.ndarray]:
    """Every picture's vector, by the name of its file."""
    from lookalike.store.collection_store import Store

    with Store.open(place / "test.lookalike", create=False) as store, store.snapshot() as snapshot:
        rows = snapshot.items_of(range(snapshot.count))
        return {item.key: np.array(snapshot.rows[row]) for row, items in rows.items() for item in items}


def compare(ours: dict[bytes, np.ndarray], plain: dict[bytes, np.ndarray]) -> str:
    assert ours.keys() == plain.keys(), "the same pictures"
    pairs = [(ours[key].astype(np.float32), plain[key].astype(np.float32)) for key in plain]
    equal = sum(bool((one == other).all()) for one, other in pairs)
    apart = max(float(np.abs(one - other).max()) for one, other in pairs)
    cosine = min(float(one @ other / np.linalg.norm(one) / np.linalg.norm(other)) for one, other in pairs)
    return f"{equal:,} of {len(pairs):,} equal to the bit, largest difference {apart:.1e}, least cosine {cosine:.6f}"


def main() -> None:
    parser = arguments(__doc__, photos=3000)
    parser.add_argument("--count", type=int, default=3000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--modes", default="plain,ray")
    options = parser.parse_args()
    modes = [mode for mode in MODES if mode in options.modes.split(",")]
    runs: dict[str, list[tuple[float, float, int]]] = {mode: [] for mode in modes}
    kept: dict[str, dict[bytes, np.ndarray]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        photos = link_photos(options.photos, options.count, Path(scratch) / "photos")
        for run in range(options.runs):
            for mode in modes if run % 2 == 0 else reversed(modes):
                place = Path(scratch) / f"{mode}-{run}"
                runs[mode].append(indexed(mode, photos, place, options.workers))
                kept[mode] = vectors(place)
    figures: dict[str, object] = {}
    goals: dict[str, bool] = {}
    for mode, some in runs.items():
        figures[f"{mode}, seconds"] = statistics.median(each[0] for each in some)
        figures[f"{mode}, start, seconds"] = statistics.median(each[1] for each in some)
        figures[f"{mode}, photos a second"] = rate = statistics.median(each[2] / each[0] for each in some)
        figures[f"{mode}, without its start"] = going = statistics.median(
            each[2] / (each[0] - each[1]) for each in some
        )
        if mode == modes[0]:
            plain = rate
            continue
        figures[f"{mode} to {modes[0]}"] = rate / plain
        figures[f"{mode} to {modes[0]}, without its start"] = going / plain
        figures[f"{mode}, vectors"] = compare(kept[mode], kept[modes[0]])
        goals[f"{mode} without its start has 0.8 of the rate of {modes[0]}"] = going >= GOAL * plain
    show(f"{options.count:,} photos, {options.workers} workers", figures, goals, options.out)


if __name__ == "__main__":
    main()
