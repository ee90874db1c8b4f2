"""What EXIF says about a picture."""

from __future__ import annotations

import json
from fractions import Fraction

import pytest
from PIL import Image

from lookalike.images.decode import decode_picture
from odd_files import card, encoded

TAKEN, DIGITISED, CHANGED = 0x9003, 0x9004, 0x0132
OFFSET_TAKEN, OFFSET_DIGITISED, OFFSET_CHANGED = 0x9011, 0x9012, 0x9010
RIGA = {1: "N", 2: (Fraction(56), Fraction(56), Fraction(51)), 3: "E", 4: (Fraction(24), Fraction(6), Fraction(25))}
ZERO = (Fraction(0), Fraction(0), Fraction(0))


def with_tags(main=None, details=None, place=None):
    exif = Image.Exif()
    exif.update(main or {})
    exif.get_ifd(0x8769).update(details or {})
    exif.get_ifd(0x8825).update(place or {})
    return dict(decode_picture(encoded(card(), "JPEG", exif=exif.tobytes())).metadata)


def taken(main=None, details=None, place=None):
    return with_tags(main, details, place).get("taken")


def gps_time(hour, minute, second=0, day="2021:07:04"):
    return {7: (Fraction(hour), Fraction(minute), Fraction(second)), 29: day}


def test_the_moment_it_was_taken_comes_with_the_offset_where_it_is_known():
    assert taken(details={TAKEN: "2021:07:04 10:11:12", OFFSET_TAKEN: "+02:00"}) == "2021-07-04T10:11:12+02:00"
    assert taken(details={TAKEN: "2021:07:04 10:11:12"}) == "2021-07-04T10:11:12"


def test_the_moment_of_taking_is_preferred_to_that_of_digitising_and_of_editing():
    main, details = {CHANGED: "2023:01:01 00:00:00"}, {DIGITISED: "2022:01:01 00:00:00", TAKEN: "2021:01:01 00:00:00"}
    found = with_tags(main, details)
    assert (found["taken"], found["taken_from"]) == ("2021-01-01T00:00:00", "exif")
    del details[TAKEN]
    assert taken(main, details).startswith("2022")
    assert taken(main).startswith("2023")


def test_parts_of_a_second_are_kept_to_the_millisecond():
    details = {TAKEN: "2021:07:04 10:11:12", 0x9291: "123456 ", OFFSET_TAKEN: "-03:30"}
    assert taken(details=details) == "2021-07-04T10:11:12.123-03:30"
    assert taken(details={**details, 0x9291: "5"}) == "2021-07-04T10:11:12.500-03:30"


def test_the_offset_of_another_date_counts_only_where_it_shows_the_same_second():
    in_summer = {TAKEN: "2021:07:04 10:11:12", OFFSET_CHANGED: "+01:00"}
    assert taken({CHANGED: "2021:07:04 10:11:12"}, in_summer) == "2021-07-04T10:11:12+01:00"
    assert taken({CHANGED: "2022:01:02 20:00:00"}, in_summer) == "2021-07-04T10:11:12"
    assert taken(None, {**in_summer, OFFSET_DIGITISED: "+02:00", DIGITISED: "2021:07:04 10:11:12"}).endswith("+02:00")


@pytest.mark.parametrize(
    ("place", "offset"),
    [
        (gps_time(8, 11), "+02:00"),
        (gps_time(8, 13), "+02:00"),  # the fix came two minutes late
        (gps_time(4, 41), "+05:30"),
        (gps_time(20, 11, day="2021:07:03"), "+14:00"),
        (gps_time(10, 11), "+00:00"),
        (gps_time(8, 31), ""),  # a fix of long ago explains nothing
        (gps_time(8, 11, day="2021:07:02"), ""),
        ({7: (Fraction(8), Fraction(11), Fraction(0))}, ""),
        (gps_time(25, 0), ""),
    ],
)
def test_satellites_tell_the_zone_where_no_offset_is_written(place, offset):
    assert taken(details={TAKEN: "2021:07:04 10:11:00"}, place=place) == "2021-07-04T10:11:00" + offset
    assert taken(details={TAKEN: "2021:07:04 10:11:00", OFFSET_TAKEN: "-07:00"}, place=place).endswith("-07:00")


def test_the_time_of_satellites_is_the_last_date_of_all():
    assert taken(place=gps_time(8, 11, 30)) == "2021-07-04T08:11:30+00:00"
    assert taken({CHANGED: "2023:01:01 00:00:00"}, place=gps_time(8, 11)) == "2023-01-01T00:00:00"


@pytest.mark.parametrize(
    "written",
    [
        "0000:00:00 00:00:00",
        "    :  :     :  :  ",
        "yesterday",
        "2021:13:40 99:99:99",
        "",
        "1970:01:01 00:00:00",
        "2021",
    ],
)
def test_a_moment_that_is_none_is_left_out(written):
    assert taken(details={TAKEN: written}) is None


def test_camera_and_lens_are_one_clean_line_each():
    found = with_tags({0x010F: "Canon", 0x0110: "Canon EOS 5D\n"}, {0xA434: "EF 24-70mm\0junk"})
    assert (found["camera"], found["lens"]) == ("Canon EOS 5D", "EF 24-70mm")
    assert with_tags({0x010F: "SONY", 0x0110: "ILCE-7M3"})["camera"] == "SONY ILCE-7M3"
    assert len(with_tags({0x0110: "x" * 5_000})["camera"]) <= 200


def test_a_place_is_latitude_and_longitude_in_degrees_and_its_city():
    found = with_tags(place=RIGA)
    assert (found["latitude"], found["longitude"]) == pytest.approx((56.9475, 24.106944), abs=1e-6)
    assert (found["city"], found["country"]) == ("Riga", "Latvia")
    south = with_tags(place={**RIGA, 1: "S", 3: "W"})
    assert (south["latitude"], south["longitude"]) == (-found["latitude"], -found["longitude"])
    assert "city" not in south


@pytest.mark.parametrize(
    "place",
    [
        {1: "N", 2: ZERO, 3: "E", 4: ZERO},
        {**RIGA, 2: (Fraction(95), Fraction(0), Fraction(0))},
        {1: "N", 2: (Fraction(45), Fraction(0), Fraction(0))},
        {2: RIGA[2], 4: RIGA[4]},
        {**RIGA, 1: "?"},
    ],
)
def test_a_place_that_is_none_is_left_out(place):
    assert not {"latitude", "longitude", "city"} & set(with_tags(place=place))


def test_what_windows_and_cameras_write_for_people_is_read_and_fillers_are_not():
    windows = {0x9C9B: "Рига\0".encode("utf-16-le"), 0x9C9E: "sea; sun;sea\0".encode("utf-16-le"), 0x4746: 4}
    found = with_tags({**windows, 0x010E: "Old town"})
    assert (found["title"], found["tags"], found["rating"], found["caption"]) == ("Рига", ["sea", "sun"], 4, "Old town")
    assert "caption" not in with_tags({0x010E: "OLYMPUS DIGITAL CAMERA         "})
    assert "rating" not in with_tags({0x4746: 0})


def test_what_is_found_can_be_written_as_json():
    found = with_tags({0x0110: "caf\xe9 \ud83d"[:4], 0x0112: 3}, {TAKEN: "2021:07:04 10:11:12"}, RIGA)
    assert json.loads(json.dumps(found)) == found
