"""Where pictures lie on each other, on drawn photos that were edited as people and programs edit them."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance, ImageFont, ImageOps

from lookalike.core.turns import turn_pixels
from lookalike.images.alignment import LONG_SIDE, look_at, shrunk
from lookalike.images.alignment import align as align_as_guessed
from lookalike.images.fingerprint import greys
from lookalike.images.sketches import Guess, guesses_of, sketch_of_greys


def photo(seed: int, size: tuple[int, int] = (360, 270)) -> Image.Image:
    """Something with detail at every scale, as photos have."""
    draw = np.random.default_rng(seed)
    levels = np.zeros((size[1], size[0], 3), np.float32)
    for cells in (3, 7, 15, 40, 90):
        noise = Image.fromarray(draw.integers(0, 256, (cells, cells, 3), dtype=np.uint8))
        levels += np.asarray(noise.resize(size, Image.Resampling.BICUBIC), np.float32) / cells**0.5
    levels -= levels.min()
    return Image.fromarray((levels * (255 / levels.max())).astype(np.uint8))


def look(image: Image.Image):
    return look_at(np.asarray(image.convert("RGB")))


def sketch(image: Image.Image) -> bytes:
    return sketch_of_greys(greys(image.convert("RGB")), *image.size)


def align(first: Image.Image, second: Image.Image):
    """As their sketches guess."""
    (guesses,) = guesses_of([sketch(first), sketch(second)], np.array([0]), np.array([1]))
    return align_as_guessed(look(first), look(second), guesses)


def saved(image: Image.Image, format: str, **options) -> Image.Image:
    stream = io.BytesIO()
    image.save(stream, format, **options)
    return Image.open(stream)


COPIES = {
    "jpeg 30": lambda image: saved(image, "JPEG", quality=30),
    "webp": lambda image: saved(image, "WEBP", quality=60),
    "gif": lambda image: saved(image, "GIF"),
    "half": lambda image: image.resize((180, 135), Image.Resampling.LANCZOS),
    "twice": lambda image: image.resize((720, 540), Image.Resampling.BICUBIC),
}


@pytest.mark.parametrize("way", COPIES)
def test_a_copy_agrees_from_edge_to_edge(way):
    found = align(photo(1), COPIES[way](photo(1)))
    assert (found.within, found.turn, found.bordered) == ("whole", 0, "")
    assert found.correlation > 0.9
    assert found.agreeing > 0.95
    assert found.tones < 3


@pytest.mark.parametrize("turn", range(8))
def test_the_turn_of_a_turned_picture_is_told(turn):
    turned = Image.fromarray(np.ascontiguousarray(turn_pixels(np.asarray(photo(2)), turn)))
    found = align(photo(2), turned)
    assert (found.within, found.turn) == ("whole", turn)
    assert found.correlation > 0.95


@pytest.mark.parametrize("box", [(0, 0, 216, 162), (100, 80, 316, 242), (60, 20, 348, 236), (150, 30, 320, 260)])
def test_a_part_is_found_where_it_was_cut_out(box):
    found = align(photo(3), saved(photo(3).crop(box), "JPEG", quality=50))
    assert found.within == "second"
    assert found.correlation > 0.75
    told = np.array(found.box) * [360, 270, 360, 270]
    assert np.abs(told - box).max() < 10


def test_it_does_not_matter_which_of_two_is_the_part():
    found = align(photo(3).crop((100, 80, 316, 242)), photo(3))
    assert found.within == "first"
    assert found.correlation > 0.75


def test_a_part_of_the_mirror_image_is_found():
    found = align(photo(4), ImageOps.mirror(photo(4)).crop((40, 30, 300, 230)))
    assert (found.within, found.turn) == ("second", 1)
    assert found.correlation > 0.75


@pytest.mark.parametrize("colour", ["white", "black", "#806040"])
def test_a_plain_border_is_taken_off(colour):
    found = align(photo(5), ImageOps.expand(photo(5), 30, colour))
    assert (found.within, found.bordered) == ("whole", "second")
    assert found.correlation > 0.8


def test_a_line_of_text_shows_as_a_spot_and_a_copy_has_none():
    marked = photo(6)
    ImageDraw.Draw(marked).text((40, 200), "(c) A. Nonymous", font=ImageFont.load_default(28), fill="white")
    assert align(photo(6), marked).spot > 3 * align(photo(6), COPIES["jpeg 30"](photo(6))).spot


def test_other_colours_show_in_the_tones_alone():
    found = align(photo(7), ImageEnhance.Brightness(photo(7)).enhance(1.3))
    assert found.tones > 10
    assert found.correlation > 0.95


def test_another_shape_is_told_as_stretched():
    assert align(photo(8), photo(8).resize((270, 270))).stretch == pytest.approx(4 / 3, rel=0.03)


def test_different_pictures_agree_nowhere():
    photos = [photo(seed) for seed in range(20, 28)]
    for first in photos:
        for second in photos:
            assert first is second or align(first, second).correlation < 0.6


@pytest.mark.parametrize("size", [(1, 1), (2, 400), (400, 2), (7, 9), (3000, 40)])
def test_pictures_of_any_shape_are_compared(size):
    other = Image.new("RGB", size, "grey")
    assert align(photo(9), other).correlation < 0.6
    assert align(other, photo(9)).correlation < 0.6


def test_plain_pictures_have_nothing_in_common_to_speak_of():
    assert align(Image.new("RGB", (90, 60), "red"), Image.new("RGB", (90, 60), "navy")).correlation == 0


def test_the_small_version_of_a_large_picture_is_what_it_would_be_of_a_shrunk_one():
    large = photo(10, (1600, 1200))
    assert max(look(large).grey.shape) == LONG_SIDE
    small = shrunk(large)
    assert max(small.size) <= 4 * LONG_SIDE
    assert np.abs(look(small).grey.astype(int) - look(large).grey).max() < 12


@pytest.mark.parametrize("width", [9, 13, 22, 31])
@pytest.mark.parametrize("colour", ["white", "#806040"])
def test_what_lies_in_a_border_is_laid_to_a_fraction_of_a_pixel(width, colour):
    framed = ImageOps.expand(photo(5), width, colour).resize((251, 199), Image.Resampling.LANCZOS)
    found = align(photo(5), saved(framed, "JPEG", quality=85))
    assert found.bordered == "second"
    assert found.correlation > 0.93
    assert found.agreeing > 0.95


def test_a_crop_in_a_border_is_found_in_the_original():
    framed = ImageOps.expand(photo(6).crop((40, 30, 330, 250)), 20, "black")
    found = align(photo(6), framed)
    assert (found.within, found.bordered) == ("second", "second")
    assert found.correlation > 0.93
    assert np.abs(np.array(found.box) * [360, 270, 360, 270] - (40, 30, 330, 250)).max() < 3


def test_two_that_have_borders_are_said_to_have_them():
    framed = [ImageOps.expand(photo(7), width, "white") for width in (14, 25)]
    found = align(framed[0], framed[1])
    assert (found.within, found.bordered) == ("whole", "both")
    assert found.correlation > 0.95


def test_a_border_of_which_a_side_is_no_plain_colour_is_found_by_its_other_sides():
    framed = ImageOps.expand(photo(8), 24, "white")
    stain = np.random.default_rng(2).integers(0, 255, (framed.height // 3, 10, 3), dtype=np.uint8)
    framed.paste(Image.fromarray(stain), (framed.width - 10, framed.height // 3))
    first, second = look(photo(8)), look(framed)
    assert second.content[2] == 1.0
    found = align_as_guessed(first, second, [Guess(0.9, "content", 0)])
    assert (found.within, found.bordered) == ("whole", "second")
    assert found.correlation > 0.95


def test_it_is_told_how_much_there_is_to_see():
    drawn = Image.new("RGB", (320, 320), "white")
    ImageDraw.Draw(drawn).ellipse((150, 120, 240, 200), fill="navy")
    for image, least, most in ((photo(13), 0.95, 1.0), (drawn, 0.0, 0.4)):
        for other in (image, ImageOps.expand(image, 20, "black")):
            assert least <= align(image, other).filled <= most


def test_the_shape_of_what_lies_in_a_border_is_compared():
    bordered = ImageOps.expand(photo(14).resize((270, 270)), 20, "white")
    assert align(photo(14), bordered).stretch == pytest.approx(3 / 4, rel=0.03)
    assert align(photo(14), ImageOps.expand(photo(14), 20, "white")).stretch == pytest.approx(1, rel=0.02)
