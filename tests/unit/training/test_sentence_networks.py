"""The two ways of running all-MiniLM-L6-v2, torch for training and numpy for judging, say the same."""

from __future__ import annotations

import json

import numpy as np
import torch

from lookalike.encoders.bert import Bert
from lookalike.training.sentence_teacher import WIDTH, encode

LAYERS, HEADS, WIDE, TOKENS = 6, 12, 4 * WIDTH, 50


def test_numpy_and_torch_agree_on_random_weights(tmp_path):
    draw = np.random.default_rng(0)

    def drawn(*shape, scale=0.08):
        return (draw.standard_normal(shape) * scale).astype(np.float32)

    weights = {
        "embeddings.word_embeddings.weight": drawn(TOKENS, WIDTH),
        "embeddings.position_embeddings.weight": drawn(16, WIDTH),
        "embeddings.token_type_embeddings.weight": drawn(2, WIDTH),
    }
    norms = ["embeddings.LayerNorm"]
    for number in range(LAYERS):
        layer = f"encoder.layer.{number}"
        shapes = {f"attention.self.{part}": (WIDTH, WIDTH) for part in ("query", "key", "value")}
        shapes |= {
            "attention.output.dense": (WIDTH, WIDTH),
            "intermediate.dense": (WIDE, WIDTH),
            "output.dense": (WIDTH, WIDE),
        }
        for name, shape in shapes.items():
            weights |= {f"{layer}.{name}.weight": drawn(*shape), f"{layer}.{name}.bias": drawn(shape[0])}
        norms += [f"{layer}.attention.output.LayerNorm", f"{layer}.output.LayerNorm"]
    for name in norms:
        weights |= {f"{name}.weight": 1 + drawn(WIDTH), f"{name}.bias": drawn(WIDTH)}
    write(tmp_path, weights)
    ids = draw.integers(0, TOKENS, (3, 9))
    mask = (np.arange(9) < np.array([[9], [4], [1]])).astype(np.int64)
    hidden = Bert(tmp_path)(ids, mask)
    present = mask[:, :, None]
    mean = (hidden * present).sum(axis=1) / present.sum(axis=1)
    mine = mean / np.linalg.norm(mean, axis=1, keepdims=True)
    tensors = {name: torch.from_numpy(array) for name, array in weights.items()}
    theirs = encode(tensors, torch.from_numpy(ids), torch.from_numpy(mask > 0)).numpy()
    assert np.abs(mine - theirs).max() < 1e-5


def write(folder, weights):
    import struct

    table, parts, at = {}, [], 0
    for name, array in weights.items():
        table[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [at, at + array.nbytes]}
        parts.append(array.tobytes())
        at += array.nbytes
    head = json.dumps(table).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(head)) + head + b"".join(parts))
    config = {
        "model_type": "bert",
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "max_position_embeddings": 16,
    }
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
