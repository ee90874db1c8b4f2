"""The exact index is a float64 scan over the stored values, whatever the rows, masks, ties and k."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lookalike.core.arrays import unit_vectors
from lookalike.index import exact
from lookalike.index.exact import ExactIndex

TOLERANCE = 1e-6
"""Of float32 answers to float64 truth; within it the order of two rows may not be asked for."""


def truth(rows: np.ndarray, query: np.ndarray) -> np.ndarray:
    """Cosines, one row after another, the slow way."""
    wide = rows.astype(np.float64)
    return np.array([float(row @ query) / float(np.sqrt(row @ row)) for row in wide])


@st.composite
def searches(draw):
    """Rows with many equal ones, queries, k and a mask."""
    seed = draw(st.integers(0, 2**32 - 1))
    random = np.random.default_rng(seed)
    dim = draw(st.integers(1, 40))
    different = draw(st.integers(1, 30))
    count = draw(st.integers(1, 120))
    values = unit_vectors(random.standard_normal((different, dim))).astype(np.float16)
    rows = values[random.integers(0, different, count)]
    queries = unit_vectors(random.standard_normal((draw(st.sampled_from([1, 2, exact.QUERIES_FOR_PRODUCT])), dim)))
    if draw(st.booleans()):
        queries[0] = unit_vectors(rows[0])[0]
    share = draw(st.sampled_from([None, 0.0, 0.1, 0.5, 1.0]))
    allowed = None if share is None else random.random(count) < share
    return rows, queries, draw(st.integers(1, 130)), allowed


@given(search=searches(), block_rows=st.integers(1, 200))
@settings(max_examples=150, deadline=None, derandomize=True)
def test_exact_is_the_float64_scan(search, block_rows):
    rows, queries, k, allowed = search
    kept = exact.BLOCK_BYTES
    exact.BLOCK_BYTES = block_rows * 2 * rows.shape[1]
    try:
        found, scores = ExactIndex(rows).search(queries, k, allowed=allowed)
    finally:
        exact.BLOCK_BYTES = kept
    candidates = np.arange(len(rows)) if allowed is None else np.flatnonzero(allowed)
    wanted = min(k, len(candidates))
    assert (found[:, wanted:] == -1).all()
    assert np.isneginf(scores[:, wanted:]).all()
    answers = zip(queries.astype(np.float64), found[:, :wanted], scores[:, :wanted], strict=True)
    for query, its_rows, its_scores in answers:
        assert len(set(its_rows.tolist())) == wanted
        assert np.isin(its_rows, candidates).all()
        cosines = truth(rows, query)
        np.testing.assert_allclose(its_scores, cosines[its_rows], atol=TOLERANCE)
        best = np.sort(cosines[candidates])[::-1][:wanted]
        np.testing.assert_allclose(its_scores, best, atol=TOLERANCE)
        assert [*zip(-its_scores, its_rows, strict=True)] == sorted(zip(-its_scores, its_rows, strict=True))
        for row in its_rows.tolist():  # of equal rows the lower ones come first
            lower = [other for other in candidates.tolist() if other < row and (rows[other] == rows[row]).all()]
            assert set(lower) <= set(its_rows.tolist())
