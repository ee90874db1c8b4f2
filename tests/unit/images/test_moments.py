"""Dates as files and file names write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookalike.core.fields import date_text
from lookalike.images.moments import moment_in_name, moment_of, zone_by_satellites, zone_of


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2020:01:31 12:00:00", "2020-01-31T12:00:00"),
        ("2020-01-31T12:00:00.25+02:00", "2020-01-31T12:00:00.250+02:00"),
        ("2020-01-31T12:00Z", "2020-01-31T12:00:00+00:00"),
        ("2020:01:31 12:00:00 -0330", "2020-01-31T12:00:00-03:30"),
        ("2020-01", "2020-01-01T00:00:00"),
        ("1905", "1905-01-01T00:00:00"),
    ],
)
def test_dates_are_read_as_exif_xmp_and_people_write_them(written, read):
    assert date_text(moment_of(written)) == read


@pytest.mark.parametrize("written", ["", "0000:00:00 00:00:00", "2020:02:30 00:00:00", "soon", None, 5, "9999-01-01"])
def test_what_is_no_date_is_none(written):
    assert moment_of(written) is None


@given(st.text())
def test_no_text_breaks_the_reading_of_dates(text):
    assert moment_of(text) is None or moment_of(text).year >= 1826
    moment_in_name(text)
    zone_of(text)


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("IMG_20190503_171022.jpg", "2019-05-03T17:10:22"),
        ("PXL_20210503_151022123.jpg", "2021-05-03T15:10:22.123+00:00"),
        ("20190503_171022_3D657EBD.jpg", "2019-05-03T17:10:22"),
        ("2019-05-03 17.10.22.jpg", "2019-05-03T17:10:22"),
        ("Screenshot 2024-05-03 at 17.10.22.png", "2024-05-03T17:10:22"),
        ("Screenshot_2024-05-03-17-10-22-123_org.app.jpg", "2024-05-03T17:10:22"),
        ("signal-2020-05-03-171022.jpg", "2020-05-03T17:10:22"),
        ("WhatsApp Image 2019-05-03 at 17.10.22.jpeg", "2019-05-03T17:10:22"),
        ("IMG-20190503-WA0001.jpg", "2019-05-03T00:00:00"),
        ("Riga 2019-05-03.jpg", "2019-05-03T00:00:00"),
        ("mmexport1556890222123.jpg", "2019-05-03T13:30:22+00:00"),
    ],
)
def test_dates_in_file_names_are_found(name, read):
    assert date_text(moment_in_name(name)) == read


@pytest.mark.parametrize("name", ["20501231.jpg", "DSC_1234.jpg", "1920x1080.png", "99120190503-171022.jpg", "x.jpg"])
def test_numbers_that_are_no_dates_are_left_alone(name):
    assert moment_in_name(name) is None


def test_an_offset_that_nobody_uses_is_no_zone():
    local = datetime(2020, 1, 1, 12)  # noqa: DTZ001 - a camera's clock
    for hours, expected in ((2, 2), (5.75, 5.75), (-9.5, -9.5), (2.25, None), (20, None)):
        satellites = local.replace(tzinfo=UTC) - timedelta(hours=hours, seconds=40)
        zone = None if expected is None else timezone(timedelta(hours=expected))
        assert zone_by_satellites(local, satellites) == zone
