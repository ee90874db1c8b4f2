"""Side by side at equal recall: autofaiss, Annoy, hnswlib, usearch and voyager, and ours; and who is on the front.

Each library builds with all cores and serves with one thread, each step in a process of its own, autofaiss in an
environment of its own (it needs numpy < 2). All graphs have the same links and construction effort; for each library
the least effort is taken with which held-out photos and captions both reach the recall. Memory is measured two ways:
anonymous (what a process cannot give back), and anonymous with the bytes of a mapped index file, as if all of it had to
stay. The stored rows, which a collection keeps anyway, are counted in neither; what is resident of them is printed.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from index_report import Report, percentiles, run_child
from index_world import world

if TYPE_CHECKING:
    from argparse import Namespace

PEERS = ("hnswlib", "usearch", "voyager", "annoy", "autofaiss")
OURS = ("lookalike chosen", "lookalike ivf-rabitq", "lookalike hnsw", "lookalike hnsw-sq8")
RECALL = 0.95
_MAPPED = ("lookalike", "usearch", "annoy")
"""Those that open their file by memory map."""
_ASKED = 300
"""Queries of each kind."""


def measure(asked: Namespace) -> Report:
    report = Report(f"side by side at recall@10 >= {RECALL}, one thread, each library in a process of its own")
    peers = asked.peers or [*OURS, *PEERS]
    for dim in asked.dims:
        for count in asked.counts:
            here = world(asked.work, dim, count)
            truth = asked.work / "peers" / f"truth-{dim}-{count}.npz"
            truth.parent.mkdir(exist_ok=True)
            parts = {f"{kind}_rows": each.rows[:_ASKED] for kind, each in here.truth.items()}
            np.savez(truth, **parts, **{f"{kind}_scores": each.scores[:_ASKED] for kind, each in here.truth.items()})
            points = [_one(report, asked, peer, truth, dim=dim, count=count) for peer in peers]
            _fronts(report, f"{count:,} x {dim}", [point for point in points if point is not None])
    return report


def _one(report: Report, asked: Namespace, peer: str, truth: Path, *, dim: int, count: int) -> dict[str, Any] | None:
    """Build, find, serve; the library's point, None where it does not reach the recall."""
    python = {"autofaiss": asked.autofaiss_python}.get(peer, asked.peers_python)
    python = sys.executable if peer.startswith("lookalike") else str(python)
    if not Path(python).exists():
        report.notes.append(f"{peer} was left out: there is no {python} (docs/benchmarks/indexes.md)")
        return None
    folder = asked.work / "peers" / f"{peer.replace(' ', '-')}-{dim}-{count}"
    job = {
        "peer": peer,
        "folder": str(folder),
        "vectors": str(asked.work / f"vectors-{dim}.npy"),
        "queries": str(asked.work / f"queries-{dim}.npz"),
        "truth": str(truth),
        "dim": dim,
        "count": count,
        "threads": asked.threads,
        "recall": RECALL,
        "asked": _ASKED,
        "rounds": asked.rounds,
    }

    def step(name: str, threads: int, **more: Any) -> Any:
        script = str(Path(__file__).with_name("index_peer.py"))
        return run_child([python, script, json.dumps({**job, "step": name, **more})], threads)

    note = folder / "built.json"
    if not note.exists():
        shutil.rmtree(folder, ignore_errors=True)
        made = step("build", asked.threads)
        note.write_text(json.dumps(made))
    made = json.loads(note.read_text())
    found = step("find", 1)
    served = step("serve", 1, effort=found["effort"], fetch_times=found["fetch_times"])
    told = percentiles(np.array(served["times"]))
    mapped = made["bytes"] if peer.startswith(_MAPPED) else 0
    if not asked.keep:
        shutil.rmtree(folder)
    point = {
        "dim": dim,
        "count": count,
        "library": f"{peer} {made['version']}",
        **found,
        **told,
        "build_s": made["build_s"],
        "file_MB": round(made["bytes"] / 1e6, 1),
        "anonymous_MB": round(served["anonymous"] / 1e6, 1),
        "with_file_MB": round((served["anonymous"] + mapped) / 1e6, 1),
        "resident_MB": round(served["resident"] / 1e6, 1),
    }
    report.add(**point)
    return point if found["reached"] else None


def _fronts(report: Report, size: str, points: list[dict[str, Any]]) -> None:
    """Whether one of ours is on the front, and who is."""
    for memory in ("anonymous_MB", "with_file_MB"):
        front = [
            one["library"]
            for one in points
            if not any(
                other["p50_ms"] <= one["p50_ms"]
                and other[memory] <= one[memory]
                and (other["p50_ms"], other[memory]) != (one["p50_ms"], one[memory])
                for other in points
            )
        ]
        report.notes.append(f"{size}, front of p50 against {memory}: {', '.join(front)}")
        report.goals[f"{size}: the one chosen is on the front of p50 against {memory}"] = any(
            name.startswith("lookalike chosen") for name in front
        )
