"""The recipes of `lookalike tune-encoder`, and what a user sets of them: NAME=VALUE read into a recipe's settings.

A recipe is a module with `Settings` (a frozen dataclass whose fields are int, float, bool or str), `tune` (see `tuned`)
and `VIEWS` (how many looks at each picture it wants). It is imported when it is chosen: some need torch.
"""

from __future__ import annotations

import dataclasses
import importlib
from typing import TYPE_CHECKING, Any, get_type_hints

from lookalike.core.errors import MissingExtra

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

RECIPES: dict[str, tuple[str, str]] = {
    "heads": ("lookalike.training.heads_recipe", "projection heads for pictures and texts, learned from titles"),
    "metric": ("lookalike.training.metric_recipe", "a measure of likeness for pictures, learned from labels"),
    "ensemble": ("lookalike.training.ensembling", "how much each of several encoders counts, learned from labels"),
    "classifier": ("lookalike.training.classifier_recipe", "a network that learns the labels; its feature"),
    "pca": ("lookalike.training.pca", "fewer dimensions, as few as lose little"),
}
"""Name -> its module, and what it is for."""
JOINING = frozenset({"ensemble"})
"""Recipes that join several encoders; the others tune one."""
_SAID = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


def load_recipe(name: str, encoders: int = 1) -> ModuleType:
    """The recipe's module. `encoders`: how many it is to be given.

    Raises ValueError for a name there is not, and for several encoders where the recipe tunes one; MissingExtra where
    it needs torch.
    """
    if name not in RECIPES:
        raise ValueError(f"there is no recipe {name!r}; there are {', '.join(RECIPES)}")
    if encoders > 1 and name not in JOINING:
        raise ValueError(
            f"the recipe {name} tunes one encoder; only {', '.join(JOINING)} takes others with it (--with)"
        )
    try:
        return importlib.import_module(RECIPES[name][0])
    except ModuleNotFoundError as error:
        if error.name and not error.name.startswith("lookalike"):
            raise MissingExtra(f"the recipe {name}", "train") from error
        raise


def read_settings(kind: type[Any], said: Mapping[str, str], seed: int = 0) -> Any:
    """A `kind` with what was `said`, by field name, and with `seed` where it has one and nothing else is said.

    Raises ValueError, naming what there is, for anything else.
    """
    types = get_type_hints(kind)
    defaults = {field.name: field.default for field in dataclasses.fields(kind)}
    values: dict[str, Any] = {"seed": seed} if "seed" in defaults else {}
    for name, text in said.items():
        if name not in defaults:
            known = ", ".join(f"{each}={default}" for each, default in defaults.items())
            raise ValueError(f"this recipe has no setting {name!r}; it has {known}")
        try:
            values[name] = _SAID[text.lower()] if types[name] is bool else types[name](text)
        except (ValueError, KeyError):
            raise ValueError(f"{name}={text}: {text!r} is no {types[name].__name__}") from None
    return kind(**values)
