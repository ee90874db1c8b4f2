"""Records of index files: one current and one unfinished for a space, and no file that nothing names."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from lookalike.core.errors import CollectionBusy, CollectionReadOnly
from lookalike.store.collection_store import Store
from stored_files import ENCODER, filled, found

ROOT = os.fsencode(os.path.join(os.path.abspath(os.sep), "photos"))
SPEC = {"kind": "flat"}


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "c.lookalike") as opened:
        filled(opened, {b"a.png": "a", b"b.png": "b", b"c.png": "c"}, ROOT)
        yield opened


def built(store: Store, spec=SPEC, reason: str = "because"):
    """A record that was begun, with a file where its index belongs."""
    space = store.current_space()
    record = store.begin_index(space, spec, reason)
    file = store.index_path(space, record)
    for path in (file, file.with_name(file.name + ".json")):
        path.write_bytes(b"index")
    return record


def index_files(store: Store) -> set[str]:
    return {file.name for file in store.path.glob("spaces/*/index-*")}


def files_of(record) -> set[str]:
    return {record.file, record.file + ".json"}


def test_an_index_serves_searches_from_its_publishing_on(store):
    record = built(store)
    assert store.index_of(store.current_space()) is None
    assert store.publish_index(replace(record, point={"effort": 3}, measured={"ms": 0.5}))
    with store.snapshot() as snapshot:
        assert snapshot.index_path == store.index_path(snapshot.space, record)
        assert snapshot.index_path.exists()
        index = snapshot.index
    assert (index.count, index.spec, index.point, index.measured) == (3, SPEC, {"effort": 3}, {"ms": 0.5})
    assert (index.current, index.reason) == (True, "because")
    assert index.made_ns > 0
    assert store.unfinished_index(store.current_space()) is None


def test_publishing_and_a_new_point_are_changes_that_searches_see(store):
    generations = []

    def note() -> None:
        with store.snapshot() as snapshot:
            generations.append(snapshot.generation)

    note()
    record = built(store)
    store.publish_index(record)
    note()
    store.set_index_point(record, {"effort": 9}, {})
    note()
    assert store.index_of(store.current_space()).point == {"effort": 9}
    store.drop_index(store.current_space(), record)
    note()
    assert generations == sorted(set(generations))


def test_the_next_index_takes_the_place_of_the_one_before_and_its_files_go(store):
    first, second = built(store), None
    store.publish_index(first)
    second = built(store)
    assert index_files(store) == files_of(first) | files_of(second)
    assert store.publish_index(second)
    assert index_files(store) == files_of(second)
    assert store.index_of(store.current_space()).number == second.number


def test_a_snapshot_keeps_the_index_of_its_moment(store):
    first = built(store)
    store.publish_index(first)
    with store.snapshot() as snapshot:
        store.publish_index(built(store))
        assert snapshot.index.number == first.number


def test_an_unfinished_index_keeps_its_files_until_another_is_begun(store):
    record = built(store)
    store.writer().close()  # a writer tidies what nothing names
    assert store.unfinished_index(store.current_space()) == record
    assert index_files(store) == files_of(record)
    other = built(store)
    store.writer().close()
    assert index_files(store) == files_of(other)


def test_rows_added_meanwhile_do_not_touch_an_index(store):
    record = built(store)
    with store.writer() as writer:
        root = writer.add_root(ROOT, is_file=False)
        writer.put(store.current_space(), [found(root, b"d.png", "d")])
    assert store.publish_index(record)
    with store.snapshot() as snapshot:
        assert (snapshot.index.count, snapshot.count) == (3, 4)


def test_compaction_ends_the_indexes_of_the_old_epoch(store):
    store.publish_index(built(store))
    unfinished = built(store)
    with store.writer() as writer:
        writer.remove_below(os.path.join(ROOT, b"a.png"))
        writer.compact()
    assert index_files(store) == set()
    with store.snapshot() as snapshot:
        assert snapshot.index is None
        assert snapshot.index_path is None
    assert not store.publish_index(unfinished)
    assert store.index_of(store.current_space()) is None


def test_a_compaction_that_moves_no_row_keeps_the_index(store):
    record = built(store)
    store.publish_index(record)
    with store.writer() as writer:
        writer.compact()
    assert store.index_of(store.current_space()).number == record.number
    assert index_files(store) == files_of(record)


def test_a_dropped_space_takes_its_index_along(store):
    store.publish_index(built(store))
    old = store.current_space()
    with store.writer() as writer:
        fresh = writer.create_space("other-0123456789ab", "other", ENCODER[2])
        writer.switch_to(fresh)
        writer.drop_space(old)
    assert index_files(store) == set()
    assert [each.name for each in (store.path / "spaces").iterdir()] == [fresh.slug]


def test_an_unusable_file_is_set_aside_and_the_next_writer_removes_it(store):
    record = built(store)
    store.publish_index(record)
    assert store.drop_index(store.current_space(), record, unusable=True)
    assert record.file not in index_files(store)
    assert record.file + ".unusable" in index_files(store)
    assert not store.drop_index(store.current_space(), record, unusable=True)
    store.writer().close()
    assert index_files(store) == set()


def test_one_process_builds_at_a_time_while_another_writes(store):
    with store.writer(), store.building_index():
        with pytest.raises(CollectionBusy, match="building an index") as busy, store.building_index():
            pass
        assert busy.value.pid == os.getpid()
    with store.building_index():
        pass


def test_short_writes_do_not_need_the_writer(store):
    with store.writer():
        store.set_setting("index", {"kind": "flat"})
        store.publish_index(built(store))
    assert store.setting("index") == {"kind": "flat"}


def test_a_collection_that_cannot_be_written_keeps_its_index(store):
    record = built(store)
    store.publish_index(record)
    with Store.open(store.path, read_only=True) as reading:
        space = reading.current_space()
        assert reading.index_of(space).number == record.number
        for change in (
            lambda: reading.drop_index(space, record),
            lambda: reading.begin_index(space, SPEC, ""),
            lambda: reading.set_setting("index", 1),
            reading.building_index,
        ):
            with pytest.raises(CollectionReadOnly):
                change()
