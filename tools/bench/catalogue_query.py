"""Filter, meaning and words together must cost at most half as much again as meaning alone, at 100,000 items.

    python tools/bench/catalogue_query.py --work DIR [--rows 100000] [--queries 300]

DIR holds the vectors (`index_vectors.py`). A collection over the first rows of width 256 is made there once: 20 typed
columns, a title of five words out of sixty. Each question, two or three words, is asked four ways in turns: its vector,
its meaning (words through the built-in text tower), its meaning with a filter, and filter, meaning and words together.
Filters are new with every question, so that none is at hand, and then the same again.
"""

from __future__ import annotations

import random
import shutil
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from index_collection import GivenEncoder
from index_report import Report, percentiles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WORDS = (
    *("shirt", "dress", "jeans", "shoes", "bag", "watch", "coat", "scarf", "skirt", "socks", "cap", "belt", "jacket"),
    *("sweater", "boots", "sandals", "tie", "gloves", "hoodie", "vest", "red", "blue", "green", "black", "white"),
    *("grey", "pink", "navy", "yellow", "brown", "orange", "purple", "beige", "gold", "silver", "turquoise", "olive"),
    *("cream", "wine", "cotton", "linen", "wool", "leather", "silk", "denim", "checked", "striped", "plain", "dotted"),
    *("floral", "printed", "slim", "loose", "short", "long", "summer", "winter", "classic", "sport", "formal"),
)
LARGEST = 1.5
ROUNDS = 3
_BATCH = 10_000


def main() -> None:
    parser = ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=300)
    asked = parser.parse_args()
    report = Report(f"filter, meaning and words over {asked.rows:,} items of 20 columns")
    with made_shop(asked.work, asked.rows) as shop:
        measure(report, shop, asked.queries)
    report.show(asked.work / "results" / "catalogue_query.json")


def measure(report: Report, shop: Any, queries: int) -> None:
    chance = random.Random(7)
    questions = [" ".join(chance.sample(WORDS, chance.randint(2, 3))) for _ in range(queries)]
    vectors = shop.encoder.encode_texts(questions)
    filters = [
        f"price < {chance.uniform(20, 90):.3f} and colour in (red, navy, {chance.choice(WORDS)})" for _ in questions
    ]
    ways: dict[str, Callable[[int], Any]] = {
        "vector": lambda n: shop.search(vectors[n]),
        "meaning": lambda n: shop.search(questions[n], mode="meaning"),
        "filter and meaning": lambda n: shop.search(questions[n], mode="meaning", where=filters[n]),
        "filter, meaning and words": lambda n: shop.search(questions[n], where=filters[n]),
        "the same filter again": lambda n: shop.search(questions[n], where=filters[0]),
    }
    times: dict[str, list[list[float]]] = {name: [] for name in ways}
    for _ in range(ROUNDS + 1):
        for name in ways:
            times[name].append([])
        for number in range(queries):
            for name, ask in ways.items():
                started = time.perf_counter()
                ask(number)
                times[name][-1].append(1000 * (time.perf_counter() - started))
        shop.search("a question that changes nothing", where=f"price < {chance.random()}")
    told = {name: percentiles(np.array(each[1:])) for name, each in times.items()}
    for name, figures in told.items():
        report.add(way=name, **figures)
    ratio = told["filter, meaning and words"]["p95_ms"] / told["meaning"]["p95_ms"]
    report.notes.append(f"filter, meaning and words against meaning alone: {ratio:.2f} of its p95")
    report.goals[f"p95 <= {LARGEST} x that of meaning alone"] = ratio <= LARGEST


def made_shop(work: Path, count: int) -> Any:
    """The opened collection, made once; its index built as it chooses."""
    import lookalike
    from lookalike.store.collection_store import Store

    rows = np.load(work / "vectors-256.npy", mmap_mode="r")[:count]
    encoder, place = GivenEncoder(work, rows.shape[1]), work / f"shop-{count}.lookalike"
    finished = place.with_suffix(".finished")
    if not finished.exists():
        shutil.rmtree(place, ignore_errors=True)
        with Store.open(place) as store, store.writer() as writer:
            root = writer.add_root(b"/shop", is_file=False)
            space = writer.create_space(encoder.id, encoder.name, rows.shape[1])
            for start in range(0, count, _BATCH):
                writer.put(space, [*products(rows[start : start + _BATCH], root.number, start)])
            writer.make_columns()
        finished.touch()
    shop = lookalike.open(place, encoder=encoder)
    for _ in shop.build_index():
        pass
    return shop


def products(rows: Any, root: int, start: int) -> Iterator[Any]:
    import hashlib

    from lookalike.store.records import Found

    for number, vector in enumerate(rows.astype(np.float32), start=start):
        chance = random.Random(number)
        digest = hashlib.blake2b(str(number).encode(), digest_size=16).digest()
        columns: dict[str, Any] = {f"number_{each}": chance.randint(0, 1000) for each in range(6)}
        columns |= {f"measure_{each}": round(chance.uniform(0, 10), 2) for each in range(4)}
        columns |= {f"kind_{each}": chance.choice(WORDS) for each in range(4)}
        columns |= {
            "title": " ".join(chance.sample(WORDS, 5)),
            "sku": f"SKU-{number:07}",
            "price": round(chance.uniform(1, 100), 2),
            "colour": chance.choice(WORDS),
            "in_stock": chance.random() < 0.8,
            "tags": chance.sample(WORDS, 2),
        }
        name = f"{number:07}.jpg"
        yield Found(
            root=root,
            key=name.encode(),
            uri=f"/shop/{name}",
            size=50_000 + number,
            modified_ns=number,
            bytes_digest=digest,
            pixels_digest=digest[::-1],
            width=640,
            height=480,
            format="JPEG",
            metadata=columns,
            vector=vector,
        )


if __name__ == "__main__":
    main()
