"""Small pictures laid over each other: the box found to a fraction of a pixel, and how well they agree there."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from lookalike.images.overlays import overlaid

SIDE = 32


def scene(seed: int) -> Image.Image:
    """A square with detail at every scale."""
    draw = np.random.default_rng(seed)
    levels = np.zeros((320, 320), np.float32)
    for cells in (3, 7, 15, 40):
        noise = Image.fromarray(draw.integers(0, 256, (cells, cells), dtype=np.uint8))
        levels += np.asarray(noise.resize((320, 320), Image.Resampling.BICUBIC), np.float32) / cells**0.5
    levels -= levels.min()
    return Image.fromarray((levels * (255 / levels.max())).astype(np.uint8))


def square(image: Image.Image, box: tuple[float, ...] = (0, 0, 1, 1)) -> np.ndarray:
    """What lies in a box, squeezed into a small square."""
    pixels = tuple(share * 320 for share in box)
    return np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BOX, box=pixels))[None]


def boxes(*each: tuple[float, ...]) -> np.ndarray:
    return np.array(each, np.float32)


@pytest.mark.parametrize("box", [(0.1, 0.2, 0.7, 0.8), (0, 0, 0.9, 0.6), (0.45, 0.3, 0.95, 1)])
def test_a_part_is_found_from_a_pixel_or_two_off(box):
    about = (boxes(box) + boxes((0.03, -0.03, 0.03, -0.02))).clip(0, 1)
    laid = overlaid(square(scene(1)), square(scene(1), box), about)
    assert laid.boxes[0] == pytest.approx(box, abs=0.015)
    assert laid.correlation[0] > 0.9
    assert laid.agreeing[0] > 0.95


def test_brightness_and_contrast_count_for_little():
    paler = (square(scene(2)) * 0.5 + 60).astype(np.uint8)
    assert overlaid(square(scene(2)), paler, boxes((0, 0, 1, 1))).correlation[0] > 0.9


def test_different_pictures_do_not_agree_wherever_they_are_laid():
    outer = np.concatenate([square(scene(seed)) for seed in range(3, 20)])
    inner = np.concatenate([square(scene(seed)) for seed in range(20, 37)])
    laid = overlaid(outer, inner, boxes(*[(0.2, 0.2, 0.8, 0.8)] * 17))
    assert laid.correlation.max() < 0.6


def test_plain_pictures_agree_with_nothing():
    plain = np.full((1, SIDE, SIDE), 90, np.uint8)
    for outer, inner in ((plain, plain), (plain, square(scene(1))), (square(scene(1)), plain)):
        laid = overlaid(outer, inner, boxes((0, 0, 1, 1)))
        assert (laid.correlation[0], laid.agreeing[0]) == (0, 0)


def test_a_box_stays_within_the_picture():
    laid = overlaid(square(scene(1)), square(scene(40)), boxes((0.9, 0.9, 1, 1)))
    assert (laid.boxes >= 0).all()
    assert (laid.boxes <= 1).all()


def test_each_pair_is_laid_as_it_is_alone():
    outer = np.concatenate([square(scene(seed % 5)) for seed in range(300)])
    inner = np.concatenate([square(scene(seed % 5), (0.1, 0.1, 0.8, 0.8)) for seed in range(300)])
    about = boxes(*[(0.12, 0.1, 0.8, 0.8)] * 300)
    alone = [overlaid(outer[[pair]], inner[[pair]], about[[pair]]).correlation[0] for pair in range(5)]
    assert overlaid(outer, inner, about).correlation == pytest.approx(alone * 60, abs=1e-4)


def test_no_pairs_are_laid_nowhere():
    nothing = np.empty((0, SIDE, SIDE), np.uint8)
    assert len(overlaid(nothing, nothing, np.empty((0, 4), np.float32)).correlation) == 0
