"""After ordering, whole vectors are as near to one another as before, and the first components hold the most."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lookalike.training.ordering import order_components
from lookalike.training.towers import ImageTower, TextTower


@pytest.fixture
def towers(sizes):
    torch.manual_seed(0)
    return ImageTower(sizes).eval(), TextTower(sizes).eval()


def vectors(towers):
    image, text = towers
    draw = torch.Generator().manual_seed(2)
    with torch.inference_mode():
        seen = image(torch.randn(40, 3, 32, 32, generator=draw))[0]
        read = text(torch.randint(3, 300, (40, 12), generator=draw))
    return seen.numpy(), read.numpy()


def test_cosines_stay_and_weight_falls_from_first_to_last(towers):
    seen, read = vectors(towers)
    order_components(*towers, seen, read)
    turned, turned_read = vectors(towers)
    np.testing.assert_allclose(turned @ turned_read.T, seen @ read.T, atol=1e-5)
    np.testing.assert_allclose(turned @ turned.T, seen @ seen.T, atol=1e-5)
    held = (turned**2).mean(0) + (turned_read**2).mean(0)
    assert (np.diff(held) <= 1e-6).all()
    assert held[:4].sum() > 1.2 * ((seen**2).mean(0) + (read**2).mean(0))[:4].sum()
