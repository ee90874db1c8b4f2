"""Fingerprints, sketches and likenesses go with their pictures; what changed is looked at again."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np
import pytest

from lookalike.core.errors import CollectionReadOnly
from lookalike.core.records import Fingerprint
from lookalike.store.collection_store import Store
from lookalike.store.database import DATABASE
from lookalike.store.likenesses import PairRecord
from stored_files import ENCODER, found, recognised

if TYPE_CHECKING:
    from pathlib import Path

ROOT = os.fsencode(os.path.abspath("/pictures"))
METHOD = 3


def print_of(number: int) -> Fingerprint:
    return Fingerprint(bytes([number]) * 32, 50 + number, sketch=b"sketch %d" % number)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "c.lookalike"


@pytest.fixture
def store(path):
    with Store.open(path) as opened:
        yield opened


@pytest.fixture
def root(store):
    """Five pictures, all but the last with a fingerprint."""
    with store.writer() as writer:
        root = writer.add_root(ROOT, is_file=False)
        space = writer.create_space(*ENCODER)
        files = [
            found(root, b"%d.png" % number, f"picture {number}", fingerprint=print_of(number) if number < 5 else None)
            for number in range(1, 6)
        ]
        writer.put(space, files)
    return root


def pair(first: int, second: int, kind: str = "copy", method: int = METHOD) -> PairRecord:
    return PairRecord(first, second, kind, 0.9, "half the size", method)


def not_looked_at(store: Store, method: int = METHOD) -> list[int]:
    with store.snapshot() as snapshot:
        return snapshot.not_looked_at(method).tolist()


def pairs(store: Store, *kinds: str) -> list[tuple[int, int]]:
    with store.snapshot() as snapshot:
        return [(each.first, each.second) for each in snapshot.likenesses(kinds)]


def forget(store: Store, key: bytes) -> None:
    with store.writer() as writer:
        writer.remove_below(ROOT + os.fsencode(os.sep) + key)


def test_fingerprints_come_with_their_pictures(store, root):
    with store.snapshot() as snapshot:
        prints = snapshot.fingerprints()
        assert prints.pictures.tolist() == [1, 2, 3, 4]
        assert prints.quality.tolist() == [51, 52, 53, 54]
        np.testing.assert_array_equal(prints.bits, np.repeat([[1], [2], [3], [4]], 32, axis=1))
        assert snapshot.fingerprints_of([0, 1, 4, 99]) == {0: (b"\x01" * 32, 51), 1: (b"\x02" * 32, 52)}
        numbers, rows = snapshot.pictures()
        assert (numbers.tolist(), rows.tolist()) == ([1, 2, 3, 4, 5], [0, 1, 2, 3, 4])


def test_what_lies_within_a_border_has_its_own_which_goes_with_the_picture_too(store, root):
    store.likenesses.put_fingerprints([(5, Fingerprint(bytes(32), 60, inner=b"\x07" * 32))])
    with store.snapshot() as snapshot:
        prints = snapshot.fingerprints()
    assert (prints.pictures.tolist(), prints.bordered.tolist()) == ([1, 2, 3, 4, 5], [5])
    np.testing.assert_array_equal(prints.inner, np.full((1, 32), 7))
    forget(store, b"5.png")
    with store.writer() as writer:
        writer.compact()
    with store.snapshot() as snapshot:
        assert len(snapshot.fingerprints().bordered) == 0


def test_sketches_come_with_their_pictures_and_go_with_them(store, root):
    with store.snapshot() as snapshot:
        assert snapshot.sketches([1, 4, 5, 99]) == {1: b"sketch 1", 4: b"sketch 4"}
    forget(store, b"1.png")
    with store.writer() as writer:
        writer.compact()
    with store.snapshot() as snapshot:
        assert snapshot.sketches([1, 2]) == {2: b"sketch 2"}


def test_a_picture_without_one_is_named_with_its_items_and_filled_later(store, root):
    assert (store.likenesses.count_without_fingerprint(), store.likenesses.count_without_sketch()) == (1, 1)
    ((picture, items),) = store.likenesses.pictures_without_sketch(0, 10)
    assert (picture, [item.key for item in items]) == (5, [b"5.png"])
    assert store.likenesses.pictures_without_sketch(5, 10) == []
    store.likenesses.put_fingerprints([(5, print_of(5)), (1, print_of(9))])
    assert (store.likenesses.count_without_fingerprint(), store.likenesses.count_without_sketch()) == (0, 0)
    with store.snapshot() as snapshot:
        assert snapshot.fingerprints_of([0, 4]) == {0: (b"\x01" * 32, 51), 4: (b"\x05" * 32, 55)}
        assert snapshot.sketches([1, 5]) == {1: b"sketch 1", 5: b"sketch 5"}


def test_a_picture_that_has_a_fingerprint_but_no_sketch_gets_one_and_is_looked_at_again(store, root):
    without = Fingerprint(bytes(32), 60)
    store.likenesses.put_fingerprints([(5, without)])
    store.likenesses.put([], [1, 2, 3, 4, 5], METHOD)
    assert (store.likenesses.count_without_fingerprint(), store.likenesses.count_without_sketch()) == (0, 1)
    assert [picture for picture, _ in store.likenesses.pictures_without_sketch(0, 10)] == [5]
    store.likenesses.put_fingerprints([(5, print_of(5))])
    assert store.likenesses.count_without_sketch() == 0
    assert not_looked_at(store) == [5]


def test_what_was_said_of_a_picture_unseen_is_forgotten_when_it_can_be_seen(store, root):
    judged = [pair(1, 2), pair(1, 5), pair(4, 5, "edited"), pair(3, 5, "burst")]
    store.likenesses.put(judged, [1, 2, 3, 4, 5], METHOD)
    store.likenesses.put_fingerprints([(1, print_of(1)), (5, print_of(5))])
    assert pairs(store) == [(1, 2), (3, 5)]
    assert not_looked_at(store) == [5]


def test_only_pictures_that_nobody_looked_at_are_asked_for(store, root):
    assert not_looked_at(store) == [1, 2, 3, 4, 5]
    store.likenesses.put([pair(1, 2)], [1, 2, 3, 4, 5], METHOD)
    assert not_looked_at(store) == []
    assert not_looked_at(store, METHOD + 1) == [1, 2, 3, 4, 5]
    with store.writer() as writer:
        writer.put(store.current_space(), [found(root, b"6.png", "picture 6"), recognised(root, b"7.png", "picture 1")])
    assert not_looked_at(store) == [6]
    assert pairs(store) == [(1, 2)]


def test_a_fingerprint_that_comes_later_has_its_picture_looked_at_again(store, root):
    store.likenesses.put([], [1, 5], METHOD)
    store.likenesses.put_fingerprints([(1, print_of(9)), (5, print_of(5))])
    assert not_looked_at(store) == [2, 3, 4, 5]


def test_likenesses_are_told_by_kind_and_by_picture_and_said_anew(store, root):
    store.likenesses.put([pair(1, 2), pair(2, 3, "burst"), pair(4, 5, "edited")], [], METHOD)
    store.likenesses.put([pair(4, 5, "copy")], [], METHOD)
    assert pairs(store) == [(1, 2), (2, 3), (4, 5)]
    assert pairs(store, "copy", "edited") == [(1, 2), (4, 5)]
    with store.snapshot() as snapshot:
        assert snapshot.likenesses_of([2]) == [pair(1, 2), pair(2, 3, "burst")]


def test_what_is_seen_nowhere_is_told_nowhere_and_comes_back_with_its_likenesses(store, root):
    store.likenesses.put([pair(1, 2), pair(2, 3)], [1, 2, 3, 4, 5], METHOD)
    forget(store, b"1.png")
    assert pairs(store) == [(2, 3)]
    assert not_looked_at(store) == []
    with store.writer() as writer:
        writer.put(store.current_space(), [recognised(root, b"back.png", "picture 1")])
    assert pairs(store) == [(1, 2), (2, 3)]
    assert not_looked_at(store) == [1]  # others may have come meanwhile


def test_compacting_drops_all_that_was_known_of_a_picture(store, root):
    store.likenesses.put([pair(1, 2), pair(2, 3)], [1, 2, 3], METHOD)
    forget(store, b"2.png")
    with store.writer() as writer:
        assert writer.compact().pictures == 1
    assert pairs(store) == []
    with store.snapshot() as snapshot:
        assert snapshot.fingerprints().pictures.tolist() == [1, 3, 4]
        assert snapshot.pictures()[1].tolist() == [0, 1, 2, 3]
    assert list(store.verify()) == []


def test_pictures_that_went_while_they_were_judged_are_passed_over(store, root):
    store.likenesses.put([pair(1, 2), pair(3, 99)], [1, 99], METHOD)
    assert pairs(store) == [(1, 2)]
    assert not_looked_at(store) == [2, 3, 4, 5]


def test_what_an_older_method_said_can_be_forgotten_and_what_is_doubted_unless_it_is_found_anew(store, root):
    store.likenesses.put([pair(1, 2)], [1, 2], METHOD)
    store.likenesses.put([pair(3, 4, method=METHOD + 1)], [3, 4], METHOD + 1)
    store.likenesses.forget(METHOD + 1)
    assert pairs(store) == [(3, 4)]
    assert not_looked_at(store) == [1, 2, 5]
    store.likenesses.put([pair(1, 2)], [], METHOD + 1)
    store.likenesses.doubt()
    assert pairs(store) == [(1, 2), (3, 4)]
    assert not_looked_at(store) == [1, 2, 3, 4, 5]
    store.likenesses.put([pair(1, 2, method=METHOD + 1)], [1, 2], METHOD + 1)
    store.likenesses.forget_doubted()
    assert pairs(store) == [(1, 2)]


def test_a_fingerprint_or_a_likeness_of_no_picture_is_noticed(store, root, path):
    with closing(sqlite3.connect(path / DATABASE)) as connection, connection:
        connection.execute("INSERT INTO fingerprints (picture, bits, quality) VALUES (99, zeroblob(32), 5)")
    assert list(store.verify()) == ["the database: a row of fingerprints points to nothing in pictures"]


def test_writing_waits_for_nobody_who_holds_the_lock_and_changes_no_answer(store, root):
    with store.snapshot() as before, store.writer():
        store.likenesses.put([pair(1, 2)], [1, 2], METHOD)
        store.likenesses.put_fingerprints([(5, print_of(5))])
        with store.snapshot() as after:
            assert after.generation == before.generation


def test_a_collection_that_cannot_be_written_is_read_and_not_changed(store, root, path):
    store.likenesses.put([pair(1, 2)], [1, 2], METHOD)
    store.close()
    with Store.open(path, read_only=True) as reading:
        assert pairs(reading) == [(1, 2)]
        with pytest.raises(CollectionReadOnly):
            reading.likenesses.put([], [], METHOD)


def test_a_collection_of_an_earlier_format_has_none_yet_where_nothing_can_be_written(store, root, path):
    store.close()
    with closing(sqlite3.connect(path / DATABASE)) as connection:
        connection.execute("DROP TRIGGER pictures_looked_update")
        connection.execute("DROP TRIGGER fingerprints_looked_insert")
        connection.execute("DROP TRIGGER sketches_looked_insert")
        for table in (
            "sketches",
            "inner_fingerprints",
            "fingerprints",
            "looked",
            "likenesses",
            "apart",
            "kept",
            "moves",
            "move_runs",
        ):
            connection.execute(f"DROP TABLE {table}")
        connection.execute("PRAGMA user_version = 5")
    with Store.open(path, read_only=True) as reading, reading.snapshot() as snapshot:
        assert len(snapshot.fingerprints().pictures) == 0
        assert snapshot.sketches([1, 2]) == {}
        assert snapshot.not_looked_at(METHOD).tolist() == [1, 2, 3, 4, 5]
        assert (list(snapshot.likenesses()), snapshot.kept(), snapshot.apart().items) == ([], {}, frozenset())
    with Store.open(path) as again:
        assert again.likenesses.count_without_sketch() == 5
        assert list(again.verify()) == []
