"""Colours by name, on drawn pictures about which nobody would argue."""

from __future__ import annotations

import pytest
from PIL import Image, ImageDraw

from lookalike.images.colour_names import COLOURS, dominant_colours


@pytest.mark.parametrize(
    ("rgb", "name"),
    [
        ((0, 0, 0), "black"),
        ((18, 18, 20), "black"),
        ((128, 128, 128), "grey"),
        ((255, 255, 255), "white"),
        ((245, 243, 240), "white"),
        ((200, 20, 20), "red"),
        ((120, 0, 10), "red"),
        ((255, 140, 0), "orange"),
        ((101, 67, 33), "brown"),
        ((255, 230, 0), "yellow"),
        ((0, 128, 0), "green"),
        ((85, 107, 47), "green"),
        ((64, 224, 208), "turquoise"),
        ((0, 128, 128), "turquoise"),
        ((0, 0, 255), "blue"),
        ((10, 20, 70), "blue"),
        ((135, 206, 235), "blue"),
        ((128, 0, 128), "purple"),
        ((200, 160, 230), "purple"),
        ((255, 192, 203), "pink"),
        ((255, 20, 147), "pink"),
    ],
)
def test_a_plain_colour_has_the_name_people_give_it(rgb, name):
    assert dominant_colours(Image.new("RGB", (256, 200), rgb)) == [name]


def test_a_small_strong_spot_is_named_beside_what_fills_the_picture():
    street = Image.new("RGB", (300, 300), (120, 120, 125))
    ImageDraw.Draw(street).rectangle((100, 100, 170, 160), fill=(210, 20, 30))
    assert dominant_colours(street) == ["grey", "red"]


def test_a_specks_colour_is_not_named():
    street = Image.new("RGB", (300, 300), (120, 120, 125))
    ImageDraw.Draw(street).rectangle((100, 100, 120, 120), fill=(210, 20, 30))
    assert dominant_colours(street) == ["grey"]


def test_a_small_thing_on_white_ground_has_its_colours_named():
    product = Image.new("RGB", (300, 300), "white")
    ImageDraw.Draw(product).rectangle((110, 110, 190, 190), fill=(90, 60, 30))
    assert dominant_colours(product) == ["white", "brown"]


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1), (31, 33)])
def test_pictures_of_any_shape_have_colours(size):
    assert dominant_colours(Image.new("RGB", size, (0, 0, 255))) == ["blue"]


def test_there_are_at_most_four_names_all_of_them_known():
    stripes = Image.new("RGB", (360, 100))
    colours = ("red", "orange", "yellow", "green", "blue", "purple")
    for place, colour in enumerate(colours):
        ImageDraw.Draw(stripes).rectangle((60 * place, 0, 60 * place + 59, 99), fill=colour)
    found = dominant_colours(stripes)
    assert len(found) == 4
    assert set(found) <= set(colours) < set(COLOURS)
