"""Many small planes of one size at once: resized and evened as `planes` does one, by products with small matrices."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

from lookalike.images.planes import FAINT

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Stack: TypeAlias = NDArray[np.float32]
    """float32 (n, height, width)."""
    Boxes: TypeAlias = NDArray[np.float32]
    """float32 (n, 4), each as `planes.Box`."""


def resized_stack(stack: Stack, height: int, width: int) -> Stack:
    """Every plane made so large, bilinear."""
    return _product(_resizing(stack.shape[1], height), stack, _resizing(stack.shape[2], width))


def evened_stack(stack: Stack, radius: int) -> Stack:
    """Details of even contrast (`planes.evened`) of every plane."""
    import numpy as np

    down, across = _mean(stack.shape[1], radius), _mean(stack.shape[2], radius)
    detail = stack - _product(down, stack, across)
    contrast = np.sqrt(np.maximum(_product(down, detail * detail, across), np.float32(0)))
    return (detail / (contrast + np.float32(FAINT))).astype(np.float32, copy=False)


def without_lines_stack(details: Stack, radius: int) -> Stack:
    """Details without level and upright lines (`planes.without_lines`) of every plane."""
    down, across = _mean(details.shape[1], radius), _mean(details.shape[2], radius)
    lineless: Stack = details - down @ details - details @ across.T
    return lineless


def viewed_stack(stack: Stack, boxes: Boxes, side: int, blur: NDArray[np.float32] | float = 1.0) -> Stack:
    """What lies in a box of each plane, its own one, squeezed into a square, bilinear.

    `blur`: levels over which one is spread at least, or float32 (n, 2), across and along.
    """
    import numpy as np

    spread = np.broadcast_to(blur, (len(stack), 2))
    across = _viewing(stack.shape[2], boxes[:, 0], boxes[:, 2], side, spread[:, 0])
    down = _viewing(stack.shape[1], boxes[:, 1], boxes[:, 3], side, spread[:, 1])
    rows: Stack = down @ stack
    return rows @ across.swapaxes(1, 2)


def _viewing(
    old: int, low: NDArray[np.float32], high: NDArray[np.float32], new: int, spread: NDArray[Any]
) -> NDArray[np.float32]:
    """Weights as in `_resizing`, of the part between two shares of each line: float32 (n, new, old)."""
    import numpy as np

    step = (high - low) * np.float32(old / new)
    centres = low[:, None] * np.float32(old) + (np.arange(new, dtype=np.float32) + np.float32(0.5)) * step[:, None]
    apart = np.abs(np.arange(old, dtype=np.float32) + np.float32(0.5) - centres[:, :, None])
    weights = np.maximum(1 - apart / np.maximum(np.maximum(step, 1), spread)[:, None, None], np.float32(0))
    narrow: NDArray[np.float32] = (weights / weights.sum(axis=2, keepdims=True)).astype(np.float32, copy=False)
    return narrow


def _product(down: NDArray[np.float32], stack: Stack, across: NDArray[np.float32]) -> Stack:
    product: Stack = down @ (stack @ across.T)
    return product


@cache
def _resizing(old: int, new: int) -> NDArray[np.float32]:
    """Weights of `old` levels in `new` ones, float32 (new, old): a triangle as wide as Pillow's bilinear filter is."""
    import numpy as np

    step = old / new
    centres = (np.arange(new) + 0.5) * step
    apart = np.abs(np.arange(old) + 0.5 - centres[:, None]) / max(step, 1.0)
    weights = np.maximum(1 - apart, 0)
    narrow: NDArray[np.float32] = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    return narrow


@cache
def _mean(count: int, radius: int) -> NDArray[np.float32]:
    """Weights of the levels of a window that ends at the edges, float32 (count, count)."""
    import numpy as np

    at = np.arange(count)
    near = np.abs(at[:, None] - at) <= radius
    narrow: NDArray[np.float32] = (near / near.sum(axis=1, keepdims=True)).astype(np.float32)
    return narrow
