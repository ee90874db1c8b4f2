"""The two transformers of CLIP in torch, as far as running them needs, with the names of OpenAI's published weights.

ruCLIP's weights have these names; those that transformers write are renamed by `renamed`. Sizes are read off the
weights, so that there is nothing in a configuration to get wrong but what weights cannot say. The method: Radford et
al., arXiv 2103.00020; layout as in openai/CLIP `clip/model.py` and ai-forever/ru-clip `ruclip/model.py`.
"""

# torch is not followed by the type checker, so its Module is Any
# mypy: disallow-subclassing-any=False

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from lookalike.core.errors import EncoderBroken
from lookalike.training.exporters.weights import brief

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_HEAD = 64  # components an attention head of CLIP has, in all its sizes
_QUICK = 1.702


def quick_gelu(values: Tensor) -> Tensor:
    """OpenAI's approximation of GELU."""
    return values * torch.sigmoid(_QUICK * values)


@dataclass(frozen=True, slots=True)
class Details:
    """What the weights do not say.

    `closing`: the id of the token whose place gives a text's vector, the first of it. `quick`: activations are
    `quick_gelu` rather than GELU. `heads`: attention heads of the image and of the text tower, by width unless given.
    """

    closing: int
    quick: bool = True
    heads: tuple[int | None, int | None] = (None, None)
    epsilon: float = 1e-5


class Block(nn.Module):
    """Attention and two linear layers, each on normalised values and added to what came in: (n, length, width)."""

    def __init__(self, width: int, heads: int, details: Details, hidden: int) -> None:
        super().__init__()
        self.attn = Attention(width, heads)
        self.ln_1 = nn.LayerNorm(width, details.epsilon)
        self.mlp = nn.ModuleDict({"c_fc": nn.Linear(width, hidden), "c_proj": nn.Linear(hidden, width)})
        self.ln_2 = nn.LayerNorm(width, details.epsilon)
        self.activate: Callable[[Tensor], Tensor] = quick_gelu if details.quick else functional.gelu

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        x = x + self.attn(self.ln_1(x), mask)
        inner: Tensor = self.mlp["c_proj"](self.activate(self.mlp["c_fc"](self.ln_2(x))))
        return x + inner


class Attention(nn.Module):
    """Attention of several heads, with the names of `nn.MultiheadAttention`."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.in_proj_weight = nn.Parameter(torch.empty(3 * width, width))
        self.in_proj_bias = nn.Parameter(torch.empty(3 * width))
        self.out_proj = nn.Linear(width, width)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        _, length, width = x.shape
        parts = functional.linear(x, self.in_proj_weight, self.in_proj_bias)
        query, key, value = parts.reshape(-1, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        scores = query @ key.transpose(-1, -2) * (width // self.heads) ** -0.5
        weights = (scores if mask is None else scores + mask).softmax(-1)
        mixed: Tensor = self.out_proj((weights @ value).transpose(1, 2).reshape(-1, length, width))
        return mixed


class Transformer(nn.Module):
    """Blocks one after the other: (n, length, width) -> the same."""

    def __init__(self, blocks: list[Block]) -> None:
        super().__init__()
        self.resblocks = nn.ModuleList(blocks)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        for block in self.resblocks:
            x = block(x, mask)
        return x


class ImageTower(nn.Module):
    """Pictures float32 (n, 3, side, side), normalised -> (n, dim)."""

    def __init__(self, weights: Mapping[str, Tensor], details: Details) -> None:
        super().__init__()
        width, channels, patch, _ = weights["conv1.weight"].shape
        self.side = round((len(weights["positional_embedding"]) - 1) ** 0.5) * patch
        self.conv1 = nn.Conv2d(channels, width, patch, patch, bias=False)
        self.class_embedding = nn.Parameter(torch.empty(width))
        self.positional_embedding = nn.Parameter(torch.empty(weights["positional_embedding"].shape))
        self.ln_pre = nn.LayerNorm(width, details.epsilon)
        self.transformer = _transformer(weights, width, details.heads[0], details)
        self.ln_post = nn.LayerNorm(width, details.epsilon)
        self.proj = nn.Parameter(torch.empty(weights["proj"].shape))
        self.load_state_dict(dict(weights))

    def forward(self, pictures: Tensor) -> Tensor:
        patches = self.conv1(pictures).flatten(2).transpose(1, 2)
        first = self.class_embedding.expand(patches.shape[0], 1, -1)
        x = self.ln_pre(torch.cat([first, patches], dim=1) + self.positional_embedding)
        seen: Tensor = self.ln_post(self.transformer(x)[:, 0])
        return seen @ self.proj


class TextTower(nn.Module):
    """Token ids int64 (n, length), each row with the closing token -> (n, dim)."""

    def __init__(self, weights: Mapping[str, Tensor], details: Details) -> None:
        super().__init__()
        self.closing = details.closing
        self.length, width = weights["positional_embedding"].shape
        self.token_embedding = nn.Embedding(*weights["token_embedding.weight"].shape)
        self.positional_embedding = nn.Parameter(torch.empty(self.length, width))
        self.transformer = _transformer(weights, width, details.heads[1], details)
        self.ln_final = nn.LayerNorm(width, details.epsilon)
        self.text_projection = nn.Parameter(torch.empty(weights["text_projection"].shape))
        self.register_buffer("mask", torch.full((self.length, self.length), -torch.inf).triu(1), persistent=False)
        self.load_state_dict(dict(weights))

    def forward(self, ids: Tensor) -> Tensor:
        x = self.transformer(self.token_embedding(ids) + self.positional_embedding, self.mask)
        place = (ids == self.closing).int().argmax(-1)
        read: Tensor = self.ln_final(x[torch.arange(ids.shape[0]), place])
        return read @ self.text_projection


def open_towers(weights: Mapping[str, Tensor], details: Details) -> tuple[ImageTower, TextTower]:
    """The towers with `weights`, which are named as OpenAI's CLIP names them. Raises EncoderBroken."""
    seeing = {
        name.removeprefix("visual."): each.float() for name, each in weights.items() if name.startswith("visual.")
    }
    reading = {
        name: each.float()
        for name, each in weights.items()
        if name.startswith(("transformer.", "ln_final.")) or name in _READING
    }
    try:
        return ImageTower(seeing, details).eval(), TextTower(reading, details).eval()
    except (KeyError, RuntimeError, ValueError) as error:
        missing = f"no weights {error}" if isinstance(error, KeyError) else brief(error)
        raise EncoderBroken(f"these are not the weights of a CLIP of transformers: {missing}") from error


_READING = ("token_embedding.weight", "positional_embedding", "text_projection")


def _transformer(weights: Mapping[str, Tensor], width: int, heads: int | None, details: Details) -> Transformer:
    numbers = {int(name.split(".")[2]) for name in weights if name.startswith("transformer.resblocks.")}
    hidden = len(weights["transformer.resblocks.0.mlp.c_fc.weight"])
    return Transformer([Block(width, heads or width // _HEAD, details, hidden) for _ in sorted(numbers)])


def renamed(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights as transformers name them, `CLIPModel.state_dict()`, under OpenAI's names."""
    found = {name: values for name, values in weights.items() if not name.endswith("position_ids")}
    for name in [name for name in found if name.endswith(("q_proj.weight", "q_proj.bias"))]:
        three = [found.pop(name.replace("q_proj", part)) for part in ("q_proj", "k_proj", "v_proj")]
        found[name.replace("q_proj.", "in_proj_")] = torch.cat(three)
    return {_renamed(name): values.T if name in _TURNED else values for name, values in found.items()}


_TURNED = ("visual_projection.weight", "text_projection.weight")
"""Linear layers there, plain matrices here."""

_NAMES = (
    (r"^text_projection\.weight$", "text_projection"),
    (r"^visual_projection\.weight$", "visual.proj"),
    (r"^text_model\.embeddings\.token_embedding", "token_embedding"),
    (r"^text_model\.embeddings\.position_embedding\.weight$", "positional_embedding"),
    (r"^text_model\.final_layer_norm", "ln_final"),
    (r"^vision_model\.embeddings\.class_embedding$", "visual.class_embedding"),
    (r"^vision_model\.embeddings\.patch_embedding", "visual.conv1"),
    (r"^vision_model\.embeddings\.position_embedding\.weight$", "visual.positional_embedding"),
    (r"^vision_model\.pre_layrnorm", "visual.ln_pre"),
    (r"^vision_model\.post_layernorm", "visual.ln_post"),
    (r"^text_model\.encoder\.layers\.", "transformer.resblocks."),
    (r"^vision_model\.encoder\.layers\.", "visual.transformer.resblocks."),
    (r"\.self_attn\.", ".attn."),
    (r"\.layer_norm([12])\.", r".ln_\1."),
    (r"\.mlp\.fc1\.", ".mlp.c_fc."),
    (r"\.mlp\.fc2\.", ".mlp.c_proj."),
)


def _renamed(name: str) -> str:
    for pattern, other in _NAMES:
        name = re.sub(pattern, other, name)
    return name
