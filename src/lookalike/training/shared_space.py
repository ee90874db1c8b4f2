"""One space for pictures and words, made of the two teachers: small heads on their frozen outputs.

A picture head (feature 1280 -> dim) and a text head (sentence vector 384 -> dim) are trained on captions and class
names together with a symmetric contrast. The towers then aim at these vectors: a far better teacher of "which words
fit this picture" than either network alone, and it costs minutes.
"""

# mypy: disallow-subclassing-any=False
# torch is not followed by the type checker, so its Module is Any

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from lookalike.training.losses import contrast, right_pairs, too_alike
from lookalike.training.photos import BatchDrawer
from lookalike.training.picture_teacher import FEATURE_DIM
from lookalike.training.sentence_teacher import WIDTH

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from lookalike.training.photos import Photos
    from lookalike.training.recipes import SpaceRecipe

_STEADY = 0.05  # added to the deviation of a feature before dividing by it
_FIRST_LOG_SCALE = 3.0  # exp of it: the first inverse temperature
_LARGEST_SCALE = 60.0
_DROP_FEATURE, _DROP_SENTENCE = 0.2, 0.1
_WARMUP_STEPS = 30
_WEIGHT_DECAY = 0.05
_ALIKE = 0.72  # cosine of two texts above which they are not taken for different


class Head(nn.Module):
    """A straight line plus a bend: linear, and one hidden layer beside it; unit vectors out."""

    def __init__(self, inputs: int, hidden: int, dim: int) -> None:
        super().__init__()
        self.widen = nn.Linear(inputs, hidden)
        self.narrow = nn.Linear(hidden, dim)
        self.straight = nn.Linear(inputs, dim)

    def forward(self, values: Tensor) -> Tensor:
        return functional.normalize(self.narrow(functional.gelu(self.widen(values))) + self.straight(values), dim=-1)


@dataclass(frozen=True, slots=True)
class Space:
    """Targets in the shared space. `pictures` float16 (photos, dim), zero where the teacher was not asked; `texts`
    float16 (texts, dim); `mean`, `deviation` float32 (1280,) standardise the feature; `scale`: inverse temperature.
    """

    pictures: NDArray[np.float16]
    texts: NDArray[np.float16]
    mean: NDArray[np.float32]
    deviation: NDArray[np.float32]
    scale: float

    def write(self, path: Path) -> None:
        np.savez(path, **{name: getattr(self, name) for name in self.__slots__})

    @classmethod
    def read(cls, path: Path) -> Self:
        with np.load(path) as stored:
            values: dict[str, Any] = {name: stored[name] for name in stored.files}
        return cls(**values | {"scale": float(values["scale"])})


def make_space(photos: Photos, sentences: NDArray[np.float16], recipe: SpaceRecipe) -> Space:
    """Train the heads for `recipe.steps` and apply them to everything."""
    torch.manual_seed(recipe.seed)
    usable = photos.asked & photos.worded & photos.of_sets(recipe.sets or photos.ranges)
    sample = photos.features_of(np.flatnonzero(usable))
    mean, deviation = sample.mean(0), sample.std(0) + _STEADY
    heads = nn.ModuleDict(
        {
            "picture": Head(FEATURE_DIM, recipe.hidden, recipe.dim),
            "text": Head(WIDTH, recipe.hidden, recipe.dim),
        }
    )
    drawer = BatchDrawer(photos, recipe.seed, usable=usable)
    scale = _train(heads, drawer, photos, sentences, (mean, deviation), recipe=recipe)
    heads.eval()
    asked = np.flatnonzero(photos.asked)
    pictures = np.zeros((len(photos.asked), recipe.dim), np.float16)
    texts = np.zeros((len(sentences), recipe.dim), np.float16)
    with torch.inference_mode():
        for rows in np.array_split(asked, max(1, len(asked) // 4096)):
            standard = (photos.features_of(rows) - mean) / deviation
            pictures[rows] = heads["picture"](torch.from_numpy(standard)).numpy()
        for numbers in np.array_split(np.arange(len(sentences)), max(1, len(sentences) // 4096)):
            texts[numbers] = heads["text"](_even(sentences[numbers])).numpy()
    return Space(pictures, texts, mean, deviation, scale)


def _train(
    heads: nn.ModuleDict,
    drawer: BatchDrawer,
    photos: Photos,
    sentences: NDArray[np.float16],
    standard: tuple[NDArray[np.float32], NDArray[np.float32]],
    *,
    recipe: SpaceRecipe,
) -> float:
    """Train both heads in place; the learned inverse temperature."""
    log_scale = nn.Parameter(torch.tensor(_FIRST_LOG_SCALE))
    groups = [{"params": list(heads.parameters()), "weight_decay": _WEIGHT_DECAY}]
    optimiser = torch.optim.AdamW([*groups, {"params": [log_scale], "weight_decay": 0.0}], recipe.learning_rate)
    for step in range(recipe.steps):
        fall = 0.5 + 0.5 * math.cos(math.pi * step / recipe.steps)
        rate = recipe.learning_rate * min(1, step / _WARMUP_STEPS) * fall
        for group in optimiser.param_groups:
            group["lr"] = rate
        rows = drawer.draw(recipe.batch)
        numbers, keys = photos.say(rows, drawer.random, recipe.label_share)
        features = torch.from_numpy((photos.features_of(rows) - standard[0]) / standard[1])
        said = torch.from_numpy(sentences[numbers]).float()
        right = right_pairs(torch.from_numpy(keys))
        seen = heads["picture"](functional.dropout(features, _DROP_FEATURE))
        read = heads["text"](functional.dropout(_even(sentences[numbers]), _DROP_SENTENCE))
        loss = contrast(seen, read, log_scale.exp().clamp(max=_LARGEST_SCALE), right, too_alike(said, right, _ALIKE))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return float(log_scale.detach().exp())


def _even(sentences: NDArray[np.float16]) -> Tensor:
    """Sentence vectors scaled to components of about unit size, as the features are."""
    return torch.from_numpy(sentences).float() * math.sqrt(WIDTH)
