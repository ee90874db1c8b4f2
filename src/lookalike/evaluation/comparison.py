"""Is one system better than another on the same queries, or was it luck? Paired, query by query.

Two answers, as evaluations of retrieval give them (Smucker, Allan and Carterette, 2007, "A comparison of statistical
significance tests for information retrieval evaluation"): a bootstrap interval of the mean difference, and the p of a
randomisation test: how often a difference at least as large comes up when for each query the two systems are swapped by
the throw of a coin. Promises: equal arguments give equal answers; a p is never 0, for the throws are a sample.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lookalike.evaluation.metrics import bootstrap_interval

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

SWAPS = 10_000  # of the randomisation test: the least p is then 0.0001, and one of 0.05 is known to +-0.004
SURE = 0.05
"""A difference with a p below this is called one."""
_EQUAL = 1e-12  # differences below this are rounding
_CELLS = 4_000_000  # elements of the largest scratch array: 32 MB


@dataclass(frozen=True, slots=True)
class Difference:
    """`mean` of after - before over the queries, its 95 % interval `low` to `high`, and `p` of the randomisation test.

    `better`, `equal`, `worse`: how many queries gained, stayed and lost.
    """

    mean: float
    low: float
    high: float
    p: float
    better: int
    equal: int
    worse: int

    @property
    def sure(self) -> bool:
        """Whether both say that it is no luck: the interval leaves out 0 and p is below `SURE`."""
        return self.p < SURE and (self.low > 0 or self.high < 0)

    def as_dict(self) -> dict[str, Any]:
        """The object of `evaluate --json`."""
        return {
            "difference": self.mean,
            "interval": [self.low, self.high],
            "p": self.p,
            "better": self.better,
            "equal": self.equal,
            "worse": self.worse,
        }


def compare(before: NDArray[np.float64], after: NDArray[np.float64], seed: int = 0) -> Difference:
    """How much better `after` is than `before`: the values of one metric for the same queries, float64 (queries,).

    Raises ValueError when the lengths differ, there are none, or one is NaN.
    """
    return compare_all({"": before}, {"": after}, seed)[""]


def compare_all(
    before: Mapping[str, NDArray[np.float64]], after: Mapping[str, NDArray[np.float64]], seed: int = 0
) -> dict[str, Difference]:
    """`compare` for every metric of `after` that `before` has too, with the same throws for all. Raises ValueError."""
    names = [name for name in after if name in before]
    for name in names:
        if before[name].shape != after[name].shape:
            raise ValueError(f"values of {before[name].shape} and {after[name].shape} queries cannot be paired")
    if not names:
        return {}
    gains = np.stack([after[name] - before[name] for name in names], axis=1)
    chances = _randomisation_p(gains, seed)
    return {name: _difference(gains[:, at], float(chances[at]), seed) for at, name in enumerate(names)}


def _difference(gains: NDArray[np.float64], p: float, seed: int) -> Difference:
    low, high = bootstrap_interval(gains, seed)
    return Difference(
        mean=float(gains.mean()),
        low=low,
        high=high,
        p=p,
        better=int((gains > _EQUAL).sum()),
        equal=int((np.abs(gains) <= _EQUAL).sum()),
        worse=int((gains < -_EQUAL).sum()),
    )


def _randomisation_p(gains: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """Two-sided, for each column of (queries, metrics): the share of sign changes of its queries whose sum is as far
    from 0 as the one that was observed, itself counted.
    """
    queries = len(gains)
    observed = np.abs(gains.sum(axis=0)) - _EQUAL * queries
    draw = np.random.default_rng(seed)
    block = max(1, _CELLS // max(queries, 1))
    reached = np.zeros(gains.shape[1])
    for start in range(0, SWAPS, block):
        signs = draw.integers(2, size=(min(block, SWAPS - start), queries), dtype=np.int8) * 2.0 - 1.0
        reached += (np.abs(signs @ gains) >= observed).sum(axis=0)
    chances: NDArray[np.float64] = (1 + reached) / (1 + SWAPS)
    return chances
