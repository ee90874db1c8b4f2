"""The parts of the loss reward what they are for."""

from __future__ import annotations

import torch
from torch.nn import functional

from lookalike.training.losses import (
    away,
    concept_loss,
    contrast,
    masked_mean,
    right_pairs,
    spread_difference,
    too_alike,
)

SCALE = torch.tensor(20.0)


def unit(count, seed):
    return functional.normalize(torch.randn(count, 8, generator=torch.Generator().manual_seed(seed)), dim=-1)


def test_contrast_is_lower_for_matching_pairs():
    vectors = unit(6, 0)
    right = right_pairs(torch.arange(6))
    nothing = torch.zeros(6, 6, dtype=torch.bool)
    matching = contrast(vectors, vectors, SCALE, right, nothing)
    shifted = contrast(vectors, vectors.roll(1, 0), SCALE, right, nothing)
    assert matching < shifted


def test_texts_of_one_key_are_right_for_one_another():
    """Two photos of one class with the same vectors cost no more than what two equal answers must: log 2."""
    vectors = unit(1, 0).repeat(2, 1)
    right = right_pairs(torch.tensor([7, 7]))
    loss = contrast(vectors, vectors, SCALE, right, torch.zeros(2, 2, dtype=torch.bool))
    assert torch.isclose(loss, torch.tensor(2.0).log())


def test_texts_that_say_the_same_are_not_taken_for_wrong():
    sentences = unit(1, 0).repeat(2, 1)
    right = right_pairs(torch.tensor([0, 1]))
    ignored = too_alike(sentences, right, 0.72)
    assert ignored.tolist() == [[False, True], [True, False]]
    assert contrast(sentences, sentences, SCALE, right, ignored) < 1e-4


def test_a_mean_over_nothing_is_zero():
    assert masked_mean(torch.ones(3), torch.zeros(3, dtype=torch.bool)) == 0
    assert masked_mean(torch.tensor([1.0, 5.0]), torch.tensor([False, True])) == 5


def test_a_picture_on_its_target_has_no_loss_left():
    vectors, bank = unit(4, 1), unit(50, 2)
    assert away(vectors, vectors).abs().max() < 1e-6
    assert spread_difference(vectors, vectors, bank, 20.0).abs().max() < 1e-4
    assert spread_difference(vectors.roll(1, 0), vectors, bank, 20.0).min() > 0.01


def test_pictures_without_a_label_have_no_concept_loss():
    vectors, concepts = unit(4, 1), unit(9, 3)
    assert concept_loss(vectors, torch.full((4,), -1), concepts, 20.0, 0.0) == 0
    near = concept_loss(concepts[:4], torch.arange(4), concepts, 20.0, 0.0)
    far = concept_loss(concepts[:4], torch.arange(4).roll(1), concepts, 20.0, 0.0)
    assert near < far
