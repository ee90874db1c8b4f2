"""The training run: two towers against the teachers' shared space and against one another.

The loss of a batch of photos, each with one of its texts (weights: `recipes.LossWeights`):

    contrast   pictures against texts of the batch, by the towers alone
    picture    picture vector towards the photo's vector in the shared space
    feature    a linear map of the pooled feature towards the picture teacher's feature
    sentence   text vector towards the text's vector in the shared space
    spread     how the picture vector spreads over a bank of texts, as the photo's target does
    concept    a labelled photo's concept among all concepts

The schedule follows the clock. A checkpoint is written every few minutes, atomically, and a run that is started again
goes on from it; `log.jsonl` beside it holds the curve. Runs on a CPU in float32, on CUDA in bfloat16 with float32
weights. What is shipped is the moving average of the weights.
"""

# mypy: disallow-subclassing-any=False
# torch is not followed by the type checker, so its Module is Any

from __future__ import annotations

import copy
import json
import math
import os
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from lookalike.training.augment import augment
from lookalike.training.losses import (
    away,
    concept_loss,
    contrast,
    masked_mean,
    right_pairs,
    spread_difference,
    too_alike,
)
from lookalike.training.photos import BatchDrawer
from lookalike.training.picture_teacher import FEATURE_DIM
from lookalike.training.towers import ImageTower, TextTower

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from lookalike.training.photos import Photos
    from lookalike.training.recipes import Recipe
    from lookalike.training.shared_space import Space

CHECKPOINT, LOG = "checkpoint.pt", "log.jsonl"
_SAVE_EVERY_S = 240.0
_LOG_EVERY_S = 60.0
_FIRST_LOG_SCALE = 3.0
_PARTS = ("contrast", "picture", "feature", "sentence", "spread", "concept")
_LENGTHS = 4  # groups of texts of like length that pass the text tower apart: filling would cost half its time


@dataclass(frozen=True, slots=True)
class Material:
    """Everything a run reads. `sentences` float16 (texts, 384); `tokens`: token ids of every text."""

    photos: Photos
    space: Space
    sentences: NDArray[np.float16]
    tokens: Sequence[Sequence[int]]


class Learner(nn.Module):
    """The towers with what only training needs: the map to the teacher's feature, and the inverse temperature."""

    def __init__(self, recipe: Recipe) -> None:
        super().__init__()
        self.image = ImageTower(recipe.sizes)
        self.text = TextTower(recipe.sizes)
        self.to_feature = nn.Linear(recipe.sizes.top, FEATURE_DIM)
        self.log_scale = nn.Parameter(torch.tensor(_FIRST_LOG_SCALE))


class Run:
    """One training run in `folder`; `train` does it. Attributes are what a checkpoint holds."""

    def __init__(self, recipe: Recipe, material: Material, folder: Path, *, device: str = "cpu") -> None:
        torch.manual_seed(recipe.seed)
        self.recipe = recipe
        self.material = material
        self.folder = folder
        self.device = torch.device(device)
        self.learner = Learner(recipe).to(self.device, memory_format=torch.channels_last)
        self.average = copy.deepcopy(nn.ModuleDict({"image": self.learner.image, "text": self.learner.text}))
        self.optimiser = _optimiser(self.learner, recipe)
        self.drawer = BatchDrawer(material.photos, recipe.seed)
        self.step = self.seen = 0
        self.spent_s = 0.0
        space, photos = material.space, material.photos
        self._texts = torch.from_numpy(space.texts).to(self.device)
        self._pictures = torch.from_numpy(space.pictures).to(self.device)
        concepts = [self._texts[numbers].float().mean(0) for numbers in photos.texts_of]
        self._concepts = functional.normalize(torch.stack(concepts), dim=-1)
        self._captions = photos.caption_numbers
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / CHECKPOINT).exists():
            self.resume()

    @property
    def progress(self) -> float:
        return self.spent_s / (60 * self.recipe.minutes)

    def train(self, told: Callable[[dict[str, Any]], None] = lambda _: None) -> None:
        """Train until the recipe's minutes are spent. `told` gets each line of the log."""
        last = saved = logged = time.monotonic()
        parts: list[list[float]] = []
        seen_before = self.seen
        while self.progress < 1:
            parts.append(self.one_step())
            now = time.monotonic()
            self.spent_s += now - last
            last = now
            if now - logged > _LOG_EVERY_S:
                told(self._note((self.seen - seen_before) / (now - logged), np.mean(parts, axis=0).tolist()))
                parts, logged, seen_before = [], now, self.seen
            if now - saved > _SAVE_EVERY_S:
                self.save()
                saved = now
        self.save()

    def one_step(self) -> list[float]:
        """Draw a batch, learn from it; the parts of its loss in the order of `_PARTS`."""
        recipe = self.recipe
        fall = 0.5 + 0.5 * math.cos(math.pi * min(1.0, self.progress)) + recipe.final_rate
        for group in self.optimiser.param_groups:
            group["lr"] = recipe.learning_rate * min(1, (self.step + 1) / recipe.warmup_steps) * fall
        rows = self.drawer.draw(recipe.batch)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
            parts = self._parts(rows)
        loss = sum(getattr(recipe.losses, name) * part for name, part in parts.items())
        assert isinstance(loss, Tensor)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.learner.parameters(), recipe.clip_norm)
        self.optimiser.step()
        self.step += 1
        self.seen += len(rows)
        if self.step % recipe.ema_every == 0:
            self._follow()
        return [float(parts[name].detach()) for name in _PARTS]

    def save(self) -> None:
        """Write the checkpoint: to a second file first, then in one move."""
        state = {
            "learner": self.learner.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "seen": self.seen,
            "spent_s": self.spent_s,
        }
        partial = self.folder / f"{CHECKPOINT}.partial"
        torch.save(state, partial)
        os.replace(partial, self.folder / CHECKPOINT)

    def resume(self) -> None:
        """Go on from the checkpoint in the folder. Draws go on differently than without the stop."""
        state = torch.load(self.folder / CHECKPOINT, map_location=self.device, weights_only=True)
        self.learner.load_state_dict(state["learner"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.seen, self.spent_s = state["step"], state["seen"], state["spent_s"]
        self.drawer = BatchDrawer(self.material.photos, self.recipe.seed + self.step)
        torch.manual_seed(self.recipe.seed + self.step)

    def _parts(self, rows: NDArray[np.int64]) -> dict[str, Tensor]:
        recipe, material, device = self.recipe, self.material, self.device
        numbers, keys = material.photos.say(rows, self.drawer.random, recipe.label_share)
        stage = recipe.stage(self.progress)
        packed = torch.from_numpy(material.photos.pixels(rows)).to(device).permute(0, 3, 1, 2)
        rules = replace(recipe.augmentation, smallest_area=stage.smallest_area)
        pictures, pooled = self.learner.image(augment(packed, stage.side, rules))
        texts = self._read(numbers)
        sentences = torch.from_numpy(material.sentences[numbers]).to(device).float()
        right = right_pairs(torch.from_numpy(keys).to(device))
        ignored = too_alike(sentences, right, recipe.alike)
        asked = torch.from_numpy(material.photos.asked[rows]).to(device)
        targets = self._pictures[rows].float()
        drawn = self.drawer.random.choice(self._captions, min(recipe.bank, len(self._captions)))
        bank = torch.cat([self._concepts, self._texts[drawn].float()])
        standard = (material.photos.features_of(rows) - material.space.mean) / material.space.deviation
        feature = torch.from_numpy(standard).to(device)
        concepts = torch.from_numpy(material.photos.concepts[rows]).to(device)
        scale = self.learner.log_scale.exp().clamp(max=recipe.largest_scale)
        wide = material.space.scale
        return {
            "contrast": contrast(pictures, texts, scale, right, ignored),
            "picture": masked_mean(away(pictures, targets), asked),
            "feature": masked_mean(away(self.learner.to_feature(pooled), feature), asked),
            "sentence": away(texts, self._texts[numbers].float()).mean(),
            "spread": masked_mean(spread_difference(pictures, targets, bank, wide), asked),
            "concept": concept_loss(pictures, concepts, self._concepts, wide, recipe.smoothing),
        }

    def _read(self, numbers: NDArray[np.int64]) -> Tensor:
        """Vectors of texts, in order; texts of like length pass the tower together."""
        tokens = [self.material.tokens[number] for number in numbers]
        order = np.argsort([len(row) for row in tokens], kind="stable")
        groups = [group for group in np.array_split(order, _LENGTHS) if len(group)]
        vectors = torch.cat([self.learner.text(filled([tokens[i] for i in group]).to(self.device)) for group in groups])
        return vectors[torch.from_numpy(np.argsort(order)).to(self.device)]

    def _follow(self) -> None:
        """Move the average towards the weights."""
        keep = min(self.recipe.ema, (1 + self.step) / (10 + self.step)) ** self.recipe.ema_every
        learned = self.learner.state_dict()
        for name, mean in self.average.state_dict().items():
            if mean.dtype.is_floating_point:
                mean.lerp_(learned[name], 1 - keep)
            else:
                mean.copy_(learned[name])

    def _note(self, rate: float, parts: list[float]) -> dict[str, Any]:
        """Append a line to the log, and give it."""
        line = {
            "minutes": round(self.spent_s / 60, 1),
            "step": self.step,
            "seen": self.seen,
            "side": self.recipe.stage(self.progress).side,
            "pictures_per_s": round(rate, 1),
            **{name: round(part, 3) for name, part in zip(_PARTS, parts, strict=True)},
        }
        with (self.folder / LOG).open("a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")
        return line


def filled(rows: Sequence[Sequence[int]]) -> Tensor:
    """int64 (n, longest), shorter rows filled with 0."""
    ids = torch.zeros(len(rows), max(len(row) for row in rows), dtype=torch.int64)
    for place, row in enumerate(rows):
        ids[place, : len(row)] = torch.tensor(row)
    return ids


def _optimiser(learner: Learner, recipe: Recipe) -> torch.optim.AdamW:
    """AdamW; vectors and scalars (norms, biases, temperature) are not pulled towards zero."""
    weights = [parameter for parameter in learner.parameters() if parameter.ndim > 1]
    others = [parameter for parameter in learner.parameters() if parameter.ndim <= 1]
    groups = [{"params": weights, "weight_decay": recipe.weight_decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, recipe.learning_rate, betas=recipe.betas)
