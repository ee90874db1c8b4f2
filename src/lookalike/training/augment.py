"""Packed pictures to training batches: one affine crop and flip per picture, light and colour changes, normalisation.

Everything is done on the whole batch, on the device the batch is on. Crops are mild on purpose: the teacher's targets
were computed once, on the whole picture, and must stay true for the crop.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

MEAN = (0.485, 0.456, 0.406)  # of ImageNet's photos, in units of the [0, 1] picture
STD = (0.229, 0.224, 0.225)
_HALVED = 2  # a picture this many times as wide as its crop is halved first: sampling alone would skip pixels
_MIDDLE = 110.0  # grey value around which contrast turns: near the mean of photos


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How far a training picture may go from the packed one. `smallest_area`: share of the picture a crop keeps."""

    smallest_area: float = 0.5
    log_aspect: float = 0.22
    contrast: tuple[float, float] = (0.75, 1.3)
    brightness: float = 25.0
    grey: float = 0.08


def normalise(pixels: Tensor) -> Tensor:
    """uint8 or float (n, 3, h, w) in 0-255 -> float32, channels last in memory."""
    mean = torch.tensor(MEAN, device=pixels.device)[:, None, None] * 255
    std = torch.tensor(STD, device=pixels.device)[:, None, None] * 255
    return ((pixels.float() - mean) / std).contiguous(memory_format=torch.channels_last)


def resize(pixels: Tensor, side: int) -> Tensor:
    """Float (n, 3, side, side), the whole picture, filtered against aliasing."""
    pixels = pixels.float()
    if pixels.shape[-1] == side:
        return pixels
    return functional.interpolate(pixels, size=(side, side), mode="bilinear", antialias=True, align_corners=False)


def augment(pixels: Tensor, side: int, rules: Augmentation) -> Tensor:
    """uint8 (n, 3, h, w) -> float32 (n, 3, side, side), normalised. Random by torch's global generator."""
    maps = pixels.float()
    if maps.shape[-1] >= _HALVED * side:
        maps = functional.avg_pool2d(maps, 2)
    grid = functional.affine_grid(_placements(len(maps), rules, maps.device), [len(maps), 3, side, side], False)
    maps = functional.grid_sample(maps, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
    shape, device = (len(maps), 1, 1, 1), maps.device
    contrast = torch.empty(shape, device=device).uniform_(*rules.contrast)
    shift = torch.empty(shape, device=device).uniform_(-rules.brightness, rules.brightness)
    maps = (maps - _MIDDLE) * contrast + _MIDDLE + shift
    grey = (torch.rand(shape, device=device) < rules.grey).float()
    return normalise(maps * (1 - grey) + maps.mean(1, keepdim=True) * grey)


def _placements(count: int, rules: Augmentation, device: torch.device) -> Tensor:
    """(count, 2, 3): which part of the picture each sample shows, and whether mirrored."""
    side = torch.empty(count, device=device).uniform_(rules.smallest_area, 1).sqrt()
    aspect = torch.empty(count, device=device).uniform_(-rules.log_aspect, rules.log_aspect).exp()
    width, height = (side * aspect).clamp(max=1), (side / aspect).clamp(max=1)
    mirror = torch.rand(count, device=device).lt(0.5).float() * -2 + 1
    placements = torch.zeros(count, 2, 3, device=device)
    placements[:, 0, 0] = width * mirror
    placements[:, 1, 1] = height
    placements[:, 0, 2] = (torch.rand(count, device=device) * 2 - 1) * (1 - width)
    placements[:, 1, 2] = (torch.rand(count, device=device) * 2 - 1) * (1 - height)
    return placements
