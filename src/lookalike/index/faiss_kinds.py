"""FAISS: making an empty index of a kind, reading one by memory map, and asking it for candidates.

FAISS compares inner products of unit vectors, so a plain `faiss.read_index` of such a file gives cosines.

Files are mapped with `IO_FLAG_MMAP_IFC`. The older `IO_FLAG_MMAP` starts threads in every search to read ahead:
3.7 ms a query instead of 0.11 (40,000 x 256, IVF788 with RaBitQ, nprobe 64, faiss 1.15.1).

One query is searched by one thread: two gain nothing (the same index) and may wait milliseconds for each other
(FastScan codes: 8 ms against 0.16). FAISS keeps the number of threads per calling thread (OpenMP's nthreads-var), so
setting it for a call disturbs nobody else.

RaBitQ's promise holds for rows turned at random ("RaBitQ: Quantizing High-Dimensional Vectors with a Theoretical Error
Bound", Gao and Long 2024), and FAISS leaves the turning to its caller: a million mixture rows of 256, 1 bit, 64 lists,
400 candidates find 0.87 of the ten best for words with it, 0.48 without.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from lookalike.core.cores import usable_cores
from lookalike.index.kinds import HNSW_KINDS, IVF_KINDS
from lookalike.index.masks import MaskPacker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lookalike.core.arrays import RowMask, Rows, Vectors
    from lookalike.index.kinds import IndexSpec

QUERIES_FOR_THREADS = 8
"""From so many queries in one call on, all cores share them."""
_RABITQ_QUERY_BITS = 4
"""Of each component of the query: 8 bits find 0.01 more where one bit of the rows finds little, else nothing."""
_PQ_POINTS = 64
"""Training rows for each centre of a product quantiser. FAISS's own 256, in 25 rounds, are ten times the work."""
_MAP_FROM_BYTES = 1 << 16
"""Smaller files are read: mapping gains nothing, and FAISS's reader of mapped files can crash on a cut header."""
_CLASSES = {
    "flat": "IndexFlat",
    "fp16": "IndexScalarQuantizer",
    "sq8": "IndexScalarQuantizer",
    "ivf-flat": "IndexIVFFlat",
    "ivf-sq8": "IndexIVFScalarQuantizer",
    "ivf-pq": "IndexIVFPQ",
    "ivf-rabitq": "IndexIVFRaBitQ",
    "hnsw": "IndexHNSWFlat",
    "hnsw-sq8": "IndexHNSWSQ",
}


class FaissCandidates:
    """Candidates from a FAISS index that was read. Thread-safe: what a search needs travels in its parameters."""

    def __init__(self, index: Any, spec: IndexSpec) -> None:
        self._index = index
        self._spec = spec
        self._all_cores = usable_cores()
        self._unmasked: dict[int, Any] = {}
        self._packer = MaskPacker()

    @property
    def count(self) -> int:
        return int(self._index.ntotal)

    def candidates(self, queries: Vectors, fetch: int, effort: int, allowed: RowMask | None) -> Rows:
        """Row numbers int64 (q, fetch) in no promised order; -1 where the effort found no more."""
        import faiss

        if allowed is None:
            parameters = self._unmasked.get(effort)
            if parameters is None:  # a race makes it twice, which harms nobody
                parameters = self._unmasked[effort] = self._parameters(effort)
        else:
            parameters = self._parameters(effort, sel=faiss.IDSelectorBitmap(self._packer.bits(allowed)))
        with threads(1 if len(queries) < QUERIES_FOR_THREADS else self._all_cores):
            rows: Rows = self._index.search(queries, fetch, params=parameters)[1]
        return rows

    def _parameters(self, effort: int, **selector: Any) -> Any:
        import faiss

        if self._spec.kind == "ivf-rabitq":
            return faiss.IVFRaBitQSearchParameters(nprobe=effort, qb=_RABITQ_QUERY_BITS, centered=True, **selector)
        if self._spec.kind in IVF_KINDS:
            kind = faiss.IVFPQSearchParameters if self._spec.kind == "ivf-pq" else faiss.SearchParametersIVF
            return kind(nprobe=effort, **selector)
        if self._spec.kind in HNSW_KINDS:
            return faiss.SearchParametersHNSW(efSearch=effort, **selector)
        return faiss.SearchParameters(**selector)


def new_index(spec: IndexSpec, dim: int) -> Any:
    """An empty, untrained FAISS index."""
    import faiss

    product = faiss.METRIC_INNER_PRODUCT
    if spec.kind in HNSW_KINDS:
        index = (
            faiss.IndexHNSWFlat(dim, spec.m, product)
            if spec.kind == "hnsw"
            else faiss.IndexHNSWSQ(dim, faiss.ScalarQuantizer.QT_8bit, spec.m, product)
        )
        index.hnsw.efConstruction = spec.ef_construction
        return index
    factory = {
        "flat": "Flat",
        "fp16": "SQfp16",
        "sq8": "SQ8",
        "ivf-flat": f"IVF{spec.nlist},Flat",
        "ivf-sq8": f"IVF{spec.nlist},SQ8",
        "ivf-pq": f"IVF{spec.nlist},PQ{spec.m}x8",
        "ivf-rabitq": f"RR{dim},IVF{spec.nlist},RaBitQ{spec.bits}",
    }
    index = faiss.index_factory(dim, factory[spec.kind], product)
    if spec.kind in IVF_KINDS:
        _prepare(lists_of(index).cp, spec.seed)
    if spec.kind == "ivf-pq":
        _prepare(index.pq.cp, spec.seed)
        index.pq.cp.niter, index.pq.cp.max_points_per_centroid = index.cp.niter, _PQ_POINTS
        index.do_polysemous_training = False  # it takes minutes, for a way of searching that is not ours
    return index


def lists_of(index: Any) -> Any:
    """The inverted lists of an index of `IVF_KINDS`: itself, or what stands behind the turning of its vectors."""
    import faiss

    return faiss.downcast_index(index.index) if isinstance(index, faiss.IndexPreTransform) else index


def turned(index: Any, vectors: Vectors) -> Vectors:
    """Vectors as the inverted lists of `index` take them."""
    import faiss

    is_plain = not isinstance(index, faiss.IndexPreTransform)
    return vectors if is_plain else index.chain.at(0).apply(vectors)


def _prepare(clustering: Any, seed: int) -> None:
    clustering.seed = seed + 1234  # FAISS's own start, moved
    clustering.min_points_per_centroid = 1  # or it writes warnings to the terminal


def read_index(path: Path) -> Any:
    """The FAISS index of a file that passed `manifest.check`, mapped where this system can map it.

    Raises RuntimeError for what FAISS refuses.
    """
    import faiss

    if path.stat().st_size >= _MAP_FROM_BYTES:
        with suppress(RuntimeError):  # some systems cannot map, or not under such a name: then it is read
            return faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
    with path.open("rb") as file:
        return faiss.read_index(faiss.PyCallbackIOReader(file.read))


def is_of(index: Any, spec: IndexSpec, dim: int, count: int) -> bool:
    """Whether a FAISS index that was read is what its manifest says."""
    import faiss

    inner = lists_of(index)
    fits = (
        type(inner).__name__ in {_CLASSES[spec.kind], f"{_CLASSES[spec.kind]}IP"}
        and (inner is not index) == (spec.kind == "ivf-rabitq")
        and (index.d, index.ntotal, index.metric_type) == (dim, count, faiss.METRIC_INNER_PRODUCT)
        and index.is_trained
    )
    if fits and spec.kind in {"fp16", "sq8"}:
        wanted = faiss.ScalarQuantizer.QT_fp16 if spec.kind == "fp16" else faiss.ScalarQuantizer.QT_8bit
        return bool(index.sq.qtype == wanted)
    if fits and spec.kind == "ivf-rabitq" and inner.rabitq.nb_bits != spec.bits:
        return False
    return bool(fits and (spec.kind not in IVF_KINDS or inner.nlist == spec.nlist))


@contextmanager
def threads(number: int) -> Iterator[None]:
    """Let FAISS use so many threads for what this thread asks of it inside the block."""
    import faiss

    before = faiss.omp_get_max_threads()
    if before == number:
        yield
        return
    faiss.omp_set_num_threads(number)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)
