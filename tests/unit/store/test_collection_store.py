"""Opening: what makes a collection, what is refused and how, what can be read where nothing can be written."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from lookalike.core.errors import (
    CollectionDamaged,
    CollectionError,
    CollectionNotFound,
    CollectionReadOnly,
    CollectionTooNew,
)
from lookalike.store import database
from lookalike.store.collection_store import Store
from stored_files import ENCODER, all_items, assert_vectors, filled, rows_path

ROOT = os.fsencode(os.path.abspath("/pictures"))
CONTENTS = {b"a.png": "cat", b"b.png": "dog"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with Store.open(tmp_path / "c.lookalike") as store:
        filled(store, CONTENTS, ROOT)
    return tmp_path / "c.lookalike"


def statement(path: Path, sql: str) -> None:
    with closing(sqlite3.connect(path / "collection.sqlite")) as connection, connection:
        connection.execute(sql)


def test_a_collection_is_made_on_first_use_with_the_folders_above_it(tmp_path):
    with Store.open(tmp_path / "x" / "y.lookalike") as store:
        assert store.current_space() is None
        assert store.counts().items == 0
        assert not store.read_only
        assert list(store.verify()) == []


def test_what_is_not_there_is_not_made_unless_asked(tmp_path):
    for options in ({"create": False}, {"read_only": True}):
        with pytest.raises(CollectionNotFound, match="no collection"):
            Store.open(tmp_path / "c.lookalike", **options)
    assert not (tmp_path / "c.lookalike").exists()


def test_a_folder_of_other_things_is_left_alone(tmp_path):
    (tmp_path / "photo.jpg").write_bytes(b"")
    with pytest.raises(CollectionNotFound, match="other things"):
        Store.open(tmp_path)
    with pytest.raises(CollectionNotFound, match="is a file"):
        Store.open(tmp_path / "photo.jpg")
    assert [each.name for each in tmp_path.iterdir()] == ["photo.jpg"]


def test_a_creation_that_was_cut_short_is_taken_up(tmp_path):
    folder = tmp_path / "c.lookalike"
    folder.mkdir()
    (folder / "collection.sqlite").write_bytes(b"")
    with Store.open(folder) as store:
        filled(store, CONTENTS, ROOT)
        assert_vectors(store, CONTENTS)


def test_names_that_are_awkward_in_addresses_are_fine(tmp_path):
    with Store.open(tmp_path / "a #1?b%20 é.lookalike") as store:
        filled(store, CONTENTS, ROOT)
        assert_vectors(store, CONTENTS)
    assert [each.name for each in tmp_path.iterdir()] == ["a #1?b%20 é.lookalike"]


def test_a_collection_of_a_later_version_is_refused(path):
    statement(path, "PRAGMA user_version = 999")
    for read_only in (False, True):
        with pytest.raises(CollectionTooNew, match="later version"):
            Store.open(path, read_only=read_only)


def test_a_database_of_something_else_is_refused(tmp_path):
    folder = tmp_path / "c.lookalike"
    folder.mkdir()
    statement(folder, "CREATE TABLE songs (name)")
    with pytest.raises(CollectionDamaged, match="another program"):
        Store.open(folder)


def test_a_file_that_is_no_database_is_refused(path):
    (path / "collection.sqlite").write_bytes(b"no database at all" * 1000)
    with pytest.raises(CollectionDamaged, match="damaged"):
        Store.open(path)


def test_damage_met_while_asking_is_told_as_damage(path):
    with Store.open(path) as store:
        root = store.roots()[0].number
    with closing(sqlite3.connect(path / "collection.sqlite")) as connection:
        size = connection.execute("PRAGMA page_size").fetchone()[0]
        places = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE tbl_name = 'items' AND rootpage"
        ).fetchall()
    with (path / "collection.sqlite").open("r+b") as stream:
        for (page,) in places:
            stream.seek((page - 1) * size)
            stream.write(b"\xff" * size)
    with Store.open(path) as store:
        with store.snapshot() as snapshot, pytest.raises(CollectionDamaged):
            snapshot.items_of([0])
        with store.writer() as writer, pytest.raises(CollectionDamaged):
            writer.known(root, [b"a.png"])


def test_the_size_of_a_collection_in_use_can_be_told(path):
    done = threading.Event()

    def write() -> None:
        with Store.open(path) as store:
            for _ in range(200):
                store.writer().close()
        done.set()

    writing = threading.Thread(target=write)
    writing.start()
    with Store.open(path) as store:
        while not done.is_set():
            assert store.bytes_on_disk() > 0
    writing.join()


@pytest.mark.parametrize("read_only", [False, True])
def test_vectors_that_are_missing_short_foreign_or_changed_at_the_end_are_noticed_at_opening(path, read_only):
    file = rows_path(path, 0)
    whole = file.read_bytes()
    for damaged in (whole[:-2], whole[:40], b"x" + whole[1:], whole[:-1] + bytes([whole[-1] ^ 1]), None):
        file.unlink()
        if damaged is not None:
            file.write_bytes(damaged)
        with pytest.raises(CollectionDamaged):
            Store.open(path, read_only=read_only)
        file.write_bytes(whole)
    with Store.open(path, read_only=read_only) as store:
        assert_vectors(store, CONTENTS)


def test_a_torn_tail_is_ignored_by_readers_and_overwritten_by_the_writer(path):
    file = rows_path(path, 0)
    published = file.stat().st_size
    with file.open("ab") as stream:
        stream.write(b"\x12\x34" * 37)
    with Store.open(path) as store:
        assert_vectors(store, CONTENTS)
        with store.writer() as writer:
            root = writer.add_root(ROOT, is_file=False)
            assert file.stat().st_size == published
            assert root.number
        assert_vectors(store, CONTENTS)


def test_settings_are_json_values(path):
    with Store.open(path) as store:
        assert store.setting("exclude") is None
        assert store.setting("exclude", []) == []
        with store.writer() as writer:
            writer.set_setting("exclude", ["*.tmp", "é"])
            assert store.setting("exclude") == ["*.tmp", "é"]
            writer.set_setting("exclude", [])
    with Store.open(path) as store:
        assert store.setting("exclude", 1) == []


def test_counts_tell_items_pictures_and_rows_apart(path):
    with Store.open(path) as store:
        with store.writer() as writer:
            writer.remove_below(ROOT + os.fsencode(os.sep) + b"a.png")
        counts = store.counts()
        assert (counts.items, counts.pictures, counts.rows, counts.dead_rows) == (1, 1, 2, 1)
        assert store.bytes_on_disk() > 10_000


def test_a_read_only_collection_is_searched_and_not_written(path):
    before = sorted(each.name for each in path.rglob("*"))
    with Store.open(path, read_only=True) as store:
        assert_vectors(store, CONTENTS)
        with pytest.raises(CollectionReadOnly):
            store.writer()
    with Store.open(path) as store:
        assert_vectors(store, CONTENTS)
    assert sorted(each.name for each in path.rglob("*")) == before


AS_NOBODY = """
import mmap, os, random, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from stored_files import all_items
from lookalike.store.collection_store import Store
from lookalike.core.errors import CollectionReadOnly
import filelock
path = Path(sys.argv[1])
if hasattr(os, "setuid") and os.getuid() == 0:
    os.setuid(65534)  # root may write anywhere, permissions or not
"""
READS = """
for read_only in (None, True):
    with Store.open(path, read_only=read_only) as store:
        assert store.read_only
        assert sorted(all_items(store)) == [b"a.png", b"b.png"], all_items(store)
        assert list(store.verify()) == []
"""
IS_REFUSED = """
try:
    Store.open(path).close()
except CollectionReadOnly as refused:
    assert "cannot be recovered" in str(refused), refused
"""


@pytest.fixture
def reachable(path: Path):
    """The collection, in a folder that everybody may reach; pytest shuts its own whenever it is started again."""
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        yield shutil.copytree(path, Path(place) / path.name)


@contextmanager
def unwritable(path: Path):
    """Nobody but root may write to the collection; everybody may read it."""
    everything = [path, *path.rglob("*")]
    for each in everything:
        each.chmod(0o555 if each.is_dir() else 0o444)
    try:
        yield
    finally:
        for each in everything:
            if each.exists():
                each.chmod(0o755)


def run_as_nobody(code: str, path: Path) -> None:
    tests = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", AS_NOBODY + code, str(path), str(tests)], check=True)


def test_a_collection_that_cannot_be_written_opens_for_searching(reachable):
    with unwritable(reachable):
        run_as_nobody(READS, reachable)


def test_a_collection_that_cannot_be_written_is_read_while_its_owner_writes(reachable):
    with Store.open(reachable) as store, store.writer() as writer:
        writer.set_setting("x", 1)
        with unwritable(reachable):
            run_as_nobody(READS, reachable)


def test_a_copy_with_changes_in_its_log_is_refused_where_they_cannot_be_recovered(reachable):
    with Store.open(reachable) as store, store.writer() as writer:
        writer.set_setting("x", 1)
        copy = shutil.copytree(reachable, reachable.with_name("copy.lookalike"))
    (copy / "collection.sqlite-shm").unlink()
    with unwritable(copy):
        run_as_nobody(IS_REFUSED, copy)
    with Store.open(copy) as store:
        assert store.setting("x") == 1


def test_a_network_disk_gets_a_journal_that_works_there(tmp_path, monkeypatch):
    monkeypatch.setattr(database, "on_network_disk", lambda directory: True)
    with Store.open(tmp_path / "c.lookalike") as store:
        filled(store, CONTENTS, ROOT)
        assert_vectors(store, CONTENTS)
        assert not (store.path / "collection.sqlite-wal").exists()
    with closing(sqlite3.connect(tmp_path / "c.lookalike" / "collection.sqlite")) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)


def test_a_disk_without_any_safe_journal_is_refused(tmp_path, monkeypatch):
    class Journalless(sqlite3.Connection):
        def execute(self, sql, *parameters):
            if sql.startswith("PRAGMA journal_mode"):
                return super().execute("SELECT 'off'")
            return super().execute(sql, *parameters)

    real = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *a, **b: real(*a, **b, factory=Journalless))
    with pytest.raises(CollectionError, match="no safe journal"):
        Store.open(tmp_path / "c.lookalike")


def test_this_machines_own_disk_is_local(tmp_path):
    assert not database.on_network_disk(tmp_path)


def test_threads_share_one_store(path):
    problems: list[BaseException] = []

    def read() -> None:
        try:
            for _ in range(20):
                assert len(all_items(store)) == 2
                assert store.counts().items == 2
        except BaseException as error:
            problems.append(error)

    with Store.open(path) as store:
        threads = [threading.Thread(target=read) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert problems == []


def test_opening_twice_at_once_makes_one_collection(tmp_path):
    code = "import sys; from pathlib import Path; from lookalike.store.collection_store import Store;"
    code += "Store.open(Path(sys.argv[1])).close()"
    command = [sys.executable, "-c", code, str(tmp_path / "c.lookalike")]
    children = [subprocess.Popen(command) for _ in range(4)]
    assert [child.wait() for child in children] == [0] * 4
    with Store.open(tmp_path / "c.lookalike", create=False) as store:
        assert store.spaces() == []
        with store.writer() as writer:
            assert writer.create_space(*ENCODER).current
