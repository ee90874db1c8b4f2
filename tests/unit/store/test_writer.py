"""One writer at a time, readers at any time, and a full disk or a killed writer costs nothing that was committed."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from lookalike.core.errors import CollectionBusy
from lookalike.store.collection_store import Store
from stored_files import ENCODER, assert_vectors, filled, found, row_of, stored_vectors

TESTS = str(Path(__file__).parents[2])
ROOT = os.fsencode(os.path.abspath("/pictures"))
GENERATIONS = 20
"""As many are seen by the one who reads while another process writes."""

HOLDS_THE_LOCK = """
import sys
from pathlib import Path
from lookalike.store.collection_store import Store
with Store.open(Path(sys.argv[1])) as store, store.writer():
    print("writing", flush=True)
    sys.stdin.read()
"""

PUTS_AND_COMPACTS = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from stored_files import ENCODER, found
from lookalike.store.collection_store import Store
start = int(sys.argv[3])
with Store.open(Path(sys.argv[1])) as store, store.writer() as writer:
    root = writer.add_root(sys.argv[4].encode(), is_file=False)
    space = writer.create_space(*ENCODER)
    for batch in range(start, start + 1000):
        names = [f"{batch}/{number}" for number in range(5)]
        writer.put(space, [found(root, name.encode(), name) for name in names])
        print("put", batch, flush=True)
        if batch % 2:
            writer.remove_below(f"{sys.argv[4]}/{batch}/0".encode())
            print("removed", batch, flush=True)
            writer.compact()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "c.lookalike"


def test_a_second_writer_is_refused_at_once_with_the_process_id_of_the_first(path):
    Store.open(path).close()
    command = [sys.executable, "-c", HOLDS_THE_LOCK, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as first:
        assert first.stdout.readline().strip() == b"writing"
        with Store.open(path) as store:
            with pytest.raises(CollectionBusy) as refused:
                store.writer()
            assert refused.value.pid == first.pid
            assert str(first.pid) in str(refused.value)
            first.communicate()
            store.writer().close()


def test_two_writers_in_one_process_are_refused_too(path):
    with Store.open(path) as store, store.writer():
        with pytest.raises(CollectionBusy) as refused:
            store.writer()
        assert refused.value.pid == os.getpid()


def test_a_dead_writers_lock_is_free(path):
    Store.open(path).close()
    command = [sys.executable, "-c", HOLDS_THE_LOCK, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as first:
        first.stdout.readline()
        first.kill()
        first.wait()
        with Store.open(path) as store:
            store.writer().close()


def test_readers_see_only_whole_batches_while_another_process_writes(path):
    with Store.open(path) as store:
        filled(store, {}, ROOT)
        command = [sys.executable, "-c", PUTS_AND_COMPACTS, str(path), TESTS, "0", os.fsdecode(ROOT)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as writing:
            writing.stdout.readline()
            seen: set[int] = set()
            while len(seen) < GENERATIONS:
                assert writing.poll() is None, "the writer stood still while there were readers"
                with store.snapshot() as snapshot:
                    items = snapshot.items_of(range(snapshot.count))
                    shown = {item.key.decode(): row for row, its in items.items() for item in its}
                    batches = {key.split("/")[0] for key in shown}
                    assert len(shown) >= 4 * len(batches), "half a batch is visible"
                    for key, row in random.Random(1).sample(sorted(shown.items()), min(20, len(shown))):
                        np.testing.assert_array_equal(snapshot.rows[row], row_of(key))
                    seen.add(snapshot.generation)
            writing.kill()
            writing.wait()


def test_a_writer_killed_at_any_instant_loses_nothing_it_had_reported(path):
    """Twelve kills inside loops of put, remove and compact; after each the collection is whole."""
    chance = random.Random(8)
    for kill in range(12):
        start = 1000 * kill
        command = [sys.executable, "-c", PUTS_AND_COMPACTS, str(path), TESTS, str(start), os.fsdecode(ROOT)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writing:
            reported = [writing.stdout.readline()]
            time.sleep(chance.random() * 0.3)
            writing.kill()
            reported += writing.stdout.readlines()
        with Store.open(path) as store:
            assert list(store.verify()) == []
            stored = stored_vectors(store)
        for key, vector in stored.items():
            np.testing.assert_array_equal(vector, row_of(key.decode()))
        done = [line.split() for line in reported if line.endswith("\n")]
        removed = {batch for word, batch in done if word == "removed"}
        for word, batch in done:
            if word == "put":
                there = {number for number in range(5) if f"{batch}/{number}".encode() in stored}
                assert there >= {1, 2, 3, 4}
                assert 0 not in there if batch in removed else True


FILLS_THE_DISK = """
import resource, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from stored_files import ENCODER, found
from lookalike.core.errors import OutOfSpace
from lookalike.store.collection_store import Store
with Store.open(Path(sys.argv[1])) as store, store.writer() as writer:
    root = writer.add_root(sys.argv[3].encode(), is_file=False)
    space = writer.create_space(*ENCODER)
    limit = int(sys.argv[4])
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        for batch in range(10_000):
            names = [f"{batch}/{number}" for number in range(20)]
            writer.put(space, [found(root, name.encode(), name) for name in names])
            print("put", batch, flush=True)
    except OutOfSpace as full:
        print("full", full.hint, flush=True)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    writer.put(space, [found(root, b"room.png", "cow")])
"""


@pytest.mark.parametrize("limit", [9_000, 60_000, 300_000])
def test_a_full_disk_keeps_everything_committed_and_the_next_run_goes_on(path, limit):
    """The limit is met by the rows file first, or by the database's log first; the writer itself stays usable."""
    if sys.platform == "win32":
        return  # Windows has no limit on the size of a file to set
    with Store.open(path) as store:
        filled(store, {b"a.png": "cat"}, ROOT)
    command = [sys.executable, "-c", FILLS_THE_DISK, str(path), TESTS, os.fsdecode(ROOT), str(limit)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    *put, last = done.stdout.splitlines()
    assert last.startswith("full make room"), done
    contents = {b"a.png": "cat"}
    for line in put:
        names = [f"{line.split()[1]}/{number}" for number in range(20)]
        contents |= {name.encode(): name for name in names}
    contents[b"room.png"] = "cow"
    with Store.open(path) as store:
        assert_vectors(store, contents)
        with store.writer() as writer:
            root = writer.add_root(ROOT, is_file=False)
            writer.put(writer.create_space(*ENCODER), [found(root, b"after.png", "dog")])
        assert_vectors(store, contents | {b"after.png": "dog"})
