"""Opening an index file for searching: checked first, mapped where the library can, re-scored from the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lookalike.core.errors import IndexUnusable
from lookalike.index.kinds import OperatingPoint, default_point
from lookalike.index.manifest import Identity, Manifest, check
from lookalike.index.rescored import Candidates, RescoredIndex

if TYPE_CHECKING:
    from pathlib import Path

    from lookalike.core.arrays import HalfVectors


def open_index(
    path: Path,
    rows: HalfVectors,
    *,
    identity: Identity,
    point: OperatingPoint | None = None,
    full: bool = False,
) -> RescoredIndex:
    """The index at `path` over the first of `rows`, float16 (n, dim).

    `point`: how it is searched; None takes the default of its kind. `full`: read all bytes before trusting them.
    Raises IndexUnusable when the file is missing, damaged, foreign or for other rows; MissingExtra when its library
    is not installed.
    """
    manifest = check(path, identity, full=full)
    if manifest.count > len(rows) or rows.shape[1] != identity.dim:
        raise IndexUnusable(
            "foreign", f"the index {path} is over {manifest.count:,} rows of {identity.dim}, there are {rows.shape}"
        )
    base = _candidates(path, manifest)
    return RescoredIndex(base, rows, point or default_point(manifest.spec))


def _candidates(path: Path, manifest: Manifest) -> Candidates:
    spec, dim, count = manifest.spec, manifest.identity.dim, manifest.count
    if spec.kind == "annoy":
        from lookalike.index.annoy_kind import AnnoyCandidates

        annoy = AnnoyCandidates(path, dim)
        if annoy.count != count:
            raise IndexUnusable("foreign", f"the index {path} holds {annoy.count:,} rows, its manifest says {count:,}")
        return annoy
    from lookalike.index.faiss_kinds import FaissCandidates, is_of, read_index

    try:
        index = read_index(path)
    except (RuntimeError, MemoryError, OSError) as error:
        raise IndexUnusable("foreign", f"the index {path} cannot be read by FAISS ({error})") from None
    if not is_of(index, spec, dim, count):
        raise IndexUnusable("foreign", f"the index {path} is not the {spec.kind} of {count:,} rows it should be")
    return FaissCandidates(index, spec)
