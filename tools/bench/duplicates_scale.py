"""Duplicates among a million pictures: time and memory of candidates and guesses, and how many planted pairs come out.

    python tools/bench/duplicates_scale.py --work DIR --photos DIR [--count 1000000] [--out FILE]

`--work` is that of `index_bench.py`: a copy of its collection over so many vectors, with its index, gets a fingerprint
for each picture, and then 1,000 new pictures. Beyond the photos at hand fingerprints are made of two photos faded into
each other, some turned. Planted: pairs alike by fingerprint (0 to 31 bits, in any turn) among all, and of the new
pictures a third each is like an old one by fingerprint, by vector (a cosine of 0.8 to 0.99), and by both.

What is measured runs in a process of its own: reading what was not looked at, all candidates, noting each block as
looked at. Goals of issue 14: less than 10 minutes and 2 GB for all, 30 s for the new ones. Then, again in a process of
its own and with one thread, the sketches of `GUESSED` of these pairs, in runs spread over all, are read and guessed by.
Sketches are of two photos faded into each other, too; which pairs are promising depends on them alone, and so differs
from real neighbours (there 3 of 100 different photos). Pictures are not compared here: there are none. On a busy
machine the time of the processor is the fairer figure.
"""

from __future__ import annotations

import hashlib
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from index_collection import made_collection
from index_report import anonymous_peak, in_child, resident_peak_bytes
from index_world import world
from measuring import arguments, megabytes, show

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator

DIM = 256
FRESH = 1000
_PHOTOS = 10_000
_PLANTED = 0.01
"""Of the pictures: those that are made like another one."""
_METHOD = 1
GUESSED, _RUN = 65_536, 4_096
"""Pairs guessed, and how many of them follow each other: as many as are guessed together in a look."""


def main() -> None:
    parser = arguments(__doc__, photos=_PHOTOS)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--count", type=int, default=1_000_000)
    asked = parser.parse_args()
    place = asked.work / f"duplicates-{asked.count}.lookalike"
    if not place.with_suffix(".npz").exists():
        make(asked, place)
    figures: dict[str, Any] = {}
    for name, fresh in (("new", FRESH), ("all", asked.count + FRESH)):
        told = in_child("duplicates_scale", "look", place=str(place), fresh=fresh)
        figures |= {f"{name}: {key}": value for key, value in told.items()}
    add_sketches(place, asked.photos)
    told = in_child("duplicates_scale", "guess", threads=1, place=str(place))
    figures |= {f"guesses: {key}": value for key, value in told.items()}
    goals = {
        "all in less than 10 minutes": figures["all: seconds"] < 600,
        "all in less than 2 GB": figures["all: peak resident, mapped files too, MB"] < 2000,
        "1,000 new ones in less than 30 s": figures["new: seconds"] < 30,
        "guesses in less than 2 GB": figures["guesses: peak resident, mapped files too, MB"] < 2000,
    }
    show(f"candidates among {asked.count:,} pictures", figures, goals, asked.out)


def look(place: str, fresh: int) -> dict[str, Any]:
    """Look at the last `fresh` pictures; the others were looked at before."""
    from lookalike.engine.candidates import candidates
    from lookalike.engine.remembered import Remembered
    from lookalike.store.collection_store import Store

    with Store.open(Path(place)) as store, anonymous_peak() as peak:
        with store.snapshot() as snapshot:
            every = snapshot.pictures()[0]
        store.likenesses.forget()
        store.likenesses.put([], every[: max(0, len(every) - fresh)].tolist(), _METHOD)
        started, began, pairs, stages = time.perf_counter(), time.process_time(), [], {}
        with store.snapshot() as snapshot:
            new = snapshot.not_looked_at(_METHOD)
            base = Remembered(store, print).base(snapshot)
            for block in candidates(snapshot, base, new):
                stages.setdefault(bool(len(block.looked)), time.process_time() - began)
                pairs.append(block.first << 32 | block.second)
                if len(block.looked):
                    store.likenesses.put([], block.looked.tolist(), _METHOD)
        seconds = time.perf_counter() - started
        found = np.concatenate(pairs)
        np.save(_pairs_of(place), found)
        return {
            "seconds": seconds,
            "seconds of processors": time.process_time() - began,
            "of these for fingerprints": stages[True],
            "index": "none" if base is None else str(base.record.spec),
            "pictures looked at": len(new),
            "pairs": len(found),
            "told twice": len(found) - len(np.unique(found)),
            "peak of own memory, MB": megabytes(peak[0]),
            "peak resident, mapped files too, MB": megabytes(resident_peak_bytes()),
            **recalls(place, new, found),
        }


def guess(place: str) -> dict[str, Any]:
    """Guess by the sketches of some of the pairs that `look` found last."""
    from lookalike.images.sketches import guesses_of
    from lookalike.store.collection_store import Store

    pairs = np.load(_pairs_of(place), mmap_mode="r")
    starts = np.linspace(0, max(0, len(pairs) - _RUN), GUESSED // _RUN).astype(int)
    guessed = promising = pictures = 0
    reading = guessing = 0.0
    with Store.open(Path(place)) as store, store.snapshot() as snapshot:
        for start in starts:
            some = np.asarray(pairs[start : start + _RUN])
            began = time.process_time()
            needed, at = np.unique(np.concatenate([some >> 32, some & 0xFFFFFFFF]), return_inverse=True)
            sketches = snapshot.sketches(needed)
            read = time.process_time()
            found = guesses_of([sketches[number] for number in needed.tolist()], *np.split(at, 2))
            reading, guessing = reading + read - began, guessing + time.process_time() - read
            guessed, pictures, promising = (
                guessed + len(some),
                pictures + len(needed),
                promising + sum(map(bool, found)),
            )
    return {
        "pairs": guessed,
        "pictures read a pair": pictures / guessed,
        "ms of a processor a pair, reading sketches": 1000 * reading / guessed,
        "ms of a processor a pair, guessing": 1000 * guessing / guessed,
        "promising pairs, share": promising / guessed,
        "minutes of a processor for all pairs": (reading + guessing) / guessed * len(pairs) / 60,
        "peak resident, mapped files too, MB": megabytes(resident_peak_bytes()),
    }


def _pairs_of(place: str) -> Path:
    return Path(place).with_suffix(".pairs.npy")


def recalls(place: str, new: Any, found: Any) -> dict[str, float]:
    """Planted pairs that came out, of those of which one picture is new."""
    with np.load(Path(place).with_suffix(".npz")) as kept:
        first, second, bits, cosine = kept["first"], kept["second"], kept["bits"], kept["cosine"]
    there = np.isin(first << 32 | second, found)
    asked = np.isin(first, new) | np.isin(second, new)
    groups = {
        f"fingerprint, {low} to {low + 7} bits": (cosine == 0) & (bits // 8 == low // 8) for low in (0, 8, 16, 24)
    }
    for low, high in ((0.8, 0.9), (0.9, 0.95), (0.95, 1.0)):
        groups[f"vector, cosine {low:.2f} to {high:.2f}"] = (bits < 0) & (cosine >= low) & (cosine < high)
    groups["both"] = (bits >= 0) & (cosine > 0)
    return {
        f"recall, {name} ({int((which & asked).sum()):,} pairs)": float(there[which & asked].mean())
        for name, which in groups.items()
        if (which & asked).any()
    }


def make(asked: Namespace, place: Path) -> None:
    """The collection, and beside it which pairs are planted."""
    from lookalike.core.records import Fingerprint
    from lookalike.store.collection_store import Store

    random = np.random.default_rng(14)
    with made_collection(world(asked.work, DIM, asked.count)) as made:
        path = made.path
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(path, place, ignore=shutil.ignore_patterns("columns", "*.lock", "*.pid"))
    bits = faded(asked.photos, asked.count + FRESH, random)
    planted = plant(bits, asked.count, random)
    with Store.open(place) as store:
        for start in range(0, asked.count, _PHOTOS):
            some = enumerate(bits[start : min(start + _PHOTOS, asked.count)], start=start + 1)
            store.likenesses.put_fingerprints((number, Fingerprint(own.tobytes(), 100)) for number, own in some)
        with store.snapshot() as snapshot:
            numbers, rows = snapshot.pictures()
            if not np.array_equal(numbers, rows + 1):
                raise SystemExit(f"{path}: pictures are not numbered as rows are")
            vectors = beside(snapshot.rows, planted, asked.count, random)
        with store.writer() as writer:
            root = writer.add_root(b"/new", is_file=False)
            writer.put(store.current_space(), [*_found(vectors, bits[asked.count :], root.number)])
    np.savez(place.with_suffix(".npz"), **planted)


def add_sketches(place: Path, photos: Path) -> None:
    """Give the pictures that have none sketches of faded photos: 1 kB each."""
    from lookalike.core.records import Fingerprint
    from lookalike.images.sketches import sketch_of_greys
    from lookalike.store.collection_store import Store

    with Store.open(place) as store:
        if not store.likenesses.count_without_sketch():
            return
        with store.snapshot() as snapshot:
            prints = snapshot.fingerprints()
        looks = faded_looks(photos, len(prints.pictures), np.random.default_rng(15))
        for start in range(0, len(prints.pictures), _PHOTOS):
            some = slice(start, start + _PHOTOS)
            numbered = zip(prints.pictures[some].tolist(), prints.bits[some], looks, strict=False)
            store.likenesses.put_fingerprints(
                (number, Fingerprint(bits.tobytes(), 100, sketch=sketch_of_greys(look.tobytes(), 640, 480)))
                for number, bits, look in numbered
            )


def faded(photos: Path, count: int, random: Any) -> Any:
    """Fingerprints of such looks, uint8 (count, 32)."""
    from lookalike.images.fingerprint import fingerprint_of_greys

    made = np.empty((count, 32), np.uint8)
    for number, look in enumerate(faded_looks(photos, count, random)):
        made[number] = np.frombuffer(fingerprint_of_greys(look.tobytes(), 640, 480).bits, np.uint8)
    return made


def faded_looks(photos: Path, count: int, random: Any) -> Iterator[Any]:
    """Luminance, uint8 (64, 64): of photos, then of two of them faded into each other, the second one turned."""
    from PIL import Image

    from lookalike.core.turns import turn_pixels
    from lookalike.images.fingerprint import SIDE, greys

    looks = []
    for file in sorted(photos.glob("*.jpg"))[:_PHOTOS]:
        with Image.open(file) as image:
            image.draft("RGB", (2 * SIDE, 2 * SIDE))
            look = greys(image.convert("RGB"))[: SIDE * SIDE]
            looks.append(np.frombuffer(look, np.uint8).reshape(SIDE, SIDE))
    for number in range(count):
        look: Any = looks[number % len(looks)]
        if number >= len(looks):
            other = turn_pixels(looks[random.integers(len(looks))], int(random.integers(8)))
            share = random.uniform(0.35, 0.65)
            look = (share * look + (1 - share) * other).astype(np.uint8)
        yield look


def plant(bits: Any, count: int, random: Any) -> dict[str, Any]:
    """Make some fingerprints copies of others. Pairs by number of picture, how many bits and which cosine they have.

    Of the new ones a third have another fingerprint (-1), a third another vector (0).
    """
    from lookalike.core.turns import TURNS, turned

    pairs = int(_PLANTED * count)
    old = random.permutation(count)[: 2 * pairs + FRESH]
    copies = np.concatenate([old[:pairs], np.arange(count, count + FRESH)])
    sources = old[pairs:]
    changed = random.integers(0, 32, len(copies))
    cosine = np.zeros(len(copies))
    cosine[pairs:] = random.uniform(0.8, 0.99, FRESH)
    kinds = random.integers(0, 3, FRESH)
    changed[pairs:][kinds == 0] = -1
    cosine[pairs:][kinds == 1] = 0
    alike = np.flatnonzero(changed >= 0)
    in_turns = turned(bits[sources[alike]])[random.integers(0, TURNS, len(alike)), np.arange(len(alike))]
    every = np.unpackbits(in_turns, axis=1)
    for copy, flips in zip(every, changed[alike], strict=True):
        copy[random.permutation(256)[:flips]] ^= 1
    bits[copies[alike]] = np.packbits(every, axis=1)
    first, second = np.minimum(sources, copies) + 1, np.maximum(sources, copies) + 1  # numbers count from 1
    return {"first": first, "second": second, "bits": changed, "cosine": cosine}


def beside(rows: Any, planted: dict[str, Any], count: int, random: Any) -> Any:
    """Vectors of the new pictures, float32 (FRESH, DIM): at the planted cosine from their sources' rows."""
    sources = rows[planted["first"][-FRESH:] - 1].astype(np.float64)
    sources /= np.linalg.norm(sources, axis=1, keepdims=True)
    cosine = planted["cosine"][-FRESH:, None]
    aside = random.normal(size=sources.shape)
    aside -= (aside * sources).sum(axis=1, keepdims=True) * sources
    aside /= np.linalg.norm(aside, axis=1, keepdims=True)
    elsewhere = rows[random.integers(0, count, FRESH)].astype(np.float64)
    near = cosine * sources + np.sqrt(1 - cosine**2) * aside
    return np.where(cosine > 0, near, elsewhere + 0.5 * aside).astype(np.float32)


def _found(vectors: Any, bits: Any, root: int) -> Iterator[Any]:
    from lookalike.core.records import Fingerprint
    from lookalike.store.records import Found

    for number, (vector, own) in enumerate(zip(vectors, bits, strict=True)):
        digest = hashlib.blake2b(b"new %d" % number, digest_size=16).digest()
        yield Found(
            root=root,
            key=b"%d.jpg" % number,
            uri=f"/new/{number}.jpg",
            size=50_000 + number,
            modified_ns=number,
            bytes_digest=digest,
            pixels_digest=digest[::-1],
            width=640,
            height=480,
            format="JPEG",
            vector=vector,
            fingerprint=Fingerprint(own.tobytes(), 100),
        )


if __name__ == "__main__":
    main()
