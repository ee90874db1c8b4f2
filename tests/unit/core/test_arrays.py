from __future__ import annotations

import numpy as np
import pytest

from lookalike.core.arrays import unit_vectors


def test_rows_come_out_as_contiguous_float32_of_unit_length_and_the_input_stays():
    given = np.asfortranarray([[3.0, 4.0], [0.0, -2.0]])
    before = given.copy()
    rows = unit_vectors(given)
    assert rows.dtype == np.float32
    assert rows.flags.c_contiguous
    np.testing.assert_allclose(rows, [[0.6, 0.8], [0, -1]], atol=1e-7)
    np.testing.assert_array_equal(given, before)


def test_a_single_vector_and_a_list_become_rows():
    assert unit_vectors(np.ones(4), 4).shape == (1, 4)
    assert unit_vectors([1, 0, 0]).tolist() == [[1, 0, 0]]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.ones((2, 3)), r"shape \(2, 3\), wanted \(n, 4\)"),
        (np.ones((2, 2, 4)), r"shape \(2, 2, 4\)"),
        (np.zeros((1, 4)), "zero or not finite"),
        ([[1, 0, 0, np.nan]], "zero or not finite"),
        ([[1, 0, 0, np.inf]], "zero or not finite"),
    ],
)
def test_what_has_no_direction_or_another_width_is_a_wrong_argument(values, message):
    with pytest.raises(ValueError, match=message):
        unit_vectors(values, 4)


@pytest.mark.parametrize("size", [1e-30, 1e30])
def test_very_short_and_very_long_vectors_keep_their_direction(size):
    np.testing.assert_allclose(unit_vectors([[3 * size, 4 * size]]), [[0.6, 0.8]], rtol=1e-6)
