"""What lies beside a picture: sidecars, RAW files, films of live photos."""

from __future__ import annotations

import json
import os

import pytest

from lookalike.core.records import Asset
from lookalike.images.folder import folder
from lookalike.images.sidecars import said_by_place
from odd_files import card, encoded

JPEG = encoded(card(), "JPEG")
XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="{stars}" xmp:CreateDate="{date}"/>'
    "</rdf:RDF></x:xmpmeta>"
)
TAKEOUT = {
    "title": "IMG_1.jpg",
    "description": "By the sea",
    "photoTakenTime": {"timestamp": "1556890222", "formatted": "3 May 2019, 13:30:22 UTC"},
    "geoData": {"latitude": 56.9475, "longitude": 24.107, "altitude": 0.0},
    "people": [{"name": "Anna"}, {"name": "Ben"}],
}


def fill(root, **files):
    for name, content in files.items():
        (root / name).write_bytes(content if isinstance(content, bytes) else content.encode())


def entries(root, **options):
    return {each.key: each for each in folder(root, **options).assets() if isinstance(each, Asset)}


def said(root, key=b"IMG_1.jpg"):
    return folder(root).said_by_place(entries(root)[key])


def test_a_raw_file_and_the_film_of_a_live_photo_stand_behind_the_picture(tmp_path):
    fill(
        tmp_path,
        **{"IMG_1.jpg": JPEG, "IMG_1.NEF": b"II*\0", "IMG_2.HEIC": JPEG, "IMG_2.MOV": b"film", "3.dng": b"II*\0"},
    )
    assert list(entries(tmp_path)) == [b"3.dng", b"IMG_1.jpg", b"IMG_2.HEIC"]
    assert said(tmp_path)["stack"] == ["IMG_1.NEF"]
    assert said(tmp_path, b"IMG_2.HEIC")["stack"] == ["IMG_2.MOV"]
    assert "stack" not in said(tmp_path, b"3.dng")


def test_a_raw_file_shows_itself_where_its_picture_is_left_out_or_it_is_asked_for(tmp_path):
    fill(tmp_path, **{"IMG_1.jpg": JPEG, "IMG_1.NEF": b"II*\0"})
    assert list(entries(tmp_path, exclude=["*.jpg"])) == [b"IMG_1.NEF"]
    assert list(entries(tmp_path, below=b"IMG_1.NEF")) == [b"IMG_1.NEF"]
    assert list(entries(tmp_path / "IMG_1.NEF")) == [b""]


@pytest.mark.parametrize(
    ("picture", "sidecar"),
    [
        ("IMG_1.jpg", "IMG_1.jpg.json"),
        ("IMG_1.jpg", "IMG_1.json"),
        ("IMG_1.jpg", "IMG_1.jpg.supplemental-metadata.json"),
        ("IMG_1(2).jpg", "IMG_1.jpg(2).json"),
        ("IMG_1(2).jpg", "IMG_1.jpg.supplemental-metadata(2).json"),
        ("IMG_1-edited.jpg", "IMG_1.jpg.json"),
        ("x" * 40 + ".jpg", "x" * 40 + ".jpg.s.json"),
        ("x" * 60 + ".jpg", "x" * 46 + ".json"),
    ],
)
def test_sidecars_of_google_takeout_are_found_by_all_their_names(tmp_path, picture, sidecar):
    fill(tmp_path, **{picture: JPEG, sidecar: json.dumps(TAKEOUT)})
    found = said(tmp_path, picture.encode())
    assert (found["taken"], found["taken_from"]) == ("2019-05-03T13:30:22+00:00", "json")
    assert (found["caption"], found["tags"], found["city"]) == ("By the sea", ["Anna", "Ben"], "Riga")
    assert "title" not in found


def test_an_xmp_sidecar_counts_before_json_and_a_text_file_is_the_caption(tmp_path):
    xmp = XMP.format(stars=5, date="2020-02-02T10:00:00")
    plain = json.dumps(
        {"caption": "from json", "tags": "sea, sun", "rating": 1, "date": "2010-01-01", "lat": 1, "lon": 2}
    )
    fill(tmp_path, **{"IMG_1.jpg": JPEG, "IMG_1.xmp": xmp, "IMG_1.json": plain, "IMG_1.txt": "from\ntext"})
    found = said(tmp_path)
    assert (found["taken"], found["taken_from"], found["rating"]) == ("2020-02-02T10:00:00", "xmp", 5)
    assert (found["caption"], found["tags"], found["latitude"]) == ("from json", ["sea", "sun"], 1.0)
    (tmp_path / "IMG_1.json").unlink()
    assert said(tmp_path)["caption"] == "from text"


def test_without_sidecars_the_name_tells_the_date_and_last_of_all_the_time_of_the_file(tmp_path):
    fill(tmp_path, **{"IMG_1.jpg": JPEG, "IMG_20190503_171022.jpg": JPEG})
    os.utime(tmp_path / "IMG_1.jpg", (1_600_000_000, 1_600_000_000))
    assert said(tmp_path) == {"taken": "2020-09-13T12:26:40+00:00", "taken_from": "file time"}
    found = said(tmp_path, b"IMG_20190503_171022.jpg")
    assert found == {"taken": "2019-05-03T17:10:22", "taken_from": "file name"}


def test_a_time_that_no_calendar_knows_is_no_date():
    assert said_by_place("a.jpg", (1 << 63) - 1, []) == {
        "taken": "2262-04-11T23:47:16+00:00",
        "taken_from": "file time",
    }
    assert said_by_place("a.jpg", 1 << 80, []) == {}


@pytest.mark.parametrize(
    "content", ["", "[", "[1]", "[[]]", "5", '{"photoTakenTime": 5, "people": 7}', '{"tags": {}}', "\0"]
)
def test_a_sidecar_of_garbage_says_nothing(tmp_path, content):
    fill(tmp_path, **{"IMG_1.jpg": JPEG, "IMG_1.json": content, "IMG_1.xmp": content})
    assert said(tmp_path)["taken_from"] == "file time"


def test_what_lies_beside_has_a_digest_that_changes_with_it(tmp_path):
    fill(tmp_path, **{"IMG_1.jpg": JPEG})
    seen = [entries(tmp_path)[b"IMG_1.jpg"].beside]
    assert seen == [""]
    for content in ("one", "three"):
        fill(tmp_path, **{"IMG_1.txt": content})
        seen.append(entries(tmp_path)[b"IMG_1.jpg"].beside)
    assert len(set(seen)) == 3
    assert said(tmp_path)["beside"] == seen[-1]
    (tmp_path / "IMG_1.txt").unlink()
    assert entries(tmp_path)[b"IMG_1.jpg"].beside == ""


def test_a_single_file_has_its_sidecars_too(tmp_path):
    fill(tmp_path, **{"IMG_1.jpg": JPEG, "IMG_1.txt": "alone"})
    source = folder(tmp_path / "IMG_1.jpg")
    (asset,) = source.assets()
    assert source.said_by_place(asset)["caption"] == "alone"
