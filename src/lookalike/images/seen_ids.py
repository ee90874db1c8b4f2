"""Which names came before, among millions, in eight bytes each."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_RECENT = 1 << 16
"""Names kept as plain numbers before they join the sorted ones."""


class SeenIds:
    """Gives every name a key of its own: the name itself the first time, then NAME/2, NAME/3, ...

    Names are compared by 64 bits: among a million, two different ones are taken for equal once in 40 million runs, and
    then one of them is only called NAME/2.
    """

    def __init__(self) -> None:
        self._recent: set[int] = set()
        self._sorted: NDArray[np.int64] | None = None
        self._again: dict[int, int] = {}
        """How often a name came, of those that came more than once."""

    def key(self, name: str) -> str:
        """The key of one more entry called `name`."""
        mark = hash(name)
        if self._is_new(mark):
            return name
        count = self._again.get(mark, 1)
        while True:
            count += 1
            key = f"{name}/{count}"
            if self._is_new(hash(key)):
                self._again[mark] = count
                return key

    def __contains__(self, name: str) -> bool:
        mark = hash(name)
        return mark in self._recent or self._is_sorted(mark)

    def _is_new(self, mark: int) -> bool:
        if mark in self._recent or self._is_sorted(mark):
            return False
        self._recent.add(mark)
        if len(self._recent) >= _RECENT:
            self._settle()
        return True

    def _is_sorted(self, mark: int) -> bool:
        if self._sorted is None:
            return False
        at = int(self._sorted.searchsorted(mark))
        return at < len(self._sorted) and int(self._sorted[at]) == mark

    def _settle(self) -> None:
        import numpy as np

        recent = np.fromiter(self._recent, np.int64, len(self._recent))
        before = recent[:0] if self._sorted is None else self._sorted
        self._sorted = np.sort(np.concatenate([before, recent]), kind="stable")
        self._recent.clear()
