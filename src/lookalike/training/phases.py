"""The phases of a recipe, opened from the files of the steps before, and trained one after another.

image   the image tower against the shared space
bag     the text tower without its blocks against the shared space; needs nothing of `image`
text    the whole text tower goes on from there; may run beside `image`
match   it goes on, against what the finished image tower sees
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from lookalike.core.errors import SourceError
from lookalike.training.examples import held_texts
from lookalike.training.image_phase import ImagePhase, PhotoMaterial, see
from lookalike.training.loop import CHECKPOINT, Phase, Run, read_checkpoint, tower_of
from lookalike.training.photo_sets import PHOTO_SETS
from lookalike.training.photos import Photos
from lookalike.training.shared_space import Space
from lookalike.training.text_material import TextMaterial, flickr_photos, gather_texts, text_material
from lookalike.training.text_phase import TextPhase
from lookalike.training.towers import ImageTower

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from lookalike.core.arrays import Vectors
    from lookalike.training.photo_sets import PhotoSet
    from lookalike.training.recipes import Recipe, TextRecipe
    from lookalike.training.workshop import Workshop

_log = logging.getLogger(__name__)
PHASES = ("image", "bag", "text", "match")
SEEN = "pictures.npy"
"""In the folder of `match`: what the finished image tower makes of the photos."""


@dataclass(frozen=True, slots=True)
class Means:
    """What a run has to work with. `start`: folder of a phase `image` of another run to go on from (`ImagePhase`).

    `compiled`: let torch compile the image tower.
    """

    device: str = "cpu"
    compiled: bool = False
    start: Path | None = None


def train(
    shop: Workshop,
    recipe: Recipe,
    phases: Sequence[str] = PHASES,
    *,
    sets: Sequence[PhotoSet] = PHOTO_SETS,
    means: Means = Means(),
    stopped: Callable[[], bool] = lambda: False,
) -> None:
    """Train the phases to the end of their time, or until `stopped`; what is done is passed over."""
    for name in phases:
        run = open_run(shop, recipe, name, sets, means)
        run.train(lambda line, name=name: _log.info("%s %s", name, line), stopped)  # type: ignore[misc]
        if stopped():
            _log.info("%s stopped at %.0f %% of its time", name, 100 * min(1.0, run.progress))
            return


def open_run(
    shop: Workshop,
    recipe: Recipe,
    name: str,
    sets: Sequence[PhotoSet] = PHOTO_SETS,
    means: Means = Means(),
) -> Run:
    """A phase of the recipe, at its checkpoint where there is one."""
    phase: Phase
    if name == "image":
        phase = _image_phase(shop, recipe, sets, means)
    else:
        phase = _text_phase(shop, recipe, name, sets, means.device)
    return Run(phase, shop.run_folder(recipe, name))


def averages(shop: Workshop, recipe: Recipe) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """What is shipped: states of the image tower and the text tower, and how long was learned, by phase."""
    states = {name: _finished(shop, recipe, name) for name in PHASES}
    learned = {
        name: {"steps": state["step"], "seen": state["seen"], "minutes": round(state["spent_s"] / 60, 1)}
        for name, state in states.items()
    }
    return tower_of(states["image"]["average"], "image"), tower_of(states["match"]["average"], "text"), learned


def shares(sets: Sequence[PhotoSet]) -> dict[str, float]:
    """Share of a batch by training set."""
    return {each.name: each.share for each in sets if each.use == "train"}


def _image_phase(shop: Workshop, recipe: Recipe, sets: Sequence[PhotoSet], means: Means) -> ImagePhase:
    photos = Photos.open(shop.packs, shop.words, shares(sets))
    material = PhotoMaterial(photos, Space.read(shop.space_file), np.load(shop.sentences_file))
    start = read_checkpoint(means.start)["learner"] if means.start else None
    return ImagePhase(recipe.image, recipe.sizes, material, device=means.device, start=start, compiled=means.compiled)


def _text_phase(shop: Workshop, recipe: Recipe, name: str, sets: Sequence[PhotoSet], device: str) -> TextPhase:
    """`bag`, `text` or `match`: each goes on with the averaged tower of the one before."""
    chosen: TextRecipe = getattr(recipe, name)
    before = PHASES[PHASES.index(name) - 1]
    start = None if name == "bag" else tower_of(_finished(shop, recipe, before)["average"], "text")
    sizes = replace(recipe.sizes, text_layers=0) if name == "bag" else recipe.sizes
    photos = Photos.open(shop.packs, shop.words, shares(sets))
    asked = np.flatnonzero(photos.asked)
    if name == "match":
        vectors = _seen(shop, recipe, photos, asked, device)
    else:
        vectors = Space.read(shop.space_file).pictures[asked].astype(np.float32)
    texts = TextMaterial.read(shop.texts_file)
    return TextPhase(chosen, sizes, texts, (vectors, asked), device=device, start=start)


def prepare_texts(shop: Workshop, sets: Sequence[PhotoSet] = PHOTO_SETS) -> None:
    """Write down everything the text tower learns from: minutes of tokenising, once for all phases."""
    words, space = shop.words, Space.read(shop.space_file)
    photos = Photos.open(shop.packs, words, shares(sets))
    held = held_texts(words, sets)
    texts = gather_texts(words, shop.translations, photos, flickr_photos(photos, shop.packs), held)
    text_material(list(texts), space, shop.tokeniser).write(shop.texts_file)


def _seen(shop: Workshop, recipe: Recipe, photos: Photos, chosen: NDArray[np.int64], device: str) -> Vectors:
    """What the finished image tower makes of photos; kept, so that a run goes on with what it began with."""
    kept = shop.run_folder(recipe, "match") / SEEN
    if not kept.exists():
        tower = ImageTower(recipe.sizes)
        tower.load_state_dict(tower_of(_finished(shop, recipe, "image")["average"], "image"))
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.save(kept, see(tower, photos, chosen, recipe.side, device))
    vectors: Vectors = np.load(kept)
    return vectors


def _finished(shop: Workshop, recipe: Recipe, name: str) -> dict[str, Any]:
    folder = shop.run_folder(recipe, name)
    if not (folder / CHECKPOINT).exists():
        raise SourceError(
            f"{folder}: no checkpoint of the phase {name}",
            hint=f"python -m lookalike.training train --phase {name}",
        )
    return read_checkpoint(folder)
