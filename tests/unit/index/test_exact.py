"""What only the exact index promises: memory, damaged rows, and kernels that are precise enough everywhere."""

from __future__ import annotations

import gc
import subprocess
import sys

import numpy as np
import pytest

from lookalike.core.arrays import unit_vectors
from lookalike.index import exact, scoring
from lookalike.index.exact import ExactIndex


def vectors(count: int, dim: int, seed: int = 0) -> np.ndarray:
    return unit_vectors(np.random.default_rng(seed).standard_normal((count, dim)))


def test_it_can_be_limited_to_the_first_rows():
    rows = vectors(100, 8).astype(np.float16)
    index = ExactIndex(rows, 10)
    assert index.count == 10
    assert set(index.search(vectors(1, 8, 1), 20)[0][0].tolist()) == {-1, *range(10)}


def test_no_rows_give_no_answers():
    rows, scores = ExactIndex(np.empty((0, 8), np.float16)).search(vectors(2, 8), 3)
    assert (rows == -1).all()
    assert np.isneginf(scores).all()


@pytest.mark.parametrize("queries", [1, exact.QUERIES_FOR_PRODUCT])
def test_rows_without_direction_never_answer_and_hide_nobody(queries):
    asked = vectors(queries, 16)
    rows = vectors(50, 16, 1).astype(np.float16)
    rows[3], rows[4], rows[5, 2], rows[6, 0] = 0, np.nan, np.inf, -np.inf
    sound = [row for row in range(50) if row not in {3, 4, 5, 6}]
    found, _scores = ExactIndex(rows).search(asked, 50)
    for answer in found:
        assert sorted(answer[: len(sound)].tolist()) == sound
        assert (answer[len(sound) :] == -1).all()
    few, _ = ExactIndex(rows).search(asked, 1)
    np.testing.assert_array_equal(few[:, 0], found[:, 0])
    allowed = np.zeros(50, dtype=np.bool_)
    allowed[:40] = True
    masked, _ = ExactIndex(rows).search(asked, 50, allowed=allowed)
    assert set(masked[0].tolist()) == {-1} | {row for row in sound if row < 40}


@pytest.mark.parametrize("queries", [1, exact.QUERIES_FOR_PRODUCT - 1, exact.QUERIES_FOR_PRODUCT, 300])
@pytest.mark.parametrize("share", [None, 0.6, 0.1])
def test_all_ways_through_many_blocks_give_the_answers_of_one(monkeypatch, queries, share):
    rows = vectors(700, 24, 2).astype(np.float16)
    asked = vectors(queries, 24, 3)
    allowed = None if share is None else np.random.default_rng(4).random(700) < share
    whole = ExactIndex(rows).search(asked, 9, allowed=allowed)
    monkeypatch.setattr(exact, "BLOCK_BYTES", 31 * 2 * 24)
    parts = ExactIndex(rows).search(asked, 9, allowed=allowed)
    np.testing.assert_array_equal(whole[0], parts[0])
    np.testing.assert_array_equal(whole[1], parts[1])


@pytest.mark.parametrize("dim", [1, 3, 31, 64, 65, 384, 1024, 2047])
def test_scores_are_precise_at_every_width(dim):
    rows = vectors(60, dim, 5).astype(np.float16)
    asked = vectors(3, dim, 6)
    found, scores = ExactIndex(rows).search(asked, 5)
    wide = rows.astype(np.float64)
    truth = asked.astype(np.float64) @ (wide / np.linalg.norm(wide, axis=1, keepdims=True)).T
    np.testing.assert_allclose(scores, np.take_along_axis(truth, found, axis=1), atol=1e-6)


@pytest.mark.parametrize("block_rows", [31, 1000])
def test_a_fine_difference_that_float16_cannot_hold_still_decides(monkeypatch, block_rows):
    """The query's last bits are lost by the kernel and brought back by the second comparison."""
    monkeypatch.setattr(exact, "BLOCK_BYTES", block_rows * 2 * 64)
    rows = np.tile(vectors(1, 64).astype(np.float16), (500, 1))
    rows[:, 0] = np.nextafter(rows[:, 0], np.float16(1), dtype=np.float16)
    rows[321, 0] = np.nextafter(rows[321, 0], np.float16(1), dtype=np.float16)
    rows[:, 1:] = rows[0, 1:]
    query = unit_vectors(np.eye(1, 64) + 0.1 * vectors(1, 64, 1))
    assert ExactIndex(rows).search(query, 2)[0].tolist() == [[321, 0]]


def test_the_fast_pass_never_errs_by_more_than_it_says():
    rows, asked = vectors(3000, 512, 7).astype(np.float16), vectors(8, 512, 8)
    wide = rows.astype(np.float64)
    truth = asked.astype(np.float64) @ (wide / np.linalg.norm(wide, axis=1, keepdims=True)).T
    for compare in (scoring.Kernel(asked), scoring.Product(asked)):
        assert (np.abs(compare(rows) - truth) <= compare.error[:, None]).all()


def test_kernels_that_add_up_in_float16_are_switched_off():
    capabilities = scoring._simsimd().get_capabilities()
    assert not capabilities["sapphire"]
    assert not capabilities["sve_f16"]


MEMORY = """
import sys, tracemalloc
import numpy as np
from lookalike.index.exact import ExactIndex
count, queries, file = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
rows = np.memmap(file, dtype=np.float16, mode="r", shape=(count, 64))
asked = np.asarray(rows[:queries], dtype=np.float32)
ExactIndex(rows, 1000).search(asked, 10)
allowed = np.arange(count) % 3 > 0
tracemalloc.start()
ExactIndex(rows).search(asked, 10, allowed=allowed)
print(tracemalloc.get_traced_memory()[1])
"""


@pytest.mark.parametrize("queries", [1, 20])
def test_memory_does_not_grow_with_the_rows(tmp_path, queries):
    file = tmp_path / "rows.f16"
    with file.open("wb") as stream:
        block = vectors(40_000, 64, 9).astype(np.float16)
        for _ in range(16):
            stream.write(block.tobytes())
    peaks = []
    for count in (160_000, 640_000):
        command = [sys.executable, "-c", MEMORY, str(count), str(queries), str(file)]
        peaks.append(int(subprocess.run(command, capture_output=True, check=True).stdout))
    assert peaks[1] < 1.1 * peaks[0]


def test_searching_for_long_takes_nothing_from_the_interpreter():
    """Each call of simsimd with `out=` takes a reference to None that is not its own; 3.11 dies of that."""
    index, asked = ExactIndex(vectors(50, 8).astype(np.float16)), vectors(1, 8, 1)
    index.search(asked, 3)
    gc.collect()  # what earlier tests left holds some of them too
    before = sys.getrefcount(None)
    for _ in range(2000):
        index.search(asked, 3)
    assert abs(sys.getrefcount(None) - before) < 1000
