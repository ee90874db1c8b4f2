"""A mixture fitted to the real vectors: what stands for millions of photos where there are only 300,000 vectors.

One part for each of many k-means cells: its middle, its directions of largest spread (rank 64), its spread along every
axis beside them, and how far its members lie from the middle. A sample takes a cell by weight, a direction by the two
spreads, a distance from those of the cell's own members, and is brought to unit length. `fit` prints how a mixture of
as many rows as there are real ones compares with them, by queries that neither holds: distances to the first and tenth
neighbour, and the lists that an IVF must visit for 0.95 of the true ten. Only where these agree do millions of it tell
something about millions of photos.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
from index_embedding import SEED, real_vectors
from index_truth import K, exact_answers, recall, unit

if TYPE_CHECKING:
    from argparse import Namespace
    from pathlib import Path

MEMBERS = 300
"""Real vectors for each cell: few enough for cells to be clumps, enough to see their spread."""
RANK = 64
"""Of 8 to 128 directions and 75 to 300 members, the pair whose mixture `compare` told least from 8,192 real rows."""
GROWN = {256: 1_000_000, 512: 10_000_000}
_BLOCK = 1 << 16
_COMPARED = 500
"""Queries of the comparison."""
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


class Mixture:
    """Fitted parts; arrays with one entry for each cell. Samples are float16 (n, dim), the same for the same seed."""

    def __init__(self, parts: dict[str, Any]) -> None:
        self.parts = parts
        self.dim = parts["middles"].shape[1]

    def sample(self, count: int, seed: list[int]) -> Any:
        chance = np.random.default_rng(seed)
        parts = self.parts
        cells = np.sort(chance.choice(len(parts["weights"]), count, p=parts["weights"]))
        starts = np.searchsorted(cells, np.arange(len(parts["weights"]) + 1))
        made = chance.standard_normal((count, self.dim), dtype=np.float32)
        made *= parts["noise"][cells]
        along = chance.standard_normal((count, RANK), dtype=np.float32)
        for cell in np.unique(cells).tolist():
            inside = slice(starts[cell], starts[cell + 1])
            made[inside] += along[inside] @ parts["directions"][cell].astype(np.float32)
        distances = parts["distances"][cells, chance.integers(parts["distances"].shape[1], size=count)]
        made *= (distances / np.linalg.norm(made, axis=1))[:, None]
        made += parts["middles"][cells]
        return unit(made)[chance.permutation(count)].astype(np.float16)


def fitted(rows: Any) -> Mixture:
    """The mixture of real `rows`, float16 (n, dim)."""
    import faiss

    wide = unit(rows[:])
    count = max(len(wide) // MEMBERS, 2)
    means = faiss.Kmeans(
        wide.shape[1], count, niter=10, seed=SEED, min_points_per_centroid=1, max_points_per_centroid=64
    )
    means.train(wide)
    cells = means.index.search(wide, 1)[1].ravel()
    sizes = np.bincount(cells, minlength=count)
    chance = np.random.default_rng(SEED)
    parts: dict[str, Any] = {
        "weights": sizes / len(cells),
        "middles": np.zeros((count, wide.shape[1]), dtype=np.float32),
        "directions": np.zeros((count, RANK, wide.shape[1]), dtype=np.float16),
        "noise": np.full((count, wide.shape[1]), 1e-3, dtype=np.float32),
        "distances": np.zeros((count, MEMBERS), dtype=np.float32),
    }
    order, ends = np.argsort(cells, kind="stable"), np.cumsum(sizes)
    for cell, end in enumerate(ends.tolist()):
        members = wide[order[end - sizes[cell] : end]]
        if not len(members):
            continue
        parts["middles"][cell] = members.mean(axis=0)
        off = members - parts["middles"][cell]
        parts["distances"][cell] = chance.choice(np.linalg.norm(off, axis=1), MEMBERS)
        if len(members) > 2:
            _, lengths, axes = np.linalg.svd(off, full_matrices=False)
            kept = min(RANK, len(lengths))
            main = axes[:kept] * (lengths[:kept, None] / len(members) ** 0.5)
            parts["directions"][cell, :kept] = main
            left = off.var(axis=0) - (main**2).sum(axis=0)
            parts["noise"][cell] = np.sqrt(np.maximum(left, 1e-6))
    return Mixture(parts)


def fit_all(asked: Namespace) -> None:
    for dim in asked.dims:
        real = real_vectors(asked.work, dim)
        mixture = fitted(real.rows)
        np.savez(asked.work / f"mixture-{dim}.npz", **mixture.parts)
        compared = compare(real, mixture)
        (asked.work / f"mixture-{dim}.json").write_text(json.dumps(compared, indent=1))
        print(f"{dim}: {len(real.rows):,} real rows and as many of the mixture")
        for name, figures in compared.items():
            print(f"  {name}: {figures}")


def compare(real: Any, mixture: Mixture) -> dict[str, Any]:
    """The same figures for both, and for text queries, which are real with both."""
    made = np.concatenate(
        [
            mixture.sample(min(_BLOCK, len(real.rows) - start), [SEED, 1, start])
            for start in range(0, len(real.rows), _BLOCK)
        ]
    )
    own = unit(mixture.sample(_COMPARED, [SEED, 2]))
    pictures, texts = real.pictures[:_COMPARED], real.texts[:_COMPARED]
    of_real, of_made = _index(real.rows), _index(made)
    return {
        "real rows, held-out photos": _figures(of_real, real.rows, pictures),
        "mixture, samples of it": _figures(of_made, made, own),
        "mixture, held-out photos": _figures(of_made, made, pictures),
        "real rows, captions": _figures(of_real, real.rows, texts),
        "mixture, captions": _figures(of_made, made, texts),
    }


def _index(rows: Any) -> Any:
    """An IVF of 4 sqrt(n) lists whose codes lose next to nothing: what is missed is missed by the lists."""
    import faiss

    nlist = max(int(4 * len(rows) ** 0.5), 1)
    index = faiss.index_factory(rows.shape[1], f"IVF{nlist},SQfp16", faiss.METRIC_INNER_PRODUCT)
    index.cp.min_points_per_centroid, index.cp.max_points_per_centroid = 1, 64
    wide = unit(rows[:])
    index.train(wide)
    index.add(wide)
    return index


def _figures(index: Any, rows: Any, queries: Any) -> dict[str, Any]:
    """Distances (1 - cosine) to the first and tenth neighbour, and lists of an IVF to visit for 0.95."""
    import faiss

    truth = exact_answers(rows, queries, K)
    nprobe = 1
    while nprobe < index.nlist:
        found = index.search(queries, 2 * K, params=faiss.SearchParametersIVF(nprobe=nprobe))[1]
        if recall(rows, queries, found, truth).mean() >= 0.95:
            break
        nprobe = int(nprobe * 1.25) + 1
    told = {}
    for name, rank in (("first", 0), ("tenth", K - 1)):
        told[name] = [round(float(each), 4) for each in np.quantile(1 - truth.scores[:, rank], _QUANTILES)]
    return {**told, "quantiles": _QUANTILES, "lists": index.nlist, "lists for 0.95": nprobe, "queries": len(queries)}


def grow_all(asked: Namespace) -> None:
    """Write vectors-DIM.npy: the real rows, then samples, and the queries beside it."""
    for dim in asked.dims:
        real = real_vectors(asked.work, dim)
        np.savez(asked.work / f"queries-{dim}.npz", picture=real.pictures, text=real.texts)
        _grow(asked.work, real.rows, dim, asked.rows or GROWN[dim])


def _grow(work: Path, real: Any, dim: int, count: int) -> None:
    path, note = work / f"vectors-{dim}.npy", work / f"vectors-{dim}.done.json"
    done = json.loads(note.read_text())["done"] if note.exists() else 0
    if done >= count:
        return
    with np.load(work / f"mixture-{dim}.npz") as parts:
        mixture = Mixture(dict(parts))
    rows = np.lib.format.open_memmap(path, mode="r+" if done else "w+", dtype=np.float16, shape=(count, dim))
    if not done:
        done = min(len(real), count)
        rows[:done] = real[:done]
    while done < count:
        size = min(_BLOCK, count - done)
        rows[done : done + size] = mixture.sample(size, [SEED, 3, dim, done])
        done += size
        rows.flush()
        note.write_text(json.dumps({"done": done, "real": len(real), "rows": count}))
        print(f"{dim}: {done:,} of {count:,}", flush=True)
    note.write_text(json.dumps({"done": done, "real": min(len(real), count), "rows": count}))
