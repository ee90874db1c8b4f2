"""Finding the index of a collection by measuring: which kind, how it is laid out, how hard it is searched.

Every kind that fits the memory is built as it usually is, cheap ones first, and searched up to the target (`curve`).
Then the layout of those that came near the fastest is varied, one parameter at a time and twice or half of it, as long
as that gains. The best becomes the index of the collection, and later builds follow it. When the time is over the best
so far is taken. Nothing of the collection changes before the end.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from lookalike.core.errors import LookalikeError, OutOfSpace
from lookalike.core.memory import physical_memory
from lookalike.engine.curve import Measured, best_of, figures, measure_exact, trace
from lookalike.engine.indexing import MEMORY_SHARE
from lookalike.engine.plan import EXACT_MS, Wishes, choose_spec
from lookalike.engine.trials import EXACT, Stopped, Trying, kinds_to_try
from lookalike.engine.tuning_report import Aim, Tried, TuneReport
from lookalike.index.kinds import HNSW_KINDS, IVF_KINDS, MOST_BITS, IndexSpec, default_spec, estimated_bytes

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator, Sequence

    from lookalike.engine.trials import Candidate, Trials
    from lookalike.index.building import BuildProgress

NEAR = 2.0
"""Times the latency of the fastest within which a kind's layout is worth varying."""
GAIN = 0.95
"""Share of the latency that a layout has to come down to: less may be chance."""
GIVE_UP = 2.0
"""Times the latency of the exact scan, or of the budget, at which more effort makes no sense."""
LEAST_ROWS_PER_LIST = 8
_SMALLEST_M, _LARGEST_M = 4, 64
_SMALLEST_CONSTRUCTION, _LARGEST_CONSTRUCTION = 50, 800
_SMALLEST_TREES, _LARGEST_TREES = 10, 400


def tune(
    made: Trials,
    aim: Aim | None = None,
    *,
    told: Callable[[Trying], None] | None = None,
    stop: threading.Event | None = None,
) -> TuneReport | None:
    """Measure, choose and store, inside `Collection.trials()`; None when stopped, with the collection as it was.

    `told` is called with each step, from another thread while something is built.

    Raises MissingExtra for a kind asked for by name, LookalikeError when none of those could be built, ValueError for
    an unknown one.
    """
    started = time.monotonic()
    aim = aim or Aim()
    aim = replace(aim, memory_bytes=aim.memory_bytes or int(MEMORY_SHARE * physical_memory()))
    search = _Search(made, aim, started, told or (lambda _trying: None), stop)
    try:
        search.run(kinds_to_try(aim.kinds, len(made.rows)))
    except Stopped:
        return None
    chosen, reason = search.choose()
    return TuneReport(
        chosen,
        reason,
        aim,
        len(made.rows),
        made.asked,
        tuple(search.tried),
        stored=search.store(chosen, reason),
        seconds=time.monotonic() - started,
    )


@dataclass(slots=True)
class _Search:
    """A run in progress. Of all candidates only the best so far keeps its file."""

    trials: Trials
    aim: Aim
    started: float
    told: Callable[[Trying], None]
    stop: threading.Event | None
    tried: list[Tried] = field(default_factory=list)
    kept: tuple[Tried, Candidate] | None = None
    exact_ms: float = 0.0
    planned: int = 0

    def run(self, kinds: Sequence[str]) -> None:
        """Try everything there is time for."""
        self.planned = 1 + len(kinds)
        self._tell(EXACT, "searching", 0.0)
        found = measure_exact(self.trials.every, self.trials.questions)
        self.exact_ms = found.ms
        self.tried.append(Tried(EXACT, None, bytes=self.trials.rows.nbytes, curve=(found,), best=found))
        count, dim = self.trials.rows.shape
        first = [self._try(default_spec(kind, count, dim)) for kind in kinds]
        reaching = [each for each in first if self._reaches(each)]
        fastest = min((each.best.ms for each in reaching if each.best), default=0.0)
        near = [each for each in reaching if each.best and each.best.ms <= NEAR * fastest]
        for each in sorted(near, key=self._rank):
            self._vary(each)

    def choose(self) -> tuple[Tried, str]:
        """The candidate to take, and why in a sentence. Raises LookalikeError when none of those asked for is there."""
        exact, asked = self.tried[0], self.aim.kinds
        if asked is None and self._exact_will_do(exact):
            return exact, (
                f"comparing all {len(self.trials.rows):,} pictures takes {self.exact_ms:.2f} ms: "
                "an index would save nothing that anyone could feel"
            )
        if self.kept is None and asked is not None and EXACT not in asked:
            notes = ", ".join(f"{each.name} {each.note}" for each in self.tried if each.note)
            raise LookalikeError(f"no index could be built: {notes}", hint="the collection stays as it is")
        best = exact if self.kept is None else self.kept[0]
        if (asked is None or EXACT in asked) and self._rank(exact) <= self._rank(best):
            best = exact
        return best, self._why(best)

    def store(self, chosen: Tried, reason: str) -> bool:
        """Make what was chosen the index of the collection, and what later builds follow."""
        assert chosen.best is not None
        count, dim = self.trials.rows.shape
        wishes = Wishes(self.aim.target_recall, memory_bytes=self.aim.memory_bytes)
        if chosen.spec is not None:
            wishes = replace(wishes, kind=chosen.name, spec=chosen.spec.as_dict(), spec_count=count)
        elif choose_spec(count, dim, memory_bytes=self.aim.memory_bytes or 0).spec is not None:
            wishes = replace(wishes, kind=EXACT, spec_count=count)
        self.trials.remember(wishes)
        if chosen.spec is None:
            return self.trials.adopt_exact()
        assert self.kept is not None
        return self.trials.adopt(self.kept[1], chosen.best.point, self._figures(chosen), reason)

    def _try(self, spec: IndexSpec) -> Tried:
        """Build and measure one layout; its file is kept when it is the best so far."""
        tried = self._measured(spec)
        self.tried.append(tried)
        return tried

    def _measured(self, spec: IndexSpec) -> Tried:
        count, dim = self.trials.rows.shape
        size = estimated_bytes(spec, count, dim)
        assert self.aim.memory_bytes is not None
        if size > self.aim.memory_bytes:
            return Tried(spec.kind, spec, bytes=size, note="too large for the memory")
        try:
            candidate = self._built(spec)
        except OutOfSpace:
            return Tried(spec.kind, spec, bytes=size, note="the disk is full")
        if candidate is None:
            return Tried(spec.kind, spec, bytes=size, note="no time left to build it")
        curve = self._traced(candidate)
        best = best_of(curve, self.aim.target_recall, self.aim.budget_ms)
        tried = Tried(spec.kind, spec, candidate.build_s, candidate.manifest.bytes, tuple(curve), best)
        if self.kept is not None and self._rank(self.kept[0]) <= self._rank(tried):
            self.trials.drop(candidate)
            return tried
        if self.kept is not None:
            self.trials.drop(self.kept[1])
        self.kept = (tried, candidate)
        return tried

    def _built(self, spec: IndexSpec) -> Candidate | None:
        self._tell(spec.kind, "building", 0.0)
        if self._is_late():
            return None

        def told(progress: BuildProgress) -> None:
            self._tell(spec.kind, "building", progress.done / max(progress.total, 1))

        return self.trials.build(spec, told=told, until=self.started + self.aim.at_most_s, stop=self.stop)

    def _traced(self, candidate: Candidate) -> list[Measured]:
        spec = candidate.manifest.spec
        give_up_ms = GIVE_UP * max(self.exact_ms, self.aim.budget_ms or 0.0)

        def between() -> None:
            self._tell(spec.kind, "searching", 1.0)
            if self.stop is not None and self.stop.is_set():
                raise Stopped

        return trace(
            self.trials.open(candidate),
            spec,
            self.trials.questions,
            self.aim.target_recall,
            give_up_ms=give_up_ms,
            between=between,
        )

    def _vary(self, best: Tried) -> None:
        """Change one parameter after another, up and else down, as long as that gains."""
        assert best.spec is not None
        for name in _parameters(best.spec):
            for times in (2.0, 0.5):
                before = best
                best = self._follow(best, name, times)
                if best is not before:
                    break  # what got better by more does not get better by less

    def _follow(self, best: Tried, name: str, times: float) -> Tried:
        while True:
            assert best.spec is not None
            spec = _changed(best.spec, name, times, self.trials.rows.shape)
            if spec is None or self._is_late() or any(each.spec == spec for each in self.tried):
                return best
            found = self._try(spec)
            if not self._is_better(found, best):
                return best
            best = found

    def _is_better(self, one: Tried, other: Tried) -> bool:
        if one.best is None or other.best is None or not self._reaches(one):
            return False
        if self.aim.budget_ms is not None:
            return self._rank(one) < self._rank(other)
        return one.best.ms < GAIN * other.best.ms

    def _rank(self, tried: Tried) -> tuple[float, ...]:
        """Lower is better. Within a budget that is kept, memory decides."""
        if tried.best is None:
            return (math.inf,)
        standing = tried.best.standing(self.aim.target_recall, self.aim.budget_ms)
        if self.aim.budget_ms is not None and standing[0] == 0:
            return (0, tried.bytes, tried.best.ms)
        return standing

    def _reaches(self, tried: Tried) -> bool:
        return tried.best is not None and tried.best.surely >= self.aim.target_recall

    def _is_late(self) -> bool:
        return time.monotonic() > self.started + self.aim.at_most_s

    def _exact_will_do(self, exact: Tried) -> bool:
        limit = EXACT_MS if self.aim.budget_ms is None else min(EXACT_MS, self.aim.budget_ms)
        return exact.best is not None and exact.best.p95_ms <= limit and exact.bytes <= (self.aim.memory_bytes or 0)

    def _why(self, chosen: Tried) -> str:
        assert chosen.best is not None
        what = f"{chosen.name}: {chosen.best.recall:.3f} of the right answers in {chosen.best.ms:.2f} ms"
        among = f"the best of {len([each for each in self.tried if each.best])} measured"
        rank = self._rank(chosen)[0]
        if rank == 0:
            wanted = "the fastest" if self.aim.budget_ms is None else "the smallest within the budget"
            return f"{what}, {wanted} of those that reach {self.aim.target_recall:g} ({among})"
        if rank == 1:
            return f"{what}: none reaches {self.aim.target_recall:g} as asked ({among})"
        return f"{what}: none keeps to {self.aim.budget_ms:g} ms ({among})"

    def _figures(self, chosen: Tried) -> dict[str, Any]:
        """What a record keeps of the measurement."""
        assert chosen.best is not None
        exact_ns = 1e6 * self.exact_ms / self.trials.rows.size
        return figures(chosen.curve, chosen.best, self.trials.questions, self.aim.target_recall, exact_ns)

    def _tell(self, name: str, doing: str, share: float) -> None:
        number = len(self.tried) + 1
        of = self.planned if number <= self.planned else None
        self.told(Trying(name, doing, number, of, share, time.monotonic() - self.started))


def _parameters(spec: IndexSpec) -> Iterator[str]:
    """What can be varied in the layout of a kind."""
    if spec.kind in IVF_KINDS:
        yield "nlist"
    if spec.kind in HNSW_KINDS or spec.kind == "ivf-pq":
        yield "m"
    if spec.kind in HNSW_KINDS:
        yield "ef_construction"
    if spec.kind == "annoy":
        yield "trees"
    if spec.kind == "ivf-rabitq":
        yield "bits"


def _changed(spec: IndexSpec, name: str, times: float, shape: tuple[int, ...]) -> IndexSpec | None:
    """The layout for rows (n, dim) with one parameter so many times as large; None where that makes no sense."""
    count, dim = shape
    value = round(getattr(spec, name) * times)
    if spec.kind == "ivf-pq" and name == "m":
        return replace(spec, m=value) if 1 <= value <= dim and dim % value == 0 else None
    smallest, largest = {
        "nlist": (1, count // LEAST_ROWS_PER_LIST),
        "m": (_SMALLEST_M, _LARGEST_M),
        "ef_construction": (_SMALLEST_CONSTRUCTION, _LARGEST_CONSTRUCTION),
        "trees": (_SMALLEST_TREES, _LARGEST_TREES),
        "bits": (1, MOST_BITS),
    }[name]
    return replace(spec, **{name: value}) if smallest <= value <= largest else None
