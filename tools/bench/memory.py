"""Peak memory of indexing must not grow with the number of files.

    python tools/bench/memory.py --photos DIR [--encoder NAME]

Indexes 1,000 and then 10,000 photos into new collections, each in one process tree that is watched through /proc.
Goals: less than 1.1 times as much for ten times the files; less than 700 MB for 10,000.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from measuring import LOOKALIKE, arguments, clean_environment, link_photos, megabytes, peaks_of, seconds_of, show


def main() -> None:
    parser = arguments(__doc__, photos=10_000)
    parser.add_argument("--encoder", default="builtin")
    parser.add_argument("--counts", type=int, nargs=2, default=[1000, 10_000])
    asked = parser.parse_args()
    few, many = asked.counts
    with tempfile.TemporaryDirectory(dir=asked.photos.parent) as name:
        place = Path(name)
        env = clean_environment(place)
        seconds_of([LOOKALIKE, "encoders"], env=env)
        peaks = {}
        for count in asked.counts:
            photos = link_photos(asked.photos, count, place / str(count))
            collection = str(place / f"{count}.lookalike")
            peaks[count] = peaks_of(
                [LOOKALIKE, "index", str(photos), "--encoder", asked.encoder, "--collection", collection], env=env
            )
    ratio = peaks[many].tree / peaks[few].tree
    figures = {
        f"whole tree, {few:,} photos, MB": megabytes(peaks[few].tree),
        f"whole tree, {many:,} photos, MB": megabytes(peaks[many].tree),
        f"parent alone, {few:,} photos, MB": megabytes(peaks[few].parent),
        f"parent alone, {many:,} photos, MB": megabytes(peaks[many].parent),
        "growth of the tree": ratio,
        "growth of the parent": peaks[many].parent / peaks[few].parent,
    }
    goals = {"grows less than 1.1 times": ratio < 1.1, "below 700 MB": peaks[many].tree < 700e6}
    show(f"peak resident memory, {asked.encoder}", figures, goals, asked.out)


if __name__ == "__main__":
    main()
