"""What the pipeline costs: indexing against the same cores decoding and encoding the same files with none around them.

    python tools/bench/pipeline_rate.py --photos DIR [--encoder NAME]

The bare loop is the strictest we could think of: one process on each core takes its share of the files, and reads,
decodes and encodes them one batch after the other with one thread, without hashing, scanning or storing. Its time
counts from when all processes have loaded and warmed their encoder. Indexing is `Collection.sync` of the same files
into a new collection, encoder loaded and warmed, everything else inside: scanning, starting workers, digests,
metadata, atomic writes. Goal: at least 0.8 of the bare loop's rate.
"""

from __future__ import annotations

import multiprocessing
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from measuring import arguments, in_turns, link_photos, medians, show

BATCH = 32


def bare_loop(files: list[Path], encoder_name: str, cores: int) -> float:
    """Seconds that `cores` processes need for `files`."""
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(cores + 1)
    parts = [context.Process(target=_share, args=(files[core::cores], encoder_name, barrier)) for core in range(cores)]
    for part in parts:
        part.start()
    barrier.wait()
    started = time.perf_counter()
    for part in parts:
        part.join()
    return time.perf_counter() - started


def _share(files: list[Path], encoder_name: str, barrier: Any) -> None:
    from lookalike.encoders.load import load_encoder

    encoder = load_encoder(encoder_name, threads=1)
    _decode_and_encode(encoder, files[:BATCH])
    barrier.wait()
    for start in range(0, len(files), BATCH):
        _decode_and_encode(encoder, files[start : start + BATCH])


def _decode_and_encode(encoder: Any, files: list[Path]) -> None:
    from lookalike.images.decode import decode_picture

    encoder.encode_images([decode_picture(path.read_bytes(), side=encoder.image_side).pixels for path in files])


def pipeline(folder: Path, encoder: Any, place: Path) -> float:
    """Seconds of indexing `folder` into a new collection."""
    import lookalike

    collection = place / "test.lookalike"
    shutil.rmtree(collection, ignore_errors=True)
    with lookalike.open(collection, encoder=encoder) as photos:
        started = time.perf_counter()
        for _ in photos.sync([folder]):
            pass
        return time.perf_counter() - started


def main() -> None:
    from lookalike.core.cores import usable_cores
    from lookalike.encoders.load import load_encoder

    parser = arguments(__doc__, photos=5_000)
    parser.add_argument("--encoder", default="builtin")
    parser.add_argument("--count", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    cores = usable_cores()
    with tempfile.TemporaryDirectory(dir=asked.photos.parent) as place:
        folder = link_photos(asked.photos, asked.count, Path(place) / "photos")
        files = sorted(folder.iterdir())
        encoder = load_encoder(asked.encoder)
        for _ in range(3):
            _decode_and_encode(encoder, files[:BATCH])
        took = medians(
            in_turns(
                {
                    "bare": lambda: bare_loop(files, asked.encoder, cores),
                    "pipeline": lambda: pipeline(folder, encoder, Path(place)),
                },
                asked.rounds,
            )
        )
    ratio = took["bare"] / took["pipeline"]
    figures = {
        "bare loop, photos/s": asked.count / took["bare"],
        "indexing, photos/s": asked.count / took["pipeline"],
        "indexing / bare loop": ratio,
    }
    title = f"{asked.count:,} photos, {asked.encoder}, {cores} cores, median of {asked.rounds} runs in turns"
    show(title, figures, {"at least 0.8": ratio >= 0.8}, asked.out)


if __name__ == "__main__":
    main()
