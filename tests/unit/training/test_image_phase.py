"""The image tower learns from photos of any size, with and without words, and goes on from another run."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lookalike.training.image_phase import ImagePhase, PhotoMaterial, see
from lookalike.training.loop import Run, read_checkpoint
from lookalike.training.recipes import ImageRecipe, Schedule, SpaceRecipe, Stage
from lookalike.training.shared_space import Space, make_space
from lookalike.training.towers import ImageTower

RECIPE = ImageRecipe(
    Schedule(minutes=60, batch=16, seed=5, learning_rate=2e-3, warmup_steps=2),
    stages=(Stage(0.5, 32), Stage(1.0, 48)),
    bank=8,
    spread_bank=4,
)


@pytest.fixture
def material(photos, sentences):
    space = make_space(photos, sentences, SpaceRecipe(dim=16, hidden=8, batch=16, steps=150))
    return PhotoMaterial(photos, space, sentences)


def test_it_learns(material, sizes, tmp_path):
    run = Run(ImagePhase(RECIPE, sizes, material), tmp_path)
    losses = [sum(run.one_step().values()) for _ in range(40)]
    assert np.mean(losses[-5:]) < 0.8 * np.mean(losses[:5])


def test_every_part_of_the_loss_is_a_number_where_no_photo_has_words(material, sizes):
    phase = ImagePhase(RECIPE, sizes, material)
    phase.begin(0)
    batch = phase.draw(0.0)
    batch.numbers[:] = -1
    batch.photos[:] = 46
    assert all(torch.isfinite(part) for _, part in phase.parts(batch).values())
    assert float(phase.parts(batch)["contrast"][1].detach()) == 0


def test_later_stages_show_larger_pictures(material, sizes):
    phase = ImagePhase(RECIPE, sizes, material)
    phase.begin(0)
    assert [phase.draw(progress).pictures.shape[-1] for progress in (0, 0.49, 0.5, 1)] == [32, 32, 48, 48]


def test_draws_depend_on_the_seed_alone(material, sizes):
    phase = ImagePhase(RECIPE, sizes, material)
    drawn = []
    for _ in range(2):
        phase.begin(7)
        drawn.append(phase.draw(0.0))
    assert torch.equal(drawn[0].pictures, drawn[1].pictures)
    assert drawn[0].photos.tolist() == drawn[1].photos.tolist()


def test_it_goes_on_from_another_run_but_not_with_its_projection(material, sizes, tmp_path):
    run = Run(ImagePhase(RECIPE, sizes, material), tmp_path)
    run.one_step()
    run.save()
    old = run.phase.learner.state_dict()
    new = ImagePhase(RECIPE, sizes, material, start=read_checkpoint(tmp_path)["learner"]).learner.state_dict()
    assert torch.equal(new["image.top.0.weight"], old["image.top.0.weight"])
    assert torch.equal(new["to_feature.weight"], old["to_feature.weight"])
    assert not torch.equal(new["image.project.weight"], old["image.project.weight"])


def test_a_finished_tower_sees_whole_photos_in_the_order_asked(photos, sizes):
    torch.manual_seed(0)
    tower = ImageTower(sizes)
    forward = see(tower, photos, np.arange(47), 32)
    assert np.allclose(np.linalg.norm(forward, axis=1), 1, atol=1e-5)
    assert np.allclose(see(tower, photos, np.arange(47)[::-1], 32)[::-1], forward, atol=1e-5)


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
    labelled = np.flatnonzero(photos.asked & photos.worded)
    nearest = (space.pictures[labelled].astype(np.float32) @ names.T).argmax(1)
    assert (nearest == photos.concepts[labelled]).mean() > 0.9
    assert not space.pictures[~photos.asked].any()
    assert space.pictures[41:].any(1).all()
