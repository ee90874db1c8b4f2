"""Which index Milvus serves a collection's vectors from, by how many there are, and why.

The sizes of what is held in memory are those of the documents of Milvus 2.6 and knowhere: docs/scale.md has the sums.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lookalike.remote.milvus_filter import PICTURE
from lookalike.remote.milvus_schema import RARITY, VECTOR

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pymilvus.milvus_client.index import IndexParams

    from lookalike.remote.milvus_calls import Calls

EXACT_UP_TO = 100_000
"""Vectors that a cluster compares all, in some tens of milliseconds: no recall is lost."""
LITE_EXACT_UP_TO = 1_000_000
"""The same of milvus-lite, where a graph under a filter finds less."""
GRAPH_UP_TO = 20_000_000
"""Vectors whose graph fits the memory of a few nodes: 46 GB at 512 components."""
CODES_UP_TO = 200_000_000
"""Vectors whose codes of a byte per component fit the memory of a cluster: 100 GB at 512 components."""
COMPARED_ALL = 2_000
"""Items under a filter that are fetched and compared here rather than looked for in a graph or in lists."""
METRIC = "COSINE"
_LINKS = 16
_BUILDING_EFFORT = 200
_LISTS = 4096
_GRAPH_EFFORT = 128
_LISTS_EFFORT = 64
_FILTERED = 4
"""How much harder an index searches where a filter lets only some of its answers pass."""
_MOST_EFFORT = 32_768
_KIND_KEPT_S, _POLL_S = 60, 0.5


@dataclass(frozen=True, slots=True)
class IndexChoice:
    """An index's kind as Milvus calls it, how it is built, and the reason, a sentence."""

    kind: str
    reason: str
    building: Mapping[str, Any] = field(default_factory=dict)


def chosen_index(count: int, *, lite: bool) -> IndexChoice:
    """What `count` vectors are searched with best."""
    if count <= (LITE_EXACT_UP_TO if lite else EXACT_UP_TO):
        return IndexChoice("FLAT", f"{count:,} vectors are few enough to compare all: nothing is missed")
    if lite or count <= GRAPH_UP_TO:
        links = {"M": _LINKS, "efConstruction": _BUILDING_EFFORT}
        return IndexChoice("HNSW", f"a graph over {count:,} vectors fits in memory and answers fastest", links)
    if count <= CODES_UP_TO:
        reason = f"a graph over {count:,} vectors would take more memory than codes of a byte per component"
        return IndexChoice("IVF_SQ8", reason, {"nlist": _LISTS})
    return IndexChoice("DISKANN", f"{count:,} vectors do not fit in memory: the graph stays on disk")


def search_params(kind: str, k: int, effort: int | None, *, filtered: bool) -> dict[str, Any]:
    """How hard a search for `k` looks. `effort` counts candidates of a graph, or lists."""
    harder = _FILTERED if filtered else 1
    match kind:
        case "HNSW":
            asked = {"ef": min(max(effort or _GRAPH_EFFORT * harder, k), _MOST_EFFORT)}
        case "DISKANN":
            asked = {"search_list": min(max(effort or _GRAPH_EFFORT * harder, k), _MOST_EFFORT)}
        case "IVF_SQ8":
            asked = {"nprobe": min(effort or _LISTS_EFFORT * harder, _LISTS)}
        case _:
            asked = {}
    return {"metric_type": METRIC, "params": asked}


class ServedIndex:
    """The index of a collection's vectors on Milvus: which it is, and making it another."""

    def __init__(self, calls: Calls, version: Callable[[], str]) -> None:
        self._calls = calls
        self._name = calls.address.name
        self._version = version
        self._kind = ""
        self._kind_until = 0.0

    def kind(self) -> str:
        """Milvus' name for it; asked now and then only, because another process may make it another.

        "" for none: whoever built another died amid it. Building it again mends that.
        """
        if not self._kind or time.monotonic() > self._kind_until:
            self._kind = str((self._calls("describe_index", self._name, VECTOR) or {}).get("index_type", ""))
            self._kind_until = time.monotonic() + _KIND_KEPT_S
        return self._kind

    def best(self, count: int) -> IndexChoice:
        """What `count` vectors are served best from here."""
        return chosen_index(count, lite=is_lite(self._version()))

    def build(self, choice: IndexChoice) -> None:
        """Put another index in place of the one there. Searches fail until it serves."""
        self._calls("release_collection", self._name)
        self._calls("drop_index", self._name, VECTOR)
        self._calls("create_index", self._name, prepared(choice), sync=False)
        self._kind = ""
        self._calls("load_collection", self._name, _async=True)

    def wait(self) -> None:
        """Until every vector is in the index, and the index in memory; each question is one call that ends."""
        while (self._calls("describe_index", self._name, VECTOR) or {}).get("pending_index_rows", 0):
            time.sleep(_POLL_S)
        while self._calls("get_load_state", self._name)["state"].name == "Loading":
            time.sleep(_POLL_S)

    def explain(self, count: int) -> list[str]:
        """Which index serves, and why, in sentences."""
        kind, choice = self.kind(), self.best(count)
        if kind == choice.kind:
            lines = [f"Index {kind}: {choice.reason}."]
        else:
            better = f"{choice.kind} would serve better: {choice.reason}; building the index makes it so."
            lines = [f"Index {kind or 'none'}. {better}"]
        if kind != "FLAT":
            lines.append(f"Where up to {COMPARED_ALL:,} items meet a filter, those are compared all.")
        return lines


def is_lite(version: str) -> bool:
    """Whether a server's version is that of milvus-lite."""
    return "lite" in version


def first_indexes() -> IndexParams:
    """The indexes that a collection is made with: of few vectors, of pictures, of words."""
    indexes = prepared(chosen_index(0, lite=False))
    indexes.add_index(PICTURE, index_type="INVERTED")
    indexes.add_index(RARITY, index_type="SPARSE_INVERTED_INDEX", metric_type="BM25")
    return indexes


def prepared(choice: IndexChoice) -> IndexParams:
    """An index of the vectors as pymilvus takes it."""
    from pymilvus import MilvusClient

    indexes = MilvusClient.prepare_index_params()
    indexes.add_index(VECTOR, index_type=choice.kind, metric_type=METRIC, params=dict(choice.building))
    return indexes
