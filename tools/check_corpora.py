"""Decodes whole corpora of odd and broken files: each has to become a picture or a reason.

    python tools/check_corpora.py CORPUS [CORPUS ...] [--show CODE] [--out FILE]

Each CORPUS is a folder; the own odd files of the tests are added. Prints one line a corpus: candidates, pictures,
skipped ones by code. Where libvips is installed (`pip install "pyvips[binary]"`), it decodes the same files
independently: the two have to show the same picture at 16 x 16, and what only libvips can open is counted. Ends with
status 1 when an answer is missing, a file is over its time, a worker crashed, or an own odd file does not get the fate
it deserves.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from lookalike.core.records import Asset, DecodeLimits, Picture, Skipped
from lookalike.images.decoding_pool import DecodingPool
from lookalike.images.folder import FolderSource, folder

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from odd_files import PICTURE, write_odd_files

GRID = 16
SIDE = 112
SAME = 10.0  # mean difference of a channel, of 255: other filters and conversions of colour and range stay below


@dataclass
class Tally:
    """What became of one corpus."""

    name: str
    candidates: int = 0
    fates: Counter[str] = field(default_factory=Counter)
    fate_of: dict[bytes, str] = field(default_factory=dict)
    reasons: dict[str, list[str]] = field(default_factory=dict)
    compared: int = 0
    differing: list[str] = field(default_factory=list)
    only_vips: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, entry: Asset | Skipped, answer: Picture | Skipped) -> None:
        fate = PICTURE if isinstance(answer, Picture) else answer.code
        self.candidates += 1
        self.fates[fate] += 1
        self.fate_of[entry.key or b""] = fate
        if isinstance(answer, Skipped):
            self.reasons.setdefault(fate, []).append(f"{ascii(entry.key)[2:-1]}: {answer.reason}")

    def line(self) -> str:
        skipped = ", ".join(f"{n} {code}" for code, n in self.fates.most_common() if code != PICTURE) or "none"
        same = f"{self.compared - len(self.differing)} / {self.compared}"
        return (
            f"| {self.name} | {self.candidates} | {self.fates[PICTURE]} | {skipped} "
            f"| {same} | {len(self.only_vips)} | {self.seconds:.1f} |"
        )


def check(root: Path, name: str, pool: DecodingPool, limits: DecodeLimits) -> Tally:
    """Decode every candidate of a folder; compare each with libvips, if that is here."""
    tally, source = Tally(name), folder(root, hidden=True)
    entries = list(source.assets())
    started = time.perf_counter()
    for entry in entries:
        if isinstance(entry, Skipped):
            tally.add(entry, entry)
    jobs = ((source, entry) for entry in entries if isinstance(entry, Asset))
    answers = []
    for _, asset, answer in pool.decode_many(jobs, side=SIDE, limits=limits):
        tally.add(asset, answer)
        answers.append((asset, grid(answer.pixels) if isinstance(answer, Picture) else None))
    tally.seconds = time.perf_counter() - started
    if tally.candidates != len(entries):
        sys.exit(f"{name}: {len(entries)} candidates, {tally.candidates} answers")
    compare(source, answers, tally)
    return tally


def compare(source: FolderSource, answers: list[tuple[Asset, np.ndarray | None]], tally: Tally) -> None:
    try:
        import pyvips
    except ImportError:
        return
    for asset, ours in answers:
        with contextlib.suppress(pyvips.Error):
            theirs = vips_grid(pyvips, source.path(asset.key))
            name = ascii(asset.key)[2:-1]
            if ours is None:
                tally.only_vips.append(name)
                continue
            tally.compared += 1
            difference = float(np.abs(ours - theirs).mean())
            if difference > SAME:
                tally.differing.append(f"{name}: {difference:.1f}")


def grid(pixels: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(pixels).resize((GRID, GRID), Image.Resampling.BOX), dtype=float)


def vips_grid(pyvips: object, path: bytes) -> np.ndarray:
    """The picture as libvips sees it: upright, over white, in sRGB, made small. Raises pyvips.Error."""
    content = Path(os.fsdecode(path)).read_bytes()
    image = pyvips.Image.new_from_buffer(content, "", fail_on="error").autorot()
    with contextlib.suppress(pyvips.Error):
        image = image.icc_transform("srgb")
    image = image.colourspace("srgb")
    if image.hasalpha():
        image = image.flatten(background=255)
    return grid(np.ascontiguousarray(image.cast("uchar").numpy()[..., :3]))


def own_files_are_as_expected(pool: DecodingPool, limits: DecodeLimits) -> tuple[Tally, bool]:
    with tempfile.TemporaryDirectory() as place:
        expected = write_odd_files(Path(place))
        tally = check(Path(place), "own odd files", pool, limits)
    return tally, tally.fate_of == expected


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpora", nargs="*", type=Path, metavar="CORPUS")
    parser.add_argument("--show", action="append", default=[], metavar="CODE", help="list what was skipped with CODE")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    asked = parser.parse_args()
    limits = DecodeLimits()
    with DecodingPool(asked.workers) as pool:
        tallies = [check(root, root.name, pool, limits) for root in asked.corpora]
        own, as_expected = own_files_are_as_expected(pool, limits)
    print("| corpus | candidates | pictures | skipped | as libvips sees it | only libvips opens | s |")
    print("|---|---|---|---|---|---|---|")
    for tally in [*tallies, own]:
        print(tally.line())
    for tally in tallies:
        for what, lines in (("differs from libvips", tally.differing), ("only libvips opens", tally.only_vips)):
            for line in lines:
                print(f"{tally.name}: {what}: {line}")
        for code in asked.show:
            print(*(f"{tally.name}: {code}: {line}" for line in tally.reasons.get(code, [])), sep="\n")
    if asked.out:
        asked.out.write_text(json.dumps([{**vars(t), "fate_of": None} for t in [*tallies, own]], indent=1))
    bad = sum(tally.fates[code] for tally in [*tallies, own] for code in ("crashed", "too-slow", "vanished"))
    print(f"\nkept: {not bad and as_expected} ({bad} crashes and time-outs; own odd files as expected: {as_expected})")
    sys.exit(1 if bad or not as_expected else 0)


if __name__ == "__main__":
    main()
