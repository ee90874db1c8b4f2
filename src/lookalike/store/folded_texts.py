"""Texts without capitals, one after another: what conditions on text are answered from, without making text of them.

Each is written as `lookalike.core.conditions.folded` gives it, with the byte `END` behind it, which no UTF-8 has: what
is found never reaches from one text into the next. An empty text has its end; where there is none, there are no bytes.
"""

from __future__ import annotations

import operator
import os
from functools import reduce
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from lookalike.core.conditions import folded
from lookalike.store.places import SEPARATOR

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from lookalike.core.conditions import Operator
    from lookalike.store.columns import Chosen

END = b"\xff"
FEW = 8
"""So many values are looked for one after another; more in one pass."""
_SAMPLED = 1 << 16
"""Bytes looked at to find out which letter is the rarest."""
COMPARED = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class FoldedTexts:
    """`starts`: int64 (n + 1,); `content`: uint8. Answers are bool (n,), False where there is no text."""

    def __init__(self, starts: NDArray[np.int64], content: NDArray[np.uint8]) -> None:
        self._starts = starts
        self._content = content

    def __len__(self) -> int:
        return len(self._starts) - 1

    def present(self) -> Chosen:
        """Where there is a text."""
        there: Chosen = self._starts[1:] != self._starts[:-1]
        return there

    def equal(self, text: bytes) -> Chosen:
        """Where it is `text`."""
        import numpy as np

        found = np.flatnonzero(np.diff(self._starts) == len(text) + len(END))
        for offset, letter in enumerate(text):
            found = found[self._content[self._starts[found] + offset] == letter]
        return self._marked(found)

    def among(self, texts: Sequence[bytes]) -> Chosen:
        """Where it is one of `texts`."""
        import numpy as np

        if len(texts) <= FEW:
            return reduce(np.logical_or, (self.equal(text) for text in texts), np.zeros(len(self), dtype=np.bool_))
        wanted = set(texts)
        return self._each(lambda text: text in wanted)

    def containing(self, text: bytes) -> Chosen:
        """Where `text` is a part of it."""
        import numpy as np

        if not text:
            return self.present()
        counts = np.bincount(self._content[:_SAMPLED], minlength=256)
        rarest = min(range(len(text)), key=lambda offset: counts[text[offset]])
        last = len(self._content) - len(text) + 1
        found = np.flatnonzero(self._content[rarest : max(last, 0) + rarest] == text[rarest])
        for offset, letter in enumerate(text):
            found = found[self._content[found + offset] == letter]
        return self._marked(np.searchsorted(self._starts, found, side="right") - 1)

    def compared(self, op: Operator, text: bytes) -> Chosen:
        """Where it stands so to `text` in the order of code points; slow where there are many."""
        if op == "=":
            return self.equal(text)
        compare = COMPARED[op]
        return self._each(lambda each: compare(each, text))

    def _each(self, test: Callable[[bytes], bool]) -> Chosen:
        import numpy as np

        content = self._content.tobytes()
        pairs = pairwise(self._starts.tolist())
        holds = (end > start and test(content[start : end - 1]) for start, end in pairs)
        return np.fromiter(holds, dtype=np.bool_, count=len(self))

    def _marked(self, places: NDArray[Any]) -> Chosen:
        import numpy as np

        marked = np.zeros(len(self), dtype=np.bool_)
        marked[places] = True
        return marked


def folded_word(word: str | bytes) -> bytes:
    """A word of a column as it is compared. The name of a folder is so without the separator at its end."""
    return folded(word if isinstance(word, str) else os.fsdecode(word.rstrip(SEPARATOR) or word))
