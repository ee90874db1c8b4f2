"""The two towers of the built-in encoder: pictures and words to unit vectors of one space.

The image tower is a plain residual net of dense 3x3 convolutions: on a CPU without matrix units these train and run
faster, per unit of quality, than inverted bottlenecks with depthwise convolutions. Every convolution is followed by a
batch norm that `export` folds away. The text tower is a small pre-norm transformer over sub-words, pooled by the mean.
Both are sized by `TowerSizes`, so that a test can build them tiny. Export reads these modules by their attribute names.
"""

# mypy: disallow-subclassing-any=False
# torch is not followed by the type checker, so its Module is Any

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

_RESIDUAL_SCALE = 0.3  # start of the last batch norm in a block: near identity, which lets deep nets start fast


@dataclass(frozen=True, slots=True)
class TowerSizes:
    """All widths and depths. `dim` is the embedding's, `top` the pooled feature's before the embedding."""

    dim: int = 256
    widths: tuple[int, ...] = (32, 64, 160, 320)
    blocks: tuple[int, ...] = (1, 2, 3, 2)
    top: int = 768
    vocabulary: int = 8192
    text_width: int = 256
    text_layers: int = 2
    text_heads: int = 4
    context: int = 32


class ConvNorm(nn.Sequential):
    """A convolution without bias and its batch norm: the unit that folds into one biased convolution."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1) -> None:
        convolution = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
        super().__init__(convolution, nn.BatchNorm2d(outputs))


class ConvBlock(nn.Module):
    """Two dense 3x3 convolutions beside a shortcut; a stride of 2 averages the shortcut first."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.first = ConvNorm(inputs, outputs, 3, stride)
        self.second = ConvNorm(outputs, outputs, 3)
        self.shortcut = ConvNorm(inputs, outputs, 1) if inputs != outputs or stride > 1 else None
        self.stride = stride
        nn.init.constant_(self.second[1].weight, _RESIDUAL_SCALE)

    def forward(self, maps: Tensor) -> Tensor:
        change = self.second(functional.relu(self.first(maps)))
        if self.shortcut is not None:
            maps = self.shortcut(functional.avg_pool2d(maps, 2, ceil_mode=True) if self.stride > 1 else maps)
        return functional.relu(maps + change)


class ImageTower(nn.Module):
    """float32 (n, 3, height, width), normalised pixels -> unit vectors (n, dim). Any size from 32 px up."""

    def __init__(self, sizes: TowerSizes) -> None:
        super().__init__()
        width = sizes.widths[0]
        self.stem = nn.ModuleList([ConvNorm(3, width, 3, 2), ConvNorm(width, width, 3, 2)])
        blocks: list[ConvBlock] = []
        for stage, (outputs, count) in enumerate(zip(sizes.widths, sizes.blocks, strict=True)):
            for position in range(count):
                blocks.append(ConvBlock(width, outputs, 2 if position == 0 and stage > 0 else 1))
                width = outputs
        self.blocks = nn.Sequential(*blocks)
        self.top = ConvNorm(width, sizes.top, 1)
        self.project = nn.Linear(sizes.top, sizes.dim)

    def pooled(self, pixels: Tensor) -> Tensor:
        """The feature before the embedding, (n, top)."""
        for layer in self.stem:
            pixels = functional.relu(layer(pixels))
        features: Tensor = functional.relu(self.top(self.blocks(pixels))).mean((2, 3))
        return features

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Unit vectors (n, dim) and the pooled feature (n, top)."""
        pooled = self.pooled(pixels)
        return functional.normalize(self.project(pooled), dim=-1), pooled


class TextBlock(nn.Module):
    """Self-attention and a two-layer perceptron, each after a layer norm."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm_attention = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.norm_mlp = nn.LayerNorm(width)
        self.widen = nn.Linear(width, 4 * width)
        self.narrow = nn.Linear(4 * width, width)

    def forward(self, tokens: Tensor, present: Tensor) -> Tensor:
        count, length, width = tokens.shape
        parts = self.qkv(self.norm_attention(tokens)).view(count, length, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=present)
        tokens = tokens + self.out(mixed.transpose(1, 2).reshape(count, length, width))
        changed: Tensor = tokens + self.narrow(functional.gelu(self.widen(self.norm_mlp(tokens))))
        return changed


class TextTower(nn.Module):
    """int64 token ids (n, length <= context), 0 = filling -> unit vectors (n, dim)."""

    def __init__(self, sizes: TowerSizes) -> None:
        super().__init__()
        self.tokens = nn.Embedding(sizes.vocabulary, sizes.text_width)
        self.positions = nn.Parameter(torch.randn(sizes.context, sizes.text_width) * 0.02)
        nn.init.normal_(self.tokens.weight, std=0.04)
        self.blocks = nn.ModuleList(TextBlock(sizes.text_width, sizes.text_heads) for _ in range(sizes.text_layers))
        self.norm = nn.LayerNorm(sizes.text_width)
        self.project = nn.Linear(sizes.text_width, sizes.dim, bias=False)

    def forward(self, ids: Tensor) -> Tensor:
        present = ids.ne(0)
        tokens = self.tokens(ids) + self.positions[: ids.shape[1]]
        for block in self.blocks:
            tokens = block(tokens, present[:, None, None, :])
        weight = present[..., None].to(tokens.dtype)
        mean = (self.norm(tokens) * weight).sum(1) / weight.sum(1).clamp(min=1)
        return functional.normalize(self.project(mean), dim=-1)
