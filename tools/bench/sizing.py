"""How large the machines have to be for so many pictures: the tables of docs/scale.md, from unit costs.

    python tools/bench/sizing.py [--dim 512]

Every unit cost says where it is from: measured here, calculated from an engine's documents, or read. What many machines
do together is simulated, with a fixed seed. Prints Markdown.
"""

from __future__ import annotations

import argparse
import heapq
import math
import random
from dataclasses import dataclass
from statistics import quantiles

COUNTS = (10**5, 10**6, 10**7, 10**8, 10**9)
NODE_CORES, NODE_GB, NODE_USED = 16, 128, 0.75  # a node, and how much of its memory is planned with
GB = 1e9


@dataclass(frozen=True)
class Store:
    """What an item costs in a place with an index. Bytes; `how` says where they are from."""

    name: str
    counts: tuple[float, float]  # from, up to: where lookalike chooses it
    memory: float  # should be in memory, of a server or as pages of files
    disk: float
    how: str


def stores(dim: int) -> list[Store]:
    """Of the places a collection can be in, with vectors of so many components."""
    rows, known, columns = 2 * dim, 1080, 350  # float16; SQLite and columns of 100,000 products with 20 fields
    single, links = 4 * dim, 245  # Milvus keeps float32; links of 16, ids and the margins of segments
    milvus_known = 2000
    graph_on_disk = math.ceil(4096 / max(4096 // (single + 4 * 57), 1)) if single + 228 <= 4096 else single + 228
    return [
        Store("here, exact", (0, 3e4), rows, rows + known + columns, "measured"),
        Store("here, HNSW", (3e4, 3e5), single + 170, rows + single + 170 + known + columns, "calculated"),
        Store("here, IVF-SQ8", (3e5, 3e6), dim + 8, rows + dim + 8 + known + columns, "measured"),
        Store("here, IVF-RaBitQ", (3e6, 3e7), 158 * dim / 512, rows + 158 * dim / 512 + known + columns, "measured"),
        Store("PostgreSQL, HNSW", (2e4, 2e7), 1366 * dim / 512, 3123 - 1024 + rows + 1366 * dim / 512, "measured"),
        Store("Milvus, FLAT", (0, 1e5), single, single + milvus_known, "calculated"),
        Store("Milvus, HNSW", (1e5, 2e7), single + links, 2 * single + links + milvus_known, "calculated"),
        Store("Milvus, IVF_SQ8", (2e7, 2e8), dim + 16, single + dim + 16 + milvus_known, "calculated"),
        Store("Milvus, DISKANN", (2e8, 1e10), single * 0.225, single + graph_on_disk + milvus_known, "calculated"),
    ]


@dataclass(frozen=True)
class Hardware:
    """What encodes: pictures a second of one worker, and where the figure is from."""

    name: str
    rate: float
    how: str


HARDWARE = (
    Hardware("built-in, a core", 204, "measured: 408 on two cores, photos of 320 x 240"),
    Hardware("ViT-B/32 at 256, a core", 10.5, "measured: 21.0 on two cores"),
    Hardware("ViT-B/32, an RTX 3080", 1500, "read: clip-retrieval's README"),
)
ON_RAY = 0.96  # of the rate of plain indexing once the workers stand: tools/bench/ray_rate.py, 20,000 photos
SHARD = 10_000
SPREAD = 0.15  # of the speeds of workers: assumed
LIFE_H = 50.0  # between two deaths of a worker, as of machines that may be taken away: assumed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--dim", type=int, default=512)
    dim = parser.parse_args().dim
    for table in (bytes_table(dim), size_table(dim), hours_table(), fan_out_table()):
        print(table, end="\n\n")


def table_of(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def bytes_table(dim: int) -> str:
    rows = [[its.name, f"{its.memory:,.0f}", f"{its.disk:,.0f}", its.how] for its in stores(dim)]
    return table_of(["where", "bytes in memory", "bytes on disk", "from"], rows)


def size_table(dim: int) -> str:
    """For each number of pictures the places that lookalike would choose."""
    rows = []
    for count in COUNTS:
        for its in stores(dim):
            if its.counts[0] < count <= its.counts[1]:
                memory, disk = its.memory * count / GB, its.disk * count / GB
                machines = 1 if not its.name.startswith("Milvus") else math.ceil(memory / (NODE_GB * NODE_USED))
                rows.append([f"{count:,}", its.name, size(memory), size(disk), str(machines), f"bytes {its.how}"])
    head = ["pictures", "where", "memory", "disk", f"machines of {NODE_GB} GB", "from"]
    return table_of(head, rows)


def size(gigabytes: float) -> str:
    if gigabytes >= 1000:
        return f"{gigabytes / 1000:.1f} TB"
    return f"{gigabytes:.0f} GB" if gigabytes >= 10 else f"{gigabytes:.1f} GB"


def hours_table() -> str:
    rows = []
    for count in COUNTS[1:]:
        for workers in (16, 128, 1024):
            hours = [encoding_hours(count, workers, its.rate * ON_RAY) for its in HARDWARE]
            rows.append([f"{count:,}", str(workers), *map(duration, hours), "simulated"])
    rates = (f"{its.name} (rate {its.how.partition(':')[0]})" for its in HARDWARE)
    return table_of(["pictures", "workers", *rates, "from"], rows)


def duration(hours: float) -> str:
    if hours < 1:
        return f"{math.ceil(hours * 60)} min"
    return f"{hours:.0f} h" if hours < 72 else f"{hours / 24:.0f} days"


def encoding_hours(count: int, workers: int, rate: float) -> float:
    """Hours until the last shard is done. Simulated: workers of unlike speed take the next shard when they are free,
    and one that dies begins its shard anew; up to 20,000 shards, larger ones where there would be more."""
    draw = random.Random(f"{count} {workers} {rate}")
    shards = min(math.ceil(count / SHARD), 20_000)
    seconds = count / shards / rate
    free = [(0.0, worker) for worker in range(workers)]
    speeds = [max(draw.gauss(1, SPREAD), 0.3) for _ in range(workers)]
    end = 0.0
    for _ in range(shards):
        now, worker = heapq.heappop(free)
        took = seconds / speeds[worker]
        repeats = SHARD / (count / shards)  # a death costs a real shard, not one of these
        while draw.random() < 1 - math.exp(-took / 3600 / LIFE_H):
            now += took * draw.random() * min(repeats, 1)
        end = max(end, now + took)
        heapq.heappush(free, (now + took, worker))
    return end / 3600


NODE_P50_MS, NODE_P95_MS = 2.4, 3.0  # ten million vectors of 512, IVF-RaBitQ, one thread: measured


def fan_out_table() -> str:
    """A search waits for the slowest of the nodes it is sent to. Simulated from the latency of one."""
    draw = random.Random(5)
    sigma = math.log(NODE_P95_MS / NODE_P50_MS) / 1.645
    rows = []
    for nodes in (1, 10, 100):
        slowest = [max(draw.lognormvariate(math.log(NODE_P50_MS), sigma) for _ in range(nodes)) for _ in range(4000)]
        hundredths = quantiles(slowest, n=100)
        rows.append([str(nodes), *(f"{hundredths[each - 1]:.1f}" for each in (50, 95, 99)), "simulated"])
    return table_of(["nodes of ten million", "p50 ms", "p95 ms", "p99 ms", "from"], rows)


if __name__ == "__main__":
    main()
