"""Annoy: growing its trees and asking them for candidates. An extra, `lookalike[annoy]`.

Annoy knows no filter and takes no limit on answers but the number of nodes it looks at: under a mask it is asked for
more, in proportion to what the mask leaves out. What is still missing then is the caller's to find exactly.
"""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING, Any

from lookalike.core.errors import IndexUnusable, MissingExtra
from lookalike.index.files import beside, sync_folder
from lookalike.index.manifest import file_checksum

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lookalike.core.arrays import HalfVectors, RowMask, Rows, Vectors
    from lookalike.index.kinds import IndexSpec

_METRIC = "angular"
_LARGEST_GROWTH = 64
"""Under a mask that leaves less than this share, exact comparison of the allowed rows is faster."""
_BLOCK_ROWS = 4096


class AnnoyCandidates:
    """Candidates from an Annoy file that passed `manifest.check`; mapped. Thread-safe."""

    def __init__(self, path: Path, dim: int) -> None:
        self._trees = _trees(dim)
        try:
            self._trees.load(str(path))
        except OSError as error:
            raise IndexUnusable("foreign", f"the index {path} cannot be read by Annoy ({error})") from None

    @property
    def count(self) -> int:
        return int(self._trees.get_n_items())

    def candidates(self, queries: Vectors, fetch: int, effort: int, allowed: RowMask | None) -> Rows:
        """Row numbers int64 (q, up to fetch times what a mask makes it grow), -1 where there are no more."""
        import numpy as np

        growth = 1
        if allowed is not None:
            growth = min(_LARGEST_GROWTH, math.ceil(len(allowed) / max(int(allowed.sum()), 1)))
        wanted = min(fetch * growth, self.count)
        rows = np.full((len(queries), wanted), -1, dtype=np.int64)
        for query, vector in enumerate(queries):
            found = self._trees.get_nns_by_vector(vector, wanted, effort * growth)
            rows[query, : len(found)] = found
        return rows


def write_annoy(
    spec: IndexSpec, rows: HalfVectors, path: Path, threads: int, unit_block: Callable[[HalfVectors], Vectors]
) -> tuple[int, str]:
    """Grow the trees of `rows` on the disk and put them in place: bytes and checksum. Raises OSError."""
    trees = _trees(rows.shape[1])
    unfinished = beside(path, ".writing")
    unfinished.unlink(missing_ok=True)
    trees.set_seed(spec.seed + 1)
    trees.on_disk_build(str(unfinished))
    for start in range(0, len(rows), _BLOCK_ROWS):
        for number, vector in enumerate(unit_block(rows[start : start + _BLOCK_ROWS]), start=start):
            trees.add_item(number, vector)
    trees.build(spec.trees, n_jobs=threads)
    trees.unload()
    with unfinished.open("rb+") as file:
        os.fsync(file.fileno())
    os.replace(unfinished, path)
    sync_folder(path.parent)
    return path.stat().st_size, file_checksum(path)


def _trees(dim: int) -> Any:
    try:
        from annoy import AnnoyIndex
    except ImportError:
        raise MissingExtra("an Annoy index", "annoy") from None
    return AnnoyIndex(dim, _METRIC)
