"""Row masks as FAISS wants them: one bit a row.

A mask that cannot change (its array is not writeable) is packed once and its bits are kept as long as it lives: that
saves 25 microseconds a search at a million rows.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from lookalike.core.arrays import RowMask


class MaskPacker:
    """Packs masks and keeps the bits of frozen ones. Safe to share between threads: what is kept never changes."""

    def __init__(self) -> None:
        self._kept: dict[tuple[int, int, int], tuple[weakref.ref[Any], NDArray[np.uint8]]] = {}

    def bits(self, mask: RowMask) -> NDArray[np.uint8]:
        """uint8 (ceil(count / 8),), the lowest bit first."""
        import numpy as np

        owner = mask if mask.base is None else mask.base  # a view is a new object each time, what it looks at is not
        if not isinstance(owner, np.ndarray) or owner.flags.writeable:
            return np.packbits(mask, bitorder="little")
        key = (id(owner), mask.ctypes.data, len(mask))
        kept = self._kept.get(key)
        if kept is None or kept[0]() is not owner:
            forget = self._kept.pop
            kept = (weakref.ref(owner, lambda _: forget(key, None)), np.packbits(mask, bitorder="little"))
            self._kept[key] = kept
        return kept[1]
