"""lookalike against rclip on the same photos: end-to-end indexing rate, and time of a search as a whole process.

    python tools/bench/rclip_compare.py --photos DIR --rclip VENV/bin/rclip --rclip-data DATADIR --model FOLDER

FOLDER and DATADIR hold the very same random ViT-B-32-256 weights: `tools/random_vit.py` writes both. rclip indexes and
then answers a query in one process: the time of a search alone is taken off its indexing time. Nothing is taken off
lookalike's. Goals: no slower with the same model, at least three times as fast with the built-in; a search of 10,000
pictures in at most 0.7 of the time that `rclip -n` needs for 1,000.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from measuring import LOOKALIKE, arguments, clean_environment, in_turns, link_photos, medians, seconds_of, show

if TYPE_CHECKING:
    from argparse import Namespace

WORDS = "a dog in the snow"


class Bench:
    """A folder with photos, and both programs with data folders of their own."""

    def __init__(self, asked: Namespace, place: Path) -> None:
        self.place, self.rclip = place, str(asked.rclip)
        self.few = link_photos(asked.photos, asked.count, place / "few")
        self.many = link_photos(asked.photos, asked.many, place / "many")
        data = place / "rclip"
        data.mkdir()
        for path in asked.rclip_data.iterdir():
            if not path.name.startswith("db.sqlite3"):
                os.symlink(path.resolve(), data / path.name)
        self.env = clean_environment(place, RCLIP_DATADIR=str(data), HF_HUB_OFFLINE="1")

    def index_with_rclip(self) -> float:
        for path in (self.place / "rclip").glob("db.sqlite3*"):
            path.unlink()
        whole = seconds_of([self.rclip, WORDS], env=self.env, cwd=self.few)
        return whole - self.search_with_rclip()

    def search_with_rclip(self) -> float:
        return seconds_of([self.rclip, "-n", WORDS], env=self.env, cwd=self.few)

    def index(self, encoder: str, photos: Path) -> float:
        collection = self.place / "test.lookalike"
        shutil.rmtree(collection, ignore_errors=True)
        command = [LOOKALIKE, "index", str(photos), "--encoder", encoder, "--collection", str(collection)]
        return seconds_of(command, env=self.env)

    def search(self) -> float:
        command = [LOOKALIKE, "search", WORDS, "--collection", str(self.place / "test.lookalike")]
        return seconds_of(command, env=self.env)


def main() -> None:
    parser = arguments(__doc__, photos=10_000)
    parser.add_argument("--rclip", type=Path, required=True, help="the rclip command")
    parser.add_argument("--rclip-data", type=Path, required=True, help="rclip's data folder with the shared weights")
    parser.add_argument("--model", type=Path, required=True, help="the same weights as lookalike reads them")
    parser.add_argument("--encoder", default="builtin", help="the encoder to compare beside the shared one")
    parser.add_argument("--count", type=int, default=1000, help="photos to index")
    parser.add_argument("--many", type=int, default=10_000, help="pictures in the collection that is searched")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--searches", type=int, default=20)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.photos.parent) as place:
        bench = Bench(asked, Path(place))
        seconds_of([LOOKALIKE, "encoders"], env=bench.env)
        indexing = medians(
            in_turns(
                {
                    "rclip": bench.index_with_rclip,
                    "same model": lambda: bench.index(str(asked.model.resolve()), bench.few),
                    "built-in": lambda: bench.index(asked.encoder, bench.few),
                },
                asked.rounds,
            )
        )
        bench.index(asked.encoder, bench.many)
        searching = medians(in_turns({"rclip": bench.search_with_rclip, "lookalike": bench.search}, asked.searches))
    rate = {name: asked.count / seconds for name, seconds in indexing.items()}
    figures = {
        "rclip, photos/s": rate["rclip"],
        "lookalike with the same model, photos/s": rate["same model"],
        f"lookalike with {asked.encoder}, photos/s": rate["built-in"],
        "same model / rclip": rate["same model"] / rate["rclip"],
        f"{asked.encoder} / rclip": rate["built-in"] / rate["rclip"],
        f"rclip -n on {asked.count:,}, s": searching["rclip"],
        f"lookalike search on {asked.many:,}, s": searching["lookalike"],
        "search: lookalike / rclip": searching["lookalike"] / searching["rclip"],
    }
    goals = {
        "no slower with the same model": rate["same model"] >= rate["rclip"],
        "three times rclip's rate": rate["built-in"] >= 3 * rate["rclip"],
        "search <= 0.7 of rclip's time": searching["lookalike"] <= 0.7 * searching["rclip"],
    }
    show(f"{asked.count:,} photos, median of {asked.rounds} runs in turns", figures, goals, asked.out)


if __name__ == "__main__":
    main()
