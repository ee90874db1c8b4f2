"""What tuning is asked for, and what it reports: frozen values, ready for JSON."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lookalike.engine.plan import TARGET_RECALL

if TYPE_CHECKING:
    from lookalike.engine.curve import Measured
    from lookalike.index.kinds import IndexSpec

AT_MOST_S = 1200.0
"""Seconds after which nothing new is begun, unless the user says otherwise."""


@dataclass(frozen=True, slots=True)
class Aim:
    """What to tune for.

    `budget_ms`: what a search may take (95th percentile); the least memory within it wins, instead of the fastest.
    `memory_bytes`: what the index may hold in memory; None takes a share of the machine's. `kinds`: try only these, and
    take one of them; None tries all. `at_most_s`: after so long the best so far is taken.
    """

    target_recall: float = TARGET_RECALL
    budget_ms: float | None = None
    memory_bytes: int | None = None
    kinds: tuple[str, ...] | None = None
    at_most_s: float = AT_MOST_S

    def __post_init__(self) -> None:
        if not 0 < self.target_recall <= 1:
            raise ValueError(f"the target recall is {self.target_recall}; it lies between 0 and 1")


@dataclass(frozen=True, slots=True)
class Tried:
    """One layout of one kind. `curve`: as measured, empty where `note` says why; `best`: where it would be searched."""

    name: str
    spec: IndexSpec | None
    build_s: float = 0.0
    bytes: int = 0
    curve: tuple[Measured, ...] = ()
    best: Measured | None = None
    note: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "spec": {} if self.spec is None else self.spec.as_dict(),
            "build_s": round(self.build_s, 3),
            "bytes": self.bytes,
            "best": None if self.best is None else self.best.as_dict(),
            "curve": [each.as_dict() for each in self.curve],
            "note": self.note,
        }


@dataclass(frozen=True, slots=True)
class TuneReport:
    """What was measured and taken. `stored` False: the collection was compacted meanwhile, its next build follows."""

    chosen: Tried
    reason: str
    aim: Aim
    pictures: int
    questions: tuple[int, int]
    tried: tuple[Tried, ...]
    stored: bool
    seconds: float

    def best_of_each(self) -> list[Tried]:
        """The best layout of each kind that was measured; of its own kind, what was chosen."""
        best: dict[str, Tried] = {}
        for each in self.tried:
            if each.best is not None and each.name not in best:
                of_kind = [one for one in self.tried if one.name == each.name]
                best[each.name] = min(of_kind, key=self._standing)
        return list(best.values())

    def _standing(self, tried: Tried) -> tuple[float, ...]:
        if tried is self.chosen:
            return (-1,)
        return (math.inf,) if tried.best is None else tried.best.standing(self.aim.target_recall, self.aim.budget_ms)

    def as_dict(self) -> dict[str, Any]:
        """The object that `tune --json` prints."""
        return {
            "chosen": self.chosen.as_dict(),
            "reason": self.reason,
            "target_recall": self.aim.target_recall,
            "budget_ms": self.aim.budget_ms,
            "memory_bytes": self.aim.memory_bytes,
            "pictures": self.pictures,
            "questions": {"pictures": self.questions[0], "words": self.questions[1]},
            "tried": [each.as_dict() for each in self.tried],
            "stored": self.stored,
            "seconds": round(self.seconds, 3),
        }
