"""The fields that lookalike gives, and dates as text and as numbers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from lookalike.core.fields import FIELDS, ITEM_FIELDS, PICTURE_FIELDS, date_ns, date_text

_SECOND = 1_000_000_000


def test_names_stand_for_one_thing() -> None:
    assert not set(ITEM_FIELDS) & set(PICTURE_FIELDS)
    assert set(FIELDS) == {*ITEM_FIELDS, *PICTURE_FIELDS}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01", 0),
        ("1970-01-01T00:00:01", _SECOND),
        ("1970-01-01T00:00:01Z", _SECOND),
        ("1970-01-01 02:00:01+02:00", _SECOND),
        ("1970-01-01T00:00:00.5", _SECOND // 2),
        ("1970-01-01T00:00:00.123456789Z", 123_456_789),
        ("1969-12-31T23:59:59.25", -3 * _SECOND // 4),
    ],
)
def test_a_date_is_nanoseconds_of_utc_and_without_a_zone_as_if_utc(text: str, expected: int) -> None:
    assert date_ns(text) == expected


@pytest.mark.parametrize("text", ["", "soon", "2024-13-01", "2024:05:03 11:00:00", "0001-01-01", "9999-12-31"])
def test_what_is_no_date_or_no_64_bit_number_is_none(text: str) -> None:
    assert date_ns(text) is None


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2024, 5, 3, 17, 20, 11), "2024-05-03T17:20:11"),  # noqa: DTZ001 - a camera knows no zone
        (datetime(2024, 5, 3, 17, 20, 11, 250_000, tzinfo=UTC), "2024-05-03T17:20:11.250+00:00"),
        (datetime(2024, 5, 3, 17, 20, tzinfo=timezone(timedelta(hours=-3))), "2024-05-03T17:20:00-03:00"),
    ],
)
def test_a_moment_is_written_as_short_as_it_is_exact(moment: datetime, text: str) -> None:
    assert date_text(moment) == text
    as_utc = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    assert date_ns(text) == round(as_utc.timestamp() * 1000) * 1_000_000
