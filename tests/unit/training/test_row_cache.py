"""What was encoded is not encoded again, whatever happened to the process."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike.training.row_cache import RowCache


def filled(folder, count: int = 4) -> np.ndarray:
    rows = np.random.default_rng(0).normal(size=(count, 2, 3)).astype(np.float16)
    RowCache(folder, (2, 3)).add([{"key": f"k{at}", "more": at} for at in range(count)], rows)
    return rows


def test_rows_come_back_by_key_in_the_order_asked(tmp_path):
    rows = filled(tmp_path)
    cache = RowCache(tmp_path, (2, 3))
    assert (cache.get(["k3", "k0"]) == rows[[3, 0]]).all()
    assert "k1" in cache
    assert "other" not in cache
    assert cache.notes["k2"] == {"key": "k2", "more": 2}
    assert cache.get([]).shape == (0, 2, 3)


@pytest.mark.parametrize(("file", "cut"), [("rows.f16", 1), ("rows.f16", 20), ("rows.jsonl", 1), ("rows.jsonl", 25)])
def test_what_was_half_written_is_cut_off_and_the_rest_goes_on(tmp_path, file, cut):
    rows = filled(tmp_path)
    path = tmp_path / file
    path.write_bytes(path.read_bytes()[:-cut])
    cache = RowCache(tmp_path, (2, 3))
    left = [f"k{at}" for at in range(4) if f"k{at}" in cache]
    assert 2 <= len(left) < 4
    cache.add([{"key": "new"}], np.ones((1, 2, 3)))
    again = RowCache(tmp_path, (2, 3))
    assert (again.get([*left, "new"]) == np.concatenate([rows[: len(left)], np.ones((1, 2, 3))])).all()


def test_rows_of_another_shape_are_refused(tmp_path):
    with pytest.raises(ValueError, match="shape"):
        RowCache(tmp_path, (2, 3)).add([{"key": "a"}], np.ones((1, 3, 2)))


def test_two_that_share_a_folder_do_not_shift_each_others_rows(tmp_path):
    one, other = RowCache(tmp_path, (1,)), RowCache(tmp_path, (1,))
    for cache, keys in ((one, "12"), (other, "12"), (one, "34"), (other, "56")):
        cache.add([{"key": key} for key in keys], np.array([[int(key)] for key in keys]))
    for cache in (one, other, RowCache(tmp_path, (1,))):
        known = [key for key in "123456" if key in cache]
        assert cache.get(known)[:, 0].tolist() == [int(key) for key in known]
    assert set(RowCache(tmp_path, (1,)).notes) == set("123456")


def test_a_key_that_stands_twice_has_its_later_row(tmp_path):
    cache = RowCache(tmp_path, (1,))
    cache.add([{"key": "a"}, {"key": "a"}, {"key": "b"}], np.array([[1], [2], [3]]))
    assert cache.get(["a", "b"])[:, 0].tolist() == [2, 3]
