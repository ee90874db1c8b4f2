"""Finding pictures in folders."""

from __future__ import annotations

import os

import pytest

from lookalike.core.errors import SourceError
from lookalike.core.records import Asset, Skipped
from lookalike.images.folder import folder
from odd_files import card, encoded

JPEG = encoded(card(), "JPEG")


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


def test_pictures_are_found_at_every_depth_in_a_stable_sorted_order(tmp_path):
    fill(tmp_path, "b.jpg", "a/2.png", "a/1.jpg", "a/deep/er/x.webp", "c.HEIC")
    expected = [b"a/1.jpg", b"a/2.png", b"a/deep/er/x.webp", b"b.jpg", b"c.HEIC"]
    assert keys(folder(tmp_path)) == expected
    assert keys(folder(tmp_path)) == expected


def test_an_asset_carries_its_native_path_size_and_time(tmp_path):
    fill(tmp_path, "a/1.jpg")
    os.utime(tmp_path / "a/1.jpg", ns=(1_600_000_000_123_456_700,) * 2)
    (asset,) = folder(tmp_path).assets()
    assert asset.uri == str(tmp_path / "a" / "1.jpg")
    assert asset.size == len(JPEG)
    assert asset.modified_ns == os.stat(tmp_path / "a/1.jpg").st_mtime_ns
    with folder(tmp_path).open(asset) as stream:
        assert stream.read() == JPEG


def test_the_root_may_be_bytes_text_or_path_relative_or_in_the_users_home(tmp_path, monkeypatch):
    fill(tmp_path, "photos/1.jpg")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    for root in ("photos", b"photos", tmp_path / "photos", "./photos/", "~/photos", str(tmp_path / "photos")):
        assert [asset.uri for asset in folder(root).assets()] == [str(tmp_path / "photos" / "1.jpg")]


def test_what_its_name_calls_something_else_is_no_candidate_and_not_reported(tmp_path):
    fill(tmp_path, "film.mp4", "notes.txt", "1.jpg.json", "sound.mp3", "program.py", "page.html", "1.jpg")
    assert [found.key for found in folder(tmp_path).assets()] == [b"1.jpg"]


def test_content_decides_where_the_name_says_nothing(tmp_path):
    fill(tmp_path, "nameless", "kept.jpg_original", "odd.xyz")
    fill(tmp_path, "words", "other.xyz", "BMWs", content=b"BM is a letter about cars and nothing else at all")
    fill(tmp_path, "nothing", content=b"")
    assert [found.key for found in folder(tmp_path).assets()] == [b"kept.jpg_original", b"nameless", b"odd.xyz"]


def test_a_pictures_name_with_other_content_is_a_candidate_so_that_it_is_reported(tmp_path):
    fill(tmp_path, "words.jpg", content=b"a letter")
    assert keys(folder(tmp_path)) == [b"words.jpg"]


def test_hidden_files_and_folders_are_left_out_unless_asked_for(tmp_path):
    fill(tmp_path, ".secret/1.jpg", "._1.jpg", "1.jpg")
    assert keys(folder(tmp_path)) == [b"1.jpg"]
    assert keys(folder(tmp_path, hidden=True)) == [b"._1.jpg", b".secret/1.jpg", b"1.jpg"]
    assert keys(folder(tmp_path, below=b".secret")) == [b".secret/1.jpg"]


def test_collections_beside_the_pictures_are_left_out(tmp_path):
    fill(tmp_path, "Pictures.lookalike/thumbnails/1.jpg", "1.jpg")
    assert keys(folder(tmp_path)) == [b"1.jpg"]


def test_exclude_takes_gitignore_patterns(tmp_path):
    fill(tmp_path, "a/1.jpg", "a/1.png", "b/private/2.jpg", "private.jpg", "b/3.jpg")
    assert keys(folder(tmp_path, exclude=["*.png", "private/"])) == [b"a/1.jpg", b"b/3.jpg", b"private.jpg"]
    assert keys(folder(tmp_path, exclude=["/b"])) == [b"a/1.jpg", b"a/1.png", b"private.jpg"]
    assert keys(folder(tmp_path, exclude=["*", "!*/", "!b/**"])) == [b"b/3.jpg", b"b/private/2.jpg"]


def test_ignore_files_hold_below_their_folder_and_the_nearest_has_the_last_word(tmp_path):
    fill(tmp_path, "1.png", "a/1.png", "a/keep/1.png", "a/x/1.jpg", "x/1.jpg")
    (tmp_path / ".lookalikeignore").write_text("# none of these\n*.png\n\n", encoding="utf-8")
    (tmp_path / "a" / ".lookalikeignore").write_text("/x\n", encoding="utf-8")
    (tmp_path / "a" / "keep" / ".lookalikeignore").write_text("!*.png\n", encoding="utf-8")
    assert keys(folder(tmp_path)) == [b"a/keep/1.png", b"x/1.jpg"]


def test_an_ignore_file_that_cannot_be_used_keeps_its_folder_out_and_says_so(tmp_path):
    fill(tmp_path, "a/1.jpg", "1.jpg")
    (tmp_path / "a" / ".lookalikeignore").mkdir()
    source = folder(tmp_path)
    assert keys(source) == [b"1.jpg"]
    assert skipped(source)[b"a"].folder


def test_a_pattern_that_is_none_is_an_error(tmp_path):
    with pytest.raises(SourceError, match="pattern"):
        list(folder(tmp_path, exclude=["!"]).assets())


def test_below_limits_the_walk_to_a_subfolder_or_a_file(tmp_path):
    fill(tmp_path, "a/1.jpg", "a/b/2.jpg", "ab/3.jpg", "a/bc.jpg")
    assert keys(folder(tmp_path, below=b"a")) == [b"a/1.jpg", b"a/b/2.jpg", b"a/bc.jpg"]
    assert keys(folder(tmp_path, below=b"a/b/")) == [b"a/b/2.jpg"]
    assert keys(folder(tmp_path, below=b"a/b/2.jpg")) == [b"a/b/2.jpg"]
    assert keys(folder(tmp_path, below=b"gone")) == []


def test_below_obeys_the_ignore_files_above_it(tmp_path):
    fill(tmp_path, "a/b/1.png", "a/b/2.jpg")
    (tmp_path / ".lookalikeignore").write_text("*.png", encoding="utf-8")
    assert keys(folder(tmp_path, below=b"a/b")) == [b"a/b/2.jpg"]


def test_a_file_may_be_the_root(tmp_path):
    fill(tmp_path, "1.jpg")
    source = folder(tmp_path / "1.jpg")
    (asset,) = source.assets()
    assert (asset.key, asset.uri) == (b"", str(tmp_path / "1.jpg"))
    with source.open(asset) as stream:
        assert stream.read() == JPEG


def test_a_root_that_is_not_there_is_an_error_at_once(tmp_path):
    with pytest.raises(SourceError, match="gone") as caught:
        folder(tmp_path / "gone").assets()
    assert caught.value.hint


def test_a_folder_with_a_pictures_name_is_reported_and_walked(tmp_path):
    fill(tmp_path, "album.jpg/1.jpg")
    assert [(type(found), found.key) for found in folder(tmp_path).assets()] == [
        (Skipped, b"album.jpg"),
        (Asset, b"album.jpg/1.jpg"),
    ]


def test_a_walk_can_be_stopped_also_where_nothing_is_a_picture(tmp_path):
    fill(tmp_path, *(f"{number}/{name}" for number in range(30) for name in ("a.txt", "b.txt")))
    asked = []

    def stop():
        asked.append(True)
        return len(asked) > 10

    assert list(folder(tmp_path).assets(stop=stop)) == []
    assert len(asked) < 20
