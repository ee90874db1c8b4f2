"""A collection moved to an engine elsewhere and back is the same one, whatever broke off on the way."""

from __future__ import annotations

import csv
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import pytest

import lookalike
from lookalike.core.errors import CollectionError, CollectionNotFound, EncoderMismatch, RemoteUnavailable
from lookalike.engine.moving_collections import MoveReport, move_here, move_there, plan_here, plan_there
from lookalike.engine.remote_collection import RemoteCollection
from lookalike.engine.remote_staging import digests_here
from lookalike.remote.contract import PAGE, RemoteFacts
from lookalike.store.collection_store import Found, Store
from lookalike.testing import ToyEncoder, draw_pictures
from memory_engine import MemoryEngine
from remote_engines import ENGINES, served

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lookalike.remote.contract import RemoteEngine

MEMORY = "memory"


@contextmanager
def engines(which: str, folder: Path) -> Iterator[Callable[[str], RemoteEngine]]:
    if which == MEMORY:
        yield lambda _name: MemoryEngine()
        return
    with served(which, folder) as engine_of:
        yield engine_of


@pytest.fixture(scope="module", params=[MEMORY, *ENGINES])
def engine_of(request, tmp_path_factory) -> Iterator[Callable[[str], RemoteEngine]]:
    with engines(request.param, tmp_path_factory.mktemp("server")) as engine_of:
        yield engine_of


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    """A collection with photos, a copy, a broken file, a catalogue, an odd name and vectors without pictures."""
    folder = tmp_path_factory.mktemp("source")
    draw_pictures(folder / "photos", 24)
    (folder / "photos" / "again.png").write_bytes(min((folder / "photos").glob("*.png")).read_bytes())
    (folder / "photos" / "broken.jpg").write_bytes(b"\xff\xd8")
    draw_pictures(folder / "sold", 6, seed=1)
    with (folder / "catalogue.csv").open("w", newline="", encoding="utf-8") as stream:
        rows = csv.writer(stream)
        rows.writerow(["id", "image", "title", "price", "sold_on"])
        for at, path in enumerate(sorted((folder / "sold").iterdir())):
            rows.writerow([f"art-{at}", f"sold/{path.name}", f"Сорочка № {at}", at * 2.5, "2024-05-03"])
    place = folder / "source.lookalike"
    with lookalike.open(place, encoder=ToyEncoder()) as collection:
        list(collection.sync([folder / "photos", folder / "catalogue.csv"]))
    with Store.open(place) as store, store.writer() as writer:
        space = store.current_space()
        root = writer.add_root(b"imported:0123", is_file=False).number
        vector = np.zeros(space.dim, np.float16)
        vector[3] = 1
        odd = "/elsewhere/caf\udce9 \U0001f600.jpg"
        values = {"note": "a\0b", "huge": 2**53 - 1, "deep": {"list": [1, 2.5, None, True]}}
        found = Found(root, os.fsencode("caf\udce9.jpg"), odd, 7, -1, b"d" * 16, None, None, None, "", values, vector)
        writer.put(space, [found])
        writer.finish([])
    return place


def moved(events) -> MoveReport:
    return list(events)[-1]


def test_there_and_back_nothing_is_lost(engine_of, source, tmp_path):
    engine = engine_of("round")
    with Store.open(source) as store, Store.open(tmp_path / "back.lookalike") as back:
        before = digests_here(store)
        plan = plan_there(store, engine)
        assert (plan.items, plan.there, plan.left) == (25 + 6 + 1, 0, 0)
        report = moved(move_there(store, engine))
        assert (report.items, report.sent, report.differing) == (32, 32, ())
        assert plan_here(engine, back.path, back).items == 32
        returned = moved(move_here(engine, back))
        assert (returned.items, returned.sent, returned.differing) == (32, 32, ())
        assert digests_here(back) == digests_here(store) == before
        assert [each.uri for each in back.failures()] == [each.uri for each in store.failures()]
        assert {root.path for root in back.roots()} == {root.path for root in store.roots()}


def test_what_came_back_is_indexed_already(engine_of, source, tmp_path):
    engine = engine_of("known")
    with Store.open(source) as store, Store.open(tmp_path / "back.lookalike") as back:
        moved(move_there(store, engine))
        moved(move_here(engine, back))
    with lookalike.open(tmp_path / "back.lookalike", encoder=ToyEncoder()) as opened:
        report = list(opened.sync())[-1]
        assert (report.added, report.changed, report.moved, report.removed, report.encoded) == (0, 0, 0, 0, 0)
        assert opened.search("Сорочка", 1)[0].id.startswith("art-")


def test_fingerprints_and_sketches_of_what_came_back_are_made_by_the_next_look_for_duplicates(source, tmp_path):
    engine, place = MemoryEngine(), tmp_path / "back.lookalike"
    with Store.open(source) as store, Store.open(place) as back:
        moved(move_there(store, engine))
        moved(move_here(engine, back))
    with lookalike.open(place, encoder=ToyEncoder()) as opened:
        *_, report = opened.duplicates.find()
        assert report.not_looked_at == 1  # whose vector alone is known
    with Store.open(place) as back:
        assert back.likenesses.count_without_sketch() == 1


def test_a_second_move_sends_nothing(engine_of, source):
    engine = engine_of("again")
    with Store.open(source) as store:
        moved(move_there(store, engine))
        assert moved(move_there(store, engine)).sent == 0


def test_a_target_with_other_items_is_refused_before_anything_is_written(engine_of, source, pictures):
    engine = engine_of("others")
    with RemoteCollection(engine, encoder=ToyEncoder()) as there, Store.open(source) as store:
        list(there.sync([pictures]))
        count = engine.count()
        with pytest.raises(CollectionError, match="does not have"):
            moved(move_there(store, engine))
        assert engine.count() == count


def test_another_encoders_collection_is_no_target(engine_of, source):
    engine = engine_of("encoders")
    engine.create(RemoteFacts("another-1", "another", ToyEncoder().dim))
    with Store.open(source) as store, pytest.raises(EncoderMismatch, match="another-1"):
        plan_there(store, engine)


def test_what_is_not_there_cannot_be_moved(engine_of, tmp_path):
    with Store.open(tmp_path / "empty.lookalike") as store:
        with pytest.raises(CollectionNotFound):
            plan_there(store, engine_of("empty"))
        with pytest.raises(CollectionNotFound):
            plan_here(engine_of("empty"), store.path, store)


def test_a_move_that_broke_off_goes_on(tmp_path):
    rows = 2 * PAGE + 10
    with Store.open(tmp_path / "many.lookalike") as store:
        with store.writer() as writer:
            space = writer.create_space("toy-1", "toy", 8)
            root = writer.add_root(b"imported:0", is_file=False).number
            vectors = np.eye(8, dtype=np.float16)
            found = [
                Found(
                    root,
                    b"%d" % at,
                    f"/{at}.jpg",
                    1,
                    1,
                    at.to_bytes(16, "big"),
                    None,
                    None,
                    None,
                    "",
                    {},
                    vectors[at % 8],
                )
                for at in range(rows)
            ]
            writer.put(space, found)
        engine = MemoryEngine()
        events = move_there(store, engine)
        next(events)
        engine.fails_after = 0
        with pytest.raises(RemoteUnavailable):
            list(events)
        engine.fails_after = None
        assert engine.upserted == PAGE
        report = moved(move_there(store, engine))
        assert (report.sent, report.differing, engine.count()) == (rows - PAGE, (), rows)
