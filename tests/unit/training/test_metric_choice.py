"""Settings are tried on classes held out, and the better ones are found."""

from __future__ import annotations

import numpy as np
import pytest
from tests.unit.training.drawn_classes import draw_classes

from lookalike.training.metric import NO_LABEL, Metric, measure
from lookalike.training.metric_choice import (
    best,
    candidates_of,
    class_folds,
    class_values,
    few_of_each,
    measure_clusters,
    try_on_new_classes,
)


def test_every_class_is_held_out_once_and_pictures_without_one_never():
    labels = np.array([0, 0, 1, 1, 2, 2, 3, 3, NO_LABEL])
    folds = list(class_folds(labels, 2, seed=0))
    assert np.sum(folds, axis=0).tolist() == [1] * 8 + [0]
    assert all(len(np.unique(labels[held])) == 2 for held in folds)


def test_too_few_classes_to_hold_out_are_refused():
    with pytest.raises(ValueError, match="3 classes"):
        list(class_folds(np.array([0, 1, 2]), 2, seed=0))


def test_the_metric_that_serves_new_classes_is_found():
    vectors, labels = draw_classes(0)
    figures = try_on_new_classes(vectors, labels, [Metric("plain"), Metric("wccn", 0.1, 0.0), Metric("wccn", 1.0, 0.0)])
    assert best(figures) == Metric("wccn", 0.1, 0.0)


def test_of_equal_ones_the_first_is_taken():
    assert best({Metric("plain"): 0.5, Metric("centred"): 0.5}) == Metric("plain")


def test_clusters_of_the_held_out_pictures_serve_a_metric_that_adapts():
    vectors, labels = draw_classes(1, nuisance=1.0)
    adapting, plain = Metric("glrt", 0.1, 0.3, adapted=1.0), Metric("plain")
    figures = try_on_new_classes(vectors, labels, [plain, adapting])
    assert figures[adapting] > figures[plain]


def test_clusters_see_vectors_as_labels_of_others_taught_to():
    vectors, labels = draw_classes(2)
    searched, _ = draw_classes(3)
    blind = measure_clusters(searched)
    taught = measure_clusters(searched, measure(vectors, labels))
    spread = [np.trace(each.between) / np.trace(each.within) for each in (blind, taught)]
    assert spread[0] != spread[1]


def test_few_pictures_of_each_class_are_drawn():
    labels = np.array([0] * 10 + [1] * 3 + [NO_LABEL] * 5)
    rows = few_of_each(labels, 4, seed=0)
    assert np.bincount(labels[rows]).tolist() == [4, 3]


def test_a_class_of_one_picture_has_no_value():
    vectors, _ = draw_classes(4)
    assert len(class_values(vectors[:5], np.array([0, 0, 1, 2, 2]))) == 2


def test_a_method_is_tried_with_several_trusts():
    assert candidates_of("plain") == (Metric("plain"),)
    assert {each.prior for each in candidates_of("glrt")} == {0.0, 0.3, 1.0}
    assert {each.prior for each in candidates_of("wccn")} == {0.0}
