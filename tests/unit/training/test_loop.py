"""A run learns, writes its curve, and goes on where it stopped."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from lookalike.training import vocabulary
from lookalike.training.loop import CHECKPOINT, LOG, Material, Run
from lookalike.training.recipes import Recipe, SpaceRecipe, Stage
from lookalike.training.shared_space import Space, make_space


@pytest.fixture
def material(photos, words, sentences):
    tokeniser = vocabulary.open_for_training(vocabulary.train_tokeniser(words.texts, 300, 12))
    space = make_space(photos, sentences, SpaceRecipe(dim=16, hidden=8, batch=16, minutes=0.03))
    return Material(photos, space, sentences, [row.ids for row in tokeniser.encode_batch(words.texts)])


@pytest.fixture
def recipe(sizes):
    return Recipe(
        name="tiny", batch=16, minutes=60, sizes=sizes, bank=8, warmup_steps=2, stages=(Stage(0.5, 32), Stage(1.0, 48))
    )


def test_a_run_learns(material, recipe, tmp_path):
    run = Run(recipe, material, tmp_path)
    losses = [sum(run.one_step()) for _ in range(40)]
    assert np.mean(losses[-5:]) < 0.8 * np.mean(losses[:5])
    assert run.seen == 40 * 16


def test_the_average_follows_the_weights(material, recipe, tmp_path):
    run = Run(recipe, material, tmp_path)
    before = run.average["image"].project.weight.clone()
    for _ in range(8):
        run.one_step()
    after, learned = run.average["image"].project.weight, run.learner.image.project.weight
    assert 0 < torch.norm(after - learned) < torch.norm(before - learned)


def test_a_run_goes_on_from_its_checkpoint(material, recipe, tmp_path):
    run = Run(recipe, material, tmp_path)
    for _ in range(5):
        run.one_step()
    run.spent_s = 123.0
    run.save()
    again = Run(recipe, material, tmp_path)
    assert (again.step, again.seen, again.spent_s) == (5, 80, 123.0)
    for name, value in run.learner.state_dict().items():
        assert torch.equal(value, again.learner.state_dict()[name])
    assert not (tmp_path / f"{CHECKPOINT}.partial").exists()


def test_training_ends_with_its_time(material, recipe, tmp_path):
    """And leaves a checkpoint, and the lines of its log."""
    short = replace(recipe, minutes=0.02)
    told = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lookalike.training.loop._LOG_EVERY_S", 0.3)
        Run(short, material, tmp_path).train(told.append)
    lines = [json.loads(line) for line in (tmp_path / LOG).read_text().splitlines()]
    assert told == lines
    assert lines[0]["step"] > 0
    assert (tmp_path / CHECKPOINT).exists()


def test_later_stages_show_larger_pictures(recipe):
    assert [recipe.stage(progress).side for progress in (0, 0.49, 0.5, 1)] == [32, 32, 48, 48]


def test_the_space_is_kept_as_it_is(material, tmp_path):
    material.space.write(tmp_path / "space.npz")
    again = Space.read(tmp_path / "space.npz")
    assert np.array_equal(again.pictures, material.space.pictures)
    assert np.array_equal(again.texts, material.space.texts)
    assert again.scale == pytest.approx(material.space.scale)


def test_the_space_brings_pictures_near_their_names(material, words):
    """Three colours the teacher tells apart: each is nearest to its own name."""
    space, photos = material.space, material.photos
    names = space.texts[[words.texts.index(colour) for colour in ("red", "green", "blue")]].astype(np.float32)
    asked = np.flatnonzero(photos.asked)
    nearest = (space.pictures[asked].astype(np.float32) @ names.T).argmax(1)
    assert (nearest == photos.concepts[asked]).mean() > 0.9
    assert not space.pictures[~photos.asked].any()
