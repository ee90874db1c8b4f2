"""Trained towers to the folder that the library loads: ONNX graphs, preprocessing, tokeniser, config.

The layout is that of immich's exports, which `encoders` reads. Only the averaged (EMA) weights are written. `check`
says how far the written graphs, run as the library runs them, are from the towers they came from. Weights are stored
as float32, float16 or int8; in int8 the image tower also computes in int8 (`quantise`), the text tower, which takes
under a millisecond anyway, does not.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from lookalike.encoders.preprocess import read_preprocessing
from lookalike.encoders.towers import Tower
from lookalike.training.augment import MEAN, STD
from lookalike.training.graphs import Storage, image_graph, text_graph
from lookalike.training.quantise import quantised

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from onnx import ModelProto

    from lookalike.core.arrays import Pixels
    from lookalike.training.towers import ImageTower, TextTower

_DIGEST_LENGTH = 16  # hex digits: enough to tell trainings apart
_BATCH = 32
_CHECKED = 64  # pictures, and rows of drawn tokens
_INT8_TOLERANCE = 5e-3  # between a batch and its singles: none on x86-64, room for processors that round otherwise


@dataclass(frozen=True, slots=True)
class Shipping:
    """What the exported encoder says about itself.

    `side`: pixels the image tower looks at. `widths`: how many of the first components serve alone (`ordering`).
    `mirror`: the library looks at every picture and its mirror image.
    """

    name: str = "builtin-1"
    version: int = 1
    side: int = 96
    languages: tuple[str, ...] = ("en",)
    licence: str = "Apache-2.0"
    widths: tuple[int, ...] = ()
    mirror: bool = False


def write_encoder(
    folder: Path,
    image: ImageTower,
    text: TextTower,
    tokeniser: str,
    shipping: Shipping,
    *,
    training: Mapping[str, Any],
    storage: Storage = "float16",
    calibration: Sequence[Pixels] = (),
) -> dict[str, int]:
    """Write the encoder into `folder`; sizes in bytes by file name.

    `tokeniser`: the text of a `tokenizer.json`. `training`: what was trained on what, in numbers; its digest goes
    into the config. `calibration`: training pictures, of any size, that the maps' steps of an int8 tower are found on.
    Raises ValueError for int8 without them.
    """
    if storage == "int8" and not calibration:
        raise ValueError("an image tower in int8 needs training pictures for its calibration")
    image.eval()
    text.eval()
    (folder / "visual").mkdir(parents=True, exist_ok=True)
    (folder / "textual").mkdir(parents=True, exist_ok=True)
    seeing: ModelProto = image_graph(image, shipping.side, storage)
    if storage == "int8":
        seeing = quantised(seeing, np.concatenate(list(batches_of(calibration, shipping.side))))
    (folder / "visual" / "model.onnx").write_bytes(seeing.SerializeToString())
    (folder / "textual" / "model.onnx").write_bytes(text_graph(text, storage).SerializeToString())
    (folder / "textual" / "tokenizer.json").write_text(tokeniser, encoding="utf-8")
    _write_json(folder / "visual" / "preprocess_cfg.json", preprocessing(shipping.side))
    _write_json(folder / "config.json", _config(shipping, image, text, training, storage))
    return {path.relative_to(folder).as_posix(): path.stat().st_size for path in sorted(folder.rglob("*.*"))}


def batches_of(pictures: Sequence[Pixels], side: int) -> Iterator[NDArray[np.float32]]:
    """The pictures as the exported image tower is fed: float32 (n, 3, side, side) each."""
    rules = read_preprocessing(preprocessing(side), "the export")
    return (rules.batch(pictures[start : start + _BATCH]) for start in range(0, len(pictures), _BATCH))


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


def check(folder: Path, image: ImageTower, text: TextTower, pictures: Sequence[Pixels], side: int) -> dict[str, float]:
    """Smallest cosine between the towers and the written graphs: {"image": ..., "text": ...}.

    `pictures` must be of the kind the towers know: steps of int8 maps are made for those. Tokens are drawn.
    """
    some = pictures[:: -(-len(pictures) // _CHECKED)]
    pixels = torch.from_numpy(np.concatenate(list(batches_of(some, side))))
    draw, count = torch.Generator().manual_seed(0), _CHECKED
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


def _config(
    shipping: Shipping, image: ImageTower, text: TextTower, training: Mapping[str, Any], storage: Storage
) -> dict[str, Any]:
    stated = json.dumps(training, sort_keys=True).encode()
    return {
        "name": shipping.name,
        "version": shipping.version,
        "embed_dim": image.project.out_features,
        "widths": list(shipping.widths),
        "storage": storage,
        "mirror": shipping.mirror,
        **({"tolerance": _INT8_TOLERANCE} if storage == "int8" else {}),
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
