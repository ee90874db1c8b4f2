"""Building an index file from the rows: trained on a sample, filled block by block, published by its manifest.

Promises: memory of the index itself, a training sample and a block, whatever the number of rows; a file that appears
whole or not at all; a build that was killed goes on from its last checkpoint when it is started again with the same
spec for the same rows (Annoy starts again: its trees are grown in one go).

FAISS uses so many threads only for what the building thread asks of it; other threads search undisturbed. A build
that must give way to searches is better run by `building_process`: a process of its own has a priority of its own.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from lookalike.core.causes import cause_of
from lookalike.core.cores import usable_cores
from lookalike.core.errors import CollectionError, OutOfSpace
from lookalike.core.memory import let_go
from lookalike.index.checkpoint import Checkpoint, remove_checkpoint, written
from lookalike.index.kinds import HNSW_KINDS, IVF_KINDS
from lookalike.index.manifest import Manifest, library_version, publish

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable
    from pathlib import Path

    from lookalike.core.arrays import HalfVectors, Vectors
    from lookalike.index.kinds import IndexSpec
    from lookalike.index.manifest import Identity

CHECKPOINT_S = 120.0
"""Seconds of work that a kill may cost, or twenty times what writing the last checkpoint took."""
_CHECKPOINT_SHARE = 20
_SAMPLE_PER_LIST = 64
"""Training rows for each inverted list: FAISS asks for 39 at least; 256 take four times as long and find the same."""
_SAMPLE_LEAST = 20_000
_SAMPLE_BYTES = 1 << 30
"""Bound on the training sample, float32."""
_PQ_CENTRES = 256
_BLOCK_BYTES = 1 << 25
"""Bytes of one block of rows, float32: large enough for all cores, small enough to stop soon."""
_GRAPH_BLOCK_ROWS = 4096
"""A graph takes up to a millisecond a row."""


@dataclass(frozen=True, slots=True)
class BuildProgress:
    """Where a build stands: rows of the sample when it trains, rows of the index when it adds."""

    stage: Literal["train", "add", "write"]
    done: int
    total: int


def build(
    spec: IndexSpec,
    rows: HalfVectors,
    path: Path,
    *,
    identity: Identity,
    told: Callable[[BuildProgress], None] | None = None,
    threads: int | None = None,
    stop: threading.Event | None = None,
    checkpoint_s: float = CHECKPOINT_S,
) -> Manifest | None:
    """Write the index of all `rows`, float16 (n, dim), to `path` and return its manifest; None when stopped.

    `threads`: None takes all cores. `stop` is looked at between blocks; what was done by then is kept for the next
    build. `checkpoint_s`: 0 keeps every block. Raises ValueError for no rows, OutOfSpace, and CollectionError for a
    folder that cannot be written.
    """
    if not len(rows) or rows.shape[1] != identity.dim:
        raise ValueError(f"cannot build an index of dimension {identity.dim} from rows of shape {rows.shape}")
    work = _Work(spec, rows, path, identity, told or (lambda _progress: None), threads or usable_cores(), stop)
    try:
        if spec.kind == "annoy":
            from lookalike.index.annoy_kind import write_annoy

            size, checksum = write_annoy(spec, rows, path, work.threads, unit_block)
        else:
            index = _filled(work, checkpoint_s)
            if index is None:
                return None
            work.told(BuildProgress("write", len(rows), len(rows)))
            size, checksum = written(index, path)
        manifest = Manifest(spec, identity, len(rows), size, checksum, library_version(spec.kind), _our_version())
        publish(path, manifest)
    except OSError as error:
        raise _unwritable(path, error) from error
    remove_checkpoint(path)
    return manifest


@dataclass(frozen=True, slots=True)
class _Work:
    spec: IndexSpec
    rows: HalfVectors
    path: Path
    identity: Identity
    told: Callable[[BuildProgress], None]
    threads: int
    stop: threading.Event | None

    def is_stopping(self) -> bool:
        return self.stop is not None and self.stop.is_set()


def unit_block(rows: HalfVectors) -> Vectors:
    """Float32 rows of unit length; those without direction become zeros, which nothing finds first."""
    import numpy as np

    wide = rows.astype(np.float32)
    lengths = np.sqrt(np.einsum("ij,ij->i", wide, wide, dtype=np.float64))
    sound = np.isfinite(lengths) & (lengths > 0)
    wide[~sound], lengths[~sound] = 0, 1
    wide /= lengths[:, None].astype(np.float32)
    return wide


def _filled(work: _Work, checkpoint_s: float) -> Any | None:
    """The index with all rows in it, or None when stopped on the way."""
    from lookalike.index.faiss_kinds import threads

    checkpoint = Checkpoint(work.path, work.spec, work.identity)
    with threads(work.threads):
        index = checkpoint.resume(len(work.rows))
        due = time.monotonic() + checkpoint_s
        if index is None:
            index = _trained(work)
        assign = _assigner(index, work.spec)
        size = _block_rows(work)
        while index.ntotal < len(work.rows):
            started = time.monotonic()
            if work.is_stopping() or started >= due:
                checkpoint.write(index)
                due = time.monotonic() + (
                    checkpoint_s and max(checkpoint_s, _CHECKPOINT_SHARE * (time.monotonic() - started))
                )
            if work.is_stopping():
                return None
            work.told(BuildProgress("add", index.ntotal, len(work.rows)))
            assign(unit_block(work.rows[index.ntotal : index.ntotal + size]))
            let_go(work.rows)
    return index


def _block_rows(work: _Work) -> int:
    if work.spec.kind in HNSW_KINDS:
        return _GRAPH_BLOCK_ROWS
    return max(_BLOCK_BYTES // (4 * work.identity.dim), 1)


def _trained(work: _Work) -> Any:
    """An empty index that knows how the rows are spread."""
    from lookalike.index.faiss_kinds import lists_of, new_index

    index = new_index(work.spec, work.identity.dim)
    if not index.is_trained:
        sample = _sample(work)
        work.told(BuildProgress("train", 0, len(sample)))
        gpus = _on_gpus(work.identity.dim) if work.spec.kind in IVF_KINDS else None
        if gpus is not None:
            lists_of(index).clustering_index = gpus
        index.train(sample)
        if gpus is not None:
            lists_of(index).clustering_index = None
        work.told(BuildProgress("train", len(sample), len(sample)))
    return index


def _sample(work: _Work) -> Vectors:
    """Rows to train on, float32: chosen by the spec's seed, read in their order on the disk."""
    import numpy as np

    count, dim = work.rows.shape
    wanted = max(_SAMPLE_PER_LIST * work.spec.nlist, _SAMPLE_LEAST)
    size = min(wanted, max(_SAMPLE_BYTES // (4 * dim), 1), count)
    chosen = np.sort(np.random.default_rng(work.spec.seed).choice(count, size, replace=False))
    sample = np.empty((size, dim), dtype=np.float32)
    step = max(_BLOCK_BYTES // (4 * dim), 1)
    for start in range(0, size, step):
        sample[start : start + step] = unit_block(work.rows[chosen[start : start + step]])
        let_go(work.rows)
    sample = sample[sample.any(axis=1)]
    least = max(work.spec.nlist, _PQ_CENTRES if work.spec.kind == "ivf-pq" else 1)
    if len(sample) == 0:
        sample = np.eye(1, dim, dtype=np.float32)
    return np.resize(sample, (least, dim)) if len(sample) < least else sample


def _assigner(index: Any, spec: IndexSpec) -> Callable[[Vectors], None]:
    """What adds a block: with a GPU that one finds the lists, and the rest is quick."""
    gpus = _on_gpus(index.d) if spec.kind in IVF_KINDS else None
    if gpus is None:

        def add(block: Vectors) -> None:
            index.add(block)

        return add
    import faiss
    import numpy as np

    from lookalike.index.faiss_kinds import lists_of, turned

    inner = lists_of(index)
    gpus.add(inner.quantizer.reconstruct_n(0, spec.nlist))

    def add_assigned(block: Vectors) -> None:
        block = turned(index, block)
        lists = np.ascontiguousarray(gpus.search(block, 1)[1].ravel())
        inner.add_core(len(block), faiss.swig_ptr(block), None, faiss.swig_ptr(lists))
        index.ntotal = inner.ntotal

    return add_assigned


def _on_gpus(dim: int) -> Any | None:
    """A flat index over all GPUs, where this FAISS knows GPUs and the machine has one."""
    import faiss

    if not hasattr(faiss, "StandardGpuResources") or faiss.get_num_gpus() == 0:
        return None
    return faiss.index_cpu_to_all_gpus(faiss.IndexFlatIP(dim))


def _our_version() -> str:
    from importlib.metadata import version

    return version("lookalike")


def _unwritable(path: Path, error: OSError) -> CollectionError:
    import errno

    if error.errno in {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}:
        return OutOfSpace(
            f"the disk is full: the index {path} could not be written", hint="free some space and try again"
        )
    return CollectionError(f"the index {path} could not be written ({cause_of(error)})")
