"""The parts of the loss reward what they are for."""

from __future__ import annotations

import torch
from torch.nn import functional

from lookalike.training.losses import (
    away,
    banked_contrast,
    concept_loss,
    contrast,
    masked_mean,
    own_meaning,
    own_photo,
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


def banked(pictures, texts, bank, worded, *, alike=False):
    count = len(pictures)
    return banked_contrast(
        pictures,
        texts,
        bank,
        SCALE,
        right=right_pairs(torch.arange(count)),
        worded=torch.tensor(worded),
        alike=torch.zeros(count, count, dtype=torch.bool),
        bank_alike=torch.full((count, len(bank)), alike),
    )


def test_without_a_bank_and_with_words_for_all_it_is_the_plain_contrast():
    pictures, texts = unit(6, 0), unit(6, 1)
    plain = contrast(pictures, texts, SCALE, right_pairs(torch.arange(6)), torch.zeros(6, 6, dtype=torch.bool))
    assert torch.isclose(banked(pictures, texts, texts[:0], [True] * 6), plain)


def test_a_bank_makes_it_harder_unless_it_says_the_same():
    pictures, bank = unit(6, 0), unit(40, 1)
    alone = banked(pictures, pictures, bank[:0], [True] * 6)
    assert banked(pictures, pictures, bank, [True] * 6) > alone
    assert torch.isclose(banked(pictures, pictures, bank, [True] * 6, alike=True), alone, atol=1e-6)


def test_texts_of_pictures_that_have_none_do_not_matter():
    """Such a picture's place among the texts holds any text: no other picture is kept away from it."""
    pictures, bank = unit(4, 0), unit(5, 1)
    some, other = pictures.clone(), pictures.clone()
    other[3] = pictures[0]
    worded = [True, True, True, False]
    assert torch.isclose(banked(pictures, some, bank, worded), banked(pictures, other, bank, worded))
    assert banked(pictures, some, bank, [False] * 4) == 0


def test_a_text_finds_its_meaning_among_others():
    targets = unit(8, 2)
    found = own_meaning(targets, targets, SCALE, 0.9, 0.75)
    assert found < own_meaning(targets.roll(1, 0), targets, SCALE, 0.9, 0.75)


def test_two_ways_to_say_one_thing_are_both_right():
    """What is left is what two equal answers must cost: log 2."""
    targets = unit(1, 2).repeat(2, 1)
    assert torch.isclose(own_meaning(targets, targets, SCALE, 0.9, 0.75), torch.tensor(2.0).log())


def test_a_caption_finds_its_photo_among_others_and_a_bank():
    pictures, bank = unit(6, 3), unit(30, 4)
    never = torch.zeros(6, 6, dtype=torch.bool)
    assert own_photo(pictures, pictures, bank, SCALE, never) < own_photo(
        pictures.roll(1, 0), pictures, bank, SCALE, never
    )


def test_photos_that_may_be_right_too_are_not_taken_for_wrong():
    pictures = unit(1, 3).repeat(2, 1)
    ignored = torch.ones(2, 2, dtype=torch.bool)
    assert own_photo(pictures, pictures, pictures[:0], SCALE, ignored) < 1e-4
    assert own_photo(pictures, pictures, pictures[:0], SCALE, ~ignored) > 0.6
