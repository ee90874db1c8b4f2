"""Filters over a million items of a catalogue with 20 columns must be answered, cold, in at most 50 ms on one thread.

    python tools/bench/filters_bench.py [--items 1000000]

Each filter is parsed, and its mask made, by a snapshot that opens the columns anew; their pages are in the system's
cache. Times are of the processor, so that a busy machine gives the same. Beside them what naming the fields and telling
what stands in them takes, and with --sql the same masks without columns.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from columns import COLOURS, fill, milliseconds
from measuring import arguments, show

from lookalike.engine.fields import facts_of, fields_of
from lookalike.engine.filter_language import parse
from lookalike.store.collection_store import Store

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

MOST_MS = 50.0
KINDS = {"added": "date", "updated": "date", "size": "text"}
WORDS = "shirt dress boots scarf linen wool slim long short navy summer winter check plain soft warm light dark".split()  # noqa: SIM905
FILTERS = [
    "price < 50",
    "in_stock = yes",
    "colour = RED",
    "brand = 'Brand 17'",
    "brand != 'Brand 17'",
    "brand ~ 7",
    "tags = beach",
    "tags in (beach, snow) and not tags = night",
    "added >= 2024-05",
    "added = 2024-05-03 or updated < 2020",
    "has discount",
    "price < 50 and colour in (red, pink) and added >= 2024-05 and not folder ~ '/07'",
    "gender = women and category in (c1, c2, c3) and size in (S, M) and rating >= 4 and price > 20 and price < 80",
    "name ~ 'img_0001'",
    "title ~ 'navy check'",
    "title = 'navy check shirt 123456'",
    "sku in (SKU-0000001, SKU-0500000, SKU-none)",
]
ONE_BY_ONE = [
    "title > warm",
    "sku in (" + ", ".join(f"SKU-{each:07}" for each in range(1000)) + ")",
]


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--sql", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        place = Path(name) / "c.lookalike"
        fill(place, asked.items, product)
        with Store.open(place) as store:
            with store.writer() as writer:
                writer.set_setting("fields", KINDS)
                writer.make_columns(least=1)
            with store.snapshot() as snapshot:
                fields, kinds = (
                    fields_of(snapshot),
                    [each.kind for each in snapshot.columns().manifest.columns.values()],
                )
            masks = {f"{text[:76]}, ms": milliseconds(mask(store, text, fields)) for text in FILTERS}
            others = {
                **{f"text by text: {text[:60]}, ms": milliseconds(mask(store, text, fields), 3) for text in ONE_BY_ONE},
                "names of the fields, ms": milliseconds(lambda: with_snapshot(store, fields_of)),
                "what stands in the fields, ms": milliseconds(lambda: with_snapshot(store, facts_of), 3),
                "parsing the longest, ms": milliseconds(lambda: parse(FILTERS[12], fields)),
            }
            if asked.sql:
                shutil.rmtree(place / "columns")
                others |= {f"SQL: {text[:70]}, ms": milliseconds(mask(store, text, fields), 1) for text in FILTERS}
    figures = {"items": asked.items, "columns": len(kinds), "of them plain": kinds.count("plain"), **masks, **others}
    show("filters", figures, {"at most 50 ms": all(each <= MOST_MS for each in masks.values())}, asked.out)


def with_snapshot(store: Store, call: Callable[..., object]) -> object:
    with store.snapshot() as snapshot:
        return call(snapshot)


def mask(store: Store, text: str, fields: dict[str, str]) -> Callable[[], object]:
    return lambda: with_snapshot(store, lambda snapshot: snapshot.where_mask(parse(text, fields)))


def product(draw: random.Random, one: int) -> dict[str, object]:
    """A row of a catalogue: 20 columns."""
    own: dict[str, object] = {
        "title": f"{' '.join(draw.choices(WORDS, k=3))} {one}",
        "sku": f"SKU-{one:07}",
        "price": round(draw.uniform(1, 500), 2),
        "cost": round(draw.uniform(1, 300), 2),
        "weight": draw.randrange(50, 5000) / 1000,
        "stock": draw.randrange(1000),
        "year": draw.randrange(2000, 2026),
        "rating": draw.randrange(1, 6),
        "sold": draw.randrange(100_000),
        "in_stock": draw.random() < 0.8,
        "new": draw.random() < 0.1,
        "colour": draw.choice(COLOURS),
        "brand": f"Brand {draw.randrange(500)}",
        "category": f"c{draw.randrange(40)}",
        "season": draw.choice(["Spring", "Summer", "Fall", "Winter"]),
        "gender": draw.choice(["Men", "Women", "Unisex"]),
        "size": draw.choice(["S", "M", "L", "XL"]),
        "added": f"20{draw.randrange(10, 26)}-{draw.randrange(1, 13):02}-{draw.randrange(1, 29):02}",
        "updated": f"20{draw.randrange(10, 26)}-{draw.randrange(1, 13):02}-{draw.randrange(1, 29):02}T12:30:00",
        "tags": draw.sample(["beach", "snow", "night", "city", "party", "work"], draw.randrange(4)),
    }
    if draw.random() < 0.2:
        own["discount"] = draw.randrange(5, 70)
    return own


if __name__ == "__main__":
    main()
