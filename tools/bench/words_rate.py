"""How fast words are written and asked: python tools/bench/words_rate.py [ITEMS]

A collection of made-up products, each with a title of six words (makers and attributes as unevenly spread as in a
shop), is put in as a run does; then all words are taken once more into an empty full text. Questions of four words are
asked in a snapshot each: words alone, and with meaning, which is an exact comparison here. All times are those of this
process alone on a processor, so that other programs do not count.
"""

from __future__ import annotations

import hashlib
import json
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from lookalike.engine.fuse import CANDIDATES, fuse
from lookalike.index.exact import ExactIndex
from lookalike.store.collection_store import Found, Store
from lookalike.store.full_text import take_words

DIM = 256
BATCH = 5000
ASKED = 300
GENDERS = ["men", "women", "unisex", "kids"]
COLOURS = ["black", "white", "blue", "grey", "red", "green", "navy", "pink", "beige", "olive"]
KINDS = [
    "shirt",
    "tshirt",
    "shoes",
    "watch",
    "handbag",
    "jeans",
    "sandals",
    "belt",
    "socks",
    "jacket",
    "dress",
    "skirt",
]


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    draw = random.Random(1)
    report: dict[str, object] = {"items": count}
    with tempfile.TemporaryDirectory() as folder, Store.open(Path(folder) / "collection") as store:
        put_seconds = fill(store, count, draw)
        report["put, rows/s, words and all"] = round(count / put_seconds)
        report["words alone, rows/s"] = round(count / words_again(store))
        report["MB of the database"] = round(store.bytes_on_disk() / 1e6)
        questions = [title(draw).split(" ", 1)[1].rsplit(" ", 1)[0] for _ in range(ASKED)]
        report |= asked(store, questions)
    print(json.dumps(report, indent=1))


def title(draw: random.Random) -> str:
    maker = f"maker{int(draw.paretovariate(0.8)) % 2000}"
    gender = draw.choices(GENDERS, [60, 30, 5, 5])[0]
    return f"{maker} {gender} {draw.choice(COLOURS)} {draw.choice(KINDS)} {draw.choice(KINDS)} {draw.randrange(10_000)}"


def fill(store: Store, count: int, draw: random.Random) -> float:
    vectors = np.random.default_rng(1).standard_normal((BATCH, DIM)).astype(np.float32)
    seconds = 0.0
    with store.writer() as writer:
        root = writer.add_root(b"/shop", is_file=False)
        space = writer.create_space("made-up", "made-up", DIM)
        for start in range(0, count, BATCH):
            found = [found_at(root.number, n, title(draw), vectors[n - start]) for n in range(start, start + BATCH)]
            began = time.process_time()
            writer.put(space, found)
            seconds += time.process_time() - began
        began = time.process_time()
        writer.finish([(root.number, b"")])
        return seconds + time.process_time() - began


def found_at(root: int, number: int, text: str, vector: np.ndarray) -> Found:
    digest = hashlib.blake2b(b"%d" % number, digest_size=16).digest()
    return Found(
        root=root,
        key=b"%d.jpg" % number,
        uri=f"/shop/{number}.jpg",
        size=1,
        modified_ns=1,
        bytes_digest=digest,
        pixels_digest=digest,
        width=1,
        height=1,
        format="JPEG",
        metadata={"title": text, "price": number % 100},
        vector=vector,
    )


def words_again(store: Store) -> float:
    """Seconds to take all words into an empty full text, as for a collection of an earlier format."""
    with store.writer() as writer:
        connection = writer._connection  # noqa: SLF001 the words alone, without what a run does beside
        connection.execute("BEGIN")
        connection.execute("DELETE FROM words")
        connection.execute("INSERT INTO wordless SELECT number FROM items")
        began = time.process_time()
        take_words(connection, 10_000_000)
        connection.execute("COMMIT")
        return time.process_time() - began


def asked(store: Store, questions: list[str]) -> dict[str, object]:
    queries = np.random.default_rng(2).standard_normal((len(questions), DIM)).astype(np.float32)
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    times: dict[str, list[float]] = {"vectors": [], "words": [], "words, ten of them": [], "fused in all": []}
    with store.snapshot() as snapshot:
        began = time.process_time()
        snapshot.words(questions[0], 10)
        first = time.process_time() - began
    for text, query in zip(questions, queries, strict=True):
        with store.snapshot() as snapshot:
            began = time.process_time()
            rows, _ = ExactIndex(snapshot.rows).search(query[None], CANDIDATES)
            nearest = time.process_time()
            words = snapshot.word_scores(text)
            scored = time.process_time()
            words.best(10)
            best = time.process_time()
            fuse(snapshot.rows, query, rows[0], words, k=10)
            done = time.process_time()
        times["vectors"].append(nearest - began)
        times["words"].append(scored - nearest)
        times["words, ten of them"].append(best - nearest)
        times["fused in all"].append(done - began)
    report: dict[str, object] = {"first question of a generation, ms": round(1000 * first, 1)}
    for name, values in times.items():
        cuts = statistics.quantiles(values, n=20)
        report[f"{name}, ms p50 and p95"] = [round(1000 * statistics.median(values), 2), round(1000 * cuts[-1], 2)]
    return report


if __name__ == "__main__":
    main()
