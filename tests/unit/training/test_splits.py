"""Copies never sit on both sides."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lookalike.core.arrays import unit_vectors
from lookalike.training.splits import TEST, TRAIN, VALIDATION, duplicate_groups, split_by_group


def vectors(count: int, dim: int = 16, seed: int = 0) -> np.ndarray:
    return unit_vectors(np.random.default_rng(seed).normal(size=(count, dim)))


def test_what_looks_the_same_is_one_group_and_groups_that_touch_are_one():
    at = np.deg2rad([0, 5, 10, 60, 180])
    plane = np.stack([np.cos(at), np.sin(at)], axis=1).astype(np.float32)
    assert duplicate_groups(plane, np.cos(np.deg2rad(6))).tolist() == [0, 0, 0, 1, 2]


def test_equal_values_join_what_does_not_look_the_same():
    groups = duplicate_groups(vectors(5), 0.999, same=[(0, "a"), (3, "a"), (3, "b"), (4, "b")])
    assert groups.tolist() == [0, 1, 2, 0, 0]


def test_equal_vectors_are_copies_whatever_the_threshold():
    rows = vectors(4).astype(np.float16)
    assert duplicate_groups(rows[[0, 1, 0, 2, 1]], 2.0).tolist() == [0, 1, 0, 2, 1]


def test_groups_are_those_of_a_slow_search_across_blocks():
    rows = vectors(1500, dim=3)
    groups, near = duplicate_groups(rows, 0.9995), rows @ rows.T >= 0.9995
    assert all(groups[one] == groups[other] for one, other in zip(*np.nonzero(near), strict=True))
    for group in np.unique(groups)[:100]:
        members = np.flatnonzero(groups == group)
        reached = {int(members[0])}
        while more := {int(row) for row in np.flatnonzero(near[list(reached)].any(0))} - reached:
            reached |= more
        assert reached == set(members.tolist())


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 30), min_size=3, max_size=120), st.integers(0, 5))
def test_a_group_goes_to_one_side_whole(groups, seed):
    parts = split_by_group(np.array(groups), seed=seed)
    assert all(len(set(parts[np.array(groups) == group].tolist())) == 1 for group in set(groups))


def test_shares_are_kept_in_every_label():
    labels = np.repeat([0, 1, 2], [500, 100, 50])
    parts = split_by_group(np.arange(650), labels)
    for label, size in enumerate((500, 100, 50)):
        assert np.bincount(parts[labels == label]).tolist() == [0.8 * size, 0.1 * size, 0.1 * size]


def test_a_group_larger_than_its_share_is_not_torn():
    groups = np.concatenate([np.zeros(40, np.int64), np.arange(1, 61)])
    parts = split_by_group(groups)
    assert set(parts[:40].tolist()) == {TRAIN}
    assert np.bincount(parts).tolist() == [80, 10, 10]


def test_rare_labels_are_learned_from_first():
    parts = split_by_group(np.arange(3), np.array([0, 1, 2]))
    assert parts.tolist() == [TRAIN, TRAIN, TRAIN]


@pytest.mark.parametrize(("kinds", "of_each"), [(60, 6), (60, 5), (300, 1), (150, 2)])
def test_many_rare_labels_leave_every_part_its_share(kinds, of_each):
    count = kinds * of_each
    parts = split_by_group(np.arange(count), np.repeat(np.arange(kinds), of_each))
    assert np.abs(np.bincount(parts, minlength=3) - count * np.array([0.8, 0.1, 0.1])).max() <= 1


def test_a_rare_label_is_still_learned_from():
    labels = np.repeat(np.arange(60), 5)
    parts = split_by_group(np.arange(300), labels)
    assert all((parts[labels == label] == TRAIN).sum() >= 3 for label in range(60))


def test_labels_with_enough_groups_are_split_as_if_there_were_no_rare_ones():
    common, rare = np.repeat([0, 1], [70, 30]), np.repeat(np.arange(2, 40), 2)
    both = split_by_group(np.arange(176), np.concatenate([common, rare]))
    for label, size in ((0, 70), (1, 30)):
        assert np.bincount(both[:100][common == label]).tolist() == [0.8 * size, 0.1 * size, 0.1 * size]


def test_equal_arguments_give_equal_splits_and_seeds_differ():
    groups = np.arange(200)
    assert (split_by_group(groups, seed=3) == split_by_group(groups, seed=3)).all()
    assert (split_by_group(groups, seed=3) != split_by_group(groups, seed=4)).any()


def test_any_number_of_shares_will_do():
    parts = split_by_group(np.arange(100), shares=(0.2,) * 5)
    assert np.bincount(parts).tolist() == [20] * 5
    assert (TRAIN, VALIDATION, TEST) == (0, 1, 2)


@pytest.mark.parametrize("shares", [(0.5, 0.4), (1.5, -0.5)])
def test_shares_that_do_not_make_one_are_refused(shares):
    with pytest.raises(ValueError, match="do not make 1"):
        split_by_group(np.arange(4), shares=shares)
