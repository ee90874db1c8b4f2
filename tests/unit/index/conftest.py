"""Clustered rows, and index files over them."""

from __future__ import annotations

import dataclasses
import shutil
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest

from lookalike.core.arrays import unit_vectors
from lookalike.index.building import build
from lookalike.index.kinds import default_spec
from lookalike.index.manifest import Identity, companions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lookalike.core.arrays import HalfVectors

COUNT, DIM = 1200, 32


@pytest.fixture(scope="session")
def rows() -> HalfVectors:
    random = np.random.default_rng(1)
    centres = random.standard_normal((20, DIM))
    return unit_vectors(centres[random.integers(0, 20, COUNT)] + 0.6 * random.standard_normal((COUNT, DIM))).astype(
        np.float16
    )


@pytest.fixture
def queries(rows) -> np.ndarray:
    return unit_vectors(rows[:5].astype(np.float32) + 0.02)


@pytest.fixture(scope="session")
def identity() -> Identity:
    return Identity("toy:1", DIM, epoch=1, generation=4)


@pytest.fixture(scope="session")
def built(rows, identity, tmp_path_factory) -> Callable[[str, int], Path]:
    """The path of an index of a kind over the first `count` rows, built once: read it, never change it."""
    folder = tmp_path_factory.mktemp("indexes")

    @cache
    def once(kind: str, count: int) -> Path:
        path = folder / f"{kind}-{count}.faiss"
        spec = dataclasses.replace(default_spec(kind, count, DIM), trees=10 if kind == "annoy" else 0)
        assert build(spec, rows[:count], path, identity=identity, threads=1) is not None
        return path

    return once


@pytest.fixture
def made(built, tmp_path) -> Callable[..., Path]:
    """The path of an index of a kind, a copy to be spoilt."""

    def copied(kind: str = "ivf-rabitq", count: int = COUNT) -> Path:
        path = tmp_path / f"{kind}.faiss"
        for file, copy in zip(companions(built(kind, count)), companions(path), strict=True):
            shutil.copy(file, copy)
        return path

    return copied
