"""NAME=VALUE becomes settings, or a sentence that says what there is."""

from __future__ import annotations

from dataclasses import dataclass, is_dataclass

import pytest

from lookalike.training.recipe_settings import RECIPES, load_recipe, read_settings


@dataclass(frozen=True)
class Some:
    epochs: int = 3
    lr: float = 0.1
    shared: bool = False
    device: str = "auto"
    seed: int = 0


def test_values_are_read_as_what_the_setting_is():
    said = {"epochs": "7", "lr": "1e-3", "shared": "yes", "device": "cpu"}
    assert read_settings(Some, said) == Some(7, 1e-3, True, "cpu")


def test_the_seed_is_the_given_one_unless_said():
    assert read_settings(Some, {}, seed=4).seed == 4
    assert read_settings(Some, {"seed": "9"}, seed=4).seed == 9


@pytest.mark.parametrize(("said", "told"), [({"epoch": "3"}, "it has epochs=3"), ({"epochs": "many"}, "is no int")])
def test_what_is_not_understood_is_said(said, told):
    with pytest.raises(ValueError, match=told):
        read_settings(Some, said)


def test_a_recipe_there_is_not_is_said_with_those_there_are():
    with pytest.raises(ValueError, match="heads"):
        load_recipe("tails")


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_has_settings_with_defaults_views_and_a_function(name):
    recipe = load_recipe(name)
    assert is_dataclass(recipe.Settings())
    assert recipe.VIEWS >= 1
    assert callable(recipe.tune)
