"""Material in which texts and pictures do not fit until one side is turned: what heads have to learn."""

from __future__ import annotations

import numpy as np

from lookalike.core.arrays import unit_vectors
from lookalike.training.material import Material
from lookalike.training.splits import split_by_group


def turned(count: int = 300, dim: int = 16, *, angle: float = 1.0, views: int = 2, seed: int = 0) -> Material:
    """Pictures at random, each with a text of its own: its vector turned by `angle` in dim / 2 planes, and noise.

    Labels are the quarter of the first plane. Angle 0: nothing is to be learned.
    """
    draw = np.random.default_rng(seed)
    whole = unit_vectors(draw.normal(size=(count, dim)))
    turn = np.kron(np.eye(dim // 2), [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    texts = unit_vectors(whole @ turn + draw.normal(0, 0.05, (count, dim)))
    looks = unit_vectors((whole[:, None] + draw.normal(0, 0.03, (count, views, dim))).reshape(-1, dim))
    images = looks.reshape(count, views, dim)
    images[:, 0] = whole
    labels = (2 * (whole[:, 0] > 0) + (whole[:, 1] > 0)).astype(np.int64)
    return Material(
        base_id="base-000000000000",
        uris=tuple(f"{row}.jpg" for row in range(count)),
        images=images.astype(np.float16),
        texts=texts,
        text_of=np.arange(count),
        sayings=tuple(f"thing {row}" for row in range(count)),
        labels=labels,
        label_names=("a", "b", "c", "d"),
        groups=np.arange(count),
        split=split_by_group(np.arange(count), labels, seed=seed),
    )
