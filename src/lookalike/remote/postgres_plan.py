"""What is built and how it is searched in PostgreSQL, by pure functions; and why, in sentences.

HNSW as usual; IVFFlat where its graph would not fit into memory any more; every item compared where that is fast
enough, where few items pass the filter, and where no index takes vectors so wide. pgvector searches its index first and
applies the filter to what it found. From 0.8 it goes on until there are enough answers ("iterative scan"); before, what
passes of one search is all there is, so that only filters that let much pass are left to the index.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

Version = tuple[int, int]

OLDEST: Version = (0, 6)
HALF_FROM: Version = (0, 7)
ITERATIVE_FROM: Version = (0, 8)
COMPARED_AT_MOST = 10_000
"""Items compared one by one rather than searched: 45 ms at 512 components here, on one core that others use too."""
INDEX_FROM = 20_000
"""Items from which on an index pays: so many are compared in 90 ms here, at 512 components of `vector`."""
HNSW_UP_TO = 20_000_000
"""Items in a graph: at 512 components about 30 GB with `halfvec`, which should stay in memory."""
WIDEST = {"vector": 2000, "halfvec": 4000}
"""Components that an index takes (pgvector's documentation)."""
COMPONENT_BYTES = {"vector": 4, "halfvec": 2}
LINKS_BYTES = 400
"""Of an item of a graph of 16 links, beside its vector."""
BUILD_MEMORY_MB = 2048
EF_USUAL, EF_MOST = 200, 1000
"""Candidates that a search of HNSW keeps; pgvector allows 1000."""
SHARE_LEFT_TO_INDEX = 0.25
"""Without iterative scan: the least share of items that may answer."""


@dataclass(frozen=True, slots=True)
class Index:
    """The index a collection should have. `method`: "hnsw", "ivfflat", or "" for none."""

    method: str
    options: str
    reason: str


@dataclass(frozen=True, slots=True)
class Way:
    """How nearest items are found.

    `compared_at_most`: up to so many items that may answer are compared one by one; None: however many. `settings`:
    pgvector's, for the transaction, where the index is asked.
    """

    compared_at_most: int | None
    settings: dict[str, str]


def index_for(count: int, dim: int, type_: str) -> Index:
    """The index for so many vectors of this width and type."""
    if dim > WIDEST[type_]:
        return Index("", "", f"no index takes {dim} components of type {type_}: every item is compared")
    if count < INDEX_FROM:
        return Index("", "", f"every item is compared: from {INDEX_FROM:,} items on an index is faster")
    if count <= HNSW_UP_TO:
        return Index("hnsw", "m = 16, ef_construction = 100", "HNSW: the fastest while it fits into memory")
    lists = round(math.sqrt(count))
    return Index("ivfflat", f"lists = {lists}", f"IVFFlat: beyond {HNSW_UP_TO:,} items a graph takes too much memory")


def build_memory_mb(count: int, dim: int, type_: str) -> int:
    """What the whole graph takes while it is built, up to a limit: beyond, building goes on, ten times slower."""
    return min(max(round(count * (dim * COMPONENT_BYTES[type_] + LINKS_BYTES) * 1.2 / 2**20), 64), BUILD_MEMORY_MB)


def search_by(method: str, version: Version, total: int, k: int, effort: int | None) -> Way:
    """How to search with an index of a method, "" for none. `effort`: ef_search of HNSW, probes of IVFFlat."""
    if not method or (version < ITERATIVE_FROM and k > EF_MOST):
        return Way(None, {})
    least = COMPARED_AT_MOST
    if version < ITERATIVE_FROM:
        least = max(least, round(total * SHARE_LEFT_TO_INDEX))
    if method == "hnsw":
        ef = effort or max(EF_USUAL, 2 * k)
        ef = EF_MOST if version < ITERATIVE_FROM and effort is None else ef
        settings = {"hnsw.ef_search": str(min(max(ef, k), EF_MOST))}
    else:
        settings = {"ivfflat.probes": str(effort or max(round(math.sqrt(math.sqrt(total))), 10))}
    if version >= ITERATIVE_FROM:
        settings[f"{method}.iterative_scan"] = "relaxed_order"
    return Way(least, settings)
