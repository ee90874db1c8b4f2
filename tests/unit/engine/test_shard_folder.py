"""Folders for shards, on this computer and elsewhere: files are there whole, or not at all."""

from __future__ import annotations

import pytest

from lookalike.engine.shard_folder import UNFINISHED, FolderElsewhere, shard_folder


@pytest.fixture(params=["here", "elsewhere"])
def folder(request, tmp_path):
    return shard_folder(str(tmp_path / "shards") if request.param == "here" else f"memory://{tmp_path.name}/shards")


def test_what_was_written_is_read_listed_and_removed(folder):
    assert folder.names() == set()
    folder.write("a/one.npy", b"1")
    folder.write("two.json", b"2")
    folder.write("two.json", b"3")
    assert folder.names() == {"a/one.npy", "two.json"}
    assert (folder.read("a/one.npy"), folder.read("two.json")) == (b"1", b"3")
    for name in ("a/one.npy", "two.json", "never there"):
        folder.remove(name)
    assert folder.names() == set()


def test_a_file_that_is_not_there_is_an_os_error(folder):
    with pytest.raises(FileNotFoundError):
        folder.read("a/one.npy")


def test_a_file_that_could_not_be_written_leaves_what_was_there(tmp_path):
    folder = shard_folder(str(tmp_path))
    folder.write("one", b"1")
    with pytest.raises(TypeError):
        folder.write("one", "no bytes")
    assert folder.read("one") == b"1"
    assert not [name for name in folder.names() if UNFINISHED in name]


def test_empty_folders_go_and_others_stay(tmp_path):
    folder = shard_folder(str(tmp_path / "shards"))
    folder.write("a/one", b"1")
    folder.write("b/two", b"2")
    folder.remove("a/one")
    folder.remove_empty()
    assert [path.name for path in (tmp_path / "shards").iterdir()] == ["b"]
    folder.remove("b/two")
    folder.remove_empty()
    assert not (tmp_path / "shards").exists()


def test_what_storage_elsewhere_cannot_do_is_an_os_error():
    with pytest.raises(OSError, match="nobody"):
        FolderElsewhere("nobody://shop/shards").names()
