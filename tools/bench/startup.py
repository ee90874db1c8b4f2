"""How long it takes to start: importing, help, a search as a whole process, and indexing when nothing has changed.

    python tools/bench/startup.py --photos DIR [--encoder NAME]

Goals: `import lookalike` at most 3 times, `lookalike --help` at most 8 times a bare interpreter; a second index of
10,000 unchanged files below 2 s. The split of a search is measured inside one process, by the clock of the system,
from the moment it was started.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measuring import LOOKALIKE, arguments, clean_environment, in_turns, link_photos, medians, seconds_of, show

SPLIT = """
import json, sys, time
begun = time.time()
import lookalike.cli.main, lookalike.cli.search, lookalike.engine.opening, lookalike.engine.search
import lookalike.store.collection_store, lookalike.index.exact, lookalike.encoders.onnx_encoder, lookalike.encoders.load
import numpy, onnxruntime, tokenizers, simsimd
imported = time.time()
with lookalike.engine.opening.open(sys.argv[1], create=False) as photos:
    opened = time.time()
    took = photos.search("a dog in the snow").took_ms
    answered = time.time()
print(json.dumps({"interpreter": begun - float(sys.argv[2]), "imports": imported - begun, "open": opened - imported,
    "load": took["load"] / 1000, "encode": took["encode"] / 1000, "search": (took["search"] + took["fetch"]) / 1000,
    "whole answer": answered - opened}))
"""
"""Prints how a search divides its time, in seconds."""


def split_of_a_search(collection: Path, env: dict[str, str], rounds: int) -> dict[str, float]:
    """Median milliseconds of each stage."""
    parts: dict[str, list[float]] = {}
    for _ in range(rounds):
        command = [sys.executable, "-c", SPLIT, str(collection), repr(time.time())]
        told = json.loads(subprocess.run(command, env=env, capture_output=True, check=True).stdout)
        for stage, seconds in told.items():
            parts.setdefault(stage, []).append(1000 * seconds)
    return {stage: round(statistics.median(values), 1) for stage, values in parts.items()}


def main() -> None:
    parser = arguments(__doc__, photos=10_000)
    parser.add_argument("--encoder", default="builtin")
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=30)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.photos.parent) as name:
        place, collection = Path(name), Path(name) / "test.lookalike"
        env = clean_environment(place)
        starts = medians(
            in_turns(
                {
                    "bare": lambda: seconds_of([sys.executable, "-c", "pass"], env=env),
                    "import": lambda: seconds_of([sys.executable, "-c", "import lookalike"], env=env),
                    "help": lambda: seconds_of([LOOKALIKE, "--help"], env=env),
                },
                asked.rounds,
            )
        )
        photos = link_photos(asked.photos, asked.count, place / "photos")
        index = [LOOKALIKE, "index", str(photos), "--encoder", asked.encoder, "--collection", str(collection)]
        first = seconds_of(index, env=env)
        search = [LOOKALIKE, "search", "a dog in the snow", "--collection", str(collection)]
        later = medians(
            in_turns(
                {
                    "index": lambda: seconds_of([LOOKALIKE, "index", "--collection", str(collection)], env=env),
                    "search": lambda: seconds_of(search, env=env),
                },
                7,
            )
        )
        split = split_of_a_search(collection, env, 7)
    figures = {
        "bare interpreter, ms": 1000 * starts["bare"],
        "import lookalike, ms": 1000 * starts["import"],
        "lookalike --help, ms": 1000 * starts["help"],
        "import / bare": starts["import"] / starts["bare"],
        "help / bare": starts["help"] / starts["bare"],
        f"index of {asked.count:,}, s": first,
        f"index of {asked.count:,} unchanged, s": later["index"],
        f"search of {asked.count:,}, whole process, s": later["search"],
        **{f"of it {stage}, ms": value for stage, value in split.items()},
    }
    goals = {
        "import <= 3 x bare": starts["import"] <= 3 * starts["bare"],
        "help <= 8 x bare": starts["help"] <= 8 * starts["bare"],
        "unchanged below 2 s": later["index"] < 2,
    }
    show(f"start-up, {asked.encoder}, medians of runs in turns", figures, goals, asked.out)


if __name__ == "__main__":
    main()
