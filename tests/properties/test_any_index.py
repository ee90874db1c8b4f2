"""With full effort every index is the exact index, whatever the rows, masks, ties and k, also with newer rows."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lookalike.core.arrays import unit_vectors
from lookalike.index.building import build
from lookalike.index.exact import ExactIndex
from lookalike.index.kinds import FLAT_KINDS, IVF_KINDS, OperatingPoint, default_spec
from lookalike.index.layered import LayeredIndex
from lookalike.index.manifest import Identity
from lookalike.index.opening import open_index

QUICK = (*FLAT_KINDS, "ivf-flat", "ivf-sq8", "ivf-rabitq")
"""Those that can look at everything. A graph cannot promise to reach every node; product codes take long to train."""


@st.composite
def cases(draw):
    """A kind, rows with many equal ones, how many are in the base, queries, k and a mask."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    dim, count = draw(st.sampled_from([8, 24])), draw(st.integers(2, 120))
    values = unit_vectors(random.standard_normal((draw(st.integers(1, 60)), dim))).astype(np.float16)
    rows = values[random.integers(0, len(values), count)]
    queries = unit_vectors(random.standard_normal((draw(st.sampled_from([1, 9, 25])), dim)))
    if draw(st.booleans()):
        queries[0] = unit_vectors(rows[0])[0]
    share = draw(st.sampled_from([None, 0.0, 0.1, 0.5, 1.0]))
    allowed = None if share is None else random.random(count) < share
    return draw(st.sampled_from(QUICK)), rows, draw(st.integers(1, count)), queries, draw(st.integers(1, 130)), allowed


@given(case=cases())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_with_full_effort_it_is_the_exact_index(case):
    kind, rows, base, queries, k, allowed = case
    spec, identity = default_spec(kind, base, rows.shape[1]), Identity("toy", rows.shape[1], 1, 1)
    everything = OperatingPoint(max(spec.nlist, 1), base)
    assert kind not in IVF_KINDS or everything.effort == spec.nlist
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.faiss"
        build(spec, rows[:base], path, identity=identity, threads=1)
        index = LayeredIndex(open_index(path, rows, identity=identity, point=everything), rows)
        found, scores = index.search(queries, k, allowed=allowed)
        del index  # a mapped file cannot be removed on Windows
    exact = ExactIndex(rows).search(queries, k, allowed=allowed)
    np.testing.assert_array_equal(found, exact[0])
    np.testing.assert_array_equal(scores, exact[1])
