"""Trained towers to the folder that the library loads: ONNX graphs, preprocessing, tokeniser, config.

The layout is that of immich's exports, which `encoders` reads. Only the averaged (EMA) weights are written. `check`
says how far the written graphs, run as the library runs them, are from the towers they came from.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from lookalike.encoders.towers import Tower
from lookalike.training.augment import MEAN, STD
from lookalike.training.graphs import image_graph, text_graph

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lookalike.training.towers import ImageTower, TextTower

_DIGEST_LENGTH = 16  # hex digits: enough to tell trainings apart


@dataclass(frozen=True, slots=True)
class Shipping:
    """What the exported encoder says about itself. `side`: pixels the image tower looks at."""

    name: str = "builtin-1"
    version: int = 1
    side: int = 96
    languages: tuple[str, ...] = ("en",)
    licence: str = "Apache-2.0"


def write_encoder(
    folder: Path,
    image: ImageTower,
    text: TextTower,
    tokeniser: str,
    shipping: Shipping,
    *,
    training: Mapping[str, Any],
    half: bool = True,
) -> dict[str, int]:
    """Write the encoder into `folder`; sizes in bytes by file name.

    `tokeniser`: the text of a `tokenizer.json`. `training`: what was trained on what, in numbers; its digest goes
    into the config. `half`: weights stored as float16.
    """
    image.eval()
    text.eval()
    (folder / "visual").mkdir(parents=True, exist_ok=True)
    (folder / "textual").mkdir(parents=True, exist_ok=True)
    (folder / "visual" / "model.onnx").write_bytes(image_graph(image, shipping.side, half=half).SerializeToString())
    (folder / "textual" / "model.onnx").write_bytes(text_graph(text, half=half).SerializeToString())
    (folder / "textual" / "tokenizer.json").write_text(tokeniser, encoding="utf-8")
    _write_json(folder / "visual" / "preprocess_cfg.json", preprocessing(shipping.side))
    _write_json(folder / "config.json", _config(shipping, image, text, training))
    return {str(path.relative_to(folder)): path.stat().st_size for path in sorted(folder.rglob("*.*"))}


def preprocessing(side: int) -> dict[str, Any]:
    """The keys of open_clip's `preprocess_cfg.json`: the whole picture, squashed to a square."""
    return {
        "size": [side, side],
        "mode": "RGB",
        "mean": list(MEAN),
        "std": list(STD),
        "interpolation": "bilinear",  # as soft as what the towers saw in training; bicubic costs a point
        "resize_mode": "squash",
        "fill_color": 0,
    }


def check(folder: Path, image: ImageTower, text: TextTower, side: int, count: int = 16) -> dict[str, float]:
    """Smallest cosine between the towers and the written graphs on drawn inputs: {"image": ..., "text": ...}."""
    draw = torch.Generator().manual_seed(0)
    pixels = torch.randn(count, 3, side, side, generator=draw)
    context, vocabulary = text.positions.shape[0], text.tokens.num_embeddings
    ids = torch.randint(3, vocabulary, (count, context), generator=draw)
    ids[:, context // 2 :] *= torch.arange(count)[:, None] % 2  # every other row is half filling
    with torch.inference_mode():
        wanted = {"image": image(pixels)[0].numpy(), "text": text(ids).numpy()}
    found = {}
    for part, name, given in (("visual", "image", pixels), ("textual", "text", ids)):
        graph = Tower(folder / part / "model.onnx", device="cpu", threads=1, notice=lambda _: None)
        vectors = graph.run(given.numpy())
        found[name] = float(np.sum(vectors * wanted[name], axis=1).min())
    return found


def _config(shipping: Shipping, image: ImageTower, text: TextTower, training: Mapping[str, Any]) -> dict[str, Any]:
    stated = json.dumps(training, sort_keys=True).encode()
    return {
        "name": shipping.name,
        "version": shipping.version,
        "embed_dim": image.project.out_features,
        "languages": list(shipping.languages),
        "licence": shipping.licence,
        "similarity": "cosine",
        "text_cfg": {
            "clean": "none",
            "context_length": text.positions.shape[0],
            "pad_id": 0,
            "vocab_size": text.tokens.num_embeddings,
        },
        "training": dict(training),
        "training_digest": hashlib.sha256(stated).hexdigest()[:_DIGEST_LENGTH],
    }


def _write_json(path: Path, values: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
