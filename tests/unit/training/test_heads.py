"""Heads learn what a linear map can, start as the encoder was, and keep the best epoch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from turned_material import turned

from lookalike.training.heads import RATES, HeadSettings, train_heads
from lookalike.training.measuring import by_words, questions_of
from lookalike.training.splits import TEST, VALIDATION

QUICK = HeadSettings(lr=1e-2, epochs=12, batch=64)


@pytest.fixture(scope="module")
def material():
    return turned()


def test_heads_turn_texts_and_pictures_to_each_other(material):
    heads = train_heads(material, QUICK)
    questions = questions_of(material, TEST)
    before = by_words(questions, material.whole(), material.texts)
    after = by_words(questions, heads.image(material.whole()), heads.text(material.texts))
    assert after.against(before)["map@10"].low > 0.05
    assert heads.found == max(epoch.found for epoch in heads.curve)


def test_epoch_0_is_the_encoder_as_it_was(material):
    heads = train_heads(material, QUICK)
    before = by_words(questions_of(material, VALIDATION), material.whole(), material.texts)
    assert heads.curve[0].found == pytest.approx(before.means()["map@10"], abs=1e-6)
    assert heads.curve[0].loss is None


def test_where_nothing_is_to_be_learned_nothing_is_changed():
    material = turned(angle=0.0)
    heads = train_heads(material, replace(QUICK, epochs=4))
    assert heads.best == 0
    assert np.allclose(heads.image.matrix, np.eye(16))
    assert np.allclose(heads.text.bias, 0)


def test_training_ends_when_validation_does_not_rise():
    heads = train_heads(turned(angle=0.0), replace(QUICK, epochs=50, stop_after=2))
    assert len(heads.curve) == 3


def test_equal_seeds_give_equal_heads_and_others_do_not(material):
    short = replace(QUICK, epochs=2)
    one, same, other = (train_heads(material, replace(short, seed=seed)) for seed in (1, 1, 2))
    assert (one.image.matrix == same.image.matrix).all()
    assert (one.image.matrix != other.image.matrix).any()


def test_without_a_rate_each_is_tried_and_the_best_is_kept(material):
    heard = []
    heads = train_heads(
        material, replace(QUICK, lr=0.0, epochs=2), lambda rate, found: heard.append((rate, found.found))
    )
    assert tuple(heads.tried) == RATES
    assert heard == list(heads.tried.items())
    assert heads.found == max(heads.tried.values())


def test_the_temperature_stays_below_its_cap(material):
    heads = train_heads(material, replace(QUICK, max_scale=12.0, lr=5e-2))
    assert max(epoch.scale for epoch in heads.curve) <= 12.0 + 1e-4


def test_decay_pulls_back_to_the_encoder_as_it_was(material):
    far, near = (train_heads(material, replace(QUICK, weight_decay=decay)) for decay in (0.0, 1.0))
    away = [np.abs(each.image.matrix - np.eye(16)).sum() for each in (far, near)]
    assert away[1] < away[0]


def test_strength_applies_a_part_of_what_was_learned(material):
    whole, half = (train_heads(material, replace(QUICK, strength=strength)) for strength in (1.0, 0.5))
    assert np.allclose(half.text.matrix - np.eye(16), (whole.text.matrix - np.eye(16)) / 2, atol=1e-6)
    assert np.allclose(half.image.bias, whole.image.bias / 2, atol=1e-6)


def test_texts_of_one_picture_are_right_together():
    """Were they taken for wrong, five captions of a picture would push each other away and the loss could not fall."""
    once = turned(120)
    rows = np.repeat(np.arange(120), 5)
    many = replace(
        once, texts=once.texts[rows], text_of=rows, sayings=tuple(f"{row} {at}" for at, row in enumerate(rows))
    )
    heads = train_heads(many, replace(QUICK, epochs=6))
    assert heads.curve[-1].validation_loss < heads.curve[0].validation_loss
    assert heads.best > 0


@pytest.mark.parametrize("wrong", [{"epochs": 0}, {"batch": 1}, {"lr": -1.0}, {"device": "tpu"}, {"strength": 0.0}])
def test_settings_that_cannot_be_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        HeadSettings(**wrong)
