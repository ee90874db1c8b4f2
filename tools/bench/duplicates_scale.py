"""Candidates for duplicates among a million pictures: time, memory, and how many planted pairs come out.

    python tools/bench/duplicates_scale.py --work DIR --photos DIR [--count 1000000] [--out FILE]

`--work` holds the vectors of `index_vectors.py`. Beyond the photos at hand fingerprints are made of two photos faded
into each other, some turned. Planted: pairs alike by fingerprint alone (0 to 31 bits, in any turn), by vector alone
(a cosine of 0.86 to 0.99), and by both. The collection is made once and kept in `--work`, with an index.
Everything that is measured runs in a process of its own: reading what is not looked at, all candidates, noting each
block as looked at. Pictures are not compared here: there are none. Goals of issue 14: less than 10 minutes and 2 GB
for all, 30 s for 1,000 new ones.
"""

from __future__ import annotations

import hashlib
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from index_report import anonymous_peak, in_child, resident_peak_bytes
from measuring import arguments, megabytes, show

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator

DIM = 256
FRESH = 1000
_BATCH = 10_000
_SHARE = 0.005
"""Of the pictures: planted pairs of each way."""
_PHOTOS = 10_000
_METHOD = 1
_WAYS = ("fingerprint", "vector", "both")
_ENCODER = "given-0123456789abcdef"


def main() -> None:
    parser = arguments(__doc__, photos=_PHOTOS)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--count", type=int, default=1_000_000)
    asked = parser.parse_args()
    place = asked.work / f"duplicates-{asked.count}.lookalike"
    if not place.with_suffix(".npz").exists():
        make(asked, place)
    figures: dict[str, Any] = {}
    for name, fresh in (("all", asked.count), ("new", min(FRESH, asked.count))):
        told = in_child("duplicates_scale", "look", place=str(place), fresh=fresh)
        figures |= {f"{name}: {key}": value for key, value in told.items()}
    goals = {
        "all in less than 10 minutes": figures["all: seconds"] < 600,
        "all in less than 2 GB": figures["all: peak resident, mapped files too, MB"] < 2000,
        "1,000 new ones in less than 30 s": figures["new: seconds"] < 30,
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
        store.likenesses.put([], every[: len(every) - fresh].tolist(), _METHOD)
        started, pairs, stages = time.perf_counter(), [], {}
        with store.snapshot() as snapshot:
            new = snapshot.not_looked_at(_METHOD)
            base = Remembered(store, print).base(snapshot)
            for block in candidates(snapshot, base, new):
                stages.setdefault("fingerprints" if block.done < 1 else "vectors", time.perf_counter() - started)
                pairs.append(block.first << 32 | block.second)
                if len(block.looked):
                    store.likenesses.put([], block.looked.tolist(), _METHOD)
        seconds = time.perf_counter() - started
        found = np.concatenate(pairs)
        return {
            "seconds": seconds,
            "seconds until vectors are asked": stages["vectors"],
            "index": "none" if base is None else str(base.record.spec),
            "pictures looked at": len(new),
            "pairs": len(found),
            "told twice": len(found) - len(np.unique(found)),
            "peak of own memory, MB": megabytes(peak[0]),
            "peak resident, mapped files too, MB": megabytes(resident_peak_bytes()),
            **recalls(place, new, found),
        }


def recalls(place: str, new: Any, found: Any) -> dict[str, float]:
    """Planted pairs that came out, of those of which one picture is new."""
    with np.load(Path(place).with_suffix(".npz")) as kept:
        first, second, bits, cosine = kept["first"], kept["second"], kept["bits"], kept["cosine"]
    there = np.isin(first << 32 | second, found)
    asked = np.isin(first, new) | np.isin(second, new)
    print_alone, vector_alone = (bits >= 0) & (cosine == 0), (bits < 0) & (cosine > 0)
    groups = {f"fingerprint, {low} to {low + 7} bits": print_alone & (bits // 8 == low // 8) for low in (0, 8, 16, 24)}
    for low in (0.86, 0.90, 0.95):
        high = {0.86: 0.90, 0.90: 0.95, 0.95: 1.0}[low]
        groups[f"vector, cosine {low:.2f} to {high:.2f}"] = vector_alone & (cosine >= low) & (cosine < high)
    groups["both"] = (bits >= 0) & (cosine > 0)
    return {
        f"recall, {name} ({int((which & asked).sum())} pairs)": float(there[which & asked].mean())
        for name, which in groups.items()
        if (which & asked).any()
    }


def make(asked: Namespace, place: Path) -> None:
    """The collection, and beside it which pairs are planted."""
    from lookalike.engine.indexing import build_index
    from lookalike.store.collection_store import Store

    random = np.random.default_rng(14)
    vectors = np.load(asked.work / f"vectors-{DIM}.npy")[: asked.count]
    bits = faded(asked.photos, asked.count, random)
    np.savez(place.with_suffix(".making.npz"), **planted(vectors, bits, random))
    shutil.rmtree(place, ignore_errors=True)
    with Store.open(place) as store:
        with store.writer() as writer:
            root = writer.add_root(b"/photos", is_file=False)
            space = writer.create_space(_ENCODER, _ENCODER, DIM)
            for start in range(0, asked.count, _BATCH):
                some = slice(start, start + _BATCH)
                writer.put(space, [*_found(vectors[some], bits[some], root.number, start)])
        for _ in build_index(store, lambda: None):
            pass
    place.with_suffix(".making.npz").rename(place.with_suffix(".npz"))


def faded(photos: Path, count: int, random: Any) -> Any:
    """Fingerprints, uint8 (count, 32): of photos, then of two of them faded into each other, the second one turned."""
    from PIL import Image

    from lookalike.core.turns import turn_pixels
    from lookalike.images.fingerprint import SIDE, fingerprint_of_greys, greys

    looks = []
    for file in sorted(photos.glob("*.jpg"))[:_PHOTOS]:
        with Image.open(file) as image:
            image.draft("RGB", (2 * SIDE, 2 * SIDE))
            looks.append(np.frombuffer(greys(image.convert("RGB")), np.uint8).reshape(SIDE, SIDE))
    made = np.empty((count, 32), np.uint8)
    for number in range(count):
        look: Any = looks[number % len(looks)]
        if number >= len(looks):
            other = turn_pixels(looks[random.integers(len(looks))], int(random.integers(8)))
            share = random.uniform(0.35, 0.65)
            look = (share * look + (1 - share) * other).astype(np.uint8)
        made[number] = np.frombuffer(fingerprint_of_greys(look.tobytes()).bits, np.uint8)
    return made


def planted(vectors: Any, bits: Any, random: Any) -> dict[str, Any]:
    """Change some vectors and fingerprints into copies of others; which, and how far from them."""
    from lookalike.core.turns import TURNS, turned

    pairs = int(_SHARE * len(bits))
    places = random.permutation(len(bits))[: 2 * pairs * len(_WAYS)].reshape(2, len(_WAYS), pairs)
    fresh = random.permutation(np.arange(max(len(bits) - FRESH, 0), len(bits)))[: min(100, pairs)]
    for way in range(len(_WAYS)):  # some of those that are looked at later
        some = np.setdiff1d(fresh[way :: len(_WAYS)], places)
        places[1, way, : len(some)] = some
    told: dict[str, list[Any]] = {"first": [], "second": [], "bits": [], "cosine": []}
    for way, (sources, copies) in zip(_WAYS, places.transpose(1, 0, 2), strict=True):
        changed = random.integers(0, 32, pairs) if way != "vector" else np.full(pairs, -1)
        cosine = random.uniform(0.86, 0.99, pairs) if way != "fingerprint" else np.zeros(pairs)
        if way != "vector":
            in_turns = np.unpackbits(turned(bits[sources])[random.integers(0, TURNS, pairs), np.arange(pairs)], axis=1)
            for copy, flips in zip(in_turns, changed, strict=True):
                copy[random.permutation(256)[:flips]] ^= 1
            bits[copies] = np.packbits(in_turns, axis=1)
        if way != "fingerprint":
            aside = random.normal(size=(pairs, DIM))
            of = vectors[sources].astype(np.float64)
            of /= np.linalg.norm(of, axis=1, keepdims=True)
            aside -= (aside * of).sum(axis=1, keepdims=True) * of
            aside /= np.linalg.norm(aside, axis=1, keepdims=True)
            vectors[copies] = cosine[:, None] * of + np.sqrt(1 - cosine[:, None] ** 2) * aside
        told["first"].append(np.minimum(sources, copies) + 1)  # pictures are numbered from 1
        told["second"].append(np.maximum(sources, copies) + 1)
        told["bits"].append(changed)
        told["cosine"].append(cosine)
    return {name: np.concatenate(parts) for name, parts in told.items()}


def _found(vectors: Any, bits: Any, root: int, start: int) -> Iterator[Any]:
    from lookalike.core.records import Fingerprint
    from lookalike.store.records import Found

    for number, (vector, own) in enumerate(zip(vectors.astype(np.float32), bits, strict=True), start=start):
        name = f"{number // 1000:04d}/{number:08d}.jpg"
        digest = hashlib.blake2b(name.encode(), digest_size=16).digest()
        yield Found(
            root=root,
            key=name.encode(),
            uri=f"/photos/{name}",
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
