"""How far judgements can be trusted: what share of the proposals was confirmed, and whether two people say the same.

Cohen's kappa (1960): (observed - expected) / (1 - expected), where what is expected is the agreement by chance of two
judges who say yes as often as these did. 1 is perfect agreement, 0 what chance gives.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lookalike.evaluation.judged_pairs import JudgedPair

BAND = 0.05
"""Width of a band of likeness."""
_Z = 1.96  # 95 % of a normal distribution


@dataclass(frozen=True, slots=True)
class Band:
    """Pairs with a likeness from `low` up to, not including, `high`. `between`: Wilson's 95 % interval of the share."""

    low: float
    high: float
    judged: int
    confirmed: int

    @property
    def share(self) -> float:
        return self.confirmed / self.judged

    @property
    def between(self) -> tuple[float, float]:
        spread = _Z * _Z / self.judged
        middle = (self.share + spread / 2) / (1 + spread)
        half = _Z * math.sqrt(self.share * (1 - self.share) / self.judged + spread / (4 * self.judged)) / (1 + spread)
        return max(middle - half, 0.0), min(middle + half, 1.0)

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {**asdict(self), "share": round(self.share, 4), "between": [round(each, 4) for each in self.between]}


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of two who judged the same `pairs`: the share they agree on; kappa, None where both always said one thing."""

    pairs: int
    agreed: float
    kappa: float | None

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        kappa = None if self.kappa is None else round(self.kappa, 4)
        return {"pairs": self.pairs, "agreed": round(self.agreed, 4), "kappa": kappa}


def bands(pairs: Sequence[JudgedPair]) -> list[Band]:
    """How many pairs of each band were judged and confirmed, the likeliest first."""
    counts: dict[int, list[int]] = {}
    for pair in pairs:
        counted = counts.setdefault(math.floor(pair.likeness / BAND + 1e-9), [0, 0])
        counted[0] += 1
        counted[1] += pair.grade > 0
    return [
        Band(round(at * BAND, 2), round((at + 1) * BAND, 2), *counted)
        for at, counted in sorted(counts.items(), reverse=True)
    ]


def agreement(first: Sequence[JudgedPair], second: Sequence[JudgedPair]) -> Agreement | None:
    """Of the pairs that both judged; None where there are none."""
    said = {(pair.query, pair.item): pair.grade > 0 for pair in first}
    both = [(said[pair.query, pair.item], pair.grade > 0) for pair in second if (pair.query, pair.item) in said]
    if not both:
        return None
    count = len(both)
    agreed = sum(one == other for one, other in both) / count
    yes, other_yes = (sum(pair[at] for pair in both) / count for at in (0, 1))
    chance = yes * other_yes + (1 - yes) * (1 - other_yes)
    return Agreement(count, agreed, None if chance == 1 else (agreed - chance) / (1 - chance))
