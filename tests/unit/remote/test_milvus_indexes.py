"""Which index serves how many vectors, and that each kind milvus-lite has finds what is there, under filters too."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lookalike.core.conditions import Compare
from lookalike.remote import milvus_indexes
from lookalike.remote.contract import Asked, RemoteFacts, RemoteItem
from lookalike.remote.milvus import connect
from lookalike.remote.milvus_address import parsed_address
from lookalike.remote.milvus_calls import Calls
from lookalike.remote.milvus_indexes import IndexChoice, ServedIndex, chosen_index, search_params
from milvus_servers import MILVUS, milvus

ITEMS, DIM, K = 2500, 16, 10


@pytest.mark.parametrize(
    ("count", "kind"),
    [(0, "FLAT"), (10**5, "FLAT"), (10**6, "HNSW"), (10**7, "HNSW"), (10**8, "IVF_SQ8"), (10**9, "DISKANN")],
)
def test_the_index_of_a_cluster_goes_by_how_many_vectors_there_are(count, kind):
    choice = chosen_index(count, lite=False)
    assert choice.kind == kind
    assert f"{count:,}" in choice.reason


def test_milvus_lite_compares_all_for_longer_and_knows_no_index_on_disk():
    assert {chosen_index(10**power, lite=True).kind for power in range(7)} == {"FLAT"}
    assert chosen_index(10**9, lite=True).kind == "HNSW"


def test_an_index_looks_at_no_fewer_candidates_than_answers_and_harder_under_a_filter():
    for kind, name in (("HNSW", "ef"), ("DISKANN", "search_list"), ("IVF_SQ8", "nprobe")):
        wide, filtered = (search_params(kind, K, None, filtered=each)["params"][name] for each in (False, True))
        assert filtered > wide
        assert search_params(kind, K, 33, filtered=True)["params"][name] == 33
    assert search_params("HNSW", 1000, None, filtered=False)["params"]["ef"] == 1000


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """The address of a collection, and its vectors."""
    vectors = np.random.default_rng(5).standard_normal((ITEMS, DIM))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)
    blank = RemoteItem("", "/x", b"/", b"", 1, 1, None, None, None, None, "")
    with milvus(MILVUS[0], tmp_path_factory.mktemp("lite")) as before_name:
        engine = connect(f"{before_name}kinds", timeout_s=60)
        engine.create(RemoteFacts("toy-1", "toy", DIM))
        items = [replace(blank, id=f"{one:05}", metadata={"one": one}, vector=vectors[one]) for one in range(ITEMS)]
        for start in range(0, ITEMS, 1000):
            engine.upsert(items[start : start + 1000])
        engine.build_index()
        yield f"{before_name}kinds", vectors.astype(np.float32)


@pytest.mark.parametrize(("kind", "building"), [("HNSW", {"M": 16, "efConstruction": 100}), ("IVF_SQ8", {"nlist": 16})])
def test_recall_holds_under_filters_that_few_and_that_most_items_meet(served, kind, building):
    address, vectors = served
    calls = Calls(parsed_address(address), token="", timeout_s=60)
    ServedIndex(calls, lambda: "milvus_lite").build(IndexChoice(kind, "tried", building))
    engine = connect(address, timeout_s=60)
    assert engine.describe().index == kind
    assert kind in engine.explain()[1]
    for below in (5, 300, ITEMS - 100, ITEMS):
        found = engine.nearest(vectors[:20], K, asked=Asked(Compare("one", "<", below)))
        best = np.argsort(-(vectors[:20] @ vectors[:below].T), axis=1)[:, :K]
        hits = [
            len({each.item.id for each in of} & {f"{at:05}" for at in row}) for of, row in zip(found, best, strict=True)
        ]
        assert sum(hits) >= 0.95 * best.size


def test_building_gives_a_collection_that_has_grown_the_index_of_its_size(served, monkeypatch):
    address, vectors = served
    engine = connect(address, timeout_s=60)
    for limit, kind in ((ITEMS - 1, "HNSW"), (ITEMS, "FLAT")):
        monkeypatch.setattr(milvus_indexes, "LITE_EXACT_UP_TO", limit)
        assert engine.describe().index != kind
        assert any(f"{kind} would serve better" in line for line in engine.explain())
        engine.build_index()
        assert engine.describe().index == kind
        found = engine.nearest(vectors[:20], 1)
        assert [each[0].item.id for each in found] == [f"{one:05}" for one in range(20)]
