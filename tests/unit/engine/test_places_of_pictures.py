"""What lies beside pictures and what their names say, through runs of `sync`."""

from __future__ import annotations

import json
import os

import pytest
from PIL import Image

import lookalike
from lookalike import SyncReport
from lookalike.testing import ToyEncoder, draw_pictures


class CountingEncoder(ToyEncoder):
    def __init__(self):
        super().__init__()
        self.seen = 0

    def encode_images(self, pictures):
        self.seen += len(pictures)
        return super().encode_images(pictures)


@pytest.fixture
def encoder():
    return CountingEncoder()


@pytest.fixture
def photos(tmp_path):
    draw_pictures(tmp_path / "drawn", 3)
    (tmp_path / "photos").mkdir()
    for name, drawn in zip(("a.jpg", "b.jpg", "c.jpg"), sorted((tmp_path / "drawn").iterdir()), strict=True):
        (tmp_path / "photos" / name).write_bytes(drawn.read_bytes())
        os.utime(tmp_path / "photos" / name, (1_600_000_000, 1_600_000_000))
    return tmp_path / "photos"


@pytest.fixture
def collection(tmp_path, encoder, photos):
    with lookalike.open(tmp_path / "c.lookalike", encoder=encoder) as opened:
        run(opened, photos)
        yield opened


def run(collection, *paths):
    *_, report = collection.sync(paths)
    assert isinstance(report, SyncReport)
    return report


def said(collection):
    return {os.path.basename(hit.uri): dict(hit.metadata) for hit in collection.search("red", k=10)}


def test_a_picture_without_a_date_has_the_time_of_its_file_and_says_so(collection):
    found = said(collection)["a.jpg"]
    assert (found["taken"], found["taken_from"]) == ("2020-09-13T12:26:40+00:00", "file time")
    assert found["orientation"] in ("landscape", "portrait", "square")
    assert found["colours"]
    json.dumps(found)


def test_a_sidecar_that_comes_changes_and_goes_is_noticed_without_reading_the_picture(collection, photos, encoder):
    for text, expected in (("first words", "first words"), ("other words", "other words"), (None, None)):
        if text is None:
            (photos / "a.txt").unlink()
        else:
            (photos / "a.txt").write_text(text)
        report = run(collection)
        assert (report.changed, report.encoded, report.reused, report.added) == (1, 0, 0, 0)
        assert said(collection)["a.jpg"].get("caption") == expected
        assert "caption" not in said(collection)["b.jpg"]
        assert run(collection).changed == 0
    assert encoder.seen == 3


def test_a_date_in_the_bytes_counts_before_one_in_the_name_also_for_copies(collection, photos):
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = "2001:02:03 04:05:06"
    with Image.open(photos / "a.jpg") as image:
        image.save(photos / "IMG_20190503_171022.jpg", exif=exif)
    run(collection, photos)
    dated = (photos / "IMG_20190503_171022.jpg").read_bytes()
    (photos / "IMG_20200504_171022.jpg").write_bytes(dated)
    (photos / "IMG_20210505_171022.jpg").write_bytes((photos / "b.jpg").read_bytes())
    run(collection, photos)
    found = {name: (each["taken"], each["taken_from"]) for name, each in all_said(collection).items()}
    assert found["IMG_20190503_171022.jpg"] == found["IMG_20200504_171022.jpg"] == ("2001-02-03T04:05:06", "exif")
    assert found["IMG_20210505_171022.jpg"] == ("2021-05-05T17:10:22", "file name")


def test_a_raw_file_that_appears_beside_its_jpeg_stands_behind_it(collection, photos):
    (photos / "a.NEF").write_bytes(b"II*\0 sensor data")
    report = run(collection)
    assert (report.changed, report.added, len(report.skipped)) == (1, 0, 0)
    assert said(collection)["a.jpg"]["stack"] == ["a.NEF"]


def all_said(collection):
    """By file name, also those whose picture another place shows."""
    with collection._store.snapshot() as snapshot:
        items = [item for several in snapshot.items_of(range(snapshot.count)).values() for item in several]
    return {os.path.basename(item.uri): item.metadata for item in items}
