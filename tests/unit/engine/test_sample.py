"""Masks that go with the query: what an index cannot see is noticed before it is asked, and the answers stay right."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike.core.arrays import unit_vectors
from lookalike.engine.curve import calibrate
from lookalike.engine.nearest import nearest, planned
from lookalike.engine.plan import BaseState, Near, QueryState
from lookalike.engine.questions import Questions, ask, recalls
from lookalike.engine.sample import NEAREST, RowSample
from lookalike.index.building import build
from lookalike.index.exact import ExactIndex
from lookalike.index.kinds import default_spec
from lookalike.index.manifest import Identity
from lookalike.index.opening import open_index

COUNT, DIM, K = 20_000, 32, 10
INDEX_WINS = {"ms": 0.001, "exact_ns": 1000.0}
"""A machine on which every search through an index is faster: where the exact one is chosen, it is for the answers."""


@pytest.fixture(scope="module")
def rows():
    random = np.random.default_rng(3)
    centres = random.standard_normal((100, DIM))
    drawn = centres[random.integers(0, 100, COUNT)] + 0.9 * random.standard_normal((COUNT, DIM))
    return unit_vectors(drawn).astype(np.float16)


@pytest.fixture(scope="module")
def queries(rows):
    random = np.random.default_rng(4)
    return unit_vectors(rows[::1000].astype(np.float32) + 0.05 * random.standard_normal((COUNT // 1000, DIM)))


@pytest.fixture(scope="module", params=["ivf-rabitq", "ivf-flat", "hnsw", "annoy"])
def indexed(request, rows, tmp_path_factory):
    """A real index at the point that its calibration found, and what the planner knows of it."""
    identity = Identity("toy:1", DIM, 1, 1)
    spec = default_spec(request.param, COUNT, DIM)
    path = tmp_path_factory.mktemp("index") / "a.index"
    build(spec, rows, path, identity=identity, threads=1)
    point = calibrate(open_index(path, rows, identity=identity), rows, spec, ask(rows, None), 0.95).point
    return open_index(path, rows, identity=identity, point=point), BaseState(spec, point, COUNT, **INDEX_WINS)


def masked(how: str, share: float, cosines: np.ndarray) -> np.ndarray:
    """A share of the rows: of all, of those nearest to the query, or of the half farthest from it."""
    random, wanted = np.random.default_rng(5), int(share * COUNT)
    chosen = {
        "random": random.permutation(COUNT)[:wanted],
        "near": np.argsort(-cosines)[:wanted],
        "far": random.permutation(np.argsort(cosines)[: COUNT // 2])[:wanted],
    }[how]
    mask = np.zeros(COUNT, np.bool_)
    mask[chosen] = True
    return mask


@pytest.mark.parametrize("share", [0.5, 0.1, 0.01])
@pytest.mark.parametrize("how", ["random", "near", "far"])
def test_the_answers_under_a_mask_are_right_wherever_it_lies(indexed, rows, queries, how, share):
    index, base = indexed
    sample, reached = RowSample(rows), []
    for query in queries[:, None]:
        mask = masked(how, share, (rows @ query[0].astype(np.float16)).astype(np.float32))
        ways = planned(QueryState(COUNT, int(mask.sum()), DIM, K, base=base), sample, query, mask)
        found, scores = nearest(rows, index, ways, query, k=K, mask=mask)
        assert mask[found].all()
        truth = ExactIndex(rows).search(query, K, allowed=mask)[1]
        reached.extend(recalls(Questions(query, np.array([-1]), truth), scores))
    assert np.mean(reached) >= 0.95


def test_a_random_mask_still_goes_through_the_index_and_a_far_one_does_not(indexed, rows, queries):
    _, base = indexed
    sample, ways = RowSample(rows), {}
    for how in ("random", "far"):
        mask = masked(how, 0.5, (rows @ queries[0].astype(np.float16)).astype(np.float32))
        (ways[how],) = planned(QueryState(COUNT, int(mask.sum()), DIM, K, base=base), sample, queries[:1], mask)
    assert ways["random"].strategy == "masked index"
    assert ways["far"].strategy == "exact"
    assert "near the query" in ways["far"].reason


def test_queries_of_one_call_are_planned_each_by_itself(indexed, rows, queries):
    index, base = indexed
    cosines = (rows @ queries[0].astype(np.float16)).astype(np.float32)
    mask = masked("near", 0.5, cosines)
    pair = np.stack([queries[0], -queries[0]])
    state = QueryState(COUNT, int(mask.sum()), DIM, K, base=base)
    ways = planned(state, RowSample(rows), pair, mask)
    assert [way.strategy for way in ways] == ["masked index", "exact"]
    found, scores = nearest(rows, index, ways, pair, k=K, mask=mask)
    for query in range(2):
        alone = nearest(rows, index, ways[query : query + 1], pair[query : query + 1], k=K, mask=mask)
        np.testing.assert_array_equal(found[query], alone[0][0])
        np.testing.assert_array_equal(scores[query], alone[1][0])


def test_an_effort_that_was_asked_for_is_obeyed_wherever_the_mask_lies(indexed, rows, queries):
    _, base = indexed
    mask = masked("far", 0.5, (rows @ queries[0].astype(np.float16)).astype(np.float32))
    state = QueryState(COUNT, int(mask.sum()), DIM, K, base=base, effort=7)
    assert [way.effort for way in planned(state, RowSample(rows), queries[:1], mask)] == [7]


# --- the sample itself -----------------------------------------------------------------------------


def test_a_random_mask_is_as_dense_near_the_query_as_elsewhere(rows, queries):
    mask = np.random.default_rng(6).random(COUNT) < 0.3
    near = RowSample(rows).near(queries, mask, K)
    assert np.mean([each.share for each in near]) == pytest.approx(0.3, abs=0.05)
    assert max(each.depth for each in near) < 0.05


def test_of_a_far_mask_nothing_is_near(rows, queries):
    mask = masked("far", 0.5, (rows @ queries[0].astype(np.float16)).astype(np.float32))
    (near,) = RowSample(rows).near(queries[:1], mask, K)
    assert near.share < 0.02
    assert near.depth == pytest.approx(0.5, abs=0.05)


def test_few_queries_and_many_are_told_the_same(rows, queries):
    sample, mask = RowSample(rows), np.random.default_rng(6).random(COUNT) < 0.3
    alone = [sample.near(query, mask, K)[0].share for query in queries[:, None]]
    assert [each.share for each in sample.near(queries, mask, K)] == pytest.approx(alone, rel=0.1)


def test_where_nothing_is_allowed_nothing_is_near(rows, queries):
    assert RowSample(rows).near(queries[:2], np.zeros(COUNT, np.bool_), K) == [Near(0.0, 1.0)] * 2


def test_a_mask_that_leaves_out_next_to_nothing_tells_nothing(rows, queries):
    mask = np.ones(COUNT, np.bool_)
    mask[: NEAREST - 1] = False
    assert RowSample(rows).near(queries[:1], mask, K) is None


def test_rows_without_direction_are_near_nothing(rows, queries):
    empty = rows.copy()
    empty[::2] = 0
    (near,) = RowSample(empty).near(queries[:1], np.arange(COUNT) % 2 == 1, K)
    assert near.share == 1
