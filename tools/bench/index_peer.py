"""One library, one step, in a process of its own: build, find the least effort for a recall, or serve at that effort.

    VENV/bin/python tools/bench/index_peer.py '{"peer": "hnswlib", "step": "build", ...}'

Runs in the library's own environment with nothing of ours but `index_truth.py`; prints one line of JSON. A peer is
three functions: how it builds a file, how it opens it (by memory map where it can), the efforts worth trying.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import numpy as np
from index_truth import K, Truth, recall, unit

LINKS, CONSTRUCTION = 16, 100
"""Of every graph, ours too, so that graphs are compared at the same shape."""
TREES = 50
EFFORT_GROWTH = 1.25
"""Between two efforts tried: so near to the recall wanted is the one that is taken."""
_FLAT_STEPS, _FLAT = 6, 0.002
"""When so many steps gain no more than this, more effort will not do it."""
_BLOCK = 1 << 16


def _blocks(rows: Any) -> Any:
    for start in range(0, len(rows), _BLOCK):
        yield start, unit(rows[start : start + _BLOCK])


class Hnswlib:
    efforts = (10, 4096)

    def build(self, rows: Any, folder: Path, threads: int) -> None:
        import hnswlib

        index = hnswlib.Index(space="ip", dim=rows.shape[1])
        index.init_index(max_elements=len(rows), ef_construction=CONSTRUCTION, M=LINKS, random_seed=1)
        for start, block in _blocks(rows):
            index.add_items(block, np.arange(start, start + len(block)), num_threads=threads)
        index.save_index(str(folder / "index"))

    def open(self, folder: Path, dim: int, count: int) -> Any:
        import hnswlib

        index = hnswlib.Index(space="ip", dim=dim)
        index.load_index(str(folder / "index"), max_elements=count)

        def search(query: Any, effort: int) -> Any:
            index.set_ef(effort)
            return index.knn_query(query, K, num_threads=1)[0][0]

        return search


class Usearch:
    efforts = (10, 4096)

    def build(self, rows: Any, folder: Path, threads: int) -> None:
        from usearch.index import Index

        index = Index(ndim=rows.shape[1], metric="ip", dtype="f16", connectivity=LINKS, expansion_add=CONSTRUCTION)
        for start, block in _blocks(rows):
            index.add(np.arange(start, start + len(block)), block, threads=threads)
        index.save(str(folder / "index"))

    def open(self, folder: Path, dim: int, count: int) -> Any:
        from usearch.index import Index

        index = Index.restore(str(folder / "index"), view=True)
        assert (len(index), index.ndim) == (count, dim)

        def search(query: Any, effort: int) -> Any:
            index.expansion_search = effort
            return index.search(query, K, threads=1).keys.astype(np.int64)

        return search


class Voyager:
    efforts = (10, 4096)

    def build(self, rows: Any, folder: Path, threads: int) -> None:
        from voyager import Index, Space

        index = Index(Space.InnerProduct, rows.shape[1], M=LINKS, ef_construction=CONSTRUCTION, random_seed=1)
        for start, block in _blocks(rows):
            index.add_items(block, list(range(start, start + len(block))), num_threads=threads)
        index.save(str(folder / "index"))

    def open(self, folder: Path, dim: int, count: int) -> Any:
        from voyager import Index

        index = Index.load(str(folder / "index"))
        assert (len(index), index.num_dimensions) == (count, dim)

        def search(query: Any, effort: int) -> Any:
            return index.query(query, K, num_threads=1, query_ef=effort)[0].astype(np.int64)

        return search


class Annoy:
    efforts = (TREES, 1 << 20)

    def build(self, rows: Any, folder: Path, threads: int) -> None:
        from annoy import AnnoyIndex

        index = AnnoyIndex(rows.shape[1], "angular")
        index.set_seed(1)
        index.on_disk_build(str(folder / "index"))
        for start, block in _blocks(rows):
            for number, vector in enumerate(block, start=start):
                index.add_item(number, vector)
        index.build(TREES, n_jobs=threads)

    def open(self, folder: Path, dim: int, count: int) -> Any:
        from annoy import AnnoyIndex

        index = AnnoyIndex(dim, "angular")
        index.load(str(folder / "index"))
        assert index.get_n_items() == count

        def search(query: Any, effort: int) -> Any:
            found = index.get_nns_by_vector(query, K, effort)
            return np.array(found + [-1] * (K - len(found)), dtype=np.int64)

        return search


class Autofaiss:
    """Its own choice for the memory there is; then its search parameter is raised as everybody's is."""

    efforts = (1, 8192)

    def build(self, rows: Any, folder: Path, threads: int) -> None:
        from autofaiss import build_index

        wide = np.concatenate([block for _, block in _blocks(rows)])
        build_index(
            embeddings=wide,
            index_path=str(folder / "index"),
            index_infos_path=str(folder / "infos.json"),
            metric_type="ip",
            max_index_memory_usage=os.environ.get("AUTOFAISS_MEMORY", "4G"),
            current_memory_available="16G",
            nb_cores=threads,
            should_be_memory_mappable=False,
            save_on_disk=True,
            verbose=30,
        )

    def open(self, folder: Path, dim: int, count: int) -> Any:
        import faiss

        faiss.omp_set_num_threads(1)
        index = faiss.read_index(str(folder / "index"))
        assert (index.ntotal, index.d) == (count, dim)
        space = faiss.ParameterSpace()
        inner = faiss.downcast_index(index.index) if isinstance(index, faiss.IndexPreTransform) else index
        parameter = "efSearch" if "HNSW" in type(inner).__name__ else "nprobe"
        print(f"autofaiss chose {type(inner).__name__}", file=sys.stderr)

        def search(query: Any, effort: int) -> Any:
            space.set_index_parameter(index, parameter, effort)
            return index.search(query[None], K)[1][0]

        return search


class Ours:
    """Of one kind, or "chosen": built and opened as a collection does; candidates are compared with the mapped rows."""

    def __init__(self, kind: str, vectors: str) -> None:
        self._kind, self._vectors = kind, vectors
        self.efforts = (1, 8192)
        self.fetch_times = 1

    def build(self, rows: Any, folder: Path, threads: int) -> None:
        from index_files import identity_of, spec_of

        from lookalike.index.building import build

        count, dim = rows.shape
        spec = spec_of(self._kind, count, dim)
        (folder / "spec.json").write_text(json.dumps(None if spec is None else spec.as_dict()))
        if spec is not None:
            build(spec, rows, folder / "index", identity=identity_of(dim), threads=threads)

    def open(self, folder: Path, dim: int, count: int) -> Any:
        from index_files import identity_of

        from lookalike.index.exact import ExactIndex
        from lookalike.index.opening import open_index

        rows = np.load(self._vectors, mmap_mode="r")[:count]
        if json.loads((folder / "spec.json").read_text()) is None:
            exact = ExactIndex(rows)
            return lambda query, _effort: exact.search(query[None], K)[0][0]
        index = open_index(folder / "index", rows, identity=identity_of(dim))
        fetch = self.fetch_times * index.point.fetch
        return lambda query, effort: index.search(query[None], K, effort=effort, fetch=fetch)[0][0]


def peer_of(name: str, vectors: str) -> Any:
    known = {"hnswlib": Hnswlib, "usearch": Usearch, "voyager": Voyager, "annoy": Annoy, "autofaiss": Autofaiss}
    return known[name]() if name in known else Ours(name.removeprefix("lookalike "), vectors)


def build(peer: Any, job: dict[str, Any], folder: Path) -> dict[str, Any]:
    rows = np.load(job["vectors"], mmap_mode="r")[: job["count"]]
    started = time.perf_counter()
    peer.build(rows, folder, job["threads"])
    size = sum(file.stat().st_size for file in folder.iterdir() if file.name.startswith("index"))
    return {"build_s": round(time.perf_counter() - started, 1), "bytes": size}


def find(peer: Any, job: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The least effort tried with which pictures and texts both reach the recall wanted; of ours, more candidates
    for the exact comparison where effort alone does not do it.
    """
    for times in (1, 2, 4) if isinstance(peer, Ours) else (1,):
        found = _least_effort(peer, job, folder, times)
        if found["reached"]:
            break
    return found


def _least_effort(peer: Any, job: dict[str, Any], folder: Path, fetch_times: int) -> dict[str, Any]:
    rows = np.load(job["vectors"], mmap_mode="r")[: job["count"]]
    peer.fetch_times = fetch_times
    search = peer.open(folder, rows.shape[1], len(rows))
    queries, truth = _queries(job), np.load(job["truth"])
    effort, last = peer.efforts
    lowest: list[float] = []
    while True:
        recalls = {}
        for kind, asked in queries.items():
            right = Truth(truth[f"{kind}_rows"], truth[f"{kind}_scores"])
            answers = np.stack([search(query, effort) for query in asked])
            recalls[f"recall_{kind}"] = round(float(recall(rows, asked, answers, right).mean()), 4)
        lowest.append(min(recalls.values()))
        flat = len(lowest) > _FLAT_STEPS and lowest[-1] - lowest[-1 - _FLAT_STEPS] < _FLAT
        if lowest[-1] >= job["recall"] or effort >= last or flat:
            reached = lowest[-1] >= job["recall"]
            return {"effort": effort, "fetch_times": fetch_times, "reached": reached, **recalls}
        effort = min(int(effort * EFFORT_GROWTH) + 1, last)


def serve(peer: Any, job: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Latencies of single queries with one thread, milliseconds (rounds, q), and memory in bytes."""
    peer.fetch_times = job["fetch_times"]
    search = peer.open(folder, job["dim"], job["count"])
    queries = _queries(job)
    both = np.concatenate(list(queries.values()))
    times = np.empty((job["rounds"] + 1, len(both)))
    for number in range(job["rounds"] + 1):  # the first one warms
        for position, query in enumerate(both):
            started = time.perf_counter()
            search(query, job["effort"])
            times[number, position] = 1000 * (time.perf_counter() - started)
    return {"times": times[1:].round(4).tolist(), "anonymous": _status("RssAnon"), "resident": _status("VmRSS")}


def _queries(job: dict[str, Any]) -> dict[str, Any]:
    with np.load(job["queries"]) as kept:
        return {kind: kept[kind][: job["asked"]] for kind in ("picture", "text")}


def _status(word: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(word + ":"):
            return 1024 * int(line.split()[1])
    return 0


def _version(name: str) -> str:
    from importlib.metadata import version

    return version(name.partition(" ")[0])


def main() -> None:
    job = json.loads(sys.argv[1])
    folder = Path(job["folder"])
    folder.mkdir(parents=True, exist_ok=True)
    steps = {"build": build, "find": find, "serve": serve}
    answer = steps[job["step"]](peer_of(job["peer"], job["vectors"]), job, folder)
    print("\n" + json.dumps({**answer, "version": _version(job["peer"])}))


if __name__ == "__main__":
    main()
