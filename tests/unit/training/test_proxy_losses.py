"""Projections trained with the losses of pytorch-metric-learning."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from tests.unit.training.drawn_classes import DIM, draw_classes

from lookalike.encoders.derived import Projection
from lookalike.training.metric import NO_LABEL
from lookalike.training.metric_choice import class_values
from lookalike.training.proxy_losses import LOSSES, ProxySettings, train_projection

START = Projection(np.eye(DIM, dtype=np.float32))


@pytest.fixture(scope="module")
def seen():
    return draw_classes(0)


def judged_by(vectors, labels):
    return lambda projection: float(class_values(projection(vectors), labels).mean())


@pytest.mark.parametrize("loss", LOSSES)
def test_a_loss_brings_pictures_of_a_class_together(loss):
    judged = judged_by(*draw_classes(1, nuisance=1.5))
    settings = ProxySettings(loss, epochs=25, batch=64, lr=0.03, proxy_lr=0.03, stop_after=25)
    projection, figures = train_projection(*draw_classes(0, nuisance=1.5), START, settings, judged)
    assert judged(projection) == max(figures) > figures[0] + 0.05


def test_equal_arguments_give_equal_projections(seen):
    settings = ProxySettings(epochs=2, lr=0.01)
    one, other = (train_projection(*seen, START, settings, judged_by(*seen))[0] for _ in range(2))
    assert (one.matrix == other.matrix).all()


def test_where_nothing_gets_better_it_ends_early_as_it_began(seen):
    projection, figures = train_projection(*seen, START, ProxySettings(epochs=9, stop_after=2), lambda _: 0.5)
    assert projection is START
    assert len(figures) == 3


def test_pictures_without_a_label_change_nothing(seen):
    vectors, labels = seen
    more = np.concatenate([vectors, draw_classes(2)[0]]), np.concatenate([labels, np.full(len(labels), NO_LABEL)])
    settings = ProxySettings(epochs=2, lr=0.01)
    with_more, _ = train_projection(*more, START, settings, judged_by(*seen))
    without, _ = train_projection(vectors, labels, START, settings, judged_by(*seen))
    assert (with_more.matrix == without.matrix).all()


def test_weight_decay_holds_the_projection_where_it_began(seen):
    moved = []
    for decay in (0.0, 100.0):
        settings = ProxySettings(epochs=3, lr=0.01, weight_decay=decay)
        later_is_better = itertools.count()
        projection, _ = train_projection(*seen, START, settings, lambda _, number=later_is_better: float(next(number)))
        moved.append(np.abs(projection.matrix - START.matrix).max())
    assert moved[1] < moved[0]


def test_a_loss_there_is_not_is_refused():
    with pytest.raises(ValueError, match="proxy-anchor"):
        ProxySettings("proxy-moon")
