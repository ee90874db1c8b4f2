"""Finding pictures where there are links, pipes, sockets and names that are not text."""

from __future__ import annotations

import os
import socket
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest

from lookalike.core.records import Asset, Skipped
from lookalike.images.folder import folder
from odd_files import card, encoded, write_odd_files

JPEG = encoded(card(), "JPEG")
NOBODY = 65534  # the user id that owns nothing
DEPTH = 1_500  # more than Python's calls may nest


def fill(root, *names, content=JPEG):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


def keys(source):
    return [found.key for found in source.assets() if isinstance(found, Asset)]


def skipped(source):
    return {found.key: found for found in source.assets() if isinstance(found, Skipped)}


def test_a_root_given_through_a_link_is_shown_through_the_link(tmp_path):
    fill(tmp_path, "real/1.jpg")
    (tmp_path / "link").symlink_to("real")
    assert [asset.uri for asset in folder(tmp_path / "link").assets()] == [str(tmp_path / "link" / "1.jpg")]


def test_linked_folders_are_walked_once_and_loops_end(tmp_path):
    fill(tmp_path, "root/a/1.jpg", "root/z/2.jpg", "outside/3.jpg")
    root = tmp_path / "root"
    (root / "a" / "up").symlink_to("..")
    (root / "z" / "up").symlink_to(root)
    (root / "first").symlink_to("z")
    (root / "one").symlink_to(tmp_path / "outside")
    (root / "two").symlink_to(tmp_path / "outside")
    (tmp_path / "outside" / "back").symlink_to(root)
    assert keys(folder(root)) == [b"a/1.jpg", b"z/2.jpg", b"one/3.jpg"]


def test_a_linked_file_is_a_file(tmp_path):
    fill(tmp_path, "1.jpg")
    (tmp_path / "2.jpg").symlink_to("1.jpg")
    assert keys(folder(tmp_path)) == [b"1.jpg", b"2.jpg"]


def test_what_looks_like_a_picture_and_is_no_file_is_skipped_with_a_reason(tmp_path):
    fates = write_odd_files(tmp_path)
    source = folder(tmp_path)
    found = {entry.key: entry for entry in source.assets()}
    assert set(found) == set(fates)
    not_taken = {key: entry.code for key, entry in found.items() if isinstance(entry, Skipped)}
    folder_codes = {"not-a-file", "broken-link"}
    assert not_taken == {key: fate for key, fate in fates.items() if fate in folder_codes}
    assert all(entry.reason and entry.uri for entry in found.values() if isinstance(entry, Skipped))


def test_a_socket_with_a_pictures_name_is_skipped(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a socket's path has to be short
    with socket.socket(socket.AF_UNIX) as line:
        line.bind("socket.jpg")
        assert skipped(folder(tmp_path))[b"socket.jpg"].code == "not-a-file"


def test_a_path_of_four_thousand_characters_is_walked_or_skipped_with_a_reason(tmp_path):
    place = os.open(tmp_path, os.O_RDONLY)
    for _ in range(4_000 // 201):
        os.mkdir("d" * 200, dir_fd=place)
        deeper = os.open("d" * 200, os.O_RDONLY, dir_fd=place)
        os.close(place)
        place = deeper
    for name in ("near.jpg", "far" + "r" * 240 + ".jpg"):
        os.close(os.open(name, os.O_CREAT | os.O_WRONLY, dir_fd=place))
    os.close(place)
    found = list(folder(tmp_path).assets())
    assert 1 <= len(found) <= 2
    assert {entry.code for entry in found if isinstance(entry, Skipped)} <= {"path-too-long"}


@pytest.fixture
def deep_file():
    """A picture 1,500 folders deep. Not in pytest's own folder, whose cleaning recurses; unmade from the bottom up."""
    top = tempfile.mkdtemp()
    folders = [os.open(top, os.O_RDONLY)]
    try:
        for _ in range(DEPTH):
            os.mkdir("d", dir_fd=folders[-1])
            deeper = os.open("d", os.O_RDONLY, dir_fd=folders[-1])
            os.close(folders.pop())
            folders.append(deeper)
        os.close(os.open("1.jpg", os.O_CREAT | os.O_WRONLY, dir_fd=folders[-1]))
        yield top
    finally:
        with suppress(FileNotFoundError):
            os.unlink("1.jpg", dir_fd=folders[-1])
        os.close(folders.pop())
        for depth in range(DEPTH, -1, -1):
            with suppress(FileNotFoundError):
                os.rmdir(os.path.join(top, *["d"] * depth))


def test_deep_nesting_does_not_exhaust_the_stack(deep_file):
    assert keys(folder(deep_file)) == [b"d/" * DEPTH + b"1.jpg"]


def test_a_pipe_that_took_a_files_place_is_refused_and_not_waited_for(tmp_path):
    fill(tmp_path, "1.jpg")
    source = folder(tmp_path)
    (asset,) = source.assets()
    (tmp_path / "1.jpg").unlink()
    os.mkfifo(tmp_path / "1.jpg")
    with pytest.raises(OSError, match="not a regular file"):
        source.open(asset)


def test_names_that_are_not_text_are_kept_as_bytes(tmp_path):
    name = b"not text \xff\xfe\n.jpg"
    with open(os.path.join(os.fsencode(tmp_path), name), "wb") as file:
        file.write(JPEG)
    source = folder(tmp_path)
    (asset,) = source.assets()
    assert asset.key == name
    assert os.fsencode(asset.uri) == os.path.join(os.fsencode(tmp_path), name)
    with source.open(asset) as stream:
        assert stream.read() == JPEG


@pytest.fixture
def locked():
    """A folder with a file and a folder that may not be read, seen by somebody who is not root."""
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        fill(root, "1.jpg", "secret.jpg", "locked/2.jpg", "nameless")
        root.chmod(0o755)
        for name in ("secret.jpg", "nameless", "locked"):
            (root / name).chmod(0)
        was = os.geteuid()
        if was == 0:
            os.seteuid(NOBODY)
        yield root
        os.seteuid(was)
        (root / "locked").chmod(0o700)


def test_what_may_not_be_read_is_a_reason_and_never_silence(locked):
    source = folder(locked)
    found = {entry.key: entry for entry in source.assets()}
    assert set(found) == {b"1.jpg", b"secret.jpg", b"locked", b"nameless"}
    assert (found[b"locked"].code, found[b"locked"].folder) == ("unreadable", True)
    assert (found[b"nameless"].code, found[b"nameless"].folder) == ("unreadable", False)
    with pytest.raises(PermissionError):
        source.open(found[b"secret.jpg"])
