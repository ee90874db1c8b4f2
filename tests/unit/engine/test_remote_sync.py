"""Taking pictures into a collection elsewhere, when the engine goes away amid it: the same call goes on."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lookalike.core.errors import RemoteUnavailable
from lookalike.engine import remote_staging
from lookalike.engine.remote_collection import RemoteCollection
from lookalike.testing import ToyEncoder, draw_pictures
from memory_engine import MemoryEngine


class CountingEncoder(ToyEncoder):
    """`seen`: pictures that were encoded."""

    seen = 0

    def encode_images(self, pictures):
        self.seen += len(pictures)
        return super().encode_images(pictures)


def taken(collection, *paths):
    return list(collection.sync(paths))[-1]


def test_an_engine_that_goes_away_loses_nothing_and_doubles_nothing(pictures, monkeypatch):
    monkeypatch.setattr(remote_staging, "SEND_EVERY", 8)
    for calls in range(3, 60, 8):
        engine = MemoryEngine()
        collection = RemoteCollection(engine, encoder=ToyEncoder())
        engine.fails_after = calls
        try:
            taken(collection, pictures)
        except RemoteUnavailable:
            engine.fails_after = None
            taken(collection, pictures)
        engine.fails_after = None
        assert sorted(item.uri for item in engine.held.values()) == sorted(map(str, pictures.iterdir()))
        assert taken(collection).added == 0


def test_what_was_sent_before_is_not_encoded_again(pictures, monkeypatch):
    monkeypatch.setattr(remote_staging, "SEND_EVERY", 1)
    engine, encoder = MemoryEngine(), CountingEncoder()
    collection = RemoteCollection(engine, encoder=encoder)
    with monkeypatch.context() as patched:
        patched.setattr(engine, "delete", lambda _ids: (_ for _ in ()).throw(RemoteUnavailable("gone")))
        with pytest.raises(RemoteUnavailable):
            taken(collection, pictures)
    encoded, sent = encoder.seen, len(engine.held)
    assert sent > 0
    taken(collection, pictures)
    assert encoder.seen == encoded + 24 - sent


def test_two_runs_that_know_nothing_of_each_other_give_one_place_one_id(pictures):
    first, second = MemoryEngine(), MemoryEngine()
    for engine in (first, second):
        taken(RemoteCollection(engine, encoder=ToyEncoder()), pictures)
    assert first.held.keys() == second.held.keys()


def test_a_new_file_in_the_place_of_a_moved_one_gets_an_id_of_its_own(pictures):
    engine = MemoryEngine()
    collection = RemoteCollection(engine, encoder=ToyEncoder())
    taken(collection, pictures)
    one, other = sorted(pictures.iterdir())[:2]
    kept = collection.find_item(str(one)).id
    one.rename(pictures / "moved.jpg")
    assert taken(collection).moved == 1
    shutil.copy(other, one)
    assert (taken(collection).added, len(engine.held)) == (1, 25)
    assert collection.find_item(str(pictures / "moved.jpg")).id == kept
    assert collection.find_item(str(one)).id != kept
    taken(collection)
    assert len(engine.held) == 25


def test_questions_to_an_engine_that_is_away_fail_and_are_answered_later(pictures):
    engine = MemoryEngine()
    collection = RemoteCollection(engine, encoder=ToyEncoder())
    taken(collection, pictures)
    before = [hit.id for hit in collection.search("red")]
    engine.fails_after = 0
    with pytest.raises(RemoteUnavailable, match="does not answer"):
        collection.search("red")
    engine.fails_after = None
    assert [hit.id for hit in collection.search("red")] == before


def test_the_folder_of_a_run_is_gone_at_its_end(pictures, tmp_path, monkeypatch):
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    engine = MemoryEngine()
    taken(RemoteCollection(engine, encoder=ToyEncoder()), pictures)
    assert list(folder.iterdir()) == []


def test_catalogues_that_are_taken_in_at_once_with_the_same_ids_lose_nothing_of_each_other(tmp_path):
    engine, shops = MemoryEngine(), []
    for one in range(2):
        folder = tmp_path / f"shop-{one}"
        names = sorted(path.name for path in draw_pictures(folder / "photos", 6, seed=one))
        rows = [f"{at},photos/{name}" for at, name in enumerate(names)]
        (folder / f"shop-{one}.csv").write_text("\n".join(["id,image", *rows]), encoding="utf-8")
        shops.append(folder / f"shop-{one}.csv")
    outer, inner = (RemoteCollection(engine, encoder=ToyEncoder()) for _ in shops)
    events = outer.sync([shops[0]])
    next(events)  # it has seen that nothing is there
    taken(inner, shops[1])
    list(events)
    wanted = {f"{at}": shops[1].parent for at in range(6)} | {f"shop-0.csv:{at}": shops[0].parent for at in range(6)}
    assert {id: Path(item.uri).parents[1] for id, item in engine.held.items()} == wanted
    again = taken(outer)
    assert (again.added, again.changed, again.removed, again.encoded) == (0, 0, 0, 0)
    assert {id: Path(item.uri).parents[1] for id, item in engine.held.items()} == wanted
