"""A snapshot is one moment: its rows, masks and items belong together whatever is written meanwhile."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
import pytest

from lookalike.store.collection_store import Store
from stored_files import DIM, filled, found, row_of

if TYPE_CHECKING:
    from pathlib import Path

TOP = os.path.abspath(os.sep)
ROOT = os.fsencode(os.path.join(TOP, "pictures"))


def place(*parts: str) -> bytes:
    return os.fsencode(os.path.join(TOP, *parts))


@pytest.fixture
def store(tmp_path: Path):
    with Store.open(tmp_path / "c.lookalike") as opened:
        yield opened


def test_a_snapshot_does_not_see_what_is_put_after_it(store):
    root, space = filled(store, {b"a.png": "cat"}, ROOT)
    with store.snapshot() as before, store.writer() as writer:
        writer.put(space, [found(root, b"b.png", "dog"), found(root, b"a.png", "cow")])
        writer.remove_below(ROOT)
        assert before.count == len(before.rows) == 1
        assert before.live_mask() is None
        assert [item.key for item in before.items_of([0])[0]] == [b"a.png"]
        with store.snapshot() as after:
            assert after.generation > before.generation
            assert after.count == 3
            assert after.live_mask().tolist() == [False] * 3
            assert after.items_of([0, 1, 2]) == {0: [], 1: [], 2: []}


def test_rows_are_mapped_and_cannot_be_changed(store):
    filled(store, {b"a.png": "cat"}, ROOT)
    with store.snapshot() as snapshot:
        assert (snapshot.rows.dtype, snapshot.rows.shape) == (np.float16, (1, DIM))
        with pytest.raises(ValueError, match="read-only"):
            snapshot.rows[0, 0] = 1
    np.testing.assert_array_equal(snapshot.rows[0], row_of("cat"))


def test_a_folders_mask_holds_the_rows_seen_in_it_and_no_others(store):
    contents = {b"a/x.png": "1", b"a/y/z.png": "2", b"a-.png": "3", b"a0.png": "4", b"b/x.png": "1"}
    filled(store, contents, ROOT)
    filled(store, {b"w.png": "5", b"x.png": "2"}, place("other"))
    with store.snapshot() as snapshot:
        assert snapshot.mask_below(place("pictures", "a")).tolist() == [True, True, False, False, False]
        assert snapshot.mask_below(place("pictures", "b")).tolist() == [True, False, False, False, False]
        assert snapshot.mask_below(place("pictures", "a", "x.png")).tolist() == [True, False, False, False, False]
        assert snapshot.mask_below(place("other")).tolist() == [False, True, False, False, True]
        assert snapshot.mask_below(place("pictures")).tolist() == [True, True, True, True, False]
        assert snapshot.mask_below(place()).all()
        assert not snapshot.mask_below(place("pict")).any()
        assert not snapshot.mask_below(place("pictures", "a", "x.png", "deeper")).any()


def test_a_folders_mask_and_the_live_mask_cost_by_what_they_hold_not_by_all_rows(store):
    """Counted in steps of SQLite's machine, a hundred at a time."""
    filled(store, {b"%d/%03d.png" % (number // 100, number): str(number) for number in range(3000)}, ROOT)
    with store.writer() as writer:
        writer.remove_below(place("pictures", "7"))
    steps: list[int] = []
    with store.snapshot() as snapshot:
        snapshot.connection.set_progress_handler(lambda: steps.append(1), 100)
        assert snapshot.mask_below(place("pictures", "3")).sum() == 100
        assert snapshot.live_mask().sum() == 2900
    assert len(steps) < 200


def test_a_root_that_is_a_file_is_below_its_own_path_and_its_folders(store):
    with store.writer() as writer:
        root = writer.add_root(place("pictures", "a.png"), is_file=True)
        space = writer.create_space("toy-1", "toy", DIM)
        writer.put(space, [found(root, b"a.png", "cat")])
    with store.snapshot() as snapshot:
        assert snapshot.mask_below(place("pictures")).tolist() == [True]
        assert snapshot.mask_below(place("pictures", "a.png")).tolist() == [True]
        assert snapshot.mask_below(place("pictures", "a.png", "b")).tolist() == [False]
        assert snapshot.items_of([0])[0][0].uri == os.fsdecode(place("pictures", "a.png"))


def test_items_are_found_by_id_and_lead_to_their_rows(store):
    filled(store, {b"a.png": "cat", b"b.png": "dog"}, ROOT)
    with store.snapshot() as snapshot:
        (dog,) = snapshot.items_of([1])[1]
        assert snapshot.item(dog.id) == dog
        assert snapshot.rows_of_item(dog.id) == [1]
        assert snapshot.item("nothing") is None
        assert snapshot.rows_of_item("nothing") == []


def test_the_item_to_show_first_has_the_shortest_path(store):
    filled(store, {b"long/way/a.png": "cat", b"b.png": "cat", b"a.png": "cat"}, ROOT)
    with store.snapshot() as snapshot:
        assert [item.key for item in snapshot.items_of([0])[0]] == [b"a.png", b"b.png", b"long/way/a.png"]


def test_items_of_many_rows_are_answered_at_once(store):
    contents = {b"%04d.png" % number: str(number) for number in range(1200)}
    filled(store, contents, ROOT)
    with store.snapshot() as snapshot:
        items = snapshot.items_of(np.arange(1200))
        assert {its[0].key for its in items.values()} == set(contents)
        assert snapshot.items_of([]) == {}
        assert snapshot.items_of([99_999]) == {}


def test_a_sample_is_the_same_for_the_same_seed_and_has_only_rows_that_can_be_shown(store):
    contents = {b"%03d.png" % number: str(number) for number in range(60)}
    filled(store, contents, ROOT)
    with store.writer() as writer:
        for key in list(contents)[:40]:
            writer.remove_below(ROOT + os.fsencode(os.sep) + key)
    with store.snapshot() as snapshot:
        one, two = snapshot.row_picture_sample(10, 1), snapshot.row_picture_sample(10, 1)
        assert one == two
        assert len(one) == len({row for row, _ in one}) == 10
        assert len(snapshot.row_picture_sample(1000, 2)) == 20
        assert snapshot.row_picture_sample(0, 1) == []
        for row, items in one:
            assert [snapshot.rows_of_item(item.id) for item in items] == [[row]]
