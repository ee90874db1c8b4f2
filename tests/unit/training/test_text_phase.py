"""The text tower learns all languages at once, with and without photos."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from lookalike.training.loop import Run
from lookalike.training.recipes import Schedule, SpaceRecipe, TextLosses, TextRecipe
from lookalike.training.shared_space import make_space
from lookalike.training.text_material import gather_texts, text_material
from lookalike.training.text_phase import TextPhase
from lookalike.training.towers import TextTower
from lookalike.training.vocabulary import train_tokeniser

RECIPE = TextRecipe(
    Schedule(minutes=60, batch=32, seed=9, learning_rate=3e-3, warmup_steps=2, clip_norm=1.0),
    shares={"en-name": 0.3, "en-caption": 0.3, "ru-word": 0.2, "ru-caption": 0.1, "de-word": 0.1, "vi-word": 0.5},
    losses=TextLosses(photo=0.6),
    bank=8,
)


@pytest.fixture
def material(words, translations, photos, sentences):
    space = make_space(photos, sentences, SpaceRecipe(dim=16, hidden=8, batch=16, steps=150))
    texts = list(gather_texts(words, translations, photos, {"3": 32}, held=set()))
    tokeniser = train_tokeniser([each.text for each in texts], 300, 12)
    return text_material(texts, space, tokeniser)


@pytest.fixture
def pictures():
    """Vectors of the captioned shots."""
    vectors = np.random.default_rng(0).normal(size=(12, 16)).astype(np.float32)
    return vectors, np.arange(29, 41)


def test_every_part_of_the_loss_falls(material, pictures, sizes, tmp_path):
    run = Run(TextPhase(RECIPE, sizes, material, pictures), tmp_path)
    losses = [run.one_step() for _ in range(60)]
    assert set(losses[0]) == {"sentence", "spread", "meaning", "photo"}
    for name in losses[0]:
        assert np.mean([each[name] for each in losses[-8:]]) < np.mean([each[name] for each in losses[:8]])


def test_groups_come_by_their_shares_and_languages_without_texts_do_not_matter(material, pictures, sizes):
    phase = TextPhase(RECIPE, sizes, material, pictures)
    phase.begin(0)
    drawn = np.concatenate([phase.draw(0.0) for _ in range(40)])
    assert 0.25 < np.isin(drawn, material.groups["en-name"]).mean() < 0.35
    assert 0.05 < np.isin(drawn, material.groups["de-word"]).mean() < 0.15


def test_texts_without_photos_have_no_loss_of_photos(material, pictures, sizes):
    phase = TextPhase(RECIPE, sizes, material, pictures)
    phase.begin(0)
    assert float(phase.parts(material.groups["ru-word"])["photo"][1].detach()) == 0
    assert float(phase.parts(material.groups["en-caption"])["photo"][1].detach()) > 0


def test_it_goes_on_from_another_tower(material, pictures, sizes):
    learned = TextTower(sizes).state_dict()
    again = TextPhase(RECIPE, sizes, material, pictures, start=learned).learner.text.state_dict()
    assert all((again[name] == value).all() for name, value in learned.items())


def test_blocks_that_join_a_bag_of_subwords_hardly_change_what_it_says(material, pictures, sizes):
    torch.manual_seed(0)
    bag = TextTower(replace(sizes, text_layers=0))
    with torch.no_grad():
        bag.tokens.weight.mul_(10)  # as large as after learning
    whole = TextPhase(RECIPE, sizes, material, pictures, start=bag.state_dict()).learner.text
    ids = torch.from_numpy(material.tokens.astype(np.int64))
    with torch.inference_mode():
        assert (bag(ids) * whole(ids)).sum(1).min() > 0.9
