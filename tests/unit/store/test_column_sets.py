"""A set of columns serves its own moment only; without one, or with a damaged one, SQL answers the same."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from lookalike.store import column_sets
from lookalike.store import snapshot as snapshots
from lookalike.store.collection_store import Store
from stored_files import ENCODER, filled, found, vector_of

TOP = os.path.abspath(os.sep)
ROOT = os.fsencode(os.path.join(TOP, "pictures"))
CONTENTS = {b"a/x.png": "1", b"a/y/z.png": "2", b"a-.png": "3", b"b/x.png": "1"}
BELOW_A = os.fsencode(os.path.join(TOP, "pictures", "a"))


@pytest.fixture
def store(tmp_path: Path):
    with Store.open(tmp_path / "c.lookalike") as opened:
        filled(opened, CONTENTS, ROOT)
        make(opened)
        yield opened


def make(store: Store) -> bool:
    with store.writer() as writer:
        return writer.make_columns(least=1)


def has_columns(store: Store) -> bool:
    with store.snapshot() as snapshot:
        return snapshot.columns() is not None


def mask(store: Store) -> list[bool]:
    with store.snapshot() as snapshot:
        return snapshot.mask_below(BELOW_A).tolist()


def folders(store: Store) -> list[str]:
    return sorted(path.name for path in (store.path / "columns").iterdir())


def test_columns_serve_until_an_item_changes_and_again_when_they_are_made_anew(store):
    assert has_columns(store)
    with store.writer() as writer:
        root, _ = writer.root_for(ROOT)
        writer.put(store.current_space(), [found(root, b"a/new.png", "4")])
    assert not has_columns(store)
    assert mask(store) == [True, True, False, True]
    assert make(store)
    assert has_columns(store)
    assert mask(store) == [True, True, False, True]


def test_columns_of_a_snapshot_stay_while_newer_ones_are_made(store):
    with store.snapshot() as before:
        columns = before.columns()
        rows = columns.rows()
        with store.writer() as writer:
            writer.remove_below(BELOW_A)
            writer.make_columns(least=1)
        assert len(rows) == 4
        assert before.mask_below(BELOW_A).tolist() == [True, True, False]
    assert len(folders(store)) == 1
    assert mask(store) == [False, False, False]


def test_what_changes_no_item_leaves_columns_in_use(store):
    space = store.current_space()
    record = store.begin_index(space, {"kind": "flat"}, "to see")
    assert store.publish_index(record)
    with store.writer() as writer:
        root, _ = writer.root_for(ROOT)
        writer.set_offline(root.number, True)
        other = writer.create_space("other-0123456789ab", "other", ENCODER[2])
        pictures = [number for number, _ in writer.missing_rows(other, 0, 10)]
        assert len(pictures) == 3
        writer.put_vectors(other, pictures, [vector_of(str(each)) for each in pictures])
    with store.snapshot() as now, store.snapshot(other) as there:
        assert now.columns() is not None
        assert there.columns() is None


def test_columns_end_with_their_epoch_and_with_their_space(store):
    with store.writer() as writer:
        writer.remove_below(BELOW_A)
        writer.compact()
    assert not has_columns(store)
    assert make(store)
    with store.writer() as writer:
        other = writer.create_space("other-0123456789ab", "other", ENCODER[2])
        former = store.current_space()
        writer.switch_to(other)
        writer.drop_space(former)
    assert not has_columns(store)
    with store.writer():
        assert folders(store) == []


def test_making_columns_again_without_a_change_does_nothing(store):
    with store.snapshot() as snapshot:
        generation = snapshot.generation
    assert make(store)
    with store.snapshot() as snapshot:
        assert snapshot.generation == generation


def test_small_collections_have_no_columns(tmp_path):
    with Store.open(tmp_path / "c.lookalike") as store:
        with store.writer() as writer:
            assert not writer.make_columns()
        filled(store, CONTENTS, ROOT)
        with store.writer() as writer:
            assert not writer.make_columns()
        assert not has_columns(store)


def test_making_stops_when_it_is_asked_to_and_leaves_nothing(store):
    stop = threading.Event()
    stop.set()
    with store.writer() as writer:
        writer.remove_below(BELOW_A)
        assert not writer.make_columns(least=1, stop=stop)
        assert "unfinished" not in folders(store)
    assert not has_columns(store)


@pytest.mark.parametrize("harm", ["manifest gone", "manifest changed", "file gone", "file cut", "folder gone"])
def test_damaged_columns_are_not_used_and_are_made_anew(store, harm):
    (folder,) = (store.path / "columns").iterdir()
    file = folder / ("manifest.json" if "manifest" in harm else "folder.codes.npy")
    if harm.endswith("changed"):
        file.write_bytes(file.read_bytes() + b" ")
    elif harm.endswith("cut"):
        os.truncate(file, file.stat().st_size - 1)
    else:
        for each in folder.iterdir() if harm == "folder gone" else [file]:
            each.unlink()
    assert mask(store) == [True, True, False]
    assert make(store)
    assert mask(store) == [True, True, False]
    assert len(folders(store)) == 1
    assert has_columns(store)


@pytest.fixture
def merging(monkeypatch):
    monkeypatch.setattr(column_sets, "MERGED_SHARE", float("inf"))


def change_something(store: Store) -> None:
    with store.writer() as writer:
        root, _ = writer.root_for(ROOT)
        writer.put(store.current_space(), [found(root, b"a/new.png", "4")])


@pytest.mark.usefixtures("merging")
def test_a_damaged_file_is_not_copied_into_the_next_set(store):
    (file,) = store.path.glob("columns/*/size.values.npy")
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    change_something(store)
    assert make(store)
    assert list(store.verify()) == []
    with store.snapshot() as snapshot:
        assert snapshot.columns().numbers("size").tolist() == [1000] * 5


@pytest.mark.usefixtures("merging")
def test_a_field_declared_a_date_is_one_in_the_next_set(store):
    with store.writer() as writer:
        root, _ = writer.root_for(ROOT)
        writer.put(store.current_space(), [found(root, b"a/d.png", "5", metadata={"sold": "2024-05-01"})])
        writer.make_columns(least=1)
    with store.snapshot() as snapshot:
        assert snapshot.columns().kind("metadata.sold") == "text"
    with store.writer() as writer:
        writer.set_setting("fields", {"sold": "date"})
    change_something(store)
    assert make(store)
    with store.snapshot() as snapshot:
        assert snapshot.columns().kind("metadata.sold") == "date"


def test_verify_finds_a_changed_byte(store):
    assert list(store.verify()) == []
    (file,) = store.path.glob("columns/*/size.values.npy")
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    assert [problem for problem in store.verify() if "size.values.npy" in problem]


def test_a_collection_that_cannot_be_written_uses_its_columns(store):
    store.close()
    with Store.open(store.path, read_only=True) as closed:
        assert has_columns(closed)
        assert mask(closed) == [True, True, False]


def test_masks_by_columns_ask_sql_for_one_place_only(store, monkeypatch):
    asked = []
    monkeypatch.setattr(snapshots, "at_or_below_sql", lambda *_, **__: asked.append(1))
    assert mask(store) == [True, True, False]
    assert not asked


PROGRAM = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from lookalike.store import column_making, column_sets
from lookalike.store.collection_store import Store
from stored_files import ENCODER, found
column_making.PIECE = 20
column_sets.MERGED_SHARE = float("inf")
with Store.open(Path(sys.argv[1])) as store:
    for run in range(10_000):
        with store.writer() as writer:
            root = writer.add_root(sys.argv[3].encode(), is_file=False)
            space = writer.create_space(*ENCODER)
            keys = [b"%d/%04d" % (number % 3, number) for number in range(run, run + 200)]
            writer.put(space, [found(root, key, str(key), metadata={"run": run}) for key in keys])
            print(run, flush=True)
            writer.make_columns(least=1)
"""


def test_killed_at_any_instant_a_collection_opens_and_its_columns_are_right(tmp_path):
    draw = random.Random(0)
    path = tmp_path / "c.lookalike"
    tests = str(Path(__file__).parents[2])
    for _ in range(5):
        command = [sys.executable, "-c", PROGRAM, str(path), tests, os.fsdecode(ROOT)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            process.stdout.readline()
            threading.Event().wait(draw.uniform(0, 0.2))
            process.kill()
        with Store.open(path) as store:
            assert list(store.verify()) == []
            by_either = mask_of_a_third(store)
            assert make(store)
            assert mask_of_a_third(store) == by_either
            assert len(folders(store)) == 1
            with store.snapshot() as snapshot:
                assert snapshot.columns().is_there()


def mask_of_a_third(store: Store) -> list[bool]:
    with store.snapshot() as snapshot:
        below = snapshot.mask_below(os.path.join(ROOT, b"1")).tolist()
        items = snapshot.items_of(range(snapshot.count))
    assert below == [any(item.key.startswith(b"1/") for item in items[row]) for row in range(len(below))]
    return below
