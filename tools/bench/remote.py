"""How a collection on an engine elsewhere compares with the same one here: moving, answers and times.

    python tools/bench/remote.py FOLDER [--items 100000] [--engine milvus|postgres] [--queries 100] [--kill] [--asked]

Makes a collection of items with titles, prices, colours and vectors that lie near those of their words, moves it to an
engine's server on 127.0.0.1 and back, and puts the same questions to both: plain, under filters that let 50, 5 and
0.2 % pass, and in words (hybrid). Recall is of the local answer's best ten, which compares every picture; an answer
whose score is within 0.001 of the tenth counts. With --kill the server is killed by -9 amid a move and amid questions;
with --asked nothing is moved (Milvus alone): what lies there from another run is asked. Ends with 1 where a move lost
something, or recall is below 0.95.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import threading
import time
import zlib
from contextlib import suppress
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from lookalike.core.errors import RemoteUnavailable
from lookalike.engine.collection import Collection
from lookalike.engine.moving_collections import MoveReport, move_here, move_there
from lookalike.engine.remote_collection import RemoteCollection
from lookalike.remote.opening import Access, connect
from lookalike.store.collection_store import Found, Store
from milvus_servers import MilvusServer
from postgres_servers import POSTGRES, postgres

DIM, BATCH, K, TIE = 128, 2000, 10, 1e-3
LEAST_RECALL = 0.95
COLOURS = ["navy", "red", "green", "white", "black", "pink", "yellow", "grey", "teal", "brown"]
PATTERNS = ["check", "plain", "striped", "dotted", "floral", "paisley"]
THINGS = ["shirt", "dress", "jacket", "boots", "bag", "hat", "scarf", "coat", "skirt", "jeans"]
LABELS = [f"label{number}" for number in range(500)]
FILTERS = {
    "50 %": "price < 50",
    "5 %": "price < 50 and colour = navy",
    "0.2 %": "label = label7",
}


class WordsEncoder:
    """Words are fixed random directions; a text is their sum."""

    id, name, dim, image_side, tolerance = "words-0123456789ab", "words", DIM, 32, 1e-6
    modalities = frozenset({"text"})

    def encode_texts(self, texts):
        return np.array([_unit(sum(_direction(word) for word in text.lower().split())) for text in texts], np.float32)

    def encode_images(self, pictures):
        raise ValueError(f"vectors are drawn here; {len(pictures)} pictures cannot be encoded")


def _direction(word):
    return np.random.default_rng(zlib.crc32(word.encode())).standard_normal(DIM).astype(np.float32)


def _unit(vector):
    return vector / np.linalg.norm(vector)


def fill(store: Store, items: int) -> None:
    draw, noise = random.Random(1), np.random.default_rng(1)
    with store.writer() as writer:
        space = writer.create_space(WordsEncoder.id, WordsEncoder.name, DIM)
        root = writer.add_root(b"/shop", is_file=False).number
        encoder = WordsEncoder()
        for start in range(0, items, BATCH):
            found = []
            for number in range(start, min(start + BATCH, items)):
                words = draw.choice(COLOURS), draw.choice(PATTERNS), draw.choice(THINGS)
                seen = encoder.encode_texts([" ".join(words)])[0]
                vector = _unit(seen + _unit(noise.standard_normal(DIM)) * draw.uniform(0.5, 2)).astype(np.float16)
                title = " ".join(words) if number % 2 else f"article {number}"
                metadata = {
                    "title": title,
                    "price": draw.randrange(100),
                    "colour": words[0],
                    "label": draw.choice(LABELS),
                }
                key, digest = b"%d/%d.jpg" % (number // 1000, number), number.to_bytes(16, "big")
                uri = f"/shop/{key.decode()}"
                found.append(
                    Found(
                        root,
                        key,
                        uri,
                        1000,
                        10**18,
                        digest,
                        digest,
                        640,
                        480,
                        "JPEG",
                        metadata,
                        vector,
                        id=f"{number:016x}",
                    )
                )
            writer.put(space, found)
        writer.finish([])
        writer.make_columns()


def moved(events) -> MoveReport:
    report = list(events)[-1]
    assert isinstance(report, MoveReport)
    return report


def recall(here, there, *, by_meaning: bool) -> float:
    """The share of the best here that is there, or by meaning alone something as good."""
    if not here:
        return 1.0
    least = here[-1].score - TIE
    ids = {hit.id for hit in here}
    return sum(hit.id in ids or (by_meaning and hit.score >= least) for hit in there[: len(here)]) / len(here)


def asked(here: Collection, there: RemoteCollection, queries: int) -> float:
    """The least recall."""
    draw = random.Random(2)
    texts = [f"{draw.choice(COLOURS)} {draw.choice(PATTERNS)} {draw.choice(THINGS)}" for _ in range(queries)]
    ways = {"meaning": {"mode": "meaning"}, "hybrid": {}}
    for name, where in FILTERS.items():
        ways |= {f"meaning, {name}": {"mode": "meaning", "where": where}, f"hybrid, {name}": {"where": where}}
    there.search("warm up")
    print("| questions | recall@10 | here, ms | there, ms | there, p95 |")
    print("|---|---|---|---|---|")
    recalls = []
    for name, options in ways.items():
        found, times = [], ([], [])
        for text in texts:
            answers = []
            for at, collection in enumerate((here, there)):
                began = time.perf_counter()
                answers.append(collection.search(text, K, **options))
                times[at].append(1000 * (time.perf_counter() - began))
            found.append(recall(*answers, by_meaning="mode" in options))
        middle = [float(np.median(each)) for each in times]
        late = np.percentile(times[1], 95)
        recalls.append(float(np.mean(found)))
        print(f"| {name} | {np.mean(found):.3f} | {middle[0]:.1f} | {middle[1]:.1f} | {late:.1f} |", flush=True)
    return min(recalls)


def killed_amid(server: MilvusServer, store: Store, address: str, items: int) -> None:
    """A server that dies during a move and during questions: errors soon and clear, nothing lost, nothing twice."""
    engine = connect(address, Access(timeout_s=5))
    threading.Timer(4, server.kill).start()
    began = time.perf_counter()
    try:
        moved(move_there(store, engine))
        print("the move ended before the kill")
    except RemoteUnavailable as error:
        print(f"killed amid a move: {time.perf_counter() - began:.1f} s, {error} ({error.hint})", flush=True)
    server.start()
    patient = connect(address, Access(timeout_s=60))
    report = _tried(lambda: moved(move_there(store, patient)))
    print(f"the same call again: {report.sent:,} of {report.items:,} sent, differing {report.differing}", flush=True)
    assert patient.count() == items
    assert not report.differing
    opened, waiting = (RemoteCollection(each, encoder=WordsEncoder()) for each in (engine, patient))
    _tried(lambda: waiting.search("navy shirt"))
    server.kill()
    began = time.perf_counter()
    try:
        opened.search("red dress", mode="meaning")
    except RemoteUnavailable as error:
        print(f"killed amid questions: {time.perf_counter() - began:.1f} s, {error}", flush=True)
    server.start()
    print(f"answers again: {len(_tried(lambda: waiting.search('red dress')))} hits", flush=True)
    patient.drop()


def _tried(work, patience_s: float = 120):
    """Until the server has started."""
    until = time.monotonic() + patience_s
    while time.monotonic() < until:
        with suppress(RemoteUnavailable):
            return work()
    return work()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--kill", action="store_true", help="also kill the server of Milvus")
    parser.add_argument("--engine", choices=["milvus", "postgres"], default="milvus")
    parser.add_argument("--asked", action="store_true", help="move nothing: ask what lies there")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    source = given.folder / f"{given.items}.lookalike"
    with Store.open(source) as store:
        if store.counts().items < given.items:
            began = time.perf_counter()
            fill(store, given.items)
            print(f"made {given.items:,} items in {time.perf_counter() - began:.0f} s", flush=True)
    if given.engine == "postgres":
        with postgres(next(iter(POSTGRES))) as server:
            is_fine = measure(given, source, f"{server.address}&collection=bench")
        sys.exit(not is_fine)
    if not given.asked:
        shutil.rmtree(given.folder / "data", ignore_errors=True)
    server = MilvusServer(given.folder)
    server.start()
    try:
        is_fine = measure(given, source, f"{server.address}/bench")
        if given.kill:
            with Store.open(source) as store:
                killed_amid(server, store, f"{server.address}/killed", given.items)
    finally:
        server.kill()
    sys.exit(not is_fine)


def measure(given, source: Path, address: str) -> bool:
    """Whether nothing was lost on the way and recall is enough."""
    engine = connect(address, Access(timeout_s=60))
    is_whole = given.asked or there_and_back(given.folder, source, engine)
    with (
        Collection(Store.open(source), encoder=WordsEncoder()) as here,
        RemoteCollection(engine, encoder=WordsEncoder()) as there,
    ):
        _tried(lambda: there.search("warm up"))
        return asked(here, there, given.queries) >= LEAST_RECALL and is_whole


def there_and_back(folder: Path, source: Path, engine) -> bool:
    with Store.open(source) as store:
        report = _tried(lambda: moved(move_there(store, engine)))
    print(
        f"moved there in {report.seconds:.0f} s, differing: {report.differing}; {' '.join(engine.explain())}",
        flush=True,
    )
    back = folder / "back.lookalike"
    shutil.rmtree(back, ignore_errors=True)
    with Store.open(back) as store:
        returned = moved(move_here(engine, store))
        print(f"moved back in {returned.seconds:.0f} s, differing: {returned.differing}", flush=True)
    return not (report.differing or returned.differing)


if __name__ == "__main__":
    main()
