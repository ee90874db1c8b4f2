"""The kinds of index there are, how one is laid out (`IndexSpec`) and how hard it is searched (`OperatingPoint`).

Values only: nothing here loads FAISS. What a planner or a tuner needs to know about a kind before building one
(its size, the efforts worth trying) is answered here too.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

FLAT_KINDS = ("flat", "fp16", "sq8")
IVF_KINDS = ("ivf-flat", "ivf-sq8", "ivf-pq", "ivf-rabitq")
HNSW_KINDS = ("hnsw", "hnsw-sq8")
KINDS = (*FLAT_KINDS, *IVF_KINDS, *HNSW_KINDS, "annoy")
"""All that can be built; "exact" needs no file: it is `exact.ExactIndex` over the rows themselves."""

_LARGEST_NLIST = 8192
"""More lists make the build of ten million rows slower than their shorter lists make a search faster."""
_PQ_DIMS = 4
"""Components that share a byte in a product quantiser: 64 bytes for 256."""
_RABITQ_BITS = 2
"""One bit a component finds pictures, but not words: among a million rows their ten best lie within 0.03 of a cosine,
less than such a code is wrong by (of 200 candidates of 256 components, one bit has 0.76 of the ten, two have 0.98)."""
MOST_BITS = 8
"""Of RaBitQ, for each component."""
_FETCH = {"flat": 12, "fp16": 16, "sq8": 40, "ivf-flat": 12, "ivf-sq8": 40, "hnsw": 12, "hnsw-sq8": 40}
"""Candidates for ten answers: what the codes lose is won back by re-scoring. Coarser codes need `_FETCH_COARSE`."""
_FETCH_COARSE = 100


@dataclass(frozen=True, slots=True)
class IndexSpec:
    """How an index is built. 0 where a kind has no such parameter.

    `nlist`: inverted lists. `m`: links of a graph's node, or bytes of a product quantiser's code. `trees`: of Annoy.
    `bits`: of RaBitQ, for each component.
    """

    kind: str
    nlist: int = 0
    m: int = 0
    ef_construction: int = 0
    trees: int = 0
    seed: int = 0
    bits: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"there is no index kind {self.kind!r}; there are {', '.join(KINDS)}")
        for field in fields(self)[1:]:
            value = getattr(self, field.name)
            if type(value) is not int or value < 0:
                raise ValueError(f"{field.name} is {value!r}; wanted a whole number from 0 up")
        if (self.kind == "ivf-rabitq") != (0 < self.bits <= MOST_BITS):
            raise ValueError(f"{self.kind} has no codes of {self.bits} bits a component")

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready values: the kind and every parameter that is not 0."""
        return {name: value for name, value in asdict(self).items() if value}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of `as_dict`. Raises ValueError for what is no spec."""
        try:
            return cls(**values)
        except TypeError as error:
            raise ValueError(f"not an index spec: {error}") from None


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """How hard an index is searched.

    `effort`: lists visited (IVF), nodes kept while walking (HNSW), nodes looked at (Annoy); flat kinds ignore it.
    `fetch`: candidates taken from the index for each query and scored exactly; never fewer than the answers asked for.
    """

    effort: int
    fetch: int

    def __post_init__(self) -> None:
        if self.effort < 1 or self.fetch < 1:
            raise ValueError(f"effort {self.effort} and fetch {self.fetch} must be at least 1")

    def as_dict(self) -> dict[str, int]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of `as_dict`. Raises ValueError for what is none."""
        try:
            return cls(effort=int(values["effort"]), fetch=int(values["fetch"]))
        except (KeyError, TypeError) as error:
            raise ValueError(f"not an operating point: {error}") from None


def default_spec(kind: str, count: int, dim: int, *, seed: int = 0) -> IndexSpec:
    """Sensible parameters for `count` rows of `dim` components; a tuner does better."""
    if kind in IVF_KINDS:
        nlist = max(1, min(round(4 * math.sqrt(count)), _LARGEST_NLIST, count // 2))
        m, bits = _pq_bytes(dim) if kind == "ivf-pq" else 0, _RABITQ_BITS if kind == "ivf-rabitq" else 0
        return IndexSpec(kind, nlist=nlist, m=m, bits=bits, seed=seed)
    if kind in HNSW_KINDS:
        return IndexSpec(kind, m=16, ef_construction=100, seed=seed)
    if kind == "annoy":
        return IndexSpec(kind, trees=50, seed=seed)
    return IndexSpec(kind, seed=seed)


def richer(spec: IndexSpec) -> IndexSpec | None:
    """The same with codes that tell rows better apart, for an index whose search misses its target; None at the end."""
    if spec.kind != "ivf-rabitq" or 2 * spec.bits > MOST_BITS:
        return None
    return replace(spec, bits=2 * spec.bits)


def default_point(spec: IndexSpec) -> OperatingPoint:
    """Where to search an index that nobody tuned."""
    fetch = _FETCH.get(spec.kind, _FETCH_COARSE)
    if spec.kind in IVF_KINDS:
        return OperatingPoint(max(1, min(spec.nlist, max(16, round(math.sqrt(spec.nlist))))), fetch)
    if spec.kind in HNSW_KINDS:
        return OperatingPoint(64, fetch)
    if spec.kind == "annoy":
        return OperatingPoint(100 * spec.trees, fetch)
    return OperatingPoint(1, fetch)


def efforts(spec: IndexSpec, count: int) -> tuple[int, ...]:
    """The efforts worth trying, ascending by doubling; the last one looks at everything a search can reach.

    The first visits lists that hold as many rows as are fetched: with fewer, queries are left short.
    """
    if spec.kind in FLAT_KINDS:
        return (1,)
    if spec.kind in IVF_KINDS:
        low, high = math.ceil(default_point(spec).fetch * spec.nlist / max(count, 1)), spec.nlist
    else:
        low, high = (16, min(count, 4096)) if spec.kind in HNSW_KINDS else (spec.trees, 2 * count)
    ladder = []
    while low < high:
        ladder.append(low)
        low *= 2
    return (*ladder, high)


def estimated_bytes(spec: IndexSpec, count: int, dim: int) -> int:
    """Bytes of the file of an index; it is mapped, so this is also the memory it can use, give or take a tenth."""
    code = {
        "flat": 4 * dim,
        "fp16": 2 * dim,
        "sq8": dim,
        "ivf-flat": 4 * dim,
        "ivf-sq8": dim,
        "ivf-pq": spec.m,
        "ivf-rabitq": math.ceil(dim * spec.bits / 8) + (8 if spec.bits == 1 else 20),  # and what corrects its errors
        "hnsw": 4 * dim,
        "hnsw-sq8": dim,
        "annoy": 4 * dim + 12,
    }[spec.kind]
    each: float = code
    if spec.kind in IVF_KINDS:
        each += 8  # the row number
    if spec.kind in HNSW_KINDS:
        each += 4 * 2 * spec.m + 4 * spec.m / max(spec.m - 1, 1) + 12  # links below and above, level and offset
    if spec.kind == "annoy":
        each += spec.trees * (4 + 2 * (4 * dim + 12) / dim)  # its place in each tree, its share of the splits
    rotation = 4 * dim * dim if spec.kind == "ivf-rabitq" else 0
    return round(count * each) + 4 * dim * spec.nlist + rotation


def _pq_bytes(dim: int) -> int:
    """The largest divisor of `dim` that gives each byte `_PQ_DIMS` components or more."""
    return max(each for each in range(1, max(dim // _PQ_DIMS, 1) + 1) if dim % each == 0)
