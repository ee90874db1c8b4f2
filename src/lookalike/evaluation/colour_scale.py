"""Numbers as colours: from pale yellow, low, to dark blue, high.

The steps are YlGnBu of ColorBrewer (Harrower and Brewer 2003): told apart in grey and by the colour-blind, and light
where there is little to say, as paper is. Between two steps colours are mixed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_STEPS = ("ffffd9", "edf8b1", "c7e9b4", "7fcdbb", "41b6c4", "1d91c0", "225ea8", "253494", "081d58")
_NOTHING = (238, 240, 242)
_DARK = 0.45
"""From this share of the scale on, white letters are read more easily than black ones."""


@dataclass(frozen=True, slots=True)
class ColourScale:
    """Values from `low` to `high`, which differ; what lies beyond has the colour of the end."""

    low: float
    high: float

    def colours(self, values: NDArray[Any]) -> NDArray[np.uint8]:
        """uint8 (..., 3) in sRGB; NaN is light grey."""
        steps = np.array([list(bytes.fromhex(step)) for step in _STEPS], dtype=np.float64)
        share = self.share(np.nan_to_num(values, nan=self.low)) * (len(steps) - 1)
        mixed = np.stack([np.interp(share, np.arange(len(steps)), steps[:, channel]) for channel in range(3)], axis=-1)
        mixed[np.isnan(values)] = _NOTHING
        return mixed.round().astype(np.uint8)

    def is_dark(self, value: float) -> bool:
        """Whether white letters stand out on the colour of `value`."""
        return bool(self.share(np.array(value)) >= _DARK)

    def share(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Where values lie between the ends, 0 to 1."""
        return np.clip((values.astype(np.float64) - self.low) / (self.high - self.low), 0, 1)
