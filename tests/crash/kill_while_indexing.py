"""Kill an indexing process with SIGKILL at random instants and check that nothing was lost, doubled or mixed up.

    python tests/crash/kill_while_indexing.py [--kills 50] [--pictures 600] [--photos DIR] [--encoder toy|builtin]

After each kill the collection must open; every item a reader saw committed before the kill must be there; no
file may have two items and no picture two rows; and every vector must be that of its own picture, which is checked
by encoding all of them again. The next run then goes on where the killed one stopped. A collection that gets
complete is set aside and a fresh one started, so kills fall on first batches and last ones alike; on the way files
are moved, changed and deleted, so that kills fall on those paths too.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import lookalike
from lookalike.testing import ToyEncoder, draw_pictures

CHILD = """
import sys, lookalike
from lookalike.testing import ToyEncoder
if __name__ == "__main__":
    encoder = ToyEncoder() if sys.argv[3] == "toy" else sys.argv[3]
    with lookalike.open(sys.argv[1], encoder=encoder) as photos:
        print("start", flush=True)
        for _ in photos.sync([sys.argv[2]]):
            pass
        if len(sys.argv) > 4:
            photos.compact()
"""


def encoder_of(name: str):
    return ToyEncoder() if name == "toy" else lookalike.load_encoder(name)


def seen(path: Path, encoder) -> Counter:
    """Every file a reader can see, with how often."""
    if not (path / "collection.sqlite").exists():
        return Counter()
    with lookalike.open(path, encoder=encoder) as photos:
        if not photos.status()["items"]:
            return Counter()
        return Counter(hit.uri for hit in photos.search("red", k=1_000_000, all_copies=True))


def check(path: Path, before: Counter, gone: set[str], encoder) -> Counter:
    after = seen(path, encoder)
    lost = [uri for uri in before if uri not in after and uri not in gone]
    doubled = [uri for uri, times in after.items() if times > 1]
    assert not lost, f"lost: {lost[:5]}"
    assert not doubled, f"doubled: {doubled[:5]}"
    if after:
        with lookalike.open(path, encoder=encoder) as photos:
            report = photos.verify(sample=1_000_000)
            assert not report.problems, report.problems[:5]
    return after


def disturb(folder: Path, chance: random.Random) -> set[str]:
    """Move, rewrite and delete a few files between runs; returns the paths whose absence is right."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    moved, rewritten, deleted = chance.sample(files, 3)
    (folder / "moved").mkdir(exist_ok=True)
    moved.rename(folder / "moved" / f"{chance.randrange(10**9)}{moved.suffix}")
    shutil.copy(chance.choice([path for path in files if path not in (moved, deleted)]), rewritten)
    deleted.unlink()
    return {str(moved), str(rewritten), str(deleted)}


def run(arguments: argparse.Namespace, work: Path) -> None:
    chance = random.Random(arguments.seed)
    encoder = encoder_of(arguments.encoder)
    folder = work / "pictures"
    if arguments.photos:
        shutil.copytree(arguments.photos, folder)
    else:
        draw_pictures(folder, arguments.pictures)
    kills = finished = generation = 0
    command = [sys.executable, "-c", CHILD]
    longest = 2.0  # seconds from the start of a run until it is killed, at most: later as long as the longest run took
    path = work / "0.lookalike"
    gone: set[str] = set()
    while kills < arguments.kills:
        child = subprocess.Popen(
            [*command, str(path), str(folder), arguments.encoder, *(["compact"] if kills % 3 == 0 else [])],
            stdout=subprocess.PIPE,
        )
        assert child.stdout is not None
        child.stdout.readline()
        began = time.monotonic()
        before: Counter = Counter()
        try:
            child.wait(chance.uniform(0.0, longest))
        except subprocess.TimeoutExpired:
            before = seen(path, encoder)
            os.kill(child.pid, signal.SIGKILL)
            child.wait()
            kills += 1
        else:
            assert child.returncode == 0, f"the run failed with {child.returncode}"
            longest = max(longest, time.monotonic() - began)
            finished += 1
        child.stdout.close()
        after = check(path, before, gone, encoder)
        print(f"kill {kills:3d}  finished runs {finished:3d}  items {len(after):6d}", flush=True)
        if child.returncode == 0:
            assert len(after) == sum(path.is_file() for path in folder.rglob("*")), "a finished run left files out"
            gone = disturb(folder, chance)
            generation += 1
            if generation % 2 == 0:
                path = work / f"{generation}.lookalike"
    subprocess.run([*command, str(path), str(folder), arguments.encoder], check=True, stdout=subprocess.DEVNULL)
    check(path, seen(path, encoder), gone, encoder)
    print(f"{kills} kills, {finished} finished runs: nothing lost, doubled or mixed up")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--pictures", type=int, default=600)
    parser.add_argument("--photos", help="a folder of real photos instead of drawn pictures")
    parser.add_argument("--encoder", default="toy")
    parser.add_argument("--seed", type=int, default=8)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lookalike-crash-") as work:
        run(arguments, Path(work))


if __name__ == "__main__":
    main()
