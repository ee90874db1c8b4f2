"""Compaction gives rows and pages back, keeps every live vector, and disturbs no reader."""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING

import numpy as np
import pytest

from lookalike.store import rows
from lookalike.store.collection_store import Store
from stored_files import ENCODER, assert_vectors, filled, found, recognised, row_of, rows_path

if TYPE_CHECKING:
    from pathlib import Path

ROOT = os.fsencode(os.path.abspath("/pictures"))


@pytest.fixture
def store(tmp_path: Path):
    with Store.open(tmp_path / "c.lookalike") as opened:
        yield opened


def test_pictures_without_items_go_with_their_rows_and_all_others_keep_their_vectors(store, monkeypatch):
    monkeypatch.setattr(rows, "SEGMENT_BYTES", 10 * 2 * 16)
    contents = {b"%03d.png" % number: str(number) for number in range(300)}
    filled(store, contents, ROOT)
    size = store.bytes_on_disk()
    gone = random.Random(1).sample(sorted(contents), 200)
    with store.writer() as writer:
        for key in gone:
            writer.remove_below(ROOT + os.fsencode(os.sep) + key)
            del contents[key]
        assert store.counts().dead_rows == 200
        report = writer.compact()
    assert (report.pictures, report.rows) == (200, 200)
    assert report.bytes > 0
    assert store.bytes_on_disk() < size
    counts = store.counts()
    assert (counts.rows, counts.dead_rows, counts.pictures) == (100, 0, 100)
    assert_vectors(store, contents)
    assert not list(store.path.glob("spaces/*/rows-0.f16"))


def test_nothing_of_what_was_removed_can_be_read_from_the_files_afterwards(store):
    filled(store, {b"a.png": "cat", b"a-name-to-forget.png": "dog"}, ROOT)
    with store.writer() as writer:
        writer.remove_below(os.path.join(ROOT, b"a-name-to-forget.png"))
        writer.compact()
    kept = [file.read_bytes() for file in store.path.rglob("*") if file.is_file()]
    assert not any(b"name-to-forget" in content or row_of("dog").tobytes() in content for content in kept)


def test_compacting_what_is_compact_changes_nothing(store):
    filled(store, {b"a.png": "cat"}, ROOT)
    with store.snapshot() as before, store.writer() as writer:
        report = writer.compact()
        assert (report.pictures, report.rows) == (0, 0)
        with store.snapshot() as after:
            assert (after.generation, after.space) == (before.generation, before.space)


def test_a_reader_keeps_its_moment_while_the_rows_are_replaced(store):
    filled(store, {b"a.png": "cat", b"b.png": "dog"}, ROOT)
    with store.snapshot() as before:
        with store.writer() as writer:
            writer.remove_below(ROOT + os.fsencode(os.sep) + b"a.png")
            writer.compact()
        assert before.count == 2
        assert [its[0].key for its in before.items_of([0, 1]).values()] == [b"a.png", b"b.png"]
        np.testing.assert_array_equal(before.rows[0], row_of("cat"))
    with store.snapshot() as after:
        assert (after.count, after.space.epoch) == (1, 1)


def test_rows_put_after_a_compaction_follow_those_that_were_kept(store):
    root, space = filled(store, {b"a.png": "cat", b"b.png": "dog", b"c.png": "cow"}, ROOT)
    with store.writer() as writer:
        writer.remove_below(ROOT + os.fsencode(os.sep) + b"a.png")
        writer.compact()
        writer.put(space, [found(root, b"d.png", "ant"), found(root, b"a.png", "cat")])
    assert_vectors(store, {b"b.png": "dog", b"c.png": "cow", b"d.png": "ant", b"a.png": "cat"})


def test_a_picture_that_comes_back_before_compaction_costs_nothing_and_lives_on(store):
    root, space = filled(store, {b"a.png": "cat", b"b.png": "dog"}, ROOT)
    with store.writer() as writer:
        writer.remove_below(ROOT + os.fsencode(os.sep) + b"a.png")
        with store.snapshot() as snapshot:
            assert snapshot.live_mask().tolist() == [False, True]
        writer.put(space, [recognised(root, b"again.png", "cat")])
        assert writer.compact().rows == 0
    assert_vectors(store, {b"again.png": "cat", b"b.png": "dog"})


def test_all_spaces_are_compacted(store):
    _root, _space = filled(store, {b"a.png": "cat", b"b.png": "dog"}, ROOT)
    with store.writer() as writer:
        other = writer.create_space("other-1", "other", 4)
        writer.put_vectors(other, [number for number, _ in writer.missing_rows(other, 0, 10)], np.eye(4)[:2])
        writer.remove_below(ROOT + os.fsencode(os.sep) + b"a.png")
        assert writer.compact().rows == 2
    with store.snapshot(other) as snapshot:
        assert snapshot.rows.tolist() == [[0, 1, 0, 0]]
    assert_vectors(store, {b"b.png": "dog"})


def test_files_that_an_unfinished_run_left_are_swept_by_the_next_writer(store):
    filled(store, {b"a.png": "cat"}, ROOT)
    stray = rows_path(store.path, 0).with_name("rows-1.f16")
    stray.write_bytes(b"half a file")
    dropped = store.path / "spaces" / "gone-000000000000"
    dropped.mkdir()
    (dropped / "rows-3.f16").write_bytes(b"")
    with store.writer():
        assert not stray.exists()
        assert not dropped.exists()
    assert_vectors(store, {b"a.png": "cat"})


def test_a_new_space_can_be_made_where_an_unfinished_run_left_its_file(store):
    folder = store.path / "spaces" / rows.slug_of(ENCODER[0], ENCODER[1])
    folder.mkdir(parents=True)
    (folder / "rows-0.f16").write_bytes(b"x" * 1000)
    filled(store, {b"a.png": "cat"}, ROOT)
    assert_vectors(store, {b"a.png": "cat"})
