"""A network for pictures taught to tell the classes of labelled photos apart; its feature is then an encoder's.

The first parts of the network may be frozen: they keep what they had learned elsewhere, and cost little. Photos are
cropped, mirrored and changed in light as they are drawn.

The learning rate rises, stays, and falls linearly to zero at the end (a trapezoid: Hägele et al., arXiv 2405.18392);
until the fall begins pictures may be smaller, which costs a fraction. The weights of the epoch that tells the
validation photos apart best are kept. A checkpoint is written every few minutes; a run that is started again ends
with the weights that it would have had without the stop. It may be given another number of epochs then: only the fall
moves.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from lookalike.training.augment import Augmentation, augment, normalise, resize
from lookalike.training.splits import TRAIN, VALIDATION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from lookalike.core.arrays import Pixels
    from lookalike.training.labelled_pixels import LabelledPixels

CHECKPOINT, LOG = "classifier.pt", "classifier.jsonl"
_SAVE_EVERY_S = 120.0
_WARM_SHARE = 0.05  # of all steps, while the learning rate rises
_FALL_SHARE = 0.35  # of all steps, while it falls
_SMOOTHING = 0.1  # of the labels
_CLIP_NORM = 1.0
_PICTURES_AT_ONCE = 128  # when nothing is learned


@dataclass(frozen=True, slots=True)
class ClassifierSettings:
    """How a classifier is trained.

    `frozen`: how many of the network's parts, from the stem on, keep the weights they have. `side`: pixels of a picture
    as the encoder will look at it; `early_side`: until the learning rate falls, 0 for the same.
    """

    frozen: int = 0
    side: int = 96
    early_side: int = 0
    epochs: int = 20
    batch: int = 64
    lr: float = 1e-3
    weight_decay: float = 0.05
    smallest_area: float = 0.35
    seed: int = 0


def freeze(network: nn.Module, parts: int) -> None:
    """Let the first `parts` of a network keep their weights: its layers in order, a chain of stages as many as it has.

    Of timm's networks the first is the stem, the second the first stage. Raises ValueError where nothing would be left
    to learn.
    """
    layers: list[nn.Module] = []
    for child in network.children():
        layers += child.children() if isinstance(child, nn.Sequential) and layers else [child]
    layers = [layer for layer in layers if next(layer.parameters(), None) is not None]
    if parts >= len(layers):
        raise ValueError(f"{parts} parts shall be frozen: the network has {len(layers)}, and one must learn")
    for layer in layers[:parts]:
        layer.requires_grad_(requires_grad=False)


class ClassifierRun:
    """A training of `network`, pictures to a score for each class, in `folder`; at its checkpoint if there is one."""

    def __init__(self, network: nn.Module, photos: LabelledPixels, settings: ClassifierSettings, folder: Path) -> None:
        self.photos, self.settings, self.folder = photos, settings, folder
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        freeze(network, settings.frozen)
        self.network = network.to(self.device, memory_format=torch.channels_last)
        self.optimiser = _optimiser(self.network, settings)
        self.rows = photos.rows(TRAIN)
        self.step, self.best, self.best_weights = 0, -1.0, _weights(self.network)
        self.curve: list[dict[str, float]] = []
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / CHECKPOINT).exists():
            self._resume()

    @property
    def steps_per_epoch(self) -> int:
        return max(1, len(self.rows) // self.settings.batch)

    @property
    def steps(self) -> int:
        """Of the whole training."""
        return self.settings.epochs * self.steps_per_epoch

    def train(
        self, told: Callable[[dict[str, float]], None] = lambda _: None, stopped: Callable[[], bool] = lambda: False
    ) -> nn.Module:
        """Train to the end, or until `stopped`; the network with its best weights. `told` gets a line per epoch."""
        saved, losses = time.monotonic(), []
        while self.step < self.steps and not stopped():
            losses.append(self._learn())
            if self.step % self.steps_per_epoch == 0:
                told(self._judge(float(np.mean(losses))))
                losses = []
                self._save()
                saved = time.monotonic()
            elif time.monotonic() - saved > _SAVE_EVERY_S:
                self._save()
                saved = time.monotonic()
        self._save()
        self.network.load_state_dict(self.best_weights)
        return self.network.eval()

    def rate(self) -> float:
        """The learning rate of the next step."""
        done = self.step / self.steps
        rising, falling = (self.step + 1) / (_WARM_SHARE * self.steps), (1 - done) / _FALL_SHARE
        return self.settings.lr * min(1.0, rising, falling)

    def side(self) -> int:
        """Pixels of the next step's pictures."""
        early = self.settings.early_side and self.step < (1 - _FALL_SHARE) * self.steps
        return self.settings.early_side if early else self.settings.side

    def _learn(self) -> float:
        """One step; its loss. What it draws depends on the seed and its number alone, so that it can be repeated."""
        epoch, place = divmod(self.step, self.steps_per_epoch)
        order = np.random.default_rng([self.settings.seed, epoch]).permutation(self.rows)
        rows = np.sort(order[place * self.settings.batch : (place + 1) * self.settings.batch])
        torch.manual_seed(self.settings.seed * 1_000_003 + self.step)
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate()
        _learning(self.network)
        pictures = augment(self._pixels(rows), self.side(), Augmentation(smallest_area=self.settings.smallest_area))
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
            scores = self.network(pictures)
        labels = torch.from_numpy(self.photos.labels[rows]).to(self.device)
        loss = functional.cross_entropy(scores.float(), labels, label_smoothing=_SMOOTHING)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), _CLIP_NORM)
        self.optimiser.step()
        self.step += 1
        return float(loss.detach())

    def _judge(self, loss: float) -> dict[str, float]:
        """Note how well the validation photos are told apart, and keep the weights that do it best."""
        rows = self.photos.rows(VALIDATION)
        said = outputs(self.network, self.photos.pixels, rows, self.settings.side).argmax(1)
        right = float((said == self.photos.labels[rows]).mean()) if len(rows) else 0.0
        if right >= self.best:
            self.best, self.best_weights = right, _weights(self.network)
        line = {"epoch": self.step / self.steps_per_epoch, "loss": round(loss, 4), "right": round(right, 4)}
        self.curve.append(line)
        with (self.folder / LOG).open("a", encoding="utf-8") as log:
            log.write(json.dumps(line | {"at": time.strftime("%H:%M:%S")}) + "\n")
        return line

    def _pixels(self, rows: NDArray[np.int64]) -> Tensor:
        """uint8 (n, 3, side, side) on the device."""
        return _channels_first(self.photos.pixels[rows]).to(self.device)

    def _save(self) -> None:
        """Write the checkpoint: to a second file first, then in one move."""
        state = {
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "best": self.best,
            "best_weights": self.best_weights,
            "curve": self.curve,
        }
        partial = self.folder / f"{CHECKPOINT}.partial"
        torch.save(state, partial)
        os.replace(partial, self.folder / CHECKPOINT)

    def _resume(self) -> None:
        state = torch.load(self.folder / CHECKPOINT, map_location="cpu", weights_only=True)
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.best, self.best_weights = state["step"], state["best"], state["best_weights"]
        self.curve = state["curve"]


def outputs(network: nn.Module, pixels: Pixels, rows: NDArray[np.int64], side: int) -> NDArray[np.float32]:
    """What the network says of some of `pixels` (n, s, s, 3), looked at whole: float32 (len(rows), outputs)."""
    network.eval()
    device = next(network.parameters()).device
    said = [np.zeros((0, 0), np.float32)]
    with torch.no_grad():
        for some in _in_parts(rows):
            pictures = resize(_channels_first(pixels[some]).to(device), side)
            said.append(network(normalise(pictures)).float().cpu().numpy())
    return np.concatenate(said[1:] or said)


def _in_parts(rows: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    for start in range(0, len(rows), _PICTURES_AT_ONCE):
        yield rows[start : start + _PICTURES_AT_ONCE]


def _channels_first(pixels: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)))


def _learning(network: nn.Module) -> None:
    """Training mode, but for what is frozen: a frozen batch norm keeps its statistics too."""
    network.train()
    for module in network.modules():
        own = list(module.parameters(recurse=False))
        if own and not any(parameter.requires_grad for parameter in own):
            module.eval()


def _weights(network: nn.Module) -> dict[str, Tensor]:
    """A copy of all weights, on the CPU."""
    return {name: value.detach().cpu().clone() for name, value in network.state_dict().items()}


def _optimiser(network: nn.Module, settings: ClassifierSettings) -> torch.optim.AdamW:
    """AdamW over what is not frozen; vectors and scalars (norms, biases) are not pulled towards zero."""
    learned = [parameter for parameter in network.parameters() if parameter.requires_grad]
    groups = [
        {"params": [each for each in learned if each.ndim > 1], "weight_decay": settings.weight_decay},
        {"params": [each for each in learned if each.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, settings.lr, fused=True)
