"""The image tower alone, against the fixed shared space.

The parts of the loss of a batch of photos (weights: `recipes.ImageLosses`); texts stand at their places in the space:

    contrast   pictures against the texts of the batch and a bank of captions
    picture    picture vector towards the photo's vector in the shared space
    feature    a linear map of the pooled feature towards the picture teacher's feature
    spread     how the picture vector spreads over captions and concepts, as the photo's target does
    concept    a labelled photo's concept among all concepts

Photos without words take part in what their teacher said of them. The tower runs in float32 on a CPU, in bfloat16 on
CUDA with float32 weights; losses are float32 everywhere.
"""

# mypy: disallow-subclassing-any=False
# torch is not followed by the type checker, so its Module is Any

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from lookalike.training.augment import augment, normalise, resize
from lookalike.training.losses import (
    away,
    banked_contrast,
    concept_loss,
    masked_mean,
    right_pairs,
    spread_difference,
    too_alike,
)
from lookalike.training.photos import BatchDrawer
from lookalike.training.picture_teacher import FEATURE_DIM
from lookalike.training.towers import ImageTower

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lookalike.core.arrays import Vectors
    from lookalike.training.photos import Photos
    from lookalike.training.recipes import ImageRecipe, Stage
    from lookalike.training.shared_space import Space
    from lookalike.training.towers import TowerSizes

_FIRST_PROJECTION = 0.02  # deviation of a projection's first weights where it starts anew
_PHOTOS_AT_ONCE = 128


@dataclass(frozen=True, slots=True)
class PhotoMaterial:
    """What the image tower learns from. `sentences` float16 (texts, 384)."""

    photos: Photos
    space: Space
    sentences: NDArray[np.float16]


@dataclass(frozen=True, slots=True)
class PhotoBatch:
    """`photos`, their `pictures` float32 (n, 3, side, side), the `numbers` of their texts or -1, and keys (`say`)."""

    photos: NDArray[np.int64]
    pictures: Tensor
    numbers: NDArray[np.int64]
    keys: NDArray[np.int64]


class ImageLearner(nn.Module):
    """The tower with what only training needs: the map to the teacher's feature, and the inverse temperature."""

    def __init__(self, sizes: TowerSizes, first_scale: float) -> None:
        super().__init__()
        self.image = ImageTower(sizes)
        self.to_feature = nn.Linear(sizes.top, FEATURE_DIM)
        self.log_scale = nn.Parameter(torch.tensor(math.log(first_scale)))


class ImagePhase:
    """The phase `image` (`loop.Phase`).

    `start`: the learner's state of another run of the same sizes, to go on from. Its projection is not taken: it led to
    that run's own space. `compiled`: let torch compile the tower, which needs a C++ compiler and pays after minutes.
    """

    tower = "image"

    def __init__(
        self,
        recipe: ImageRecipe,
        sizes: TowerSizes,
        material: PhotoMaterial,
        *,
        device: str = "cpu",
        start: dict[str, Tensor] | None = None,
        compiled: bool = False,
    ) -> None:
        torch.manual_seed(recipe.schedule.seed)
        self.recipe, self.schedule, self.material = recipe, recipe.schedule, material
        self.device = torch.device(device)
        self.learner = ImageLearner(sizes, recipe.first_scale)
        if start is not None:
            _take_over(self.learner, start)
        self.learner.to(self.device, memory_format=torch.channels_last)
        self._see = torch.compile(self.learner.image, dynamic=False) if compiled else self.learner.image
        space, photos = material.space, material.photos
        self._texts = functional.normalize(torch.from_numpy(space.texts).to(self.device).float(), dim=-1)
        self._pictures = torch.from_numpy(space.pictures).to(self.device)
        concepts = [self._texts[numbers].mean(0) for numbers in photos.texts_of]
        self._concepts = functional.normalize(torch.stack(concepts), dim=-1)
        self._captions = photos.caption_numbers

    def begin(self, seed: int) -> None:
        self.drawer = BatchDrawer(self.material.photos, seed)
        self._random = np.random.default_rng(seed + 1)  # of the banks, which are drawn in another thread than batches
        torch.manual_seed(seed)

    def draw(self, progress: float) -> PhotoBatch:
        recipe, photos = self.recipe, self.material.photos
        rows = self.drawer.draw(recipe.schedule.batch)
        numbers, keys = photos.say(rows, self.drawer.random, recipe.label_share)
        return PhotoBatch(rows, self._cropped(rows, recipe.stage(progress)), numbers, keys)

    def parts(self, batch: PhotoBatch) -> dict[str, tuple[float, Tensor]]:
        material, recipe, device = self.material, self.recipe, self.device
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            vectors, pooled = self._see(batch.pictures)
            told = self.learner.to_feature(pooled)
        vectors, told = vectors.float(), told.float()
        asked = torch.from_numpy(material.photos.asked[batch.photos]).to(device)
        targets = functional.normalize(self._pictures[batch.photos].float(), dim=-1)
        standard = (material.photos.features_of(batch.photos) - material.space.mean) / material.space.deviation
        feature = torch.from_numpy(standard).to(device)
        labels = torch.from_numpy(material.photos.concepts[batch.photos]).to(device)
        drawn = self._random.choice(self._captions, min(recipe.bank, len(self._captions)))
        bank = torch.cat([self._concepts, self._texts[drawn[: recipe.spread_bank]]])
        wide, losses = material.space.scale, recipe.losses
        return {
            "contrast": (losses.contrast, self._contrast(vectors, batch, drawn)),
            "picture": (losses.picture, masked_mean(away(vectors, targets), asked)),
            "feature": (losses.feature, masked_mean(away(told, feature), asked)),
            "spread": (losses.spread, masked_mean(spread_difference(vectors, targets, bank, wide), asked)),
            "concept": (losses.concept, concept_loss(vectors, labels, self._concepts, wide, recipe.smoothing)),
        }

    def _contrast(self, vectors: Tensor, batch: PhotoBatch, drawn: NDArray[np.int64]) -> Tensor:
        """Each picture against the texts of all and a bank of captions, each text against all pictures."""
        sentences, device = self.material.sentences, self.device
        numbers = np.maximum(batch.numbers, 0)
        said = torch.from_numpy(sentences[numbers]).to(device).float()
        banked = torch.from_numpy(sentences[drawn]).to(device).float()
        right = right_pairs(torch.from_numpy(batch.keys).to(device))
        return banked_contrast(
            vectors,
            self._texts[numbers],
            self._texts[drawn],
            self.learner.log_scale.exp().clamp(max=self.recipe.largest_scale),
            right=right,
            worded=torch.from_numpy(batch.numbers >= 0).to(device),
            alike=too_alike(said, right, self.recipe.alike),
            bank_alike=said @ banked.T > self.recipe.alike,
        )

    def _cropped(self, rows: NDArray[np.int64], stage: Stage) -> Tensor:
        rules = replace(self.recipe.augmentation, smallest_area=stage.smallest_area)
        pictures = torch.empty(len(rows), 3, stage.side, stage.side, device=self.device)
        pictures = pictures.contiguous(memory_format=torch.channels_last)
        for positions, packed in self.material.photos.pixels(rows):
            maps = torch.from_numpy(packed).to(self.device).permute(0, 3, 1, 2)
            pictures[torch.from_numpy(positions).to(self.device)] = augment(maps, stage.side, rules)
        return pictures


def see(tower: ImageTower, photos: Photos, chosen: NDArray[np.int64], side: int, device: str = "cpu") -> Vectors:
    """What a finished tower makes of whole photos: float32 (n, dim), in the order of `chosen`."""
    tower = tower.to(torch.device(device)).eval()
    vectors = np.empty((len(chosen), tower.project.out_features), np.float32)
    for start in range(0, len(chosen), _PHOTOS_AT_ONCE):
        for positions, packed in photos.pixels(chosen[start : start + _PHOTOS_AT_ONCE]):
            maps = torch.from_numpy(packed).to(torch.device(device)).permute(0, 3, 1, 2)
            with torch.inference_mode():
                vectors[start + positions] = tower(normalise(resize(maps, side)))[0].cpu().numpy()
    return vectors


def _take_over(learner: ImageLearner, start: dict[str, Any]) -> None:
    """Go on from another learner's state; the projection starts anew."""
    kept = learner.state_dict()
    kept |= {name: value for name, value in start.items() if name in kept and name != "log_scale"}
    learner.load_state_dict(kept)
    nn.init.normal_(learner.image.project.weight, std=_FIRST_PROJECTION)
    nn.init.zeros_(learner.image.project.bias)
