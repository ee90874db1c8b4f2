"""A projection trained with proxy losses: each class has a point of its own that its pictures are drawn to.

Losses of pytorch-metric-learning (Musgrave et al. 2020): ProxyAnchor (Kim et al. 2020), ProxyNCA (Movshovitz-Attias
et al. 2017), SoftTriple (Qian et al. 2019), normalised softmax (Zhai and Wu 2019). The encoder is frozen; what is
trained is one linear map of its vectors, and it begins as the projection it is given. After every epoch the caller says
how good the projection is; the best one is returned, the first among them.

Equal arguments give equal projections on one machine. Needs the extra `metric`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from lookalike.core.errors import MissingExtra
from lookalike.encoders.derived import Projection
from lookalike.training.metric import NO_LABEL

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from lookalike.core.arrays import Vectors

Loss = Literal["proxy-anchor", "proxy-nca", "soft-triple", "softmax"]
LOSSES: tuple[Loss, ...] = get_args(Loss)
_CLASSES = {
    "proxy-anchor": "ProxyAnchorLoss",
    "proxy-nca": "ProxyNCALoss",
    "soft-triple": "SoftTripleLoss",
    "softmax": "NormalizedSoftmaxLoss",
}


@dataclass(frozen=True, slots=True)
class ProxySettings:
    """`lr` of the projection, whose entries are about 1 / sqrt(width); `proxy_lr` of the classes' points.

    `epochs` at most; training ends when the caller's figure has not risen for `stop_after` of them. `weight_decay`
    pulls the projection back to where it began.
    """

    loss: Loss = "proxy-anchor"
    epochs: int = 30
    batch: int = 64
    lr: float = 1e-4
    proxy_lr: float = 1e-2
    weight_decay: float = 0.0
    stop_after: int = 5
    seed: int = 0

    def __post_init__(self) -> None:
        if self.loss not in LOSSES:
            raise ValueError(f"there is no loss {self.loss!r}; there are {', '.join(LOSSES)}")


def train_projection(
    vectors: Vectors,
    labels: NDArray[np.int64],
    start: Projection,
    settings: ProxySettings,
    judged: Callable[[Projection], float],
) -> tuple[Projection, tuple[float, ...]]:
    """The best projection, and what `judged` said of `start` and after each epoch.

    `vectors` (n, d) of unit length, `labels` int64 (n,), -1 for none. Raises MissingExtra.
    """
    torch, criterion = _loss(settings, labels, start)
    images, numbers = _labelled(torch, vectors, labels)
    layer = _Layer(torch, start)
    optimiser = torch.optim.Adam(
        [
            {"params": layer.parameters, "lr": settings.lr},
            {"params": list(criterion.parameters()), "lr": settings.proxy_lr},
        ]
    )
    draw = np.random.default_rng(settings.seed)
    best, figures = start, [judged(start)]
    for _ in range(settings.epochs):
        for rows in np.array_split(draw.permutation(len(numbers)), max(1, len(numbers) // settings.batch)):
            taken = torch.from_numpy(rows)
            loss = criterion(layer(images[taken]), numbers[taken]) + settings.weight_decay * layer.distance()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        figure = judged(layer.projection())
        if figure > max(figures):
            best = layer.projection()
        figures.append(figure)
        if len(figures) - 1 - int(np.argmax(figures)) >= settings.stop_after:
            break
    return best, tuple(figures)


class _Layer:
    """vectors @ matrix + bias, of unit length, and how far it has moved."""

    def __init__(self, torch: Any, start: Projection) -> None:
        self._torch = torch
        self._start = torch.from_numpy(start.matrix.copy())
        self._matrix = self._start.clone().requires_grad_()
        bias = np.zeros(start.matrix.shape[1], np.float32) if start.bias is None else start.bias
        self._bias = torch.from_numpy(bias.copy()).requires_grad_()
        self.parameters = [self._matrix, self._bias]

    def __call__(self, vectors: Any) -> Any:
        return self._torch.nn.functional.normalize(vectors @ self._matrix + self._bias, dim=-1)

    def distance(self) -> Any:
        return ((self._matrix - self._start) ** 2).sum()

    def projection(self) -> Projection:
        return Projection(self._matrix.detach().numpy().copy(), self._bias.detach().numpy().copy())


def _loss(settings: ProxySettings, labels: NDArray[np.int64], start: Projection) -> tuple[Any, Any]:
    """torch, and the loss of pytorch-metric-learning with its proxies drawn by the seed."""
    try:
        import torch
        from pytorch_metric_learning import losses
    except ImportError as error:
        raise MissingExtra("training with proxy losses", "metric") from error
    torch.manual_seed(settings.seed)
    classes = len(np.unique(labels[labels != NO_LABEL]))
    return torch, getattr(losses, _CLASSES[settings.loss])(classes, start.matrix.shape[1])


def _labelled(torch: Any, vectors: Vectors, labels: NDArray[np.int64]) -> tuple[Any, Any]:
    """The labelled vectors as a tensor, and the numbers of their classes from 0."""
    rows = np.flatnonzero(labels != NO_LABEL)
    numbers = np.unique(labels[rows], return_inverse=True)[1].reshape(-1)
    return torch.from_numpy(np.ascontiguousarray(vectors[rows], np.float32)), torch.from_numpy(numbers)
