"""From the files of the steps before to an encoder that the library opens: four phases on a tiny slice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from lookalike.core.errors import SourceError
from lookalike.encoders.onnx_encoder import OnnxEncoder
from lookalike.training import phases, steps
from lookalike.training.export import Shipping
from lookalike.training.loop import read_checkpoint, tower_of
from lookalike.training.phases import SEEN, Means
from lookalike.training.photo_sets import PhotoSet
from lookalike.training.recipes import BUILTIN_2, ImageRecipe, Recipe, Schedule, SpaceRecipe, Stage, TextRecipe
from lookalike.training.shared_space import make_space
from lookalike.training.snapshots import Snapshots
from lookalike.training.vocabulary import train_tokeniser
from lookalike.training.workshop import Workshop

SETS = (
    PhotoSet("colours", "a/b", "1", "", label=0, share=0.7),
    PhotoSet("shots", "a/b", "1", "", share=0.2),
    PhotoSet("oddments", "a/b", "1", "", share=0.1),
)
SPACE = SpaceRecipe(dim=16, hidden=8, batch=16, steps=150)
SCHEDULE = Schedule(minutes=0.01, batch=12, seed=1, warmup_steps=2)
SHARES = {"en-name": 0.5, "ru-word": 0.3, "ru-phrase": 0.2}


@pytest.fixture
def recipe(sizes):
    return Recipe(
        name="tiny",
        sizes=sizes,
        space=SPACE,
        image=ImageRecipe(SCHEDULE, stages=(Stage(1.0, 32),), bank=8),
        bag=TextRecipe(SCHEDULE, SHARES, bank=8),
        text=TextRecipe(SCHEDULE, SHARES, bank=8),
        match=TextRecipe(SCHEDULE, SHARES, bank=8),
        copies={},
        side=32,
    )


@pytest.fixture
def shop(words, translations, sentences, photos, tmp_path):
    """A workshop after `targets`."""
    made = Workshop(tmp_path, Snapshots(tmp_path))
    words.write(made.words_file)
    translations.write(made.translations_file)
    made.tokeniser_file.write_text(train_tokeniser(words.texts, 300, 12), encoding="utf-8")
    np.save(made.sentences_file, sentences)
    make_space(photos, sentences, SPACE).write(made.space_file)
    phases.prepare_texts(made, SETS)
    return made


def test_four_phases_make_an_encoder(shop, recipe, tmp_path):
    phases.train(shop, recipe, sets=SETS)
    steps.export_encoder(shop, recipe, tmp_path / "encoder", Shipping(side=32), sets=SETS)
    encoder = OnnxEncoder(tmp_path / "encoder", name="made", id="made-1")
    assert encoder.encode_texts(["красный", "red"]).shape == (2, 16)
    trained = phases.averages(shop, recipe)[2]
    assert trained["image"]["seen"] == 12 * trained["image"]["steps"] > 0


def test_match_goes_on_with_the_text_tower_and_what_the_image_tower_sees(shop, recipe):
    phases.train(shop, recipe, ("image", "bag", "text"), sets=SETS)
    learned = tower_of(read_checkpoint(shop.run_folder(recipe, "text"))["average"], "text")
    match = phases.open_run(shop, recipe, "match", SETS)
    assert all(torch.equal(value, learned[name]) for name, value in match.phase.learner.text.state_dict().items())
    seen = np.load(shop.run_folder(recipe, "match") / SEEN)
    assert np.allclose(np.linalg.norm(seen, axis=1), 1, atol=1e-5)


def test_what_is_trained_is_passed_over(shop, recipe):
    phases.train(shop, recipe, ("bag",), sets=SETS)
    done = read_checkpoint(shop.run_folder(recipe, "bag"))["step"]
    phases.train(shop, recipe, ("bag",), sets=SETS)
    assert read_checkpoint(shop.run_folder(recipe, "bag"))["step"] == done


def test_a_stop_ends_all_phases_and_they_go_on_later(shop, recipe):
    hours = recipe.with_schedule(minutes=600)
    phases.train(shop, hours, sets=SETS, stopped=lambda: True)
    assert read_checkpoint(shop.run_folder(recipe, "image"))["step"] == 0
    assert not shop.run_folder(recipe, "bag").exists()
    phases.train(shop, recipe, ("image",), sets=SETS)
    assert read_checkpoint(shop.run_folder(recipe, "image"))["step"] > 0


def test_a_run_goes_on_from_another_ones_tower(shop, recipe):
    phases.train(shop, recipe, ("image",), sets=SETS)
    other = replace(recipe, name="other")
    start = shop.run_folder(recipe, "image")
    opened = phases.open_run(shop, other, "image", SETS, Means(start=start))
    wanted = read_checkpoint(start)["learner"]["image.top.0.weight"]
    assert torch.equal(opened.phase.learner.image.top[0].weight, wanted)


def test_a_phase_that_needs_another_says_which(shop, recipe):
    with pytest.raises(SourceError) as caught:
        phases.open_run(shop, recipe, "text", SETS)
    assert "--phase bag" in caught.value.hint


def test_minutes_and_batch_can_be_set_for_all_phases():
    changed = BUILTIN_2.with_schedule(minutes=3, batch=2048)
    for phase in (changed.image, changed.bag, changed.text, changed.match):
        assert (phase.schedule.minutes, phase.schedule.batch) == (3, 2048)
    assert BUILTIN_2.with_schedule() == BUILTIN_2


def test_the_recipe_shows_every_group_of_texts_that_it_gathers():
    """A group without copies could not be tokenised; one with a share and no copies would be spelt by letters."""
    learned = {name for name in BUILTIN_2.text.shares if not name.endswith(("-phrase", "-name"))}
    assert learned == BUILTIN_2.copies.keys()
