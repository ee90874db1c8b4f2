"""Materials of the photos of `metric_photos.py`, split by class: what is chosen on some classes is measured on others.

A class is of one part whole, each set's classes drawn apart by the seed. Copies (cosine of the built-in at least
`COPY_COSINE`) form groups. There are no texts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lookalike.evaluation.metrics import bootstrap_interval
from lookalike.training.material import COPY_COSINE, Material
from lookalike.training.splits import duplicate_groups, split_by_group

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from lookalike.evaluation.measured import Measured

SETS = ("caltech", "pacs", "clothing")


def materials_of(
    vectors: Path,
    encoders: Sequence[str],
    *,
    shares: Sequence[float],
    seed: int,
    sets: Sequence[str] = SETS,
) -> tuple[Material, ...]:
    """A material for each encoder, of the same photos: files SET.ENCODER.npz in `vectors`."""
    found = {name: [np.load(vectors / f"{each}.{name}.npz") for each in sets] for name in ("builtin", *encoders)}
    names = np.concatenate([each["names"] for each in found["builtin"]])
    where = np.concatenate([np.full(len(each["names"]), at) for at, each in enumerate(found["builtin"])])
    label_names, labels = np.unique(np.concatenate([each["labels"] for each in found["builtin"]]), return_inverse=True)
    groups = duplicate_groups(np.concatenate([each["vectors"] for each in found["builtin"]]), COPY_COSINE)
    split = _by_class(labels, where, shares, seed)
    made = []
    for name in encoders:
        if not np.array_equal(np.concatenate([each["names"] for each in found[name]]), names):
            raise SystemExit(f"{name} has seen other photos than the built-in")
        rows = np.concatenate([each["vectors"] for each in found[name]])
        images = rows[:, None].astype(np.float16)
        texts = np.zeros((0, rows.shape[1]), np.float32)
        made.append(
            Material(
                name,
                tuple(names.tolist()),
                images,
                texts,
                np.zeros(0, np.int64),
                (),
                labels.astype(np.int64),
                tuple(label_names.tolist()),
                groups,
                split,
            )
        )
    return tuple(made)


def _by_class(
    labels: NDArray[np.int64], where: NDArray[np.int64], shares: Sequence[float], seed: int
) -> NDArray[np.uint8]:
    """The part of each photo: its class's. A class of two sets is of the first one that has it."""
    classes, first = np.unique(labels, return_index=True)
    parts = split_by_group(classes, where[first], shares, seed)
    return parts[np.searchsorted(classes, labels)]


def asked_classes(material: Material, part: int, measured: Measured) -> NDArray[np.int64]:
    """The class of each question that `measuring.by_pictures` asked of a part."""
    rows = material.pictures(part)
    rows = rows[np.unique(material.groups[rows], return_index=True)[1]]
    return material.labels[rows][measured.asked]


def by_classes(values: NDArray[np.float64], classes: NDArray[np.int64]) -> tuple[float, float]:
    """The 95 % interval of the mean when classes, not photos, are drawn again."""
    return bootstrap_interval(values, 0, groups=classes)
