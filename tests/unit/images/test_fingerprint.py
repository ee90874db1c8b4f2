"""A fingerprint stays when a picture is saved again, resized or recoloured; others are far from it."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageOps

from lookalike.core.turns import TURN_BACK, TURNS, turn_pixels, turned
from lookalike.images.decode import decode_picture
from lookalike.images.fingerprint import fingerprint
from lookalike.index.fingerprints import distances

NEAR = 31
FAR = 80


def scene(seed: int, width: int = 480, height: int = 360) -> Image.Image:
    """Soft light and dark places, as photos have, with some detail."""
    random = np.random.default_rng(seed)
    coarse = Image.fromarray(random.integers(0, 256, (9, 12, 3), dtype=np.uint8)).resize((width, height), 3)
    fine = Image.fromarray(random.integers(0, 256, (45, 60, 3), dtype=np.uint8)).resize((width, height), 3)
    return Image.blend(coarse, fine, 0.3)


def bits(image: Image.Image) -> np.ndarray:
    return np.frombuffer(fingerprint(np.asarray(image)).bits, np.uint8)


def saved(image: Image.Image, quality: int) -> Image.Image:
    file = BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")


@pytest.mark.parametrize(
    "changed",
    [
        lambda image: saved(image, 30),
        lambda image: saved(image.resize((240, 180)), 75),
        lambda image: image.resize((160, 120)),
        lambda image: image.convert("L").convert("RGB"),
        lambda image: ImageEnhance.Color(image).enhance(2),
        lambda image: ImageEnhance.Contrast(image).enhance(0.6),
    ],
    ids=["JPEG 30", "half, JPEG 75", "a third", "grey", "strong colours", "little contrast"],
)
def test_it_stays_near_when_the_picture_is_saved_resized_or_recoloured(changed):
    assert all(distances(bits(scene(seed)), bits(changed(scene(seed)))) <= NEAR for seed in range(8))


def test_different_pictures_are_far_apart_in_every_turn():
    every = np.stack([bits(scene(seed)) for seed in range(12)])
    apart = distances(turned(every)[:, :, None], every[None, None])
    assert apart[:, ~np.eye(12, dtype=bool)].min() > FAR


@pytest.mark.parametrize("turn", range(TURNS))
def test_that_of_a_turned_picture_follows_from_the_bits(turn):
    whole = [scene(seed, 512, 384) for seed in range(4)]
    derived = turned(np.stack([bits(image) for image in whole]))[turn]
    taken = np.stack([bits(Image.fromarray(turn_pixels(np.asarray(image), turn).copy())) for image in whole])
    assert distances(derived, taken).max() <= 6  # greys are rounded to whole steps


def test_a_turn_and_the_one_back_leave_all_as_it_was():
    pixels = np.asarray(scene(1))
    for turn, back in enumerate(TURN_BACK):
        np.testing.assert_array_equal(turn_pixels(turn_pixels(pixels, turn), back), pixels)
        upright = bits(scene(1))[None]
        np.testing.assert_array_equal(turned(turned(upright)[turn])[back], upright)


def test_turns_are_what_their_numbers_say():
    pixels = np.asarray(scene(2))
    image = Image.fromarray(pixels)
    for turn, operation in {1: 0, 2: 1, 3: 3, 4: 5, 5: 4, 6: 2, 7: 6}.items():
        as_pillow_does = np.asarray(image.transpose(Image.Transpose(operation)))
        np.testing.assert_array_equal(turn_pixels(pixels, turn), as_pillow_does)


@pytest.mark.parametrize("colour", ["black", "white", "navy"])
@pytest.mark.parametrize("share", [0.02, 0.05, 0.2])
def test_what_lies_within_a_plain_border_has_one_of_its_own(colour, share):
    for seed in range(4):
        framed = saved(ImageOps.expand(scene(seed), int(share * 480), colour), 60)
        inner = fingerprint(np.asarray(framed)).inner
        assert inner is not None
        assert distances(np.frombuffer(inner, np.uint8), bits(scene(seed))) <= NEAR


def test_pictures_without_a_border_or_with_nothing_in_it_have_no_second_one():
    plain = Image.new("RGB", (300, 200), "grey")
    spot = plain.copy()
    spot.paste("black", (140, 90, 160, 110))
    assert [fingerprint(np.asarray(image)).inner for image in (scene(1), plain, spot)] == [None] * 3


def test_its_quality_says_how_much_there_is_to_see():
    plain = fingerprint(np.full((300, 400, 3), 128, np.uint8))
    soft = fingerprint(np.broadcast_to(np.linspace(90, 110, 400)[None, :, None], (300, 400, 3)).astype(np.uint8))
    assert plain.quality == 0
    assert plain.bits == bytes(32)
    assert soft.quality < 5
    assert fingerprint(np.asarray(scene(3))).quality > 50


def test_decoding_gives_it_whatever_size_is_asked_for_and_however_the_file_lies():
    image = scene(4, 1600, 1200)
    file = BytesIO()
    exif = Image.Exif()
    exif[274] = 6  # to be turned by 90 degrees clockwise
    image.save(file, "JPEG", quality=90, exif=exif)
    prints = {decode_picture(file.getvalue(), side=side).fingerprint for side in (96, 224, None)}
    assert len(prints) == 1
    upright = np.frombuffer(prints.pop().bits, np.uint8)
    assert distances(upright, bits(image.transpose(Image.Transpose.ROTATE_270))) <= 6
