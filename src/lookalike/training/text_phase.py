"""The text tower alone, in all languages, against the fixed shared space and against vectors of pictures.

It begins without its blocks, as a bag of sub-words (phase `bag`): most of what single words mean is learned so in
minutes, 20 times as fast. The blocks come in near identity after that.

The parts of the loss of a batch of texts (weights: `recipes.TextLosses`):

    sentence   text vector towards the text's place in the shared space, which is that of its English
    spread     how the text vector spreads over a bank of pictures, as its target does
    meaning    each text finds its own meaning among those of the batch
    photo      a caption finds its photo among those of the batch and the bank

Pictures are the picture teacher's places in the space (phases `bag` and `text`), or what the finished image tower makes
of the photos (phase `match`). The language of a text is not told to the tower.
"""

# mypy: disallow-subclassing-any=False
# torch is not followed by the type checker, so its Module is Any

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from lookalike.training.losses import away, own_meaning, own_photo, spread_difference
from lookalike.training.towers import TextTower

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lookalike.core.arrays import Vectors
    from lookalike.training.recipes import TextRecipe
    from lookalike.training.text_material import TextMaterial
    from lookalike.training.towers import TowerSizes

_NEAR_IDENTITY = 0.1  # of the first weights of what a block adds, where it joins a tower that has learned already
_LENGTHS = 4  # groups of texts of like length that pass the tower apart: filling would cost half its time


class TextLearner(nn.Module):
    """The tower and the inverse temperature."""

    def __init__(self, sizes: TowerSizes, first_scale: float) -> None:
        super().__init__()
        self.text = TextTower(sizes)
        self.log_scale = nn.Parameter(torch.tensor(math.log(first_scale)))


class TextPhase:
    """The phases `bag`, `text` and `match` (`loop.Phase`).

    `pictures`: unit vectors float32 (m, dim), and the number of each one's photo. `start`: the state of a tower to go
    on from, with or without its blocks.
    """

    tower = "text"

    def __init__(
        self,
        recipe: TextRecipe,
        sizes: TowerSizes,
        material: TextMaterial,
        pictures: tuple[Vectors, NDArray[np.int64]],
        *,
        device: str = "cpu",
        start: dict[str, Tensor] | None = None,
    ) -> None:
        torch.manual_seed(recipe.schedule.seed)
        self.recipe, self.schedule, self.material = recipe, recipe.schedule, material
        self.device = torch.device(device)
        self.learner = TextLearner(sizes, recipe.first_scale)
        if start is not None:
            _take_over(self.learner.text, start)
        self.learner.to(self.device)
        self._pictures = functional.normalize(torch.from_numpy(pictures[0]).to(self.device), dim=-1)
        self._picture_of = _places(material.photos, pictures[1])
        self._groups = [material.groups[name] for name in recipe.shares if name in material.groups]
        shares = np.array([share for name, share in recipe.shares.items() if name in material.groups])
        self._shares = shares / shares.sum()

    def begin(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self._bank_random = np.random.default_rng(seed + 1)  # drawn in another thread than the texts
        torch.manual_seed(seed)

    def draw(self, progress: float) -> NDArray[np.int64]:  # noqa: ARG002  texts have no stages
        """Numbers of texts: each group by its share."""
        counts = self._random.multinomial(self.schedule.batch, self._shares)
        return np.concatenate(
            [self._random.choice(group, count) for group, count in zip(self._groups, counts, strict=True)]
        )

    def parts(self, batch: NDArray[np.int64]) -> dict[str, tuple[float, Tensor]]:
        recipe, losses = self.recipe, self.recipe.losses
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
            vectors = self._read(batch)
        vectors = vectors.float()
        targets = torch.from_numpy(self.material.targets[batch]).to(self.device).float()
        bank = self._pictures[self._bank_random.integers(len(self._pictures), size=recipe.bank)]
        scale = self.learner.log_scale.exp().clamp(max=recipe.largest_scale)
        meaning = own_meaning(vectors, targets, scale, recipe.same, recipe.alike)
        parts = {
            "sentence": (losses.sentence, away(vectors, targets).mean()),
            "spread": (losses.spread, spread_difference(vectors, targets, bank, recipe.spread_scale).mean()),
            "meaning": (losses.meaning, meaning),
        }
        if losses.photo:
            parts["photo"] = (losses.photo, self._photo(batch, vectors, targets, bank))
        return parts

    def _photo(self, batch: NDArray[np.int64], vectors: Tensor, targets: Tensor, bank: Tensor) -> Tensor:
        """0 where no text of the batch has a photo."""
        seen = self._picture_of[batch]
        with_photo = torch.from_numpy(np.flatnonzero(seen >= 0)).to(self.device)
        if not len(with_photo):
            return vectors.new_zeros(())
        own = torch.from_numpy(seen[seen >= 0]).to(self.device)
        nearness = targets[with_photo] @ targets[with_photo].T
        ignored = (nearness > self.recipe.alike) | (own[:, None] == own[None])
        scale = self.learner.log_scale.exp().clamp(max=self.recipe.largest_scale)
        return own_photo(vectors[with_photo], self._pictures[own], bank, scale, ignored)

    def _read(self, batch: NDArray[np.int64]) -> Tensor:
        """Vectors of texts, in order; texts of like length pass the tower together."""
        tokens = self.material.tokens[batch]
        lengths = (tokens != 0).sum(1)
        order = np.argsort(lengths, kind="stable")
        vectors = []
        for group in np.array_split(order, _LENGTHS):
            if len(group):
                ids = torch.from_numpy(tokens[group, : lengths[group].max()].astype(np.int64))
                vectors.append(self.learner.text(ids.to(self.device)))
        return torch.cat(vectors)[torch.from_numpy(np.argsort(order)).to(self.device)]


def _take_over(tower: TextTower, start: dict[str, Tensor]) -> None:
    """Go on from another tower's state; blocks that it lacks begin near identity."""
    if not any(name.startswith("blocks.") for name in start):
        with torch.no_grad():
            for layer in (layer for block in tower.blocks for layer in (block.out, block.narrow)):
                layer.weight.mul_(_NEAR_IDENTITY)
                layer.bias.zero_()
    tower.load_state_dict(tower.state_dict() | start)


def _places(photos: NDArray[np.int64], pictured: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each text its photo's row among the pictures (`pictured`: their photos), or -1."""
    rows = np.full(max(photos.max(initial=0), pictured.max(initial=0)) + 2, -1, np.int64)  # the last is that of -1
    rows[pictured] = np.arange(len(pictured))
    return rows[photos]
