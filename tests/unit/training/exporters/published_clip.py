"""CLIP as OpenAI and ruCLIP's makers wrote it, on torch's own attention: what exports are compared with."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import nn


class QuickGELU(nn.Module):
    def forward(self, x):
        return x * torch.sigmoid(1.702 * x)


class Block(nn.Module):
    def __init__(self, width, mask):
        super().__init__()
        self.attn = nn.MultiheadAttention(width, width // 64)
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        layers = [("c_fc", nn.Linear(width, 4 * width)), ("gelu", QuickGELU()), ("c_proj", nn.Linear(4 * width, width))]
        self.mlp = nn.Sequential(OrderedDict(layers))
        self.mask = mask

    def forward(self, x):
        inner = self.ln_1(x)
        x = x + self.attn(inner, inner, inner, need_weights=False, attn_mask=self.mask)[0]
        return x + self.mlp(self.ln_2(x))


class Transformer(nn.Module):
    def __init__(self, width, layers, mask=None):
        super().__init__()
        self.resblocks = nn.Sequential(*[Block(width, mask) for _ in range(layers)])

    def forward(self, x):
        return self.resblocks(x.permute(1, 0, 2)).permute(1, 0, 2)


class Visual(nn.Module):
    def __init__(self, dim, side, patch, width, layers):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, patch, patch, bias=False)
        self.class_embedding = nn.Parameter(torch.randn(width) * 0.1)
        self.positional_embedding = nn.Parameter(torch.randn((side // patch) ** 2 + 1, width) * 0.1)
        self.ln_pre, self.ln_post = nn.LayerNorm(width), nn.LayerNorm(width)
        self.transformer = Transformer(width, layers)
        self.proj = nn.Parameter(torch.randn(width, dim) * width**-0.5)

    def forward(self, x):
        x = self.conv1(x)
        x = x.reshape(x.shape[0], x.shape[1], -1).permute(0, 2, 1)
        first = self.class_embedding + torch.zeros(x.shape[0], 1, x.shape[-1])
        x = self.ln_pre(torch.cat([first, x], dim=1) + self.positional_embedding)
        return self.ln_post(self.transformer(x)[:, 0, :]) @ self.proj


class Clip(nn.Module):
    """`widths`, `layers`: of the image and of the text tower. `closing`: the token whose place is read."""

    def __init__(self, *, dim, side, patch, widths, layers, vocabulary, closing, length=77):
        super().__init__()
        self.closing = closing
        self.visual = Visual(dim, side, patch, widths[0], layers[0])
        self.transformer = Transformer(widths[1], layers[1], torch.full((length, length), float("-inf")).triu_(1))
        self.token_embedding = nn.Embedding(vocabulary, widths[1])
        self.positional_embedding = nn.Parameter(torch.randn(length, widths[1]) * 0.1)
        self.ln_final = nn.LayerNorm(widths[1])
        self.text_projection = nn.Parameter(torch.randn(widths[1], dim) * widths[1] ** -0.5)
        self.logit_scale = nn.Parameter(torch.ones([]))
        for name, parameter in self.named_parameters():  # biases of zero would hide one that is forgotten
            if name.endswith("bias"):
                nn.init.normal_(parameter, std=0.1)

    def encode_image(self, pictures):
        return self.visual(pictures)

    def encode_text(self, ids):
        x = self.ln_final(self.transformer(self.token_embedding(ids) + self.positional_embedding))
        return x[torch.arange(x.shape[0]), torch.where(ids == self.closing)[1]] @ self.text_projection
