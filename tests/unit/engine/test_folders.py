"""Which folders are looked through for pictures that are known by their paths."""

from __future__ import annotations

import os

import pytest

from lookalike.engine.folders import picture_folders

HOME = "home/me"


def native(path: str) -> bytes:
    return os.fsencode(os.path.join(os.path.abspath(os.sep), *path.split("/")) if path else os.path.abspath(os.sep))


@pytest.mark.parametrize(
    ("holding", "covering"),
    [
        ([], []),
        (["data/photos"], ["data/photos"]),
        (["data/photos/2020", "data/photos/2021/may"], ["data/photos"]),
        (["photos"], ["photos"]),
        (["photos", "photos/2020"], ["photos"]),
        (["mnt/one/a", "mnt/two/b"], ["mnt/one/a", "mnt/two/b"]),
        (["mnt/one", "data/two"], ["data/two", "mnt/one"]),
        (["home/me/Pictures/a", "home/me/Pictures/b"], ["home/me/Pictures"]),
        (["home/me/Pictures", "home/me/Desktop/b"], ["home/me/Desktop/b", "home/me/Pictures"]),
        (["home/me", "home/me/Pictures"], ["home/me/Pictures"]),
        (["home/you/a", "home/me/b"], ["home/me/b", "home/you/a"]),
        ([""], []),
        (["home/me"], []),
    ],
)
def test_the_shared_folder_is_looked_through_unless_it_is_much_more_than_pictures(holding, covering):
    assert picture_folders(map(native, holding), native(HOME)) == [native(path) for path in covering]
