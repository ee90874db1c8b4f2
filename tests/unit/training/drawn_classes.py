"""Vectors of classes drawn at random: what tells them apart, and what only disturbs."""

from __future__ import annotations

import numpy as np

from lookalike.core.arrays import unit_vectors

DIM, CLASSES, PER_CLASS = 12, 30, 12


def draw_classes(seed, nuisance=3.0, classes=CLASSES, dim=DIM):
    """Classes that differ in half the axes; pictures of one class differ most in the other half, all axes mixed."""
    random = np.random.default_rng(seed)
    telling = np.arange(dim) < dim // 2
    centres = random.standard_normal((classes, dim)) * np.where(telling, 1.0, 0.05)
    labels = np.repeat(np.arange(classes), PER_CLASS)
    noise = random.standard_normal((len(labels), dim)) * np.where(telling, 0.5, nuisance)
    mix, _ = np.linalg.qr(np.random.default_rng(99).standard_normal((dim, dim)))
    return unit_vectors((centres[labels] + noise + 0.5) @ mix), labels
