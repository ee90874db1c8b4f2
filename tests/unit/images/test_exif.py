"""What EXIF says about a picture."""

from __future__ import annotations

import json
from fractions import Fraction

import pytest
from PIL import Image

from lookalike.images.decode import decode_picture
from odd_files import card, encoded


def with_tags(main=None, details=None, place=None):
    exif = Image.Exif()
    exif.update(main or {})
    exif.get_ifd(0x8769).update(details or {})
    exif.get_ifd(0x8825).update(place or {})
    return dict(decode_picture(encoded(card(), "JPEG", exif=exif.tobytes())).metadata)


def test_the_moment_it_was_taken_comes_with_the_offset_where_it_is_known():
    assert with_tags(details={0x9003: "2021:07:04 10:11:12", 0x9011: "+02:00"})["taken"] == "2021-07-04T10:11:12+02:00"
    assert with_tags(details={0x9003: "2021:07:04 10:11:12"})["taken"] == "2021-07-04T10:11:12"


def test_the_moment_of_taking_is_preferred_to_that_of_digitising_and_of_editing():
    main, details = {0x0132: "2023:01:01 00:00:00"}, {0x9004: "2022:01:01 00:00:00", 0x9003: "2021:01:01 00:00:00"}
    assert with_tags(main, details)["taken"].startswith("2021")
    del details[0x9003]
    assert with_tags(main, details)["taken"].startswith("2022")
    assert with_tags(main)["taken"].startswith("2023")


@pytest.mark.parametrize(
    "written", ["0000:00:00 00:00:00", "    :  :     :  :  ", "yesterday", "2021:13:40 99:99:99", ""]
)
def test_a_moment_that_is_none_is_left_out(written):
    assert "taken" not in with_tags(details={0x9003: written})


def test_camera_and_lens_are_one_clean_line_each():
    found = with_tags({0x010F: "Canon", 0x0110: "Canon EOS 5D\n"}, {0xA434: "EF 24-70mm\0junk"})
    assert (found["camera"], found["lens"]) == ("Canon EOS 5D", "EF 24-70mm")
    assert with_tags({0x010F: "SONY", 0x0110: "ILCE-7M3"})["camera"] == "SONY ILCE-7M3"
    assert len(with_tags({0x0110: "x" * 5_000})["camera"]) <= 200


def test_a_place_is_latitude_and_longitude_in_degrees():
    place = {
        1: "S",
        2: (Fraction(33), Fraction(51), Fraction(36)),
        3: "E",
        4: (Fraction(151), Fraction(12), Fraction(0)),
    }
    latitude, longitude = with_tags(place=place)["gps"]
    assert latitude == pytest.approx(-33.86)
    assert longitude == pytest.approx(151.2)


@pytest.mark.parametrize(
    "place",
    [
        {1: "N", 2: (Fraction(0), Fraction(0), Fraction(0)), 3: "E", 4: (Fraction(0), Fraction(0), Fraction(0))},
        {1: "N", 2: (Fraction(95), Fraction(0), Fraction(0)), 3: "E", 4: (Fraction(1), Fraction(0), Fraction(0))},
        {1: "N", 2: (Fraction(45), Fraction(0), Fraction(0))},
    ],
)
def test_a_place_that_is_none_is_left_out(place):
    assert "gps" not in with_tags(place=place)


def test_what_is_found_can_be_written_as_json():
    found = with_tags({0x0110: "caf\xe9 \ud83d"[:4], 0x0112: 3}, {0x9003: "2021:07:04 10:11:12"})
    assert json.loads(json.dumps(found))["orientation"] == 3
