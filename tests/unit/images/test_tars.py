"""Archives of samples, as img2dataset writes them: what is an entry, and how a picture is read from the middle."""

from __future__ import annotations

import io
import json
import os
import tarfile

import pytest

from lookalike.core.errors import SourceError
from lookalike.core.records import Asset, Skipped
from lookalike.images.tars import tars
from odd_files import card, encoded

PICTURE = encoded(card(), "JPEG")


def archive(path, members):
    with tarfile.open(path, "w") as tar:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def sample(key, caption):
    said = {"caption": caption, "url": f"https://x.example/{key}.jpg", "key": key, "status": "success", "width": 9}
    return {
        f"{key}.jpg": PICTURE + key.encode(),
        f"{key}.json": json.dumps(said).encode(),
        f"{key}.txt": caption.encode(),
    }


@pytest.fixture
def shards(tmp_path):
    """Two archives with three samples, between files that are none."""
    (tmp_path / "data").mkdir()
    archive(tmp_path / "data" / "00000.tar", sample("000000000", "a red shirt") | sample("000000001", ""))
    archive(tmp_path / "data" / "00001.tar", sample("000010000", "кіт"))
    (tmp_path / "data" / "00000_stats.json").write_text("{}")
    return tmp_path / "data"


def test_a_folder_of_archives_gives_every_sample_with_what_lies_beside_its_picture(shards):
    found = list(tars(shards).assets())
    assert [each.key for each in found] == [
        b"00000.tar/000000000.jpg",
        b"00000.tar/000000001.jpg",
        b"00001.tar/000010000.jpg",
    ]
    assert found[0].uri == f"tars:{shards / '00000.tar'}!/000000000.jpg"
    assert found[0].metadata == {"caption": "a red shirt", "url": "https://x.example/000000000.jpg"}
    assert found[1].metadata == {"url": "https://x.example/000000001.jpg"}
    assert found[2].metadata["caption"] == "кіт"


def test_one_archive_is_a_source_too_and_its_pictures_are_read_where_they_lie(shards):
    source = tars(shards / "00000.tar")
    for found in source.assets():
        with source.open(found) as stream:
            assert stream.read() == PICTURE + found.key[:9]
        assert source.stamp(found) == (found.size, found.modified_ns)


def test_several_pictures_of_one_name_and_names_with_dots_are_entries_each(tmp_path):
    members = {"IMG.2024.jpg": PICTURE, "IMG.2025.jpg": PICTURE, "a/x.seg.png": PICTURE, "a/notes.cls": b"7"}
    found = list(tars(archive(tmp_path / "t.tar", members)).assets())
    assert [each.key for each in found] == [b"IMG.2024.jpg", b"IMG.2025.jpg", b"a/x.seg.png"]


def test_a_sample_without_a_picture_is_told(tmp_path):
    (found,) = tars(archive(tmp_path / "t.tar", {"1.json": b"{}", "1.txt": b"lost"})).assets()
    assert isinstance(found, Skipped)
    assert found.code == "no-picture"


def test_json_that_is_none_costs_nothing_but_itself(tmp_path):
    (found,) = tars(archive(tmp_path / "t.tar", {"1.jpg": PICTURE, "1.json": b"{nonsense"})).assets()
    assert isinstance(found, Asset)
    assert found.metadata == {}


def test_a_damaged_archive_gives_what_is_whole_and_protects_the_rest(shards):
    path = shards / "00000.tar"
    path.write_bytes(path.read_bytes()[: len(PICTURE) + 2000])
    found = list(tars(shards).assets())
    told = [each for each in found if isinstance(each, Skipped) and each.folder]
    assert [each.key for each in told] == [b"00000.tar"]
    assert b"00001.tar/000010000.jpg" in [each.key for each in found]


def test_an_archive_with_a_damaged_header_protects_what_comes_behind_it(shards):
    path = shards / "00000.tar"
    with tarfile.open(path) as tar:
        second = tar.getmembers()[1].offset
    content = bytearray(path.read_bytes())
    content[second : second + 512] = b"\xa5" * 512
    path.write_bytes(content)
    told = [each for each in tars(shards).assets() if isinstance(each, Skipped) and each.folder]
    assert [each.key for each in told] == [b"00000.tar"]


def test_an_archive_cut_between_two_members_protects_what_came_behind(shards):
    path = shards / "00000.tar"
    with tarfile.open(path) as tar:
        second = tar.getmembers()[3].offset
    path.write_bytes(path.read_bytes()[:second])
    found = [each for each in tars(shards).assets() if each.key.startswith(b"00000")]
    assert [(each.key, isinstance(each, Skipped)) for each in found] == [
        (b"00000.tar", True),
        (b"00000.tar/000000000.jpg", False),
    ]


def test_what_is_not_there_is_said(shards):
    with pytest.raises(SourceError):
        list(tars(shards / "none.tar").assets())
    source = tars(shards)
    for key in (b"00000.tar/none.jpg", b"none.tar/000000000.jpg"):
        with pytest.raises(OSError, match=r".+"):
            source.open(Asset(key, "x", 0, 0))
        with pytest.raises(OSError, match=r".+"):
            source.stamp(Asset(key, "x", 0, 0))


def test_an_archive_written_anew_gives_other_stamps(shards):
    before = {each.key: (each.size, each.modified_ns) for each in tars(shards).assets()}
    archive(shards / "00001.tar", sample("000010000", "other"))
    os.utime(shards / "00001.tar", (1, 1))
    after = {each.key: (each.size, each.modified_ns) for each in tars(shards).assets()}
    assert [key for key in after if after[key] != before[key]] == [b"00001.tar/000010000.jpg"]
