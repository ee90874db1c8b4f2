"""Other looks at a picture, for what learns from it: a part of it, mirrored, in another light.

Mild on purpose: the title of a product stays true for three quarters of its picture, not for a corner. The whole
picture is always the first look, since that is what searches compare.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from lookalike.core.arrays import Pixels

SMALLEST_AREA = 0.6
"""Share of the picture that a crop keeps at least."""
LOG_ASPECT = 0.2
CONTRAST = (0.8, 1.25)
BRIGHTNESS = 20.0  # grey values up or down
_MIDDLE = 110.0  # grey value around which contrast turns: near the mean of photos


def looks(pixels: Pixels, count: int, seed: int) -> list[Pixels]:
    """`count` looks at a picture, the whole one first. Equal arguments give equal looks."""
    draw = np.random.default_rng(seed)
    return [pixels, *(_another(pixels, draw) for _ in range(count - 1))]


def _another(pixels: Pixels, draw: np.random.Generator) -> Pixels:
    height, width = pixels.shape[:2]
    area, tilt = draw.uniform(SMALLEST_AREA, 1), np.exp(draw.uniform(-LOG_ASPECT, LOG_ASPECT))
    rows = max(1, round(height * min(1, np.sqrt(area / tilt))))
    columns = max(1, round(width * min(1, np.sqrt(area * tilt))))
    top, left = draw.integers(height - rows + 1), draw.integers(width - columns + 1)
    part = pixels[top : top + rows, left : left + columns]
    if draw.random() < 0.5:
        part = part[:, ::-1]
    lit = (part - _MIDDLE) * draw.uniform(*CONTRAST) + _MIDDLE + draw.uniform(-BRIGHTNESS, BRIGHTNESS)
    seen: Pixels = np.clip(lit, 0, 255).astype(np.uint8)
    return seen
