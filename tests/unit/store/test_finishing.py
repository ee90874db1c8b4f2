"""The end of a run: moves keep their id, what is gone goes, what could not be looked at stays."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from lookalike.store.collection_store import FinishReport, Store
from stored_files import all_items, assert_vectors, failure, filled, found, recognised

if TYPE_CHECKING:
    from pathlib import Path

ROOT = os.fsencode(os.path.abspath("/pictures"))


@pytest.fixture
def store(tmp_path: Path):
    with Store.open(tmp_path / "c.lookalike") as opened:
        yield opened


def ids(store):
    return {key: item.id for key, item in all_items(store).items()}


def test_what_was_not_seen_in_a_complete_walk_is_gone(store):
    root, _ = filled(store, {b"a.png": "cat", b"b.png": "dog"}, ROOT)
    with store.writer() as writer:
        writer.mark_seen(root.number, [b"a.png"])
        assert writer.finish([(root.number, b"")]) == FinishReport(moved=0, removed=1, arrived=0)
    assert_vectors(store, {b"a.png": "cat"})


def test_a_run_that_never_finishes_removes_nothing(store):
    root, _ = filled(store, {b"a.png": "cat", b"b.png": "dog"}, ROOT)
    with store.writer() as writer:
        writer.mark_seen(root.number, [b"a.png"])
    with store.writer() as writer:
        writer.mark_seen(root.number, [b"a.png", b"b.png"])
        assert writer.finish([(root.number, b"")]).removed == 0
    assert_vectors(store, {b"a.png": "cat", b"b.png": "dog"})


def test_a_moved_file_keeps_its_id_and_needs_no_vector(store):
    root, space = filled(store, {b"a.png": "cat", b"b.png": "dog"}, ROOT)
    before = ids(store)
    with store.writer() as writer:
        writer.mark_seen(root.number, [b"b.png"])
        writer.put(space, [recognised(root, b"new/a.png", "cat")])
        assert writer.finish([(root.number, b"")]) == FinishReport(moved=1, removed=0, arrived=1)
    assert ids(store) == {b"new/a.png": before[b"a.png"], b"b.png": before[b"b.png"]}
    assert_vectors(store, {b"new/a.png": "cat", b"b.png": "dog"})


def test_a_file_that_moved_and_got_a_rating_is_still_the_same_item(store):
    root, space = filled(store, {b"a.png": "cat"}, ROOT)
    before = ids(store)
    with store.writer() as writer:
        writer.put(space, [found(root, b"b.png", "cat", rating="****", encoded=False)])
        assert writer.finish([(root.number, b"")]).moved == 1
    assert ids(store) == {b"b.png": before[b"a.png"]}


def test_copies_that_move_together_keep_their_ids_by_file_name(store):
    root, space = filled(store, {b"old/1.png": "cat", b"old/2.png": "cat", b"old/3.png": "cat"}, ROOT)
    before = ids(store)
    with store.writer() as writer:
        names = [b"new/3.png", b"new/2.png", b"new/other.png"]
        writer.put(space, [recognised(root, name, "cat") for name in names])
        assert writer.finish([(root.number, b"")]) == FinishReport(moved=3, removed=0, arrived=3)
    assert ids(store) == {
        b"new/3.png": before[b"old/3.png"],
        b"new/2.png": before[b"old/2.png"],
        b"new/other.png": before[b"old/1.png"],
    }


def test_a_copy_whose_original_stays_is_a_new_item(store):
    root, space = filled(store, {b"a.png": "cat"}, ROOT)
    before = ids(store)
    with store.writer() as writer:
        writer.mark_seen(root.number, [b"a.png"])
        writer.put(space, [recognised(root, b"b.png", "cat")])
        assert writer.finish([(root.number, b"")]) == FinishReport(moved=0, removed=0, arrived=0)
    after = ids(store)
    assert after[b"a.png"] == before[b"a.png"] != after[b"b.png"]


def test_an_old_copy_does_not_take_over_the_id_of_a_deleted_file(store):
    root, _ = filled(store, {b"a.png": "cat", b"b.png": "cat"}, ROOT)
    before = ids(store)
    with store.writer() as writer:
        writer.mark_seen(root.number, [b"b.png"])
        assert writer.finish([(root.number, b"")]) == FinishReport(moved=0, removed=1, arrived=0)
    assert ids(store) == {b"b.png": before[b"b.png"]}


def test_a_move_seen_by_an_interrupted_run_is_completed_by_the_next(store):
    root, space = filled(store, {b"a.png": "cat"}, ROOT)
    before = ids(store)
    with store.writer() as writer:
        writer.put(space, [recognised(root, b"b.png", "cat")])
    with store.writer() as writer:
        writer.mark_seen(root.number, [b"b.png"])
        assert writer.finish([(root.number, b"")]) == FinishReport(moved=1, removed=0, arrived=0)
    assert ids(store) == {b"b.png": before[b"a.png"]}


def test_a_move_from_one_root_to_another_keeps_the_id(store):
    root, space = filled(store, {b"a.png": "cat"}, ROOT)
    before = ids(store)
    with store.writer() as writer:
        other = writer.add_root(os.fsencode(os.path.abspath("/elsewhere")), is_file=False)
        writer.put(space, [recognised(other, b"a.png", "cat")])
        assert writer.finish([(root.number, b""), (other.number, b"")]).moved == 1
    (item,) = all_items(store).values()
    assert (item.root, item.id) == (other.number, before[b"a.png"])


def test_only_the_scope_that_was_walked_is_settled_by_whole_parts_of_the_path(store):
    contents = {b"ab/x.png": "1", b"ab0/x.png": "2", b"ab-/x.png": "3", b"ab": "4", b"abc.png": "5"}
    root, _ = filled(store, contents, ROOT)
    with store.writer() as writer:
        assert writer.finish([(root.number, b"ab")]).removed == 2
    assert_vectors(store, {key: contents[key] for key in (b"ab0/x.png", b"ab-/x.png", b"abc.png")})


def test_what_lies_in_a_folder_that_could_not_be_listed_stays(store):
    contents = {b"a/x.png": "1", b"a/y/z.png": "2", b"b.png": "3"}
    root, _ = filled(store, contents, ROOT)
    with store.writer() as writer:
        writer.note_failures([failure(root, b"a/y/bad.png"), failure(root, b"bad.png")])
    with store.writer() as writer:
        assert writer.finish([(root.number, b"")], [(root.number, b"a/y")]).removed == 2
    assert_vectors(store, {b"a/y/z.png": "2"})
    assert [each.key for each in store.failures()] == [b"a/y/bad.png"]


def test_failures_met_again_or_anew_stay_and_others_go(store):
    root, _ = filled(store, {}, ROOT)
    with store.writer() as writer:
        writer.note_failures([failure(root, b"met.png"), failure(root, b"deleted.png")])
        writer.finish([(root.number, b"")])
        writer.mark_seen(root.number, [b"met.png"])
        writer.note_failures([failure(root, b"new.png")])
        writer.finish([(root.number, b"")])
    assert [each.key for each in store.failures()] == [b"met.png", b"new.png"]


def test_a_thousand_folders_that_cannot_be_listed_keep_what_is_below_them(store):
    root, _ = filled(store, {b"7/a.png": "cat", b"b.png": "dog"}, ROOT)
    away = [(root.number, b"%d" % number) for number in range(1_100)]
    with store.writer() as writer:
        writer.note_failures([failure(root, b"8/bad.png"), failure(root, b"bad.png")])
        writer.finish([(root.number, b"")], away)
        assert writer.finish([(root.number, b"")], away).removed == 0
    assert_vectors(store, {b"7/a.png": "cat"})
    assert [each.key for each in store.failures()] == [b"8/bad.png"]


def test_looking_at_unchanged_files_writes_nothing(store):
    root, _ = filled(store, {b"%d.png" % each: str(each) for each in range(20)}, ROOT)
    with store.snapshot() as snapshot:
        before = snapshot.generation
    with store.writer() as writer:
        log = store.path / "collection.sqlite-wal"
        size = log.stat().st_size if log.exists() else 0
        writer.mark_seen(root.number, [b"%d.png" % each for each in range(20)])
        assert writer.finish([(root.number, b"")]) == FinishReport(moved=0, removed=0, arrived=0)
        assert (log.stat().st_size if log.exists() else 0) == size
    with store.snapshot() as snapshot:
        assert snapshot.generation == before


def test_two_runs_of_one_writer_do_not_mix_what_they_saw(store):
    root, _ = filled(store, {b"a.png": "cat", b"b.png": "dog"}, ROOT)
    with store.writer() as writer:
        writer.mark_seen(root.number, [b"a.png", b"b.png"])
        writer.finish([(root.number, b"")])
        writer.mark_seen(root.number, [b"a.png"])
        assert writer.finish([(root.number, b"")]).removed == 1
