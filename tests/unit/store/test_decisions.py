"""What people decided about duplicates holds after moves, changes of metadata, and when contents come back."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from lookalike.store.collection_store import Store
from stored_files import ENCODER, found, recognised

if TYPE_CHECKING:
    from pathlib import Path

ROOT = os.fsencode(os.path.abspath("/pictures"))


@pytest.fixture
def store(tmp_path: Path):
    with Store.open(tmp_path / "c.lookalike") as opened:
        yield opened


@pytest.fixture
def root(store):
    with store.writer() as writer:
        root = writer.add_root(ROOT, is_file=False)
        space = writer.create_space(*ENCODER)
        names = ("cat", "dog", "hen")
        writer.put(space, [*(found(root, name.encode(), name) for name in names), recognised(root, b"cat 2", "cat")])
    return root


def ids(store: Store) -> dict[str, str]:
    """Names of files -> ids of their items."""
    with store.snapshot() as snapshot:
        return {os.fsdecode(each.key): each.id for items in snapshot.items_of(range(9)).values() for each in items}


def pictures(store: Store) -> dict[str, int]:
    with store.snapshot() as snapshot:
        items = [each for items in snapshot.items_of(range(9)).values() for each in items]
        return {os.fsdecode(each.key): each.picture for each in items}


def are_apart(store: Store, one: str, other: str) -> bool:
    by_id, by_picture = ids(store), pictures(store)
    with store.snapshot() as snapshot:
        return snapshot.apart().parts((by_id[one], by_picture[one]), (by_id[other], by_picture[other]))


def put(store: Store, *files) -> None:
    with store.writer() as writer:
        writer.put(store.current_space(), files)


def remove(store: Store, name: str) -> None:
    with store.writer() as writer:
        writer.remove_below(ROOT + os.fsencode(os.sep + name))


def test_two_that_are_apart_stay_so_with_all_copies_of_their_pictures(store, root):
    by_name = ids(store)
    store.likenesses.put_apart([(by_name["dog"], by_name["cat"])])
    assert are_apart(store, "cat", "dog")
    assert are_apart(store, "dog", "cat 2")
    assert not are_apart(store, "cat", "hen")
    assert not are_apart(store, "cat", "cat 2")
    (decision,) = store.likenesses.apart()
    assert {decision.first, decision.second} == {by_name["cat"], by_name["dog"]}
    assert decision.decided_ns > 0


def test_it_holds_when_metadata_was_written_into_a_file_and_when_its_content_came_back_elsewhere(store, root):
    by_name = ids(store)
    store.likenesses.put_apart([(by_name["cat"], by_name["dog"])])
    put(store, found(root, b"dog", "dog", rating="*****"))
    assert are_apart(store, "cat", "dog")
    remove(store, "dog")
    with store.writer() as writer:
        writer.compact()
    put(store, found(root, b"again", "dog"))
    assert ids(store)["again"] != by_name["dog"]
    assert are_apart(store, "cat", "again")


def test_two_places_of_one_picture_can_be_apart_and_part_nothing_else(store, root):
    by_name = ids(store)
    store.likenesses.put_apart([(by_name["cat"], by_name["cat 2"])])
    assert are_apart(store, "cat", "cat 2")
    put(store, recognised(root, b"cat 3", "cat"))
    assert not are_apart(store, "cat", "cat 3")


def test_a_decision_can_be_taken_back_by_any_item_that_shows_the_same(store, root):
    by_name = ids(store)
    store.likenesses.put_apart([(by_name["cat"], by_name["dog"]), (by_name["cat"], by_name["hen"])])
    assert store.likenesses.forget_apart([(by_name["dog"], by_name["cat 2"])]) == 1
    assert not are_apart(store, "cat", "dog")
    assert are_apart(store, "cat", "hen")
    assert store.likenesses.forget_apart([(by_name["dog"], by_name["cat"])]) == 0


def test_items_that_are_not_there_cannot_be_decided_about(store, root):
    by_name = ids(store)
    for pair in ((by_name["cat"], "nobody"), (by_name["cat"], by_name["cat"])):
        with pytest.raises(ValueError, match=r"nobody|itself"):
            store.likenesses.put_apart([pair])
    with pytest.raises(ValueError, match="nobody"):
        store.likenesses.put_kept(["nobody"])
    assert store.likenesses.apart() == []


def test_what_is_to_be_kept_stays_chosen_and_the_last_choice_is_the_latest(store, root):
    by_name = ids(store)
    store.likenesses.put_kept([by_name["cat"]])
    store.likenesses.put_kept([by_name["dog"]])
    with store.snapshot() as snapshot:
        kept = snapshot.kept()
    assert set(kept) == {by_name["cat"], by_name["dog"]}
    assert kept[by_name["cat"]] <= kept[by_name["dog"]]
    assert store.likenesses.forget_kept([by_name["cat"], by_name["hen"]]) == 1
    with store.snapshot() as snapshot:
        assert set(snapshot.kept()) == {by_name["dog"]}


def test_a_choice_holds_for_the_same_bytes_in_another_place(store, root):
    store.likenesses.put_kept([ids(store)["dog"]])
    remove(store, "dog")
    put(store, found(root, b"again", "dog"))
    with store.snapshot() as snapshot:
        assert set(snapshot.kept()) == {ids(store)["again"]}
