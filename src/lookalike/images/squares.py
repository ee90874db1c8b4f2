"""How well small pictures agree from edge to edge, in each of the eight turns, many pairs at a time."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from lookalike.core.turns import TURNS, turn_pixels
from lookalike.images.stacks import evened_stack, resized_stack

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_SIDE = 16
"""Pixels of a side: of 32 no fewer different photos agree by chance."""
_RADIUS = 1
_NOTHING = 1e-4
"""Mean square of details below which there are none, as of one picture (`planes.correlation_of`)."""
_ROWS = 256
"""Pairs compared together: what stays in a processor's cache."""


def best_turns(
    squares: NDArray[np.uint8], first: NDArray[np.int64], second: NDArray[np.int64]
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Of each pair, places (m,) among squares, uint8 (n, s, s): the highest correlation of details, float32 (m,).

    And the turn of the first (`core.turns`) at which that is so, int64 (m,).
    """
    import numpy as np

    details = evened_stack(resized_stack(squares.astype(np.float32), _SIDE, _SIDE), _RADIUS).reshape(len(squares), -1)
    details /= np.sqrt(np.maximum(np.square(details).sum(axis=1, keepdims=True), _NOTHING * _SIDE * _SIDE))
    score, turn = np.empty(len(first), np.float32), np.empty(len(first), np.int64)
    for start in range(0, len(first), _ROWS):
        rows = slice(start, start + _ROWS)
        turned = details[first[rows]][:, _places_by_turn()].reshape(-1, TURNS, _SIDE * _SIDE)
        agree = (turned @ details[second[rows], :, None])[:, :, 0]
        turn[rows] = agree.argmax(axis=1)
        score[rows] = agree.max(axis=1)
    return score, turn


def turned_squares(squares: NDArray[np.uint8], turns: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Each square, uint8 (n, s, s), at a turn of its own."""
    import numpy as np

    turned = squares.copy()
    for turn in np.unique(turns).tolist():
        rows = turns == turn
        turned[rows] = turn_pixels(squares[rows].transpose(1, 2, 0), turn).transpose(2, 0, 1)
    return turned


@cache
def _places_by_turn() -> NDArray[np.int64]:
    """Where each level of the turned square lies in the square: int64 (TURNS * side * side,)."""
    import numpy as np

    places = np.arange(_SIDE * _SIDE).reshape(_SIDE, _SIDE)
    return np.concatenate([turn_pixels(places, turn).ravel() for turn in range(TURNS)])
