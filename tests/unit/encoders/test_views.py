"""Views: what each shows of a picture, and that their mean is an encoder like any other."""

from __future__ import annotations

import json

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from lookalike.core.arrays import unit_vectors
from lookalike.core.errors import EncoderBroken, EncoderError, NoTextTower
from lookalike.encoders.views import VIEWS, Views, open_views, write_views
from lookalike.testing import ToyEncoder


def noise(height=60, width=80, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def framed(top=20, bottom=10, left=30, right=0, colour=255):
    """Noise of 60 x 80 with margins of one colour."""
    page = np.full((60 + top + bottom, 80 + left + right, 3), colour, np.uint8)
    page[top : top + 60, left : left + 80] = noise()
    return page


def test_flip_mirrors_left_to_right():
    (flipped,) = VIEWS["flip"](noise())
    assert_array_equal(flipped[:, ::-1], noise())


def test_five_are_the_corners_and_the_middle_of_three_quarters():
    crops = VIEWS["five"](noise())
    assert [crop.shape for crop in crops] == [(45, 60, 3)] * 5
    corners = [noise()[:45, :60], noise()[:45, 20:], noise()[15:, :60], noise()[15:, 20:]]
    for crop, corner in zip(crops, corners, strict=False):
        assert_array_equal(crop, corner)
    assert_array_equal(crops[4], VIEWS["centre"](noise())[0])


@pytest.mark.parametrize("colour", [255, 0, 90])
def test_border_leaves_the_picture_with_a_small_margin(colour):
    (left,) = VIEWS["border"](framed(colour=colour))
    height, width = left.shape[:2]
    assert 60 <= height <= 60 * 1.1
    assert 80 <= width <= 80 * 1.1
    inside = framed(colour=colour)[20:80, 30:]
    found = [left[row : row + 60, -80:] for row in range(height - 59)]
    assert any((each == inside).all() for each in found)


def test_border_takes_compression_noise_and_dust_for_margin():
    page = framed(top=30, bottom=30, left=60, right=60).astype(np.int16)
    page[:25] += np.random.default_rng(1).integers(-5, 1, page[:25].shape)
    page[3, 4] = 0
    (left,) = VIEWS["border"](np.clip(page, 0, 255).astype(np.uint8))
    assert left.shape[0] < 70
    assert left.shape[1] == 100  # half of the page, no less


def test_a_picture_without_margins_or_of_one_colour_stays_whole():
    for whole in (noise(), np.full((40, 50, 3), 7, np.uint8)):
        assert_array_equal(VIEWS["border"](whole)[0], whole)


def test_a_small_thing_on_a_large_ground_keeps_half_of_each_side():
    page = np.full((400, 300, 3), 255, np.uint8)
    page[10:40, 250:280] = noise(30, 30)
    (left,) = VIEWS["border"](page)
    assert left.shape == (200, 150, 3)
    assert (left < 255).any()


def test_salient_shows_what_stands_out():
    """A patch of noise on a smooth ground."""
    waves = 20 * np.cos(np.linspace(0, 2 * np.pi, 200))
    page = (90 + waves[:, None, None] + waves[None, :, None] + np.zeros(3)).astype(np.uint8)
    page[120:160, 130:170] = noise(40, 40)
    (left,) = VIEWS["salient"](page)
    assert left.shape[0] < 160
    assert left.shape[1] < 160
    patch = page[120:160, 130:170]
    found = (left[row : row + 40, column : column + 40] for row in range(61) for column in range(61))
    assert any(part.shape == patch.shape and (part == patch).all() for part in found)


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("size", [(1, 1), (1, 400), (3, 2), (64, 64), (301, 7)])
def test_any_picture_has_every_view(view, size):
    for picture in (noise(*size), np.zeros((*size, 3), np.uint8)):
        before = picture.copy()
        for part in VIEWS[view](picture):
            assert min(part.shape) > 0
            assert part.dtype == np.uint8
            assert part.flags.c_contiguous
        assert_array_equal(picture, before)


def test_the_vector_is_the_mean_direction_of_the_views():
    toy = ToyEncoder()
    views = Views(toy, ("whole", "five"), name="mine", id="mine-1")
    parts = toy.encode_images([noise(), *VIEWS["five"](noise())])
    assert_allclose(views.encode_images([noise()]), unit_vectors(parts.mean(axis=0)), atol=1e-6)


def test_many_pictures_are_as_one_by_one_and_words_are_the_base_s():
    toy = ToyEncoder()
    views = Views(toy, tuple(VIEWS), name="mine", id="mine-1")
    shown = [noise(20 + 3 * number, 40, number) for number in range(19)]
    singles = np.concatenate([views.encode_images([each]) for each in shown])
    assert_allclose(views.encode_images(shown), singles, atol=views.tolerance)
    assert views.encode_images([]).shape == (0, views.dim)
    assert_array_equal(views.encode_texts(["red"]), toy.encode_texts(["red"]))
    assert views.modalities == toy.modalities
    with pytest.raises(NoTextTower):
        Views(ToyEncoder(text=False), ("whole",), name="mine", id="mine-1").encode_texts(["red"])


def test_crops_are_decoded_larger_so_that_the_base_sees_as_much():
    toy = ToyEncoder()
    sides = [Views(toy, (view,), name="a", id="a-1").image_side for view in ("flip", "centre", "border")]
    assert sides == [toy.image_side, -(-4 * toy.image_side // 3), 2 * toy.image_side]


@pytest.mark.parametrize("views", [[], ["whole", "whole"], ["zoom"]])
def test_no_repeated_or_unknown_views(views, tmp_path):
    with pytest.raises(ValueError, match="wanted each once"):
        write_views(tmp_path / "mine", ToyEncoder(), views)
    assert not (tmp_path / "mine").exists()


def test_a_folder_opens_as_it_was_written(tmp_path):
    toy = ToyEncoder()
    write_views(tmp_path / "mine", toy, ["whole", "border"])
    config = json.loads((tmp_path / "mine" / "config.json").read_text(encoding="utf-8"))
    opened = open_views(tmp_path / "mine", config, {toy.id: toy}.__getitem__, name="mine", id="mine-1")
    assert (opened.views, opened.id, opened.base) == (("whole", "border"), "mine-1", toy)


@pytest.mark.parametrize("config", [{}, {"base": "toy", "views": ["zoom"]}, {"base": 3, "views": ["whole"]}])
def test_a_file_that_makes_no_encoder_says_so(config, tmp_path):
    with pytest.raises(EncoderBroken, match=r"config\.json"):
        open_views(tmp_path, config, lambda _: ToyEncoder(), name="mine", id="mine-1")


def test_a_folder_with_models_of_its_own_is_never_made_one_of_views(tmp_path):
    (tmp_path / "visual").mkdir()
    (tmp_path / "visual" / "model.onnx").write_bytes(b"weights")
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(EncoderError, match="models of its own"):
        write_views(tmp_path, ToyEncoder(), ["whole", "flip"])
    assert (tmp_path / "config.json").read_text(encoding="utf-8") == "{}"
