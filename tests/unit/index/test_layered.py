"""Newer rows are found beside the base's, in one order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from lookalike.index.exact import ExactIndex
from lookalike.index.kinds import OperatingPoint
from lookalike.index.layered import LayeredIndex
from lookalike.index.opening import open_index

if TYPE_CHECKING:
    from lookalike.index.rescored import RescoredIndex


def whole(built, rows, identity, count) -> RescoredIndex:
    """A base that finds everything."""
    return open_index(built("flat", count), rows, identity=identity, point=OperatingPoint(1, count))


@pytest.mark.parametrize("newer", [0, 1, 7, 400])
def test_over_a_base_that_finds_everything_it_is_the_exact_index(built, rows, queries, identity, newer):
    layered = LayeredIndex(whole(built, rows, identity, len(rows) - newer), rows)
    for share in (1.1, 0.5, 0.0):
        allowed = None if share > 1 else np.random.default_rng(3).random(len(rows)) < share
        exact = ExactIndex(rows).search(queries, 12, allowed=allowed)
        found = layered.search(queries, 12, allowed=allowed)
        np.testing.assert_array_equal(found[0], exact[0])
        np.testing.assert_array_equal(found[1], exact[1])
    assert (layered.count, layered.dim) == (len(rows), 32)


def test_a_new_row_is_found_and_of_equals_the_older_comes_first(built, rows, identity):
    more = np.concatenate([rows, rows[:2]])
    layered = LayeredIndex(open_index(built("ivf-rabitq", 1200), more, identity=identity), more)
    found, _ = layered.search(rows[:2].astype(np.float32), 2)
    assert found.tolist() == [[0, 1200], [1, 1201]]
    assert not layered.exact


def test_what_does_not_fit_together_is_a_value_error(built, rows, queries, identity):
    base = whole(built, rows, identity, 800)
    for wrong in (rows[:10], rows[:, :5]):
        with pytest.raises(ValueError):
            LayeredIndex(base, wrong)
    with pytest.raises(ValueError):
        LayeredIndex(base, rows).search(queries, 3, allowed=np.ones(800, dtype=np.bool_))
