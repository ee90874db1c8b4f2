"""Clusters that stand for labels."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike.core.arrays import unit_vectors
from lookalike.training.pseudo_labels import PICTURES_PER_CLUSTER, pseudo_labels


def drawn(classes=8, per_class=20, blur=0.1):
    random = np.random.default_rng(0)
    labels = np.repeat(np.arange(classes), per_class)
    return unit_vectors(
        random.standard_normal((classes, 16))[labels] + blur * random.standard_normal((len(labels), 16))
    ), labels


def test_classes_that_lie_apart_are_found():
    vectors, labels = drawn()
    found = pseudo_labels(vectors, 8)
    assert len({(one, other) for one, other in zip(labels.tolist(), found.tolist(), strict=True)}) == 8


def test_equal_arguments_give_equal_clusters_and_another_seed_begins_elsewhere():
    vectors, _ = drawn(blur=3.0)
    assert (pseudo_labels(vectors, 20, seed=1) == pseudo_labels(vectors, 20, seed=1)).all()
    assert (pseudo_labels(vectors, 20, seed=1) != pseudo_labels(vectors, 20, seed=2)).any()


def test_unless_told_there_is_a_cluster_for_so_many_pictures():
    vectors, _ = drawn(classes=15)
    assert len(np.unique(pseudo_labels(vectors))) == len(vectors) // PICTURES_PER_CLUSTER


def test_copies_alone_make_one_cluster():
    assert pseudo_labels(unit_vectors(np.ones((30, 4))), 5).tolist() == [0] * 30


def test_more_clusters_than_pictures_are_refused():
    with pytest.raises(ValueError, match="do not make 4 clusters"):
        pseudo_labels(unit_vectors(np.eye(3)), 4)
