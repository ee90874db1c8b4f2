"""Writes an encoder exported from torch (random weights), and torch's own embeddings of given inputs.

`torch_towers.py FOLDER`: reads FOLDER/inputs.npz (`pixels` float32 (n, 3, 64, 64), `tokens` int64 (n, 77)), writes
the ONNX towers as immich exports them (text: one input at a time, int32) and FOLDER/expected.npz (`image`, `text`).
A process of its own: torch never shares one with FAISS.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import numpy as np
import torch
from torch import nn

SIDE, PATCH, WIDTH, HEADS, LAYERS, DIM, VOCABULARY, LENGTH = 64, 16, 64, 4, 3, 32, 49408, 77


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.before, self.between = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.qkv, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.mlp = nn.Sequential(nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH))

    def forward(self, x, mask=None):
        batch, length, _ = x.shape
        q, k, v = self.qkv(self.before(x)).reshape(batch, length, 3, HEADS, -1).permute(2, 0, 3, 1, 4)
        weights = q @ k.transpose(-1, -2) / (WIDTH // HEADS) ** 0.5
        weights = (weights if mask is None else weights + mask).softmax(-1)
        x = x + self.out((weights @ v).transpose(1, 2).reshape(batch, length, WIDTH))
        return x + self.mlp(self.between(x))


class ImageTower(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, WIDTH, PATCH, PATCH)
        self.positions = nn.Parameter(torch.randn(1, (SIDE // PATCH) ** 2, WIDTH))
        self.blocks = nn.ModuleList(Block() for _ in range(LAYERS))
        self.head = nn.Linear(WIDTH, DIM)

    def forward(self, image):
        x = self.patches(image).flatten(2).transpose(1, 2) + self.positions
        for block in self.blocks:
            x = block(x)
        return nn.functional.normalize(self.head(x.mean(1)), dim=-1)


class TextTower(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(VOCABULARY, WIDTH)
        self.positions = nn.Parameter(torch.randn(1, LENGTH, WIDTH))
        self.blocks = nn.ModuleList(Block() for _ in range(LAYERS))
        self.head = nn.Linear(WIDTH, DIM)
        self.register_buffer("mask", torch.full((LENGTH, LENGTH), float("-inf")).triu(1))

    def forward(self, text):
        x = self.words(text) + self.positions
        for block in self.blocks:
            x = block(x, self.mask)
        closing = text.argmax(-1)  # the closing token has the highest number: CLIP's own pooling
        return nn.functional.normalize(self.head(x[torch.arange(len(x)), closing]), dim=-1)


def main(folder: Path) -> None:
    torch.manual_seed(0)
    torch.set_num_threads(1)
    inputs = np.load(folder / "inputs.npz")
    pixels, tokens = torch.from_numpy(inputs["pixels"]), torch.from_numpy(inputs["tokens"])
    image, text = ImageTower().eval(), TextTower().eval()
    with torch.no_grad():
        np.savez(folder / "expected.npz", image=image(pixels).numpy(), text=text(tokens).numpy())
        export(image, pixels[:2], folder / "visual" / "model.onnx", "image", {"image": {0: "batch"}})
        export(text, tokens[:1].int(), folder / "textual" / "model.onnx", "text", None)


def export(tower, example, path, name, dynamic) -> None:
    path.parent.mkdir(exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's exporter announces its successor, which needs more packages
        torch.onnx.export(
            tower, (example,), str(path), input_names=[name], output_names=["embedding"], dynamic_axes=dynamic,
            opset_version=17, dynamo=False,
        )  # fmt: skip


if __name__ == "__main__":
    main(Path(sys.argv[1]))
