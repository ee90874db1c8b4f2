"""The eight ways a picture can lie, and what they do to pixels and to fingerprints.

A turn is a number of three bits, applied in this order: 4 changes rows and columns, 2 changes top and bottom, 1 changes
left and right. So 0 is the picture itself, 1 its mirror image, 3 the picture turned by 180 degrees, 5 by 90 clockwise,
6 by 90 counter-clockwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TURNS = 8
TURN_BACK = (0, 1, 2, 3, 4, 6, 5, 7)
"""The turn that undoes each turn."""
FREQUENCIES = 16
"""Of a fingerprint, in each direction: bit 16 * i + j is the sign of frequency i + 1 downwards, j + 1 to the right."""
FINGERPRINT_BYTES = FREQUENCIES * FREQUENCIES // 8


def turn_pixels(pixels: NDArray[Any], turn: int) -> NDArray[Any]:
    """An array (height, width, ...) turned: a view of the same memory."""
    if turn & 4:
        pixels = pixels.swapaxes(0, 1)
    if turn & 2:
        pixels = pixels[::-1]
    return pixels[:, ::-1] if turn & 1 else pixels


def turned(bits: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The fingerprints of the turned pictures, uint8 (TURNS, n, 32), from uint8 (n, 32)."""
    import numpy as np

    swapped = transposed(bits)
    return np.stack([(swapped if turn & 4 else bits) ^ changed(turn) for turn in range(TURNS)])


def transposed(bits: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The fingerprints of pictures whose rows and columns changed places: uint8 (n, 32)."""
    import numpy as np

    grid = np.unpackbits(bits, axis=1).reshape(len(bits), FREQUENCIES, FREQUENCIES)
    return np.packbits(grid.transpose(0, 2, 1).reshape(len(bits), FREQUENCIES * FREQUENCIES), axis=1)


def changed(turn: int) -> NDArray[np.uint8]:
    """The bits that change when left and right, or top and bottom, do: uint8 (32,). Odd waves change their sign."""
    import numpy as np

    odd = np.arange(1, FREQUENCIES + 1) % 2 == 1
    grid = (odd[:, None] & bool(turn & 2)) ^ (odd[None, :] & bool(turn & 1))
    return np.packbits(grid)
