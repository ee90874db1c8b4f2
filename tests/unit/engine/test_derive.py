"""A collection moves to an encoder derived from its own without reading a picture."""

from __future__ import annotations

import shutil
import threading

import numpy as np
import pytest
from PIL import Image

import lookalike
from lookalike.encoders.derived import Derived, Projection
from lookalike.encoders.ensemble import Ensemble
from lookalike.engine import derive
from lookalike.engine.judging import SCALE_SETTING
from lookalike.engine.migrate import migrate
from lookalike.store.collection_store import Store
from lookalike.testing import ToyEncoder, draw_pictures


def turned(base, *, dim=32, name="turned"):
    """A derived encoder that turns vectors and keeps half of them; it loses little of what the toy tells apart."""
    turn, _ = np.linalg.qr(np.random.default_rng(1).standard_normal((base.dim, base.dim)))
    projection = Projection(turn[:, :dim], np.full(dim, -0.01))
    return Derived(base, projection, projection, name=name, id=f"{name}-{dim:012x}")


class Blind(ToyEncoder):
    """The toy, which may not see: whoever shows it a picture read one."""

    def encode_images(self, pictures):
        raise AssertionError("a picture was read")


def last(events):
    *_, report = events
    return report


def test_no_picture_is_read_and_the_vectors_are_those_of_the_pictures(collection, pictures):
    seen = {path.name: path.read_bytes() for path in pictures.iterdir()}
    shutil.rmtree(pictures)
    report = last(collection.migrate(turned(Blind())))
    assert (report.derived, report.encoded, report.skipped, report.switched) == (24, 0, (), True)
    assert (collection.status()["encoder"], collection.status()["dim"]) == ("turned", 32)
    pictures.mkdir()
    for name, content in seen.items():
        (pictures / name).write_bytes(content)
    with lookalike.open(collection.path, encoder=turned(ToyEncoder())) as again:
        hit = again.search(pictures / "0008-red-circle.png", k=1)[0]
        assert hit.uri.endswith("0008-red-circle.png")
        assert hit.score == pytest.approx(1, abs=1e-3)
        assert again.search("red circle", k=1)[0].uri.endswith("0008-red-circle.png")


def test_what_is_derived_passes_verification_against_the_pictures(collection):
    last(collection.migrate(turned(ToyEncoder())))
    verified = collection.verify(sample=24)
    assert (verified.problems, verified.sampled) == ((), 24)


def test_new_pictures_are_taken_with_the_derived_encoder(collection, pictures):
    last(collection.migrate(turned(ToyEncoder())))
    draw_pictures(pictures / "more", 30, seed=5)
    synced = last(collection.sync())
    assert synced.encoded == 30
    assert len(collection.search("red", k=60)) == 54


def test_an_ensemble_whose_parts_all_follow_from_the_present_vectors_reads_none_either(collection):
    toy = Blind()
    both = Ensemble([(toy, 1), (turned(toy), 2)], name="both", id="both-0123456789ab")
    assert last(collection.migrate(both)).derived == 24


def test_an_ensemble_with_a_foreign_part_reads_the_pictures(collection):
    toy = ToyEncoder()
    both = Ensemble([(toy, 1), (ToyEncoder("other"), 2)], name="both", id="both-0123456789ab")
    report = last(collection.migrate(both))
    assert (report.derived, report.encoded) == (0, 24)


def test_a_stopped_run_keeps_what_it_did_and_is_taken_up_again(collection, monkeypatch):
    monkeypatch.setattr(derive, "BLOCK", 5)
    stop = threading.Event()
    events = collection.migrate(turned(Blind()), stop=stop)
    next(events)
    stop.set()
    first = last(events)
    assert (first.derived, first.switched) == (5, False)
    assert collection.status()["encoder"] == "toy"
    second = last(collection.migrate(turned(Blind())))
    assert (second.derived, second.switched) == (19, True)


class Corner(ToyEncoder):
    """The toy, which sees white in a direction of its own, where it sees nothing else."""

    def encode_images(self, pictures):
        vectors = super().encode_images(pictures)
        vectors[:, 0] = [1e6 * (each.min() > 250) for each in pictures]
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.where(lengths > 1000, np.eye(1, self.dim), vectors / lengths).astype(np.float32)


def test_a_row_of_which_nothing_is_left_is_skipped_and_costs_no_other_its_own(pictures, tmp_path):
    Image.new("RGB", (64, 64), "white").save(pictures / "white.png")
    without_white = Projection(np.eye(64, dtype=np.float32)[:, 1:])
    narrow = Derived(Corner(), without_white, None, name="narrow", id="narrow-0123456789ab")
    with lookalike.open(tmp_path / "corner.lookalike", encoder=Corner()) as opened:
        last(opened.sync([pictures]))
        report = last(opened.migrate(narrow))
        assert (report.derived, report.encoded, report.switched) == (24, 0, True)
        assert [(each.uri, each.code) for each in report.skipped] == [(str(pictures / "white.png"), "no-vector")]


def test_pictures_without_a_present_vector_are_read(collection, pictures):
    away = pictures.with_name("away")
    pictures.rename(away)
    last(collection.migrate(ToyEncoder("other")))
    away.rename(pictures)
    assert collection.status()["pictures"] == 24
    report = last(collection.migrate(turned(ToyEncoder("other"))))
    assert (report.derived, report.encoded) == (0, 24)


def test_pictures_that_are_seen_nowhere_any_more_are_not_derived(collection, pictures):
    next(pictures.iterdir()).unlink()
    last(collection.sync())
    assert last(collection.migrate(turned(Blind()))).derived == 23


def test_a_renamed_encoder_is_the_same_one(collection):
    class Renamed(Blind):
        id = property(lambda self: f"renamed-{ToyEncoder().id.rpartition('-')[2]}")
        name = "renamed"

    report = last(collection.migrate(Renamed()))
    assert (report.derived, report.kept) == (24, ())
    assert collection.status()["encoder"] == "renamed"


def spaces(collection):
    return len(list((collection.path / "spaces").iterdir()))


def test_what_the_new_vectors_follow_from_is_kept_for_the_way_back(collection):
    collection.configure_index(kind="hnsw")
    list(collection.build_index())
    report = last(collection.migrate(turned(Blind())))
    assert report.kept == ("toy",)
    assert collection.status()["kept"] == [{"encoder": "toy", "dim": 64, "vectors": 24}]
    assert len(list(collection.path.glob("spaces/*/*.faiss"))) == 1
    back = last(collection.migrate(Blind()))
    assert (back.derived, back.encoded, back.switched, back.kept) == (0, 0, True, ())
    assert (collection.status()["encoder"], spaces(collection)) == ("toy", 1)


def test_another_encoder_of_the_same_base_reads_none_but_what_came_since(collection, pictures):
    last(collection.migrate(turned(ToyEncoder())))
    draw_pictures(pictures / "more", 30, seed=5)
    last(collection.sync())
    report = last(collection.migrate(turned(ToyEncoder(), dim=16, name="narrow")))
    assert (report.derived, report.encoded, report.kept) == (24, 30, ("toy",))
    assert spaces(collection) == 2


def test_other_weights_and_single_parts_come_from_an_ensemble_s_vectors(collection, monkeypatch):
    toy, other = ToyEncoder(), ToyEncoder("other")
    last(collection.migrate(Ensemble([(toy, 1), (other, 2)], name="both", id="both-000000000001")))
    monkeypatch.setattr(ToyEncoder, "encode_images", Blind.encode_images)
    weighed = last(collection.migrate(Ensemble([(other, 1), (toy, 5)], name="anew", id="anew-000000000002")))
    assert (weighed.derived, weighed.encoded, weighed.kept) == (24, 0, ())
    assert spaces(collection) == 1
    single = last(collection.migrate(other))
    assert (single.derived, single.encoded, single.kept) == (24, 0, ("anew",))
    assert collection.search("red circle", k=1)[0].uri.endswith("0008-red-circle.png")


def test_what_is_removed_and_purged_goes_from_what_is_kept_too(collection, pictures):
    last(collection.migrate(turned(Blind())))
    next(pictures.iterdir()).unlink()
    last(collection.sync())
    collection.compact()
    assert collection.status()["kept"][0]["vectors"] == 23
    assert collection.verify(sample=0).problems == ()


def test_former_vectors_can_be_dropped_at_once_or_later(collection):
    narrow = turned(Blind(), dim=16, name="narrow")
    last(collection.migrate(turned(Blind())))
    last(collection.migrate(narrow))
    assert spaces(collection) == 2
    last(collection.migrate(narrow, drop_former=True))
    assert (collection.status()["encoder"], spaces(collection)) == ("narrow", 1)


def test_the_index_is_built_for_the_new_vectors(collection):
    collection.configure_index(kind="hnsw")
    list(collection.build_index())
    report = last(collection.migrate(turned(ToyEncoder())))
    assert report.index is not None
    assert (report.index.built, report.index.pictures) == (True, 24)


def test_relevance_is_judged_by_the_scale_of_the_new_vectors(tmp_path):
    draw_pictures(tmp_path / "photos", 120)
    with lookalike.open(tmp_path / "many", encoder=ToyEncoder()) as opened:
        list(opened.sync([tmp_path / "photos"]))
    store = Store.open(tmp_path / "many")
    try:
        encoder = turned(ToyEncoder())
        list(migrate(store, encoder, None, at_hand=lambda _: None))
        assert encoder.id in store.setting(SCALE_SETTING)
    finally:
        store.close()
    with lookalike.open(tmp_path / "many", encoder=encoder) as opened:
        assert opened.search("red circle", k=1)[0].relevance is not None
