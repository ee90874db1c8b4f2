"""Other looks at a picture are parts of it."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike.training.picture_views import SMALLEST_AREA, looks


@pytest.fixture
def pixels():
    return np.random.default_rng(0).integers(0, 255, (60, 90, 3), dtype=np.uint8)


def test_the_first_look_is_the_whole_picture(pixels):
    assert (looks(pixels, 3, seed=1)[0] == pixels).all()
    assert len(looks(pixels, 1, seed=1)) == 1


def test_equal_seeds_give_equal_looks_and_fewer_are_the_first_of_more(pixels):
    many, few = looks(pixels, 4, seed=5), looks(pixels, 2, seed=5)
    assert all((one == other).all() for one, other in zip(many, few, strict=False))
    assert many[1].shape != looks(pixels, 2, seed=6)[1].shape


def test_a_look_keeps_most_of_the_picture(pixels):
    for look in looks(pixels, 40, seed=2):
        assert look.dtype == np.uint8
        assert look.shape[0] * look.shape[1] >= 0.9 * SMALLEST_AREA * pixels.shape[0] * pixels.shape[1]


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 400, 3)])
def test_tiny_pictures_have_looks_too(shape):
    assert all(look.size for look in looks(np.zeros(shape, np.uint8), 10, seed=0))
