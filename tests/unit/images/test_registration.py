"""A part is laid into its picture to a fraction of a pixel, from a pixel or two beside."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from lookalike.images.planes import WHOLE_BOX
from lookalike.images.registration import settled, view

WIDTH, HEIGHT, RADIUS = 128, 96, 8
BOX = (0.2137, 0.1519, 0.8043, 0.7877)


def picture(seed: int = 4) -> np.ndarray:
    """Levels with detail at every scale, as photos have."""
    draw = np.random.default_rng(seed)
    levels = np.zeros((HEIGHT, WIDTH), np.float32)
    for cells in (3, 7, 15, 40):
        noise = Image.fromarray(draw.integers(0, 256, (cells, cells), dtype=np.uint8))
        levels += np.asarray(noise.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC), np.float32) / cells**0.5
    levels -= levels.min()
    return (levels * (255 / levels.max())).astype(np.uint8)


def off(box, *, by):
    """By pixels at each edge."""
    return tuple(edge + pixels / side for edge, pixels, side in zip(box, by, (WIDTH, HEIGHT) * 2, strict=True))


def pixels_apart(one, other) -> float:
    return float(np.abs((np.array(one) - other) * [WIDTH, HEIGHT, WIDTH, HEIGHT]).max())


@pytest.mark.parametrize("by", [(1, 1, 1, 1), (-1.5, 0, -1.5, 0), (1, 1, -1, -1), (-1, 1.5, 1, -1), (0, 0, 0, 0)])
def test_edges_that_are_off_by_pixels_come_to_lie_where_they_belong(by):
    part = view(picture(), BOX, (75, 61))
    found = settled(picture(), part, off(BOX, by=by), RADIUS)
    assert pixels_apart(found, BOX) < 0.2


def test_other_levels_and_noise_do_not_matter():
    part = view(picture(), BOX, (75, 61)) * 0.6 + 20
    part += np.random.default_rng(1).normal(0, 3, part.shape).astype(np.float32)
    found = settled(picture(), part, off(BOX, by=(1, -1, 1, 1)), RADIUS)
    assert pixels_apart(found, BOX) < 0.4


def test_no_edge_leaves_the_picture():
    part = view(picture(), WHOLE_BOX, (WIDTH, HEIGHT))
    found = settled(picture(), part, (0.0, 0.0, 0.98, 0.98), RADIUS)
    assert pixels_apart(found, WHOLE_BOX) < 0.3
    assert min(found) >= 0
    assert max(found) <= 1


@pytest.mark.parametrize("part", [np.full((61, 75), 128, np.float32), view(picture(9), BOX, (75, 61))])
def test_a_part_that_is_not_there_stays_about_where_it_was_guessed(part):
    found = settled(picture(), part, BOX, RADIUS)
    assert pixels_apart(found, BOX) < 12
    assert found[0] < found[2]
    assert found[1] < found[3]


@pytest.mark.parametrize("box", [(0.9, 0.0, 1.0, 0.2), (0.0, 0.95, 0.1, 1.0)])
def test_a_box_at_the_edge_does_not_shrink_away(box):
    found = settled(picture(), view(picture(9), BOX, (13, 9)), box, RADIUS)
    assert found[2] - found[0] > 0.04
    assert found[3] - found[1] > 0.02


def test_a_view_is_what_lies_in_the_box():
    whole = picture()
    there = view(whole, (0.25, 0.25, 0.75, 0.75), (64, 48))
    assert there.dtype == np.float32
    assert np.array_equal(there, whole[24:72, 32:96].astype(np.float32))
