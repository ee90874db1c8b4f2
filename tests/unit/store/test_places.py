"""Paths are split and joined by whole components, in bytes, with the system's separator outside and "/" inside."""

from __future__ import annotations

import pytest

from lookalike.store import places


@pytest.fixture
def posix(monkeypatch):
    monkeypatch.setattr(places, "SEPARATOR", b"/")


@pytest.fixture
def windows(monkeypatch):
    monkeypatch.setattr(places, "SEPARATOR", b"\\")


@pytest.mark.parametrize(
    ("root", "path", "key"),
    [
        (b"/a", b"/a", b""),
        (b"/a", b"/a/", b""),
        (b"/a", b"/a/b/c.png", b"b/c.png"),
        (b"/a", b"/ab", None),
        (b"/a/b", b"/a", None),
        (b"/", b"/a", b"a"),
        (b"/", b"/", b""),
        (b"/\xff", b"/\xff/\xfe", b"\xfe"),
    ],
)
@pytest.mark.usefixtures("posix")
def test_a_path_below_a_root_has_a_key_and_goes_back(root, path, key):
    assert places.key_below(root, path) == key
    if key:
        assert places.native_path(root, key) == path


@pytest.mark.parametrize(
    ("root", "path", "key"),
    [
        (b"C:\\", b"C:\\a\\b.png", b"a/b.png"),
        (b"C:\\a", b"C:\\a\\b\\c.png", b"b/c.png"),
        (b"C:\\a", b"C:\\ab", None),
        (b"\\\\host\\share", b"\\\\host\\share\\x", b"x"),
    ],
)
@pytest.mark.usefixtures("windows")
def test_windows_paths_become_keys_with_slashes_and_go_back(root, path, key):
    assert places.key_below(root, path) == key
    if key:
        assert places.native_path(root, key) == path


def test_a_root_that_is_a_file_is_its_own_path_whatever_the_key():
    assert places.native_path(b"/a/b.png", b"b.png", is_file=True) == b"/a/b.png"
    assert places.native_path(b"/a/b.png", b"") == b"/a/b.png"


def test_keys_join_without_empty_parts():
    assert places.joined_key(b"a", b"b/c") == b"a/b/c"
    assert places.joined_key(b"a", b"") == b"a"
    assert places.joined_key(b"", b"b") == b"b"
