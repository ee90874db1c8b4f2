"""Roots never nest: a covered one is not made, a wider one takes the others in, and items keep their ids."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from lookalike.store.collection_store import Store
from stored_files import ENCODER, all_items, assert_vectors, failure, filled, found

if TYPE_CHECKING:
    from pathlib import Path


def place(*parts: str) -> bytes:
    return os.fsencode(os.path.join(os.path.abspath(os.sep), *parts))


@pytest.fixture
def store(tmp_path: Path):
    with Store.open(tmp_path / "c.lookalike") as opened:
        yield opened


def test_a_folder_inside_a_root_is_that_root(store):
    with store.writer() as writer:
        root = writer.add_root(place("a"), is_file=False)
        assert writer.add_root(place("a", "b"), is_file=False) == root
        assert writer.root_for(place("a", "b", "c.png")) == (root, b"b/c.png")
        assert writer.root_for(place("a")) == (root, b"")
        assert writer.root_for(place("ab")) is None
    assert store.roots() == [root]


def test_a_wider_root_takes_over_items_and_failures_of_those_inside_it(store):
    with store.writer() as writer:
        space = writer.create_space(*ENCODER)
        folder = writer.add_root(place("a", "b\udcff"), is_file=False)
        file = writer.add_root(place("a", "one.png"), is_file=True)
        apart = writer.add_root(place("ab"), is_file=False)
        writer.put(
            space,
            [found(folder, b"x\xfe/y.png", "cat"), found(file, b"one.png", "dog"), found(apart, b"z.png", "cow")],
            [failure(folder, b"bad\xfe.png")],
        )
        before = {item.uri: item.id for item in all_items(store).values()}
        wider = writer.add_root(place("a"), is_file=False)
    assert store.roots() == [apart, wider]
    assert {item.uri: item.id for item in all_items(store).values()} == before
    assert_vectors(store, {b"b\xff/x\xfe/y.png": "cat", b"one.png": "dog", b"z.png": "cow"})
    assert store.failures() == [failure(wider, b"b\xff/bad\xfe.png")]


def test_a_file_root_covers_only_itself(store):
    with store.writer() as writer:
        root = writer.add_root(place("a.png"), is_file=True)
        assert writer.root_for(place("a.png")) == (root, b"")
        assert writer.root_for(place("a.png", "b")) is None


def test_a_file_that_became_a_folder_is_the_same_root(store):
    with store.writer() as writer:
        root = writer.add_root(place("a"), is_file=True)
        now = writer.add_root(place("a"), is_file=False)
    assert now.number == root.number
    assert store.roots() == [now]
    assert not now.is_file


def test_removing_a_folder_takes_what_lies_in_it_and_nothing_beside_it(store):
    contents = {b"b/x.png": "1", b"b": "2", b"b.png": "3", b"bc/x.png": "4"}
    root, _ = filled(store, contents, place("a"))
    with store.writer() as writer:
        writer.note_failures([failure(root, b"b/bad.png"), failure(root, b"bad.png")])
        assert writer.remove_below(place("a", "b")) == 2
    assert_vectors(store, {b"b.png": "3", b"bc/x.png": "4"})
    assert [each.key for each in store.failures()] == [b"bad.png"]
    assert store.roots() == [root]


def test_removing_above_roots_forgets_them(store):
    filled(store, {b"x.png": "1"}, place("a", "b"))
    apart, _ = filled(store, {b"y.png": "2"}, place("c"))
    with store.writer() as writer:
        assert writer.remove_below(place("a")) == 1
        assert writer.remove_below(place("nothing", "here")) == 0
    assert store.roots() == [apart]
    assert_vectors(store, {b"y.png": "2"})


def test_items_of_a_root_that_is_away_stay_until_they_are_pruned(store):
    root, _ = filled(store, {b"x.png": "1", b"z.png": "3"}, place("a"))
    filled(store, {b"y/longer/path.png": "1"}, place("c"))
    with store.writer() as writer:
        writer.set_offline(root.number, True)
        assert store.counts().offline == 2
        with store.snapshot() as snapshot:
            shown = snapshot.items_of([0])[0]
            assert [(item.key, item.offline) for item in shown] == [(b"y/longer/path.png", False), (b"x.png", True)]
            before = snapshot.generation
        writer.set_offline(root.number, True)
        with store.snapshot() as snapshot:
            assert snapshot.generation == before
        assert writer.known(root.number, [b"x.png"])[b"x.png"].offline
        assert writer.prune_offline() == 2
    assert_vectors(store, {b"y/longer/path.png": "1"})
    assert len(store.roots()) == 1
