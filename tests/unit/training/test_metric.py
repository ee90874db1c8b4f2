"""Metrics in closed form: what they promise of their statistics, scores and projections."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from tests.unit.training.drawn_classes import DIM, draw_classes

from lookalike.core.arrays import unit_vectors
from lookalike.training.metric import METHODS, NO_LABEL, Metric, learn, measure
from lookalike.training.metric_choice import class_values


@pytest.fixture(scope="module")
def known():
    vectors, labels = draw_classes(0)
    return measure(vectors, labels)


def log_density(difference, covariance):
    """Of a Gaussian about zero, up to the constant that all covariances share."""
    _, logarithm = np.linalg.slogdet(covariance)
    return -0.5 * (logarithm + difference @ np.linalg.solve(covariance, difference))


def test_a_pair_s_exact_score_is_the_log_likelihood_ratio_of_its_difference(known):
    learned = learn(known, Metric("glrt", shrinkage=0.2, prior=0.0))
    vectors, _ = draw_classes(1)
    within = 0.8 * known.within + 0.2 * np.trace(known.within) / DIM * np.eye(DIM)
    pairs = [(0, 1), (0, 40), (7, 300)]
    wanted = [
        log_density(vectors[one] - vectors[other], 2 * within)
        - log_density(vectors[one] - vectors[other], 2 * (within + known.between))
        for one, other in pairs
    ]
    found = [float(learned.exact(vectors[[one]], vectors[[other]])[0, 0]) for one, other in pairs]
    assert np.ptp(np.subtract(wanted, found)) < 1e-3 * max(1.0, np.ptp(wanted))


def test_the_joint_score_is_the_log_likelihood_ratio_of_both_pictures(known):
    learned = learn(known, Metric("glrt-joint", shrinkage=0.2, prior=0.0))
    vectors, _ = draw_classes(1)
    within = 0.8 * known.within + 0.2 * np.trace(known.within) / DIM * np.eye(DIM)
    total = within + known.between
    same = np.block([[total, known.between], [known.between, total]])
    two = np.block([[total, np.zeros_like(total)], [np.zeros_like(total), total]])
    wanted, found = [], []
    for one, other in [(0, 1), (0, 40), (7, 300)]:
        both = np.concatenate([vectors[one] - known.mean, vectors[other] - known.mean])
        wanted.append(log_density(both, same) - log_density(both, two))
        found.append(float(learned.exact(vectors[[one]], vectors[[other]])[0, 0]))
    assert np.ptp(np.subtract(wanted, found)) < 1e-3 * max(1.0, np.ptp(wanted))


def test_kissme_reads_the_covariance_of_all_pairs_of_one_class():
    vectors, labels = draw_classes(2, classes=4)
    labels[:5] = NO_LABEL
    apart = [
        np.outer(vectors[one] - vectors[other], vectors[one] - vectors[other])
        for one, other in itertools.combinations(range(len(labels)), 2)
        if labels[one] == labels[other] != NO_LABEL
    ]
    assert np.allclose(measure(vectors, labels).same, np.mean(apart, axis=0) / 2, atol=1e-6)


def test_each_class_counts_once_however_many_pictures_it_has():
    random = np.random.default_rng(3)
    sizes = [400, 20, 20]
    spreads = [0.01, 0.3, 0.3]
    vectors = np.concatenate(
        [
            random.standard_normal(6) + spread * random.standard_normal((size, 6))
            for size, spread in zip(sizes, spreads, strict=True)
        ]
    )
    statistics = measure(vectors, np.repeat([0, 1, 2], sizes))
    assert np.trace(statistics.within) == pytest.approx(6 * 2 * 0.3**2 / 3, rel=0.3)
    assert np.trace(statistics.same) < np.trace(statistics.within) / 3


def test_pictures_without_a_label_tell_the_mean_and_total_alone():
    vectors, labels = draw_classes(4)
    more = np.concatenate([vectors, unit_vectors(np.ones((50, DIM)))])
    with_more = measure(more, np.concatenate([labels, np.full(50, NO_LABEL)]))
    without = measure(vectors, labels)
    assert np.allclose(with_more.within, without.within)
    assert np.allclose(with_more.between, without.between)
    assert not np.allclose(with_more.mean, without.mean)
    assert not np.allclose(with_more.total, without.total)


def test_wccn_makes_classes_round(known):
    matrix = learn(known, Metric("wccn", shrinkage=0.0, prior=0.0)).projection.matrix
    seen = matrix.T @ known.within @ matrix
    assert np.allclose(seen, np.eye(DIM) * seen[0, 0], atol=1e-4 * seen[0, 0])


@pytest.mark.parametrize("method", ["whitening", "wccn"])
def test_shrunk_to_the_end_only_the_mean_is_taken_off(known, method):
    vectors, _ = draw_classes(5)
    seen = learn(known, Metric(method, shrinkage=1.0, prior=0.0)).projection(vectors)
    centred = learn(known, Metric("centred")).projection(vectors)
    assert np.allclose(seen @ seen.T, centred @ centred.T, atol=1e-4)


@pytest.mark.parametrize("method", METHODS)
def test_what_is_learned_does_not_depend_on_the_axes_vectors_are_written_in(method):
    vectors, labels = draw_classes(6)
    turn = np.linalg.qr(np.random.default_rng(7).standard_normal((DIM, DIM)))[0].astype(np.float32)
    here = learn(measure(vectors, labels), Metric(method)).projection(vectors)
    there = learn(measure(vectors @ turn, labels), Metric(method)).projection(vectors @ turn)
    assert np.allclose(here @ here.T, there @ there.T, atol=2e-3)


@pytest.mark.parametrize("method", ["wccn", "lda", "kissme", "glrt", "glrt-joint"])
def test_classes_never_seen_are_found_better_where_the_same_things_disturb(known, method):
    vectors, labels = draw_classes(8)
    plain = class_values(vectors, labels).mean()
    learned = learn(known, Metric(method, shrinkage=0.05, prior=0.1))
    assert class_values(learned.projection(vectors), labels).mean() > plain + 0.2


def test_the_first_components_tell_most_and_the_rest_may_go(known):
    whole = learn(known, Metric("glrt"))
    narrow = learn(known, Metric("glrt", dims=5))
    assert (np.diff(whole.ratio) <= 0).all()
    assert narrow.projection.matrix.shape == (DIM, 5)
    scale = narrow.projection.matrix[0, 0] / whole.projection.matrix[0, 0]
    assert np.allclose(narrow.projection.matrix, whole.projection.matrix[:, :5] * scale, atol=1e-5)


def test_lda_has_fewer_components_than_classes():
    vectors, labels = draw_classes(9, classes=5)
    assert learn(measure(vectors, labels), Metric("lda", prior=0.0)).projection.matrix.shape == (DIM, 4)


def test_fewer_pictures_than_dimensions_need_shrinkage():
    vectors, labels = draw_classes(10, classes=3, dim=60)
    statistics = measure(vectors, labels)
    with pytest.raises(ValueError, match="shrinkage"):
        learn(statistics, Metric("wccn", shrinkage=0.0, prior=0.0))
    assert learn(statistics, Metric("wccn", shrinkage=0.1, prior=0.0)).projection.matrix.shape == (60, 60)


def test_adapted_wholly_the_statistics_are_those_of_the_pictures_searched(known):
    vectors, labels = draw_classes(11, nuisance=1.0)
    searched = measure(vectors, labels)
    one = learn(known, Metric("glrt", adapted=1.0), searched).projection(vectors)
    other = learn(searched, Metric("glrt")).projection(vectors)
    assert np.allclose(one @ one.T, other @ other.T, atol=1e-4)


def test_what_cannot_be_meant_is_refused(known):
    with pytest.raises(ValueError, match="there are plain, centred"):
        Metric("euclid")
    with pytest.raises(ValueError, match="outside 0 to 1"):
        Metric(shrinkage=1.5)
    with pytest.raises(ValueError, match="two classes"):
        measure(np.eye(3), np.array([0, 1, NO_LABEL]))
    with pytest.raises(ValueError, match="none are given"):
        learn(known, Metric(adapted=0.5))
