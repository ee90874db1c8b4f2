"""Materials drawn at random for tests: classes as directions, pictures around them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lookalike.core.arrays import unit_vectors
from lookalike.training.material import Material
from lookalike.training.splits import split_by_group

if TYPE_CHECKING:
    from collections.abc import Sequence


def draw_material(
    blur: float,
    *,
    seed: int = 0,
    dim: int = 32,
    classes: int = 12,
    per_class: int = 25,
    axes: int | None = None,
    texts: bool = False,
    labelled: bool = True,
    name: str = "toy",
    tell: Sequence[int] | None = None,
) -> Material:
    """Pictures of `classes`, each `blur` away from its class; directions lie in the first `axes` of `dim`, mixed.

    The split is the same for all materials of equal `classes` and `per_class`. `tell`: the classes that this encoder
    can tell apart; the others look alike to it. With `texts` each picture has one of its own, near it.
    """
    random = np.random.default_rng(seed)
    axes = axes or dim
    centres = np.zeros((classes, dim))
    centres[:, :axes] = random.standard_normal((classes, axes))
    if tell is not None:
        centres[[number for number in range(classes) if number not in tell]] = centres[0]
    labels = np.repeat(np.arange(classes), per_class)
    noise = np.zeros((len(labels), dim))
    noise[:, :axes] = random.standard_normal((len(labels), axes))
    mix, _ = np.linalg.qr(random.standard_normal((dim, dim)))
    seen = unit_vectors((centres[labels] + blur * noise) @ mix)
    said = unit_vectors(seen + 0.5 / dim**0.5 * random.standard_normal(seen.shape))
    count = len(labels)
    return Material(
        f"{name}-0123456789ab",
        tuple(f"/pictures/{number}.jpg" for number in range(count)),
        seen[:, None].astype(np.float16),
        said if texts else np.zeros((0, dim), np.float32),
        np.arange(count if texts else 0),
        tuple(f"a picture of the kind {number}" for number in range(count if texts else 0)),
        labels if labelled else None,
        tuple(f"class {number}" for number in range(classes)) if labelled else (),
        np.arange(count),
        split_by_group(np.arange(count), labels, (0.4, 0.3, 0.3), seed=1),
    )
