"""A look at some rows before an index is asked under a mask: are the rows near the query among those allowed?

An index looks where the answers would be without the mask. Allowed rows that lie as densely there as everywhere cost it
1/share of the effort; allowed rows that lie elsewhere (dogs asked for, a folder of cars allowed) cost it far more.
Evenly drawn rows tell the planner which of the two it is, and how far the answers lie.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from lookalike.engine.plan import LOOK_ROWS, Near
from lookalike.index.exact import QUERIES_FOR_PRODUCT
from lookalike.index.scoring import Kernel, Product

if TYPE_CHECKING:
    from lookalike.core.arrays import HalfVectors, RowMask, Rows, Scores, Vectors

NEAREST = 16
"""Allowed rows of the sample that "near" reaches to: fewer are a matter of luck, more lie too far away."""


class RowSample:
    """Some of the rows, float16 (count, dim), of an index. Gathered when first used; safe to share between threads."""

    def __init__(self, rows: HalfVectors) -> None:
        self._rows = rows
        self._drawn: tuple[Rows, HalfVectors] | None = None

    def near(self, queries: Vectors, allowed: RowMask, k: int) -> list[Near] | None:
        """The surroundings of each query, float32 (q, dim), of which the `k` nearest allowed rows are wanted.

        `allowed`: bool, at least as long as the rows. None where the mask leaves out so little that a sample cannot
        tell where it lies: then it at most doubles the effort.
        """
        import numpy as np

        numbers, drawn = self._sample()
        inside = np.asarray(allowed)[numbers]
        there = int(np.count_nonzero(inside))
        if len(numbers) - there < NEAREST:
            return None
        if not there:
            return [Near(share=0.0, depth=1.0)] * len(queries)
        answers = min(math.ceil(k * len(numbers) / len(self._rows)), there)
        compare = Product(queries) if len(queries) >= QUERIES_FOR_PRODUCT else Kernel(queries)
        return [_near(scores, inside, answers) for scores in compare(drawn)]

    def _sample(self) -> tuple[Rows, HalfVectors]:
        import numpy as np

        if self._drawn is None:  # a race draws it twice, the same rows
            count = len(self._rows)
            numbers = np.sort(np.random.default_rng(0).choice(count, min(LOOK_ROWS, count), replace=False))
            self._drawn = (numbers.astype(np.int64), np.asarray(self._rows[numbers]))
        return self._drawn


def _near(scores: Scores, inside: RowMask, answers: int) -> Near:
    """What the cosines of a sample say; `answers` of its allowed rows stand for those that were asked for."""
    import numpy as np

    far = np.where(np.isfinite(scores), -scores, np.inf)
    some = min(max(NEAREST, answers), int(np.count_nonzero(inside)))
    ranked = np.partition(far[inside], (answers - 1, some - 1))
    depth = np.count_nonzero(far <= ranked[answers - 1]) / len(far)
    return Near(share=some / np.count_nonzero(far <= ranked[some - 1]), depth=depth)
