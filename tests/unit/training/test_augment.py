"""Augmented pictures keep size, range and their whole when they should."""

from __future__ import annotations

import torch

from lookalike.training.augment import MEAN, STD, Augmentation, augment, normalise, resize

STILL = Augmentation(smallest_area=1.0, log_aspect=1e-9, contrast=(1.0, 1.0 + 1e-9), brightness=1e-9, grey=0.0)


def pictures(count=8, side=32):
    values = torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(0)) * 255
    return values.to(torch.uint8)


def test_a_batch_has_the_side_asked_for():
    assert augment(pictures(), 24, Augmentation()).shape == (8, 3, 24, 24)


def test_without_changes_a_picture_is_itself_or_its_mirror():
    torch.manual_seed(0)
    given = pictures()
    found = augment(given, 32, STILL)
    wanted = normalise(given)
    for one, plain in zip(found, wanted, strict=True):
        same, mirrored = (one - plain).abs().max(), (one - plain.flip(-1)).abs().max()
        assert min(same, mirrored) < 1e-3


def test_normalised_pixels_have_the_documented_scale():
    white = normalise(torch.full((1, 3, 2, 2), 255, dtype=torch.uint8))[0, :, 0, 0]
    assert torch.allclose(white, (1 - torch.tensor(MEAN)) / torch.tensor(STD))


def test_grey_pictures_have_equal_channels_before_normalising():
    still_grey = Augmentation(grey=1.0)
    maps = augment(pictures(), 16, still_grey) * torch.tensor(STD)[:, None, None] + torch.tensor(MEAN)[:, None, None]
    assert (maps[:, 0] - maps[:, 2]).abs().max() < 1e-4


def test_resizing_keeps_the_mean():
    given = pictures(side=64)
    assert torch.allclose(resize(given, 32).mean(), given.float().mean(), atol=1.0)
    assert torch.equal(resize(given, 64), given.float())


def test_much_larger_pictures_are_softened_not_skipped():
    """Stripes finer than a pixel of the crop become grey."""
    stripes = torch.zeros(4, 3, 96, 96, dtype=torch.uint8)
    stripes[..., ::2] = 255
    assert augment(stripes, 32, STILL).std((2, 3)).max() < 0.05
