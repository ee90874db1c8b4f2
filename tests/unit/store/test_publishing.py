"""What a put makes of files: pictures by content, items by place, one row a picture."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lookalike.core.errors import CollectionNotFound
from lookalike.store.collection_store import PutReport, Store
from stored_files import ENCODER, all_items, assert_vectors, failure, found, recognised, vector_of

ROOT = os.fsencode(os.path.abspath("/pictures"))


@pytest.fixture
def store(tmp_path: Path):
    with Store.open(tmp_path / "c.lookalike") as opened:
        yield opened


@pytest.fixture
def writer(store):
    with store.writer() as opened:
        yield opened


@pytest.fixture
def root(writer):
    return writer.add_root(ROOT, is_file=False)


@pytest.fixture
def space(writer):
    return writer.create_space(*ENCODER)


def test_every_new_file_becomes_an_item_with_its_own_vector(store, writer, root, space):
    report = writer.put(space, [found(root, b"a.png", "cat"), found(root, b"x/b.png", "dog")])
    assert report == PutReport(added=2, changed=0, touched=0, rows=2)
    assert_vectors(store, {b"a.png": "cat", b"x/b.png": "dog"})


def test_a_copy_shares_the_picture_and_its_row_within_one_batch_and_across_batches(store, writer, root, space):
    writer.put(space, [found(root, b"a.png", "cat"), found(root, b"b.png", "cat")])
    report = writer.put(space, [recognised(root, b"c.png", "cat")])
    assert report.rows == 0
    with store.snapshot() as snapshot:
        assert snapshot.count == 1
        assert [item.key for item in snapshot.items_of([0])[0]] == [b"a.png", b"b.png", b"c.png"]
    assert_vectors(store, dict.fromkeys([b"a.png", b"b.png", b"c.png"], "cat"))


def test_bytes_that_change_and_pixels_that_do_not_stay_the_same_picture(store, writer, root, space):
    writer.put(space, [found(root, b"a.png", "cat")])
    report = writer.put(space, [found(root, b"a.png", "cat", rating="*****")])
    assert report == PutReport(added=0, changed=0, touched=1, rows=0)
    first, rated = found(root, b"a.png", "cat"), found(root, b"a.png", "cat", rating="*****")
    known = writer.pictures_by_bytes([first.bytes_digest, rated.bytes_digest])
    assert len(known) == 2
    assert len(set(known.values())) == 1


def test_a_changed_file_keeps_its_id_and_shows_the_new_picture(store, writer, root, space):
    writer.put(space, [found(root, b"a.png", "cat")])
    before = all_items(store)[b"a.png"]
    assert writer.put(space, [found(root, b"a.png", "dog")]).changed == 1
    after = all_items(store)[b"a.png"]
    assert (after.id, after.picture) != (before.id, before.picture)
    assert after.id == before.id
    assert_vectors(store, {b"a.png": "dog"})


def test_a_file_known_by_its_bytes_has_what_was_read_when_they_were_decoded(store, writer, root, space):
    decoded = found(root, b"a.png", "cat", picture_metadata={"taken": "2020-01-02"}, metadata={"price": 3})
    writer.put(space, [decoded])
    writer.put(space, [recognised(root, b"b.png", "cat")])
    copy = all_items(store)[b"b.png"]
    assert (copy.width, copy.height, copy.format) == (40, 30, "PNG")
    assert copy.metadata == {"taken": "2020-01-02"}
    assert all_items(store)[b"a.png"].metadata == {"taken": "2020-01-02", "price": 3}


NAMED = {"taken": "2019-05-03T17:10:22", "taken_from": "file name", "caption": "by the sea"}


def test_a_date_to_fall_back_on_gives_way_to_one_in_the_bytes(store, writer, root, space):
    dated = {"taken": "2020-01-02", "taken_from": "exif"}
    writer.put(space, [found(root, b"a.png", "cat", picture_metadata=dated, metadata=NAMED)])
    writer.put(
        space,
        [replace(recognised(root, b"b.png", "cat"), metadata=NAMED), found(root, b"c.png", "dog", metadata=NAMED)],
    )
    items = all_items(store)
    assert items[b"a.png"].metadata == items[b"b.png"].metadata == {**dated, "caption": "by the sea"}
    assert items[b"c.png"].metadata == NAMED


def test_what_a_place_says_can_be_said_anew_by_the_same_rule(store, writer, root, space):
    dated = {"taken": "2020-01-02", "taken_from": "exif"}
    writer.put(space, [found(root, b"a.png", "cat", picture_metadata=dated), found(root, b"b.png", "dog")])
    places = [(key, {**NAMED, "beside": "0a0b0c0d"}) for key in (b"a.png", b"b.png", b"gone.png")]
    assert writer.set_item_metadata(root.number, places) == 2
    assert writer.set_item_metadata(root.number, places) == 0
    assert all_items(store)[b"a.png"].metadata == {**dated, "caption": "by the sea", "beside": "0a0b0c0d"}
    assert all_items(store)[b"b.png"].metadata == {**NAMED, "beside": "0a0b0c0d"}
    assert {each.beside for each in writer.known(root.number, [b"a.png", b"b.png"]).values()} == {"0a0b0c0d"}


def test_metadata_that_json_does_not_know_is_stored_as_text_or_null(store, writer, root, space):
    odd = {"where": Path("x"), "nan": float("nan"), "name": "\udcff", "list": [float("inf"), 1]}
    writer.put(space, [found(root, b"a.png", "cat", metadata=odd)])
    assert all_items(store)[b"a.png"].metadata == {"where": "x", "nan": None, "name": "\udcff", "list": [None, 1]}


def test_names_of_any_bytes_and_with_newlines_come_back_as_they_were(store, writer, root, space):
    names = [b"\xff\xfe.png", b"a\nb.png", "Фото/é.png".encode(), b"%", b"x" * 4000]
    writer.put(space, [found(root, name, str(number)) for number, name in enumerate(names)])
    items = all_items(store)
    assert set(items) == set(names)
    for name in names:
        assert os.fsencode(items[name].uri) == ROOT + os.fsencode(os.sep) + name.replace(b"/", os.fsencode(os.sep))


def test_a_uri_that_is_no_path_is_kept_as_it_was_given(store, writer, root, space):
    writer.put(space, [found(root, b"a.png", "cat", uri="s3://bucket/a.png")])
    assert all_items(store)[b"a.png"].uri == "s3://bucket/a.png"


def test_vectors_are_stored_at_unit_length(store, writer, root, space):
    writer.put(space, [found(root, b"a.png", "cat", vector=17 * vector_of("cat"))])
    assert_vectors(store, {b"a.png": "cat"})


@pytest.mark.parametrize("bad", [np.zeros(16), np.full(16, np.nan), np.ones(15)])
def test_a_batch_with_a_vector_that_is_no_direction_is_refused_whole(store, writer, root, space, bad):
    writer.put(space, [found(root, b"a.png", "cat")])
    with pytest.raises(ValueError, match=r"vector|shape"):
        writer.put(space, [found(root, b"b.png", "dog"), found(root, b"c.png", "bad", vector=bad)])
    assert_vectors(store, {b"a.png": "cat"})


def test_a_file_that_cannot_be_taken_any_more_leaves_the_items_and_joins_the_failures(store, writer, root, space):
    writer.put(space, [found(root, b"a.png", "cat"), found(root, b"b.png", "dog")])
    writer.put(space, [], [failure(root, b"a.png")])
    assert set(all_items(store)) == {b"b.png"}
    assert store.failures() == [failure(root, b"a.png")]
    assert writer.known_failures(root.number, [b"a.png", b"b.png"]) == {b"a.png": failure(root, b"a.png")}


def test_a_file_that_can_be_taken_again_is_no_failure_any_more(store, writer, root, space):
    writer.note_failures([failure(root, b"a.png"), failure(root, b"b\xff.png", reason="odd name \udcff")])
    writer.put(space, [found(root, b"a.png", "cat")])
    assert [each.key for each in store.failures()] == [b"b\xff.png"]


def test_noting_the_same_failure_again_changes_nothing(store, writer, root, space):
    writer.note_failures([failure(root, b"a.png")])
    with store.snapshot() as before:
        writer.note_failures([failure(root, b"a.png")])
        with store.snapshot() as after:
            assert after.generation == before.generation


def test_known_answers_for_many_keys_at_once(writer, root, space):
    names = [b"%05d" % number for number in range(1700)]
    writer.put(space, [found(root, name, str(number % 7)) for number, name in enumerate(names)])
    known = writer.known(root.number, [*names, b"other"])
    assert set(known) == set(names)
    assert known[names[0]].picture == known[names[7]].picture
    assert writer.sizes_known([1000, 1001]) == {1000}


def test_a_second_space_is_filled_beside_the_first_and_switched_to(store, writer, root, space):
    writer.put(space, [found(root, b"a.png", "cat"), found(root, b"b.png", "dog"), found(root, b"c.png", "cow")])
    other = writer.create_space("other-1", "Other encoder", 4)
    assert not other.current
    with pytest.raises(ValueError, match="in use"):
        writer.drop_space(space)
    after = 0
    while missing := writer.missing_rows(other, after, 2):
        numbers = [number for number, _ in missing]
        writer.put_vectors(other, numbers, np.eye(4)[[number % 4 for number in numbers]])
        after = numbers[-1]
    writer.switch_to(other)
    writer.drop_space(space)
    assert [(each.encoder_id, each.count, each.current) for each in store.spaces()] == [("other-1", 3, True)]
    assert list(store.verify()) == []
    assert len(list(store.path.glob("spaces/*"))) == 1


def test_vectors_of_pictures_that_have_their_row_are_left_alone(store, writer, root, space):
    writer.put(space, [found(root, b"a.png", "cat")])
    ((picture, _),) = [(item.picture, item) for item in all_items(store).values()]
    writer.put_vectors(space, [picture], [vector_of("dog")])
    assert_vectors(store, {b"a.png": "cat"})


def test_a_space_of_one_encoder_has_one_width(writer, space):
    assert writer.create_space(*ENCODER) == space
    with pytest.raises(ValueError, match="16 dimensions"):
        writer.create_space(ENCODER[0], ENCODER[1], 17)


def test_a_collection_without_pictures_has_no_moment_to_search(store):
    with pytest.raises(CollectionNotFound, match="no pictures yet"):
        store.snapshot()


def test_a_put_of_nothing_is_nothing(store, writer, root, space):
    assert writer.put(space, []) == PutReport(added=0, changed=0, touched=0, rows=0)
    with store.snapshot() as snapshot:
        assert snapshot.rows.shape == (0, 16)
        assert snapshot.live_mask() is None
