"""The shipped fakes do what a test of a search needs."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from lookalike.testing import COLOURS, SHAPES, ToyEncoder, draw_pictures


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    return draw_pictures(tmp_path_factory.mktemp("drawn"), 96)


@pytest.fixture(scope="module")
def pixels(drawn):
    return [np.asarray(Image.open(path).convert("RGB")) for path in drawn]


@pytest.mark.parametrize("colour", COLOURS)
def test_a_colour_finds_its_pictures_first(drawn, pixels, colour):
    toy = ToyEncoder()
    (scores,) = toy.encode_texts([f"a {colour} thing"]) @ toy.encode_images(pixels).T
    best = [drawn[row].name for row in np.argsort(-scores)[:12]]
    assert all(f"-{colour}-" in name for name in best)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_shape_mostly_finds_its_pictures(drawn, pixels, shape):
    toy = ToyEncoder()
    (scores,) = toy.encode_texts([shape]) @ toy.encode_images(pixels).T
    assert sum(f"-{shape}." in drawn[row].name for row in np.argsort(-scores)[:20]) >= 18


def test_a_picture_is_nearest_to_itself(pixels):
    vectors = ToyEncoder().encode_images(pixels)
    np.testing.assert_array_equal((vectors @ vectors.T).argmax(1), np.arange(len(pixels)))


def test_toys_of_other_names_make_other_vectors(pixels):
    one, other = ToyEncoder(), ToyEncoder("other")
    assert one.id != other.id
    assert np.abs(one.encode_images(pixels[:1]) - other.encode_images(pixels[:1])).max() > 0.1


def test_equal_seeds_draw_equal_pixels_and_no_two_pictures_are_alike(drawn, pixels, tmp_path):
    again = draw_pictures(tmp_path / "again", 96)
    assert [path.name for path in again] == [path.name for path in drawn]
    for path, expected in zip(again, pixels, strict=True):
        np.testing.assert_array_equal(np.asarray(Image.open(path).convert("RGB")), expected)
    assert len({picture.tobytes() for picture in pixels}) == len(pixels)


def test_the_toy_needs_no_onnx_runtime():
    program = """
import sys
from lookalike.testing import ToyEncoder
ToyEncoder().encode_texts(["red"])
assert "onnxruntime" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True)
