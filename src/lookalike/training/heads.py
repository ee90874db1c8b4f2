"""Heads: a linear map on each side of a frozen encoder, trained so that a catalogue's texts find their pictures.

Symmetric InfoNCE as in CLIP (Radford et al. 2021) over cached vectors: each step takes pairs of a picture (one of its
looks, at random) and a text about it; pictures that share a text, and texts of one picture, count as right together.
Each head begins as the identity, so that epoch 0 is the encoder as it was, and weight decay pulls back to it, not to
zero. After every epoch the validation part is asked; the best epoch is kept, the one before the first among them.
How far heads should go differs by much between catalogues, so by default several rates are tried (docs/tuning.md).

Equal arguments give equal heads on one machine. Needs the extra `train` (torch).
"""

# mypy: disallow-subclassing-any=False
# torch is not followed by the type checker, so its Module is Any

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from lookalike.encoders.derived import Projection
from lookalike.training.losses import contrast
from lookalike.training.measuring import by_words, questions_of, spoken
from lookalike.training.splits import TRAIN, VALIDATION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    from lookalike.training.material import Material

CHOSEN_BY = "map@10"
"""The figure of the validation part by which an epoch is chosen."""
RATES = (5e-5, 2e-4, 1e-3)
"""Tried where no rate is set. The smallest is best on Flickr8k, whose photos the built-in encoder knows; the largest,
by a factor of three, on a catalogue of products (docs/benchmarks/heads.md)."""
_SCALES = (5.0, 10.0, 20.0, 40.0, 80.0)
_PAIRS_TO_FIT = 2048


@dataclass(frozen=True, slots=True)
class HeadSettings:
    """What can be set. `lr` 0: each of RATES, and the best is kept. `epochs` at most: the rate is multiplied by
    `factor` when the validation loss has not fallen for `patience` epochs, and training ends when CHOSEN_BY has not
    risen for `stop_after`.

    `strength`: how much of what was learned is applied, up to 1: with less, less of what the base knew is forgotten
    (weights averaged with those before, as Wortsman et al. 2022 do). `max_scale`: the largest inverse temperature.
    `device`: auto, cpu or cuda; on CUDA matrices are multiplied in bfloat16. Raises ValueError for values that cannot
    be.
    """

    epochs: int = 30
    batch: int = 128
    lr: float = 0.0
    weight_decay: float = 0.0
    beta1: float = 0.9
    beta2: float = 0.98
    eps: float = 1e-6
    factor: float = 0.5
    patience: int = 1
    stop_after: int = 4
    strength: float = 0.7
    max_scale: float = 100.0
    device: str = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        least = {"epochs": 1, "batch": 2, "lr": 0, "weight_decay": 0, "patience": 0, "stop_after": 1, "max_scale": 1}
        for name, value in least.items():
            if not getattr(self, name) >= value:
                raise ValueError(f"{name}={getattr(self, name)}: it is at least {value}")
        if not 0 < self.strength <= 1:
            raise ValueError(f"strength={self.strength}: it is above 0 and at most 1")
        if self.device not in {"auto", "cpu", "cuda"}:
            raise ValueError(f"device={self.device}: it is auto, cpu or cuda")


@dataclass(frozen=True, slots=True)
class Epoch:
    """A point of the curve. `loss` of training, None before the first step; the others are of the validation part."""

    epoch: int
    loss: float | None
    validation_loss: float
    cosine: float
    found: float
    rate: float
    scale: float


@dataclass(frozen=True, slots=True)
class Heads:
    """What was learned: the projections of the epoch that was `best`, and the curve of that training.

    `tried`: for each rate the best CHOSEN_BY that it came to.
    """

    image: Projection
    text: Projection
    curve: tuple[Epoch, ...]
    best: int
    tried: Mapping[float, float]

    @property
    def found(self) -> float:
        return self.curve[self.best].found


def train_heads(
    material: Material, settings: HeadSettings, told: Callable[[float, Heads], None] = lambda *_: None
) -> Heads:
    """Train heads on the TRAIN part; the rate and the epoch are chosen on the VALIDATION part.

    `told` is called with each rate and what it came to.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # such small matrices on several threads only make threads wait for one another
    found: dict[float, Heads] = {}
    try:
        for rate in [settings.lr] if settings.lr else RATES:
            found[rate] = _Training(material, replace(settings, lr=rate)).run()
            told(rate, found[rate])
    finally:
        torch.set_num_threads(threads)
    best = max(found.values(), key=lambda heads: heads.found)
    return replace(best, tried={rate: heads.found for rate, heads in found.items()})


class _Head(nn.Module):
    """vectors + vectors @ change + bias, of unit length."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.change = nn.Parameter(torch.zeros(dim, dim))
        self.bias = nn.Parameter(torch.zeros(dim))

    def forward(self, vectors: Tensor) -> Tensor:
        return functional.normalize((vectors + vectors @ self.change + self.bias).float(), dim=-1)

    def projection(self, strength: float) -> Projection:
        change, bias = (strength * each.detach().cpu().numpy() for each in (self.change, self.bias))
        return Projection(np.eye(len(change), dtype=np.float32) + change, bias)


class _Training:
    """The state of one training."""

    def __init__(self, material: Material, settings: HeadSettings) -> None:
        self.material, self.settings = material, settings
        asked = settings.device
        self.device = torch.device(("cuda" if torch.cuda.is_available() else "cpu") if asked == "auto" else asked)
        self.draw = np.random.default_rng(settings.seed)
        torch.manual_seed(settings.seed)
        numbers: dict[str, int] = {}
        self.meaning = np.array(
            [numbers.setdefault(spoken(saying), len(numbers)) for saying in material.sayings], dtype=np.int64
        )
        dim = material.texts.shape[1]
        self.heads = nn.ModuleDict({"image": _Head(dim), "text": _Head(dim)}).to(self.device)
        self.log_scale = nn.Parameter(torch.tensor(math.log(_SCALES[0]), device=self.device))
        self.images = torch.from_numpy(material.images.astype(np.float32)).to(self.device)
        self.texts = torch.from_numpy(material.texts).to(self.device)
        self.questions = questions_of(material, VALIDATION)
        self.validation = self.draw.permutation(material.pairs(VALIDATION))
        self.optimiser = torch.optim.Adam(
            [
                {"params": list(self.heads.parameters()), "weight_decay": settings.weight_decay},
                {"params": [self.log_scale]},
            ],
            settings.lr,
            betas=(settings.beta1, settings.beta2),
            eps=settings.eps,
        )

    def run(self) -> Heads:
        settings = self.settings
        self._fit_scale()
        plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(
            self.optimiser, factor=settings.factor, patience=settings.patience
        )
        curve = [self._judged(0, None)]
        best, kept = 0, copy.deepcopy(self.heads.state_dict())
        for number in range(1, settings.epochs + 1):
            losses = [self._learn(rows) for rows in self._batches(self.material.pairs(TRAIN), shuffled=True)]
            curve.append(self._judged(number, float(np.mean(losses))))
            plateau.step(curve[-1].validation_loss)
            if curve[-1].found > curve[best].found:
                best, kept = number, copy.deepcopy(self.heads.state_dict())
            elif number - best >= settings.stop_after:
                break
        self.heads.load_state_dict(kept)
        image, text = (self.heads[side].projection(settings.strength) for side in ("image", "text"))
        return Heads(image, text, tuple(curve), best, {})

    def _fit_scale(self) -> None:
        """Begin at the temperature at which the encoder as it is fits best."""
        pairs = self.material.pairs(TRAIN)
        some = self.draw.permutation(pairs)[:_PAIRS_TO_FIT]

        def loss(scale: float) -> float:
            self.log_scale.data.fill_(math.log(scale))
            return self._mean_loss(some)

        best = min((each for each in _SCALES if each <= self.settings.max_scale), key=loss)
        self.log_scale.data.fill_(math.log(best))

    def _batches(self, pairs: NDArray[np.int64], *, shuffled: bool) -> Iterator[NDArray[np.int64]]:
        order = self.draw.permutation(pairs) if shuffled else pairs
        for start in range(0, len(order), self.settings.batch):
            yield order[start : start + self.settings.batch]

    def _loss(self, rows: NDArray[np.int64], looks: NDArray[np.int64]) -> Tensor:
        pictures = self.material.text_of[rows]
        meaning = self.meaning[rows]
        alike = (pictures[:, None] == pictures) | (meaning[:, None] == meaning)
        right = torch.from_numpy(alike.astype(np.float32)).to(self.device)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
            seen = self.heads["image"](self.images[torch.from_numpy(pictures), torch.from_numpy(looks)])
            said = self.heads["text"](self.texts[torch.from_numpy(rows)])
        scale = self.log_scale.exp().clamp(max=self.settings.max_scale)
        return contrast(seen, said, scale, right, torch.zeros_like(right, dtype=torch.bool))

    def _learn(self, rows: NDArray[np.int64]) -> float:
        loss = self._loss(rows, self.draw.integers(self.images.shape[1], size=len(rows)))
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        return float(loss.detach())

    def _mean_loss(self, pairs: NDArray[np.int64]) -> float:
        """Over whole pictures, in batches of the same size as in training."""
        with torch.inference_mode():
            losses = [float(self._loss(rows, np.zeros_like(rows))) for rows in self._batches(pairs, shuffled=False)]
        return float(np.mean(losses))

    def _judged(self, number: int, loss: float | None) -> Epoch:
        with torch.inference_mode():
            images = self.heads["image"](self.images[:, 0]).cpu().numpy()
            texts = self.heads["text"](self.texts).cpu().numpy()
        values = by_words(self.questions, images, texts).values
        return Epoch(
            number,
            loss,
            self._mean_loss(self.validation),
            float(values["cosine_right"].mean()),
            float(values[CHOSEN_BY].mean()),
            self.optimiser.param_groups[0]["lr"],
            float(self.log_scale.detach().exp().clamp(max=self.settings.max_scale)),
        )
