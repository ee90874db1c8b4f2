"""What sketches guess of drawn photos: turned, mirrored, cropped, framed and different ones, alone and in batches."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from lookalike.core.turns import turn_pixels
from lookalike.images.fingerprint import greys
from lookalike.images.planes import evened
from lookalike.images.sketches import SIDE, guesses_of, sketch_of_greys


def photo(seed: int, size: tuple[int, int] = (320, 240)) -> Image.Image:
    """Something with detail at every scale, as photos have."""
    draw = np.random.default_rng(seed)
    levels = np.zeros((size[1], size[0]), np.float32)
    for cells in (3, 7, 15, 40, 90):
        noise = Image.fromarray(draw.integers(0, 256, (cells, cells), dtype=np.uint8))
        levels += np.asarray(noise.resize(size, Image.Resampling.BICUBIC), np.float32) / cells**0.5
    levels -= levels.min()
    return Image.fromarray((levels * (255 / levels.max())).astype(np.uint8)).convert("RGB")


def sketch(image: Image.Image) -> bytes:
    return sketch_of_greys(greys(image), *image.size)


def guesses(first: Image.Image, second: Image.Image):
    (found,) = guesses_of([sketch(first), sketch(second)], np.array([0]), np.array([1]))
    return found


@pytest.mark.parametrize("turn", range(8))
def test_a_turned_picture_is_guessed_as_a_whole_at_that_turn(turn):
    turned = Image.fromarray(np.ascontiguousarray(turn_pixels(np.asarray(photo(1)), turn)))
    found = guesses(photo(1), turned)
    assert (found[0].within, found[0].turn) == ("whole", turn)
    assert found[0].score > 0.95


@pytest.mark.parametrize("share", [0.55, 0.7, 0.85])
@pytest.mark.parametrize("mirrored", [False, True])
def test_a_crop_is_guessed_as_a_part_of_about_that_scale(share, mirrored):
    crop = photo(2).crop((20, 10, 20 + round(320 * share), 10 + round(240 * share)))
    crop = ImageOps.mirror(crop) if mirrored else crop
    for found, within in ((guesses(photo(2), crop)[-1], "second"), (guesses(crop, photo(2))[-1], "first")):
        assert (found.within, found.turn) == (within, int(mirrored))
        assert found.scale == pytest.approx(share, rel=0.06)
        assert found.score > 0.7


def test_a_square_cut_out_of_a_wide_picture_is_a_part():
    assert guesses(photo(3), photo(3).crop((60, 0, 300, 240)))[-1].within == "second"


@pytest.mark.parametrize("colour", ["white", "black", "#806040"])
def test_a_framed_picture_is_guessed_without_its_border(colour):
    framed = ImageOps.expand(ImageOps.mirror(photo(4)), 28, colour)
    assert ("content", 1) in {(found.within, found.turn) for found in guesses(photo(4), framed)}


def test_different_pictures_have_no_guess():
    sketches = [sketch(photo(seed, size)) for seed in range(8) for size in ((320, 240), (240, 320), (256, 256))]
    pairs = np.array([(one, other) for one in range(24) for other in range(24) if one // 3 != other // 3])
    assert sum(map(bool, guesses_of(sketches, *pairs.T))) <= len(pairs) // 50


def test_plain_pictures_have_nothing_to_guess_by():
    assert guesses(Image.new("RGB", (90, 60), "red"), Image.new("RGB", (90, 60), "navy")) == []


@pytest.mark.parametrize("size", [(1, 1), (2, 400), (400, 2), (7, 9), (3000, 40)])
def test_pictures_of_any_shape_have_a_sketch_and_are_like_themselves_where_they_show_something(size):
    assert len(sketch(Image.new("RGB", size, "grey"))) < 2_100
    assert guesses(Image.new("RGB", size, "grey"), photo(5)) == []


def test_a_sketch_of_a_picture_without_a_border_is_about_a_kilobyte():
    assert len(sketch(photo(6))) == 2 + SIDE * SIDE


def test_no_pairs_have_no_guesses():
    assert guesses_of([], np.empty(0, np.int64), np.empty(0, np.int64)) == []


def test_a_batch_of_thousands_is_guessed_as_one_pair_is():
    pictures = [photo(seed) for seed in range(6)]
    pictures += [pictures[0].crop((30, 20, 250, 200)), ImageOps.mirror(pictures[1]), ImageOps.expand(pictures[2], 20)]
    pictures += [
        pictures[3].rotate(90, expand=True),
        pictures[4].crop((0, 0, 200, 240)),
        pictures[5].resize((200, 200)),
    ]
    sketches = [sketch(picture) for picture in pictures]
    first, second = (each.ravel() for each in np.indices((12, 12)))
    alone = [guesses_of(sketches, first[[pair]], second[[pair]])[0] for pair in range(144)]
    batch = guesses_of(sketches, np.tile(first, 15), np.tile(second, 15))
    assert len(batch) == 15 * 144
    for one, other in zip(alone * 15, batch, strict=True):
        assert [(g.within, g.turn, g.scale) for g in one] == [(g.within, g.turn, g.scale) for g in other]
        assert [g.score for g in one] == pytest.approx([g.score for g in other], abs=2e-3)


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    shape=st.sampled_from([(320, 240), (240, 320), (320, 200), (280, 280)]),
    share=st.floats(0.55, 0.95),
    corner=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_a_crop_is_found_where_trying_every_place_at_every_scale_finds_it(seed, shape, share, corner):
    whole = photo(seed, shape)
    width, height = round(shape[0] * share), round(shape[1] * share)
    left, top = round(corner[0] * (shape[0] - width)), round(corner[1] * (shape[1] - height))
    crop = whole.crop((left, top, left + width, top + height))
    score, scale = best_by_trying(sketch(whole), sketch(crop))
    found = [guess for guess in guesses(whole, crop) if guess.within == "second"]
    if score > 0.75 and scale < 0.9:  # nearer to the whole the two directions are alike
        assert found
        assert found[0].score > score - 0.05
        assert found[0].scale == pytest.approx(share, rel=0.06)


def best_by_trying(whole: bytes, part: bytes) -> tuple[float, float]:
    """The highest correlation of the part, not mirrored, with any window of the whole, and its scale."""
    images = [shaped(each) for each in (whole, part)]
    around, image = (evened(each, 2) for each in images)
    best = (-1.0, 0.0)
    for scale in (0.93**step for step in range(11)):
        factor = SIDE * scale / max(image.shape)
        high, wide = (max(4, round(side * factor)) for side in image.shape)
        template = np.asarray(Image.fromarray(image).resize((wide, high), Image.Resampling.BILINEAR))
        if high > around.shape[0] or wide > around.shape[1]:
            continue
        windows = np.lib.stride_tricks.sliding_window_view(around, (high, wide))
        lengths = np.sqrt(np.square(windows).sum(axis=(2, 3)) * np.square(template).sum())
        best = max(best, (float(((windows * template).sum(axis=(2, 3)) / np.maximum(lengths, 1)).max()), scale))
    return best


def shaped(packed: bytes) -> np.ndarray:
    """The content of a sketch in its shape."""
    square = Image.fromarray(np.frombuffer(packed[-SIDE * SIDE :], np.uint8).reshape(SIDE, SIDE).astype(np.float32))
    return np.asarray(square.resize((packed[0], packed[1]), Image.Resampling.BILINEAR))
