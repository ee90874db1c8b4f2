"""The nearest city of a position."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookalike.images.cities import nearest_city, with_city


@pytest.mark.parametrize(
    ("latitude", "longitude", "city", "country"),
    [
        (56.9475, 24.107, "Riga", "Latvia"),
        (51.539, -0.1426, "London", "United Kingdom"),  # Camden: inside London
        (48.8049, 2.1204, "Versailles", "France"),
        (40.78, -73.97, "New York City", "United States"),
        (-33.8568, 151.2153, "Sydney", "Australia"),
        (50.45, 30.52, "Kyiv", "Ukraine"),
        (-16.8, -179.97, "Labasa", "Fiji"),  # beyond the date line
    ],
)
def test_a_position_has_the_city_a_person_would_name(latitude, longitude, city, country):
    assert nearest_city(latitude, longitude) == (city, country)


@pytest.mark.parametrize("place", [(30, -40), (90, 0), (-90, 180), (0, -180)])
def test_the_sea_and_the_poles_have_none(place):
    assert nearest_city(*place) is None


@given(st.floats(-90, 90), st.floats(-180, 180))
def test_every_position_is_answered(latitude, longitude):
    found = nearest_city(latitude, longitude)
    assert found is None or all(found)


def test_a_place_that_is_named_already_keeps_its_name():
    riga = {"latitude": 56.9475, "longitude": 24.107}
    assert with_city(riga)["city"] == "Riga"
    assert with_city({**riga, "city": "Rīga"}) == {**riga, "city": "Rīga"}
    assert with_city({}) == {}
