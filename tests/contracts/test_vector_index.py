"""What every VectorIndex promises. A new kind joins by one line in KINDS.

Wishes that only an exact index can keep (the very same rows as a float64 scan) are asked of those that say
`exact`; all others must keep order, padding, masks, scores and purity.
"""

from __future__ import annotations

import dataclasses
import threading
from functools import cache, partial
from typing import TYPE_CHECKING

import numpy as np
import pytest

from lookalike.core.arrays import unit_vectors
from lookalike.index import kinds
from lookalike.index.building import build
from lookalike.index.exact import ExactIndex
from lookalike.index.layered import LayeredIndex
from lookalike.index.manifest import Identity
from lookalike.index.opening import open_index

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lookalike.core.arrays import HalfVectors
    from lookalike.core.protocols import VectorIndex

DIM = 48
COUNT = 3000
BASE = 2200
"""Rows in the base of those that are layered."""
SCORE_TOLERANCE = 1e-5
"""Largest difference from a float64 cosine over the stored values."""


def opened(kind: str, rows: HalfVectors, folder: Path, count: int = COUNT, bits: int = 0) -> VectorIndex:
    """An index of `kind` over the first `count` rows, built and opened again."""
    path, identity = folder / f"{kind}{bits}-{count}.faiss", Identity("toy", DIM, 1, 1)
    spec = kinds.default_spec(kind, count, DIM)
    if kind == "annoy":
        spec = dataclasses.replace(spec, trees=20)
    if bits:
        spec = dataclasses.replace(spec, bits=bits)
    if not path.exists():
        build(spec, rows[:count], path, identity=identity, threads=1)
    return open_index(path, rows, identity=identity)


def layered(kind: str, rows: HalfVectors, folder: Path, count: int = BASE) -> VectorIndex:
    """The same with newer rows behind its base."""
    return LayeredIndex(opened(kind, rows, folder, count), rows)


KINDS: dict[str, Callable[[HalfVectors, Path], VectorIndex]] = {
    "exact": lambda rows, _folder: ExactIndex(rows),
    **{kind: partial(opened, kind) for kind in kinds.KINDS},
    **{f"ivf-rabitq of {bits} bits": partial(opened, "ivf-rabitq", bits=bits) for bits in (1, 4, 8)},
    **{f"{kind} and newer": partial(layered, kind) for kind in kinds.KINDS},
}


@pytest.fixture(scope="module")
def rows() -> HalfVectors:
    """Clustered vectors, some of them equal."""
    random = np.random.default_rng(3)
    centres = random.standard_normal((30, DIM))
    values = centres[random.integers(0, 30, COUNT)] + 0.7 * random.standard_normal((COUNT, DIM))
    values[100:110] = values[7]
    return unit_vectors(values).astype(np.float16)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("indexes")


@pytest.fixture(scope="module")
def made(rows: HalfVectors, folder: Path) -> Callable[[str], VectorIndex]:
    return cache(lambda kind: KINDS[kind](rows, folder))


@pytest.fixture(params=list(KINDS))
def index(request: pytest.FixtureRequest, made: Callable[[str], VectorIndex]) -> VectorIndex:
    return made(request.param)


@pytest.fixture
def queries() -> np.ndarray:
    return unit_vectors(np.random.default_rng(4).standard_normal((20, DIM)))


def cosines(rows: HalfVectors, queries: np.ndarray) -> np.ndarray:
    """(q, count) in float64."""
    wide = rows.astype(np.float64)
    return queries.astype(np.float64) @ (wide / np.linalg.norm(wide, axis=1, keepdims=True)).T


def test_it_says_what_it_holds(index, rows):
    assert (index.dim, index.count) == (DIM, COUNT)
    assert isinstance(index.exact, bool)


@pytest.mark.parametrize("number", [1, 2, 20])
def test_answers_have_their_shape_type_order_and_true_scores(index, rows, queries, number):
    found, scores = index.search(queries[:number], 10)
    assert (found.shape, found.dtype) == ((number, 10), np.int64)
    assert (scores.shape, scores.dtype) == ((number, 10), np.float32)
    assert (np.diff(scores, axis=1) <= 0).all()
    truth = np.take_along_axis(cosines(rows, queries[:number]), found, axis=1)
    np.testing.assert_allclose(scores, truth, atol=SCORE_TOLERANCE)
    for answer in found:
        assert len(set(answer.tolist())) == 10


def test_an_exact_index_finds_the_best_there_are(index, rows, queries):
    _, scores = index.search(queries, 25)
    best = -np.sort(-cosines(rows, queries), axis=1)[:, :25]
    share = (scores >= best[:, -1:] - SCORE_TOLERANCE).mean()
    assert share == 1 if index.exact else share > 0.5


def test_every_row_finds_itself_first_and_its_equals_by_lower_row(index, rows):
    found, scores = index.search(unit_vectors(rows[[7, 50, 2999]]), 11)
    assert found[0].tolist() == [7, *range(100, 110)]
    assert found[1:, 0].tolist() == [50, 2999]
    np.testing.assert_allclose(scores[:, 0], 1, atol=1e-3)


@pytest.mark.parametrize("share", [1.0, 0.5, 0.1, 0.01])
def test_a_mask_lets_only_its_rows_answer(index, rows, queries, share):
    allowed = np.random.default_rng(5).random(COUNT) < share
    found, _ = index.search(queries, 10, allowed=allowed)
    assert allowed[found[found >= 0]].all()
    if index.exact:
        assert (found >= 0).sum() == len(queries) * min(10, allowed.sum())


def test_what_is_missing_is_padded(index, queries):
    allowed = np.zeros(COUNT, dtype=np.bool_)
    allowed[[5, 900]] = True
    found, scores = index.search(queries[:2], 4, allowed=allowed)
    assert (found[:, 2:] == -1).all()
    assert np.isneginf(scores[:, 2:]).all()
    assert sorted(found[0, :2].tolist()) == [5, 900]
    nothing, none = index.search(queries[:1], 3, allowed=np.zeros(COUNT, dtype=np.bool_))
    assert nothing.tolist() == [[-1] * 3]
    assert np.isneginf(none).all()


def test_more_can_be_asked_than_there_is(index, queries):
    found, scores = index.search(queries[:1], COUNT + 5)
    assert sorted(found[0, :COUNT].tolist()) == list(range(COUNT))
    assert (found[0, COUNT:] == -1).all()
    assert np.isneginf(scores[0, COUNT:]).all()


def test_no_queries_get_no_answers(index, queries):
    found, scores = index.search(queries[:0], 7)
    assert found.shape == scores.shape == (0, 7)


def test_neither_inputs_nor_later_answers_are_altered(index, queries):
    allowed = np.random.default_rng(6).random(COUNT) < 0.3
    kept, mask = queries.copy(), allowed.copy()
    first = index.search(queries, 10)
    index.search(queries, 10, allowed=allowed, effort=3)
    again = index.search(queries, 10)
    np.testing.assert_array_equal(queries, kept)
    np.testing.assert_array_equal(allowed, mask)
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])


def test_a_query_gets_the_same_answer_alone_and_among_others(index, queries):
    together = index.search(queries, 10)
    for position in range(len(queries)):
        alone = index.search(queries[position : position + 1], 10)
        np.testing.assert_array_equal(alone[0][0], together[0][position])
        np.testing.assert_allclose(alone[1][0], together[1][position], atol=SCORE_TOLERANCE)


def test_threads_share_it(index, queries):
    expected = index.search(queries, 10)[0]
    same: list[bool] = []

    def ask() -> None:
        same.extend(np.array_equal(index.search(queries, 10)[0], expected) for _ in range(5))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert same == [True] * 20


@pytest.mark.parametrize(
    ("change", "k", "allowed"),
    [
        (lambda queries: queries[:, :-1], 5, None),
        (lambda queries: queries * 0, 5, None),
        (lambda queries: queries * np.nan, 5, None),
        (lambda queries: queries, 0, None),
        (lambda queries: queries, 5, np.ones(COUNT - 1, dtype=np.bool_)),
    ],
)
def test_wrong_arguments_are_value_errors(index, queries, change, k, allowed):
    with pytest.raises(ValueError):
        index.search(change(queries), k, allowed=allowed)


def removed_and_recall(index: VectorIndex, rows: HalfVectors, queries: np.ndarray, live: np.ndarray) -> float:
    """Ties-fair recall among live rows; no removed row may ever come out."""
    found, scores = index.search(queries, 10, allowed=live)
    assert live[found].all()
    truth = np.where(live, cosines(rows, queries), -np.inf)
    return float((scores >= -np.sort(-truth, axis=1)[:, 9:10] - SCORE_TOLERANCE).mean())


@pytest.mark.parametrize("kind", kinds.KINDS)
def test_after_rows_went_and_came_nothing_removed_is_found_and_little_missed(kind, rows, folder):
    """30 % removed and 30 % added, and again behind a new base over what came."""
    queries = unit_vectors(rows[5::60].astype(np.float32) + 0.03)
    live = np.random.default_rng(8).random(COUNT) > 0.3
    assert removed_and_recall(layered(kind, rows, folder), rows, queries, live) >= 0.95
    assert removed_and_recall(layered(kind, rows, folder, COUNT - 100), rows, queries, live) >= 0.95


@pytest.mark.parametrize("kind", ["ivf-rabitq", "hnsw", "annoy"])
def test_a_base_is_swapped_under_searches(kind, rows, folder, queries):
    """Threads that hold the old one end their search with it; those that take the new one lose nothing."""
    current = [layered(kind, rows, folder)]
    live = np.random.default_rng(9).random(COUNT) > 0.3
    over = threading.Event()
    wrong: list[str] = []

    def ask() -> None:
        while not over.is_set():
            found, _ = current[0].search(queries, 10, allowed=live)
            if not (found >= 0).all() or not live[found].all():
                wrong.append(str(found))

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for count in (COUNT - 100, BASE, COUNT):
        current[0] = layered(kind, rows, folder, count)
    over.set()
    for thread in threads:
        thread.join()
    assert not wrong
