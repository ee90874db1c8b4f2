"""Principal components: quality against size, on classes that they have not seen (docs/benchmarks/pca.md).

    python tools/bench/pca_curve.py --vectors DIR --encoders builtin teacher

`--vectors`: what `metric_photos.py` wrote for each encoder. Of the classes of Caltech-101, PACS and the clothing set,
drawn by `--seeds` splits, two fifths give the components, `map@10` picture -> picture is measured on two fifths, all in
one pool; intervals are 95 %, by drawing classes again. The index, of the first encoder: files over `--rows` rows, mixed
of the photos' vectors in pairs, at full width and half, in bytes.
"""

from __future__ import annotations

import json
import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from held_out_classes import asked_classes, by_classes, materials_of

from lookalike.core.arrays import unit_vectors
from lookalike.index.building import build
from lookalike.index.kinds import default_spec
from lookalike.index.manifest import Identity
from lookalike.training import measuring
from lookalike.training.pca import METRIC, Components, principal_components
from lookalike.training.splits import TEST, TRAIN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from lookalike.core.arrays import Vectors
    from lookalike.training.material import Material

SHARES = (0.4, 0.2, 0.4)
KINDS = ("ivf-rabitq", "hnsw", "flat")
PARTS_OF_WIDTH = (1, 0.75, 0.5, 0.375, 0.25, 0.125, 0.0625)


def curve(material: Material) -> list[dict[str, Any]]:
    """`map@10` on TEST at each width, of each kind of components and of the first components as they are."""
    dim = material.images.shape[2]
    eye = np.eye(dim, dtype=np.float32)
    train = material.whole(material.pictures(TRAIN))
    ways = {kind: principal_components(train, kind) for kind in ("plain", "centred")}
    ways["first"] = Components(eye, None, None, np.zeros(dim))
    full = measuring.by_pictures(material, TEST, material.whole())
    classes = asked_classes(material, TEST, full)
    found = []
    for width in (round(dim * part) for part in PARTS_OF_WIDTH):
        point: dict[str, Any] = {"width": width}
        for way, components in ways.items():
            images = components.images(width)(material.whole())
            values = measuring.by_pictures(material, TEST, images).values[METRIC]
            point[way] = round(float(values.mean()), 4)
            point[f"{way}, relative change"] = _relative(values, full.values[METRIC], classes)
        found.append(point)
    return found


def _relative(after: NDArray[np.float64], before: NDArray[np.float64], classes: NDArray[np.int64]) -> list[float]:
    """(after - before) / before, and its interval with the mean of `before` taken as known."""
    changed, mean = after - before, before.mean()
    return [round(float(each / mean), 4) for each in (changed.mean(), *by_classes(changed, classes))]


def index_bytes(vectors: Vectors, widths: Sequence[int], count: int) -> dict[str, dict[str, int]]:
    """Bytes of the stored rows, and of each kind of index over them, by width."""
    draw = np.random.default_rng(0)
    pairs = draw.integers(len(vectors), size=(2, count))
    many = unit_vectors(vectors[pairs[0]] + draw.uniform(0, 1, (count, 1)).astype(np.float32) * vectors[pairs[1]])
    components = principal_components(vectors, "plain")
    found: dict[str, dict[str, int]] = {}
    with tempfile.TemporaryDirectory() as work:
        for width in widths:
            rows = components.images(width)(many).astype(np.float16)
            found[str(width)] = {"rows": rows.nbytes}
            for kind in KINDS:
                path = Path(work) / f"{kind}-{width}.index"
                identity = Identity("bench", width, epoch=0, generation=1)
                manifest = build(default_spec(kind, count, width), rows, path, identity=identity)
                assert manifest is not None, "nobody stops it"
                found[str(width)][kind] = manifest.bytes
    return found


def main() -> None:
    parser = ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--vectors", type=Path, required=True)
    parser.add_argument("--encoders", nargs="+", required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    found: dict[str, Any] = {}
    for name in asked.encoders:
        splits = [materials_of(asked.vectors, [name], shares=SHARES, seed=seed)[0] for seed in range(asked.seeds)]
        found[name] = {"curves": [curve(each) for each in splits]}
        if name == asked.encoders[0]:
            dim = splits[0].images.shape[2]
            found[name]["bytes"] = index_bytes(splits[0].whole(), (dim, dim // 2), asked.rows)
    text = json.dumps(found, indent=1)
    print(text)
    if asked.out:
        asked.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
