"""The measurements of indexes: each a sub-command that prints its lines and goals and writes them as JSON.

    python tools/bench/index_bench.py MEASUREMENT --work DIR [--dims 256 512] [--counts 100000 ...]
    python tools/bench/index_bench.py all --work DIR
    python tools/bench/index_bench.py all --work DIR --small

DIR holds the vectors (`index_vectors.py`); indexes and collections made on the way are kept there, figures go to
DIR/results. `--small` runs everything on a few thousand rows: whether it works, not what it says. What each shows, and
how: docs/benchmarks/indexes.md.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import index_choice
import index_deletes
import index_filters
import index_folders
import index_live
import index_overhead
import index_peers
import index_scale

if TYPE_CHECKING:
    from collections.abc import Callable

    from index_report import Report

MILLION = 1_000_000


@dataclass(frozen=True)
class Measurement:
    """`sizes`: (rows, dims) of a full run; `queries`: how many are timed."""

    measure: Callable[[Namespace], Report]
    counts: tuple[int, ...]
    dims: tuple[int, ...]
    queries: int


MEASUREMENTS = {
    "choice": Measurement(index_choice.measure, (10_000, 100_000, MILLION), (256, 512), 1000),
    "overhead": Measurement(index_overhead.measure, (100_000, MILLION), (256, 512), 500),
    "scale": Measurement(index_scale.measure, (100_000, MILLION, 10 * MILLION), (512,), 500),
    "filters": Measurement(index_filters.measure, (100_000, MILLION), (512,), 40),
    "folders": Measurement(index_folders.measure, (MILLION,), (512,), 200),
    "deletes": Measurement(index_deletes.measure, (100_000,), (512,), 200),
    "live": Measurement(index_live.measure, (MILLION,), (256,), 200),
    "peers": Measurement(index_peers.measure, (10_000, 100_000, MILLION), (256,), 600),
}
SMALL_COUNTS = (1000, 2000)
SMALL_KINDS = ["ivf-rabitq", "hnsw"]


def main() -> None:
    parser = ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("measurement", choices=[*MEASUREMENTS, "all"])
    parser.add_argument("--work", type=Path, required=True, help="the folder with the vectors")
    parser.add_argument("--small", action="store_true", help="a dry run")
    parser.add_argument("--dims", type=int, nargs="+")
    parser.add_argument("--counts", type=int, nargs="+")
    parser.add_argument("--kinds", nargs="+", help="kinds of index, instead of all or of the one chosen")
    parser.add_argument("--queries", type=int, help="how many are timed")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--collections-up-to", type=int, default=MILLION, help="rows of a whole collection, in scale")
    parser.add_argument("--seconds", type=float, default=60, help="of load before a rebuild, in live")
    parser.add_argument("--swap-up-to", type=int, default=MILLION, help="rows that live rebuilds under load")
    parser.add_argument("--threads", type=int, default=2, help="of builds, in peers")
    parser.add_argument("--peers", nargs="+", help="some of them only")
    parser.add_argument("--peers-python", type=Path, default=Path("peers/bin/python"))
    parser.add_argument("--autofaiss-python", type=Path, default=Path("autofaiss/bin/python"))
    parser.add_argument("--keep", action="store_true", help="keep the peers' files")
    asked = parser.parse_args()
    for name in MEASUREMENTS if asked.measurement == "all" else [asked.measurement]:
        print(f"\n== {name}", flush=True)
        full = MEASUREMENTS[name]
        sized = Namespace(**vars(asked))
        sized.counts = asked.counts or (SMALL_COUNTS if asked.small else full.counts)
        sized.dims = asked.dims or full.dims
        sized.queries = asked.queries or (20 if asked.small else full.queries)
        if asked.small:
            sized.kinds, sized.seconds = asked.kinds or SMALL_KINDS, 3.0
        full.measure(sized).show(asked.work / "results" / f"{name}.json")


if __name__ == "__main__":
    main()
