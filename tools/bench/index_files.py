"""Index files over the vectors, built once for each kind and size, and the point at which each is searched."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from index_report import anonymous_peak, in_child, resident_peak_bytes
from index_truth import K
from index_world import World, world

if TYPE_CHECKING:
    from pathlib import Path

TARGET = 0.95


def identity_of(dim: int) -> Any:
    from lookalike.index.manifest import Identity

    return Identity("bench", dim, epoch=0, generation=1)


def spec_of(kind: str, count: int, dim: int) -> Any:
    """The layout that the planner would give this kind; "chosen" leaves the kind to it as well."""
    from lookalike.core.memory import physical_memory
    from lookalike.engine.indexing import MEMORY_SHARE
    from lookalike.engine.plan import Wishes, choose_spec

    wishes = Wishes(kind=None if kind == "chosen" else kind)
    return choose_spec(count, dim, memory_bytes=int(MEMORY_SHARE * physical_memory()), wishes=wishes).spec


def built(work: Path, kind: str, dim: int, count: int, *, threads: int | None = None) -> dict[str, Any]:
    """Build the index in a process of its own, unless it is there; what that took. `path` None: exact was chosen."""
    spec = spec_of(kind, count, dim)
    if spec is None:
        return {"path": None, "kind": "exact"}
    path = work / "indexes" / f"{spec.kind}-{dim}-{count}.index"
    note = path.with_suffix(".built.json")
    if not note.exists():
        path.parent.mkdir(exist_ok=True)
        order = {"work": str(work), "kind": spec.kind, "dim": dim, "count": count, "path": str(path), "cores": threads}
        made = in_child("index_files", "build_here", **order)
        note.write_text(json.dumps({"path": str(path), "kind": spec.kind, **made}))
    kept: dict[str, Any] = json.loads(note.read_text())
    return kept


def build_here(work: str, kind: str, path: str, *, dim: int, count: int, cores: int | None) -> dict[str, Any]:
    """Build; seconds, bytes and memory of this process."""
    from pathlib import Path

    from lookalike.index.building import build

    rows = np.load(Path(work) / f"vectors-{dim}.npy", mmap_mode="r")[:count]
    stages: dict[str, float] = {}
    last = ["train", time.perf_counter()]

    def told(progress: Any) -> None:
        now = time.perf_counter()
        stages[last[0]] = stages.get(last[0], 0) + now - last[1]
        last[:] = [progress.stage, now]

    started = time.perf_counter()
    with anonymous_peak() as peak:
        manifest = build(
            spec_of(kind, count, dim), rows, Path(path), identity=identity_of(dim), told=told, threads=cores
        )
    assert manifest is not None
    return {
        "build_s": round(time.perf_counter() - started, 1),
        "stages_s": {stage: round(seconds, 1) for stage, seconds in stages.items()},
        "bytes": manifest.bytes,
        "anonymous_peak": peak[0],
        "resident_peak": resident_peak_bytes(),
        "spec": manifest.spec.as_dict(),
    }


def opened(here: World, made: dict[str, Any], point: dict[str, int] | None = None) -> Any:
    """The index as the engine opens it."""
    from pathlib import Path

    from lookalike.index.kinds import OperatingPoint
    from lookalike.index.opening import open_index

    at = None if point is None else OperatingPoint.from_dict(point)
    return open_index(Path(made["path"]), here.rows[: here.count], identity=identity_of(here.dim), point=at)


def calibrated(work: Path, made: dict[str, Any], dim: int, count: int) -> dict[str, Any]:
    """The point and figures that the engine's own calibration finds, with half of the queries; kept in a file."""
    from lookalike.engine.curve import calibrate
    from lookalike.engine.questions import Questions
    from lookalike.index.kinds import IndexSpec

    note = work / "indexes" / f"{made['kind']}-{dim}-{count}.point.json"
    if not note.exists():
        here = world(work, dim, count)
        pictures, texts = (here.queries[kind][::2] for kind in ("picture", "text"))
        own = np.concatenate([np.full(len(pictures), np.iinfo(np.int64).max), np.full(len(texts), -1)])
        scores = np.concatenate([here.truth[kind].scores[::2] for kind in ("picture", "text")])
        questions = Questions(np.concatenate([pictures, texts]), own, scores.astype(np.float32))
        index = opened(here, made)
        found = calibrate(index, here.rows, IndexSpec.from_dict(made["spec"]), questions, TARGET)
        note.write_text(json.dumps({"point": found.point.as_dict(), "reached": found.reached, **found.measured}))
    kept: dict[str, Any] = json.loads(note.read_text())
    return kept


def other_half(here: World) -> World:
    """The queries that calibration did not see."""
    from index_truth import Truth

    return replace(
        here,
        queries={kind: queries[1::2] for kind, queries in here.queries.items()},
        truth={kind: Truth(truth.rows[1::2], truth.scores[1::2]) for kind, truth in here.truth.items()},
    )


def state_of(made: dict[str, Any], tuned: dict[str, Any], count: int) -> Any:
    """What the planner knows of an index."""
    from lookalike.engine.plan import BaseState
    from lookalike.index.kinds import IndexSpec, OperatingPoint

    spec, point = IndexSpec.from_dict(made["spec"]), OperatingPoint.from_dict(tuned["point"])
    return BaseState(spec, point, count, ms=tuned["ms"], exact_ns=tuned["exact_ns"])


def planned_search(
    index: Any, rows: Any, state: Any, query: Any, allowed: Any = None, *, sample: Any = None
) -> tuple[Any, str]:
    """Rows found for one query as the engine finds them: planned, then exactly or by the index. And the strategy."""
    from lookalike.engine.nearest import nearest, planned
    from lookalike.engine.plan import QueryState

    some = len(rows) if allowed is None else int(np.count_nonzero(allowed))
    asked = QueryState(len(rows), some, rows.shape[1], min(K, max(some, 1)), base=state)
    ways = planned(asked, sample, query[None], allowed)
    found = nearest(rows, index, ways, query[None], k=K, mask=allowed)[0]
    return found, ways[0].strategy
