"""One size of the vectors to measure on: rows, queries and the right answers, opened from the work folder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from index_truth import K, Truth, exact_answers, recall

QUERIES = 1000
_MANY = 2_000_000


@dataclass(frozen=True)
class World:
    """`rows`: mapped float16 (count, dim). `queries`: by kind ("picture", "text"), float32 (q, dim), with `truth`."""

    work: Path
    rows: Any
    queries: dict[str, Any]
    truth: dict[str, Truth]

    @property
    def count(self) -> int:
        return len(self.rows)

    @property
    def dim(self) -> int:
        return int(self.rows.shape[1])

    def all_queries(self) -> Any:
        """Both kinds, taking turns."""
        fewest = min(len(each) for each in self.queries.values())
        return np.stack([each[:fewest] for each in self.queries.values()], axis=1).reshape(-1, self.dim)

    def recalls(self, found: dict[str, Any]) -> dict[str, float]:
        """Mean ann_recall@10 by kind; `found`: rows int (q, k) by kind."""
        return {
            kind: float(recall(self.rows, self.queries[kind], rows, self.truth[kind]).mean())
            for kind, rows in found.items()
        }


def world(work: Path | str, dim: int, count: int, *, queries: int | None = None) -> World:
    """The first `count` rows of width `dim`, with up to so many queries of each kind: 1,000, beyond a million rows 250.

    Right answers are kept in a file.
    """
    work, queries = Path(work), queries or (QUERIES if count <= _MANY else QUERIES // 4)
    rows = np.load(work / f"vectors-{dim}.npy", mmap_mode="r")
    done = json.loads((work / f"vectors-{dim}.done.json").read_text())["done"]
    if count > done:
        raise SystemExit(f"{work} holds {done:,} rows of {dim}, {count:,} are needed: index_vectors.py grow makes them")
    rows = rows[:count]
    with np.load(work / f"queries-{dim}.npz") as kept:
        asked = {kind: kept[kind][:queries] for kind in ("picture", "text")}
    file = work / f"truth-{dim}-{count}-{queries}.npz"
    if not file.exists():
        both = exact_answers(rows, np.concatenate(list(asked.values())), K)
        np.savez(file, rows=both.rows, scores=both.scores)
    with np.load(file) as kept:
        split = len(asked["picture"])
        truth = {
            "picture": Truth(kept["rows"][:split], kept["scores"][:split]),
            "text": Truth(kept["rows"][split:], kept["scores"][split:]),
        }
    return World(work, rows, asked, truth)


def searched(index: Any, world: World, k: int = K, **how: Any) -> dict[str, Any]:
    """Rows found for each kind of query; `how` goes to the index's `search`."""
    return {kind: index.search(queries, k, **how)[0] for kind, queries in world.queries.items()}
