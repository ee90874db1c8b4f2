"""What `remote.contract.RemoteEngine` promises, of every engine: on real servers, and of the one in memory."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from lookalike.core.conditions import Compare, Has
from lookalike.core.errors import EncoderMismatch
from lookalike.remote.contract import Asked, RemoteFacts, RemoteItem
from memory_engine import MemoryEngine
from remote_engines import ENGINES, served

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lookalike.remote.contract import RemoteEngine

DIM = 8
FACTS = RemoteFacts("toy-1", "toy", DIM)
MEMORY = "memory"
IDS = ["", "a", "A", "\0", "\ud800x", "\ud7ff", "\ue000", "é", "a b", "a%b", "a_b", 'q"x', "\\", "я", "\U0001f600", "~"]
"""In no order, with all that filters, JSON and databases give a meaning to or do not take."""
NEAR = 1e-3
"""Cosines that differ less are equal: the length of a vector in float16 is that near to 1."""


@pytest.fixture(scope="module", params=[MEMORY, *ENGINES])
def opened(request, tmp_path_factory) -> Iterator[Callable[[str], RemoteEngine]]:
    if request.param == MEMORY:
        yield lambda _: MemoryEngine()
        return
    with served(request.param, tmp_path_factory.mktemp("server")) as opened:
        yield opened


@pytest.fixture
def engine(opened, request) -> RemoteEngine:
    """An empty collection, named after the test."""
    engine = opened(request.node.originalname[:40])
    engine.create(FACTS)
    return engine


def drawn_items(ids: list[str] = IDS) -> list[RemoteItem]:
    vectors = np.random.default_rng(3).standard_normal((len(ids), DIM))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)
    known = {"list": [1, "x", None, {"q": 1.5}], "text": "\0\ud801\u2028", "whole": 2**60, "none": None, "yes": True}
    return [
        RemoteItem(
            id=id,
            uri=f"/photos/{one}\udcff.jpg",
            root=b"/photos\xff",
            key=b"\xfe%d.jpg" % one,
            size=2**40,
            modified_ns=10**18 + one,
            bytes_digest=b"\0" * 16 if one % 2 else None,
            pixels_digest=bytes(range(16)),
            width=None if one % 3 else 640,
            height=480,
            format="JPEG",
            metadata={**known, "one": one},
            picture_metadata={"whole": 2**60},
            stems=("red", "крас", f"number{one}"),
            names=(f"red_shirt_{one}",),
            vector=vectors[one],
        )
        for one, id in enumerate(ids)
    ]


def in_order(ids: list[str]) -> list[str]:
    return sorted(ids, key=lambda each: each.encode("utf-8", "surrogatepass"))


def test_nothing_is_described_until_it_is_made_and_after_it_was_dropped(opened):
    engine = opened("comes_and_goes")
    assert engine.describe() is None
    engine.drop()
    engine.create(FACTS)
    facts = engine.describe()
    assert (facts.encoder_id, facts.encoder_name, facts.dim, facts.count) == ("toy-1", "toy", DIM, 0)
    assert facts.server
    engine.upsert(drawn_items())
    engine.drop()
    assert engine.describe() is None
    engine.create(FACTS)
    assert list(engine.items()) == []


def test_making_it_again_leaves_it_and_another_encoder_is_refused(engine):
    engine.upsert(drawn_items())
    engine.create(FACTS)
    assert engine.count() == len(IDS)
    with pytest.raises(EncoderMismatch):
        engine.create(RemoteFacts("toy-2", "toy two", DIM))


def test_an_empty_collection_answers_with_nothing(engine):
    assert engine.nearest(np.eye(2, DIM, dtype=np.float32), 5) == [[], []]
    assert engine.with_stems(["red"], 5) == []
    assert engine.count_with(["red"]) == {"red": 0}
    assert (list(engine.items()), engine.get(["a"]), engine.count()) == ([], [], 0)
    engine.delete(["a"])


def test_items_come_back_as_they_were_given(engine):
    items = drawn_items()
    engine.upsert(items)
    found = {item.id: item for item in engine.get([*IDS, "nobody"], vectors=True)}
    assert set(found) == set(IDS)
    for item in items:
        assert replace(found[item.id], vector=None) == replace(item, vector=None)
        assert found[item.id].vector.dtype == np.float16
        assert np.array_equal(found[item.id].vector, item.vector)
    assert all(item.vector is None for item in engine.get(IDS))


def test_putting_items_twice_leaves_the_same_and_the_last_one_counts(engine):
    items = drawn_items()
    engine.upsert(items)
    engine.upsert(items)
    changed = replace(items[1], metadata={"new": 1}, vector=items[2].vector)
    engine.upsert([changed])
    assert engine.count() == len(IDS)
    (found,) = engine.get([changed.id], vectors=True)
    assert found.metadata == {"new": 1}
    assert np.array_equal(found.vector, items[2].vector)


@pytest.mark.parametrize("is_built", [False, True])
def test_what_an_item_has_no_more_finds_it_no_more(engine, is_built):
    known = {"price": 5, "colour": ["red", "blue"], "sold": "2024-05-03"}
    one, other, *rest = drawn_items()
    engine.upsert([replace(one, metadata=known, stems=("old",), names=("old_name",), pixels_digest=b"o" * 16), *rest])
    if is_built:
        engine.build_index()
    now = replace(one, metadata={"colour": "blue"}, stems=("new",), names=(), vector=other.vector)
    engine.upsert([now])
    for gone in (Has("price"), Has("sold"), Compare("price", "<", 9), Compare("colour", "=", "red")):
        assert (list(engine.items(asked=Asked(gone))), engine.count(Asked(gone))) == ([], 0)
    (found,) = engine.items(asked=Asked(Compare("colour", "=", "blue")))
    assert found == replace(now, vector=None)
    assert engine.of_pictures([b"o" * 16]) == []
    assert engine.with_stems(["old", "old_name"], 5) == []
    assert engine.count_with(["old", "new"]) == {"old": 0, "new": 1}
    question = np.asarray(other.vector, np.float32)[None]
    assert engine.nearest(question, 1)[0][0].item.id == one.id
    engine.delete([one.id])
    assert list(engine.items(asked=Asked(Compare("colour", "=", "blue")))) == []


def test_items_come_in_the_order_of_their_ids_from_any_of_them_on(engine):
    engine.upsert(drawn_items())
    order = in_order(IDS)
    assert [item.id for item in engine.items()] == order
    for place, id in enumerate(order):
        assert [item.id for item in engine.items(after=id)] == order[place + 1 :]


def test_more_items_than_a_page_come_all_and_once(engine):
    ids = [f"{one:05}" for one in range(2500)]
    items = drawn_items(ids)
    for start in range(0, len(items), 1000):
        engine.upsert(items[start : start + 1000])
    assert [item.id for item in engine.items(vectors=True)] == ids
    engine.delete(iter(ids[::2]))
    assert [item.id for item in engine.items()] == ids[1::2]


def test_every_change_of_items_and_settings_raises_the_generation(engine):
    items = drawn_items()
    seen = [engine.describe().generation]
    changes = (
        lambda: engine.upsert(items),
        lambda: engine.upsert(items[:1]),
        lambda: engine.delete([IDS[0]]),
        lambda: engine.set_entries("declared", {"price": "int"}),
        lambda: engine.set_entries("declared", {"price": None}),
    )
    for change in changes:
        change()
        seen.append(engine.describe().generation)
    assert seen == sorted(set(seen))


def test_entries_keep_values_of_any_size_until_they_are_removed(engine):
    large = {"\0\ud800": ["я" * 100] * 9000}
    assert engine.entries("roots") == {}
    for value in (large, [1, None], "text", False, large, 0.5):
        engine.set_entries("roots", {"\ud800 \0": value, "": 1})
        assert engine.entries("roots") == {"\ud800 \0": value, "": 1}
    engine.set_entries("roots2", {"\ud800 \0": "another"})
    engine.set_entries("roots", {"\ud800 \0": None, "nobody": None})
    assert engine.entries("roots") == {"": 1}
    assert engine.entries("roots2") == {"\ud800 \0": "another"}


def test_many_entries_come_all_and_once(engine):
    many = {f"{one:05}": [one, "x" * (one % 7)] for one in range(2500)}
    engine.set_entries("failures", many)
    engine.set_entries("failures", {key: None for key in many if key.endswith("7")})
    assert engine.entries("failures") == {key: value for key, value in many.items() if not key.endswith("7")}


def test_two_who_set_entries_at_once_lose_nothing_of_each_other(engine, opened, request):
    another = engine if isinstance(engine, MemoryEngine) else opened(request.node.originalname[:40])
    large = "x" * 200_000

    def sets(one: RemoteEngine, name: str) -> None:
        for number in range(10):
            one.set_entries("roots", {f"{name}{number}": number})
            one.set_entries("roots", {f"{name}{number}": large if number == 5 else -number, f"{name}gone{number}": 1})
            one.set_entries("roots", {f"{name}gone{number}": None, "shared": name})

    with ThreadPoolExecutor(2) as pool:
        for done in (pool.submit(sets, engine, "a"), pool.submit(sets, another, "b")):
            done.result()
    expected = {f"{name}{number}": large if number == 5 else -number for name in "ab" for number in range(10)}
    found = engine.entries("roots")
    assert found.pop("shared") in {"a", "b"}
    assert found == expected


def test_the_nearest_come_first_with_their_cosines_and_vectors(engine):
    items = drawn_items()
    engine.upsert(items)
    vectors = np.stack([item.vector for item in items]).astype(np.float32)
    rows = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    for question, answers in zip(rows, engine.nearest(rows, 5), strict=True):
        cosines = rows @ question
        best = np.argsort(-cosines)[:5]
        assert [found.item.id for found in answers] == [items[at].id for at in best]
        assert np.allclose([found.score for found in answers], cosines[best], atol=NEAR)
        assert np.array_equal(answers[0].item.vector, items[best[0]].vector)
    assert len(engine.nearest(rows[:1], 1000)[0]) == len(IDS)


def test_items_of_pictures_are_those_that_share_their_digest(engine):
    digests = [(b"p" * 16, b"1" * 16), (b"p" * 16, b"2" * 16), (None, b"p" * 16), (None, b"b" * 16), (None, None)]
    items = [
        replace(item, pixels_digest=of_pixels, bytes_digest=of_bytes)
        for item, (of_pixels, of_bytes) in zip(drawn_items(IDS[:5]), digests, strict=True)
    ]
    engine.upsert(items)
    shown = {id: replace(item, vector=None) for id, item in zip(IDS, items, strict=False)}
    found = engine.of_pictures([b"p" * 16, b"n" * 16])
    assert {item.id: item for item in found} == {id: shown[id] for id in IDS[:3]}
    among = engine.of_pictures([bytes([one]) * 16 for one in range(250)])
    assert {item.id for item in among} == set(IDS[:4])
    assert {item.id for item in engine.of_pictures([b"p" * 16], asked=Asked(Compare("one", "=", 1)))} == {IDS[1]}
    assert engine.of_pictures([]) == []


def test_items_are_found_by_stems_and_by_their_names_but_not_by_parts_of_these(engine):
    engine.upsert(drawn_items())
    assert engine.with_stems(["number3", "red"], 5)[0].item.id == IDS[3]
    assert {found.item.id for found in engine.with_stems(["крас"], 100)} == set(IDS)
    assert [found.item.id for found in engine.with_stems(["red_shirt_4"], 5)] == [IDS[4]]
    assert engine.with_stems(["shirt"], 5) == []
    assert engine.with_stems(["number3"], 5, asked=Asked(Compare("one", "=", 4))) == []
    assert engine.with_stems(["number3"], 5)[0].item.vector is not None
    counts = engine.count_with(["red", "number3", "nobody"])
    assert counts["red"] > counts["number3"] >= counts["nobody"]


def test_building_the_index_changes_no_answer_of_a_small_collection(engine):
    items = drawn_items()
    engine.upsert(items)
    rows = np.stack([item.vector for item in items]).astype(np.float32)
    before = [[found.item.id for found in answers] for answers in engine.nearest(rows, 5)]
    engine.build_index()
    engine.build_index(again=True)
    assert [[found.item.id for found in answers] for answers in engine.nearest(rows, 5)] == before
    assert all(isinstance(line, str) and line for line in engine.explain())
