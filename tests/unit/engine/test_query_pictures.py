"""Pictures of a query are read like indexed ones, and a part of one is that part."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from lookalike.core.errors import CannotDecode, QueryError
from lookalike.core.records import Crop, PictureAt, Query, Term
from lookalike.engine.query_pictures import read_pictures

SIDE = 32
RED, BLUE = (200, 30, 30), (30, 30, 200)


def png(width, height):
    """Left half red, right half blue."""
    image = Image.new("RGB", (width, height), RED)
    image.paste(BLUE, (width // 2, 0, width, height))
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def read(source, crop=None):
    (term,) = read_pictures([Term("picture", PictureAt(source, crop), -2.0, "x")], lambda: SIDE)
    assert (term.weight, term.label) == (-2.0, "x")
    return term.value


@pytest.mark.parametrize("crop", [Crop(50, 0, 50, 100, percent=True), Crop(100, 0, 100, 80), Crop(100, 0, 9999, 9999)])
def test_a_part_in_pixels_or_percent_what_is_outside_left_off(crop):
    pixels = read(png(200, 80), crop)
    assert pixels.shape == (80, 100, 3)
    assert (pixels == BLUE).all()


@pytest.mark.parametrize("crop", [Crop(600, 0, 40, 40), Crop(37.5, 0, 2.5, 10, percent=True)])
def test_a_small_part_of_a_large_picture_keeps_its_pixels(crop):
    pixels = read(png(1600, 400), crop)
    assert pixels.shape == (40, 40, 3)
    assert (pixels == RED).all()


def test_a_part_smaller_than_a_pixel_is_that_pixel():
    assert read(png(20, 20), Crop(15.5, 3, 0.1, 0.1)).tolist() == [[list(BLUE)]]


@pytest.mark.parametrize("crop", [Crop(200, 0, 5, 5), Crop(0, 80, 5, 5), Crop(100, 0, 5, 5, percent=True)])
def test_a_part_outside_of_its_picture_is_an_error(crop):
    with pytest.raises(QueryError, match="200 x 80"):
        read(png(200, 80), crop)


def test_files_bytes_images_and_pixels_are_all_read(tmp_path):
    (tmp_path / "a.png").write_bytes(png(40, 20))
    assert np.array_equal(read(tmp_path / "a.png"), read(png(40, 20)))
    with Image.open(tmp_path / "a.png") as image:
        (term,) = read_pictures([Term("picture", image)], lambda: SIDE)
    assert np.array_equal(term.value, read(png(40, 20)))
    (again,) = read_pictures([term], lambda: SIDE)
    assert again.value is term.value


def test_what_is_no_picture_is_named(tmp_path):
    (tmp_path / "a.png").write_bytes(b"no")
    with pytest.raises(CannotDecode, match=r"a\.png"):
        read(tmp_path / "a.png")
    with pytest.raises(QueryError, match="cannot read"):
        read(tmp_path / "missing.png")
    with pytest.raises(QueryError, match="no file"):
        read(tmp_path)


def test_a_collection_answers_terms_whose_pictures_are_still_to_be_read(collection, pictures):
    path = sorted(pictures.iterdir())[8]
    terms = (Term("picture", PictureAt(path)), Term("text", "red", 0.01))
    assert collection.search(terms, k=1)[0].uri == collection.search(Query(terms, k=1))[0].uri == str(path)
