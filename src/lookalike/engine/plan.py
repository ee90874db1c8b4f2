"""What is chosen, and why in a sentence: the index of a collection, and how a query is answered.

Pure functions from what is known to a choice; nothing here opens a file. The constants are the planner's whole
knowledge of machines; each names the measurement it comes from. What can be measured on the very machine
(`engine/curve.py`) takes their place.
"""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from lookalike.core.records import Plan
from lookalike.index.kinds import (
    FLAT_KINDS,
    IVF_KINDS,
    KINDS,
    IndexSpec,
    OperatingPoint,
    default_spec,
    efforts,
    estimated_bytes,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

TARGET_RECALL = 0.95
"""ann_recall@10 that an index must reach for pictures and for words unless the user asks for another."""
EXACT_NS = 0.2
"""Nanoseconds a component when all rows are compared, until this machine was measured. A judgement: what a desktop
reads from memory; tools/bench/break_even.py prints the figure of any machine."""
GATHER_FACTOR = 3.5
"""How much longer a row takes that is fetched from anywhere instead of read in order (break_even.py: 3.5 to 3.8)."""
EXACT_MS = 3.0
"""An exact search this short gains nothing that anyone could feel from an index."""
MASKED_FACTOR = {"lists": 0.35, "graph": 0.6}
"""What a row costs that an index meets and may not answer, in times of one it may (break_even.py: lists 0.27 to 0.43,
graph 0.5 to 0.7, at shares of 0.5 and 0.1)."""
LOOK_ROWS = 4096
"""Rows compared with a query before an index is asked under a mask: 4 MB at 512 components, some 0.4 ms (EXACT_NS)."""
HARDER_AT_MOST = 2
"""Times that a graph or trees look harder than a mask's share asks for: they walk to what is nearest and end there. A
judgement: collections that have them are small, and an exact search is never wrong."""
LISTS_ASTRAY = 2.0
"""Lists visited to meet a share of the rows, in times of that share: nearness to a list's centre only suggests nearness
of its rows. A judgement."""
DELTA_SHARE = 0.01
"""Least share of new rows worth a rebuild: so no row is rebuilt more than a hundred times."""
DEAD_SHARE = 0.3
"""Share of removed rows that is compacted away before a rebuild: masked, they cost nearly what they cost alive."""
RESIDENT_SHARE = 0.25
"""Share of the memory budget that a graph, or codes of a byte a component, may fill: both are built in memory, and fast
while they stay there."""
HNSW_ROWS = 200_000
"""Most rows of a graph chosen by itself. A judgement: a build takes minutes by then, and grows faster than the rows."""
K_MEASURED = 10
"""Answers that operating points are measured for."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the user asks of the index of a collection; kept in its setting `index`.

    `kind`: a kind of `index.kinds`, or "exact" for none, or None to choose. `spec` is what tuning found best at
    `spec_count` rows. `memory_bytes`: what searching may use; None takes a share of the machine's.
    """

    target_recall: float = TARGET_RECALL
    kind: str | None = None
    memory_bytes: int | None = None
    spec: dict[str, Any] = field(default_factory=dict)
    spec_count: int = 0

    def __post_init__(self) -> None:
        if self.kind is not None and self.kind not in {*KINDS, "exact"}:
            raise ValueError(f"there is no index kind {self.kind!r}; there are exact, {', '.join(KINDS)}")
        if not 0 < self.target_recall <= 1:
            raise ValueError(f"a recall of {self.target_recall} cannot be reached; it lies between 0 and 1")

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of `as_dict`; words of a later version are passed over."""
        return cls(**{name: value for name, value in values.items() if name in cls.__dataclass_fields__})


@dataclass(frozen=True, slots=True)
class IndexChoice:
    """How a collection is to be indexed, and why. `spec` None: not at all, every search compares all rows."""

    spec: IndexSpec | None
    reason: str


@dataclass(frozen=True, slots=True)
class BaseState:
    """What is known about the index a collection has.

    Measured when it was built: `ms`, of one query at its operating point, and `exact_ns`, of a component when all rows
    are compared.
    """

    spec: IndexSpec
    point: OperatingPoint
    count: int
    ms: float
    exact_ns: float = EXACT_NS


@dataclass(frozen=True, slots=True)
class Near:
    """What a sample of the rows tells about the surroundings of a query under a mask (`engine/sample.py`).

    `share`: of the rows near the query, those that may be answered; 0: none anywhere. `depth`: the share of all rows
    that is no farther from it than the answers that were asked for.
    """

    share: float
    depth: float


@dataclass(frozen=True, slots=True)
class QueryState:
    """What is known about a query: `count` rows in the space, `allowed` of them may be answered.

    `near`: where those lie, or None where nobody looked.
    """

    count: int
    allowed: int
    dim: int
    k: int
    base: BaseState | None = None
    effort: int | None = None
    near: Near | None = None


def plan(state: QueryState) -> Plan:
    """How a query is answered. Chosen by rows allowed, not by rows stored; an `effort` asked for is obeyed."""
    base, share = state.base, state.allowed / max(state.count, 1)
    allowed = _of_all(state.allowed, state.count)
    if base is None:
        return Plan("exact", f"{allowed} compared")
    if state.allowed <= state.k:
        return Plan("exact", f"{allowed} compared: no more than were asked for")
    if share < 1 and base.spec.kind in FLAT_KINDS and state.effort is None:
        # its codes are fine enough for what is near a query, not to tell apart what a filter leaves far from it
        return Plan("exact", f"{allowed} compared: a flat index would look at all the others too")
    deep = max(state.k / K_MEASURED, 1.0)
    times = _times_harder(base, share, state.near)
    effort = state.effort or math.ceil(base.point.effort * math.sqrt(deep) * times / share)
    exact_ms = exact_search_ms(state.allowed, state.dim, among=state.count, ns=base.exact_ns)
    index_ms = base.ms * _growth(base.spec, share / times) * deep + _look_ms(state, base)
    hopeless = effort >= efforts(base.spec, base.count)[-1] and base.spec.kind not in FLAT_KINDS
    astray = times > HARDER_AT_MOST and base.spec.kind not in IVF_KINDS
    if state.effort is None and times > 1 and (hopeless or astray):
        return Plan("exact", f"{allowed} compared: few of them are near the query, where the index would look")
    if state.effort is None and (exact_ms <= index_ms or hopeless):
        return Plan("exact", f"{allowed} compared: that takes {_about(exact_ms)}, the index {_about(index_ms)}")
    fetch = math.ceil(base.point.fetch * deep * (times if base.spec.kind == "annoy" else 1))
    newer = f", {state.count - base.count:,} newer ones are compared" if state.count > base.count else ""
    if share == 1:
        strategy, among = "index", f"{base.count:,} pictures"
    else:
        strategy, among = "masked index", f"the {state.allowed:,} of {state.count:,} pictures that are allowed"
    harder = "" if times == 1 else f", looking {times} times as far as few of them are near the query"
    how = f"{base.spec.kind} index finds {fetch} candidates among {among}{harder}, which are compared{newer}"
    return Plan(strategy, how, effort=effort, fetch=fetch)


def choose_spec(count: int, dim: int, *, memory_bytes: int, wishes: Wishes | None = None) -> IndexChoice:
    """The index for `count` rows of `dim` components on a machine that may spend `memory_bytes` on searching."""
    wishes = wishes or Wishes()
    exact_ms = exact_search_ms(count, dim)
    if wishes.kind == "exact" and wishes.spec_count and count > 2 * wishes.spec_count:
        wishes = replace(wishes, kind=None)  # tuning saw a collection half as large
    if wishes.kind == "exact":
        whose = "as tuning found best" if wishes.spec_count else "as was asked"
        return IndexChoice(None, f"every search compares all pictures, {whose}")
    if count < 2 or (wishes.kind is None and exact_ms <= EXACT_MS):
        return IndexChoice(
            None, f"comparing all {count:,} pictures takes {_about(exact_ms)}: an index would save nothing"
        )
    if wishes.kind is not None:
        return _as_wished(wishes, wishes.kind, count, dim)
    return _by_size(count, dim, memory_bytes)


def _as_wished(wishes: Wishes, kind: str, count: int, dim: int) -> IndexChoice:
    if wishes.spec_count / 2 <= count <= wishes.spec_count * 2:
        with suppress(ValueError):  # an earlier version wrote it
            return IndexChoice(IndexSpec.from_dict(wishes.spec), f"{kind}, as tuning found best")
    how = "as tuning found best" if wishes.spec else "as was asked"
    return IndexChoice(default_spec(kind, count, dim), f"{kind}, {how}")


def _by_size(count: int, dim: int, memory_bytes: int) -> IndexChoice:
    """The fastest kind that fits: a graph, lists with a byte a component, lists with two bits, and one bit at last.

    1,000,000 mixture rows of 256, one thread, 4,000 lists of which 64 are visited, recall 0.97 for words and 0.99 for
    pictures: a byte takes 0.7 ms and 268 MB, two bits 0.8 ms, 150 more candidates to compare and 96 MB.
    """
    graph, bytes_, bits = (default_spec(kind, count, dim) for kind in ("hnsw", "ivf-sq8", "ivf-rabitq"))
    room = RESIDENT_SHARE * memory_bytes
    graph_bytes, lists_bytes = (estimated_bytes(spec, count, dim) for spec in (graph, bytes_))
    if count <= HNSW_ROWS and graph_bytes <= room:
        why = f"the fastest to search, and its {graph_bytes / 1e6:,.0f} MB fit well into the memory there is"
        return IndexChoice(graph, f"hnsw for {count:,} pictures: {why}")
    other = f"a graph would need {graph_bytes / 1e6:,.0f} MB" if graph_bytes > room else "a graph takes long to build"
    if lists_bytes <= room:
        why = f"{lists_bytes / 1e6:,.0f} MB of lists, a byte for each number, the best compared exactly"
        return IndexChoice(bytes_, f"ivf-sq8 for {count:,} pictures: {why}; {other}")
    if estimated_bytes(bits, count, dim) > memory_bytes:
        bits = replace(bits, bits=1)
    why = f"{estimated_bytes(bits, count, dim) / 1e6:,.0f} MB of short codes, the best compared exactly"
    return IndexChoice(bits, f"ivf-rabitq for {count:,} pictures: {why}; {other}")


def outgrown(count: int, dead: int, dim: int, base: BaseState) -> str | None:
    """Why an index should be built again, or None. `dead`: rows of pictures that are gone, among `count`."""
    newer = count - base.count
    newer_ms = exact_search_ms(newer, dim, ns=base.exact_ns)
    if newer > DELTA_SHARE * base.count and newer_ms > base.ms:
        return f"comparing the {newer:,} pictures that came after it takes {_about(newer_ms)}, itself {_about(base.ms)}"
    if dead > DEAD_SHARE * count:
        return f"{dead:,} of its {count:,} rows belong to pictures that are gone"
    return None


def exact_search_ms(rows: int, dim: int, *, among: int | None = None, ns: float = EXACT_NS) -> float:
    """Milliseconds to compare so many rows with one query, on one core. Scattered `among` more, they cost more each."""
    compared = rows if among is None else min(rows * GATHER_FACTOR, among)
    return compared * dim * ns / 1e6


def _growth(spec: IndexSpec, share: float) -> float:
    """How many times longer an index takes when only a share of its rows may be answered.

    Its effort grows by 1/share, so that it meets as many allowed rows as without a filter; the others are passed over
    sooner in a list than in a graph.
    """
    if spec.kind in FLAT_KINDS:
        return 1.0
    factor = MASKED_FACTOR["lists" if spec.kind in IVF_KINDS else "graph"]
    return 1 + factor * (1 / share - 1)


def _look_ms(state: QueryState, base: BaseState) -> float:
    """What it takes to look near a query, where that is still to be done."""
    if state.allowed == state.count or state.near is not None or base.spec.kind in FLAT_KINDS:
        return 0.0
    return exact_search_ms(min(LOOK_ROWS, base.count), state.dim, ns=base.exact_ns)


def _times_harder(base: BaseState, share: float, near: Near | None) -> int:
    """How many times harder an index has to look because so few of the rows near the query are allowed.

    As much harder as they are rarer than everywhere; and so many lists are visited that they reach to the answers. A
    power of two: so the queries of one call share few plans, and what chance does to a sample seldom changes one.
    """
    if near is None:
        return 1
    rarer = share / max(near.share, 1 / base.count)
    lists = base.spec.nlist * near.depth * LISTS_ASTRAY
    return 1 << max(round(math.log2(rarer)), math.ceil(math.log2(max(lists * share / base.point.effort, 1))), 0)


def _about(ms: float) -> str:
    return "less than 0.1 ms" if ms < 0.1 else f"about {ms:.1f} ms"


def _of_all(allowed: int, count: int) -> str:
    if allowed == count:
        return f"all {count:,} pictures are"
    return f"the {allowed:,} of {count:,} pictures that are allowed are"
