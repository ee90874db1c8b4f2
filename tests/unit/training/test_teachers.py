"""Teachers' answers are read as they were meant."""

from __future__ import annotations

import json
import struct

import numpy as np
import torch

from lookalike.training.picture_teacher import SCORE_STEP, probabilities
from lookalike.training.sentence_teacher import encode, read_weights


def drawn_weights():
    """MiniLM's tensors by name, small random numbers, 50 words."""
    draw = np.random.default_rng(0)
    shapes = {
        "embeddings.word_embeddings.weight": (50, 384),
        "embeddings.position_embeddings.weight": (64, 384),
        "embeddings.token_type_embeddings.weight": (2, 384),
    }
    norms = ["embeddings.LayerNorm"]
    for number in range(6):
        layer = f"encoder.layer.{number}"
        for part in ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"):
            shapes |= {f"{layer}.{part}.weight": (384, 384), f"{layer}.{part}.bias": (384,)}
        shapes |= {f"{layer}.intermediate.dense.weight": (1536, 384), f"{layer}.intermediate.dense.bias": (1536,)}
        shapes |= {f"{layer}.output.dense.weight": (384, 1536), f"{layer}.output.dense.bias": (384,)}
        norms += [f"{layer}.attention.output.LayerNorm", f"{layer}.output.LayerNorm"]
    shapes |= {f"{norm}.{part}": (384,) for norm in norms for part in ("weight", "bias")}
    return {name: draw.normal(0, 0.05, shape).astype(np.float32) for name, shape in shapes.items()}


def test_weights_are_read_from_a_safetensors_file(tmp_path):
    wanted = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.ones(2, np.float32)}
    table, body = {"__metadata__": {"format": "pt"}}, b""
    for name, values in wanted.items():
        place = [len(body), len(body) + values.nbytes]
        table[name] = {"dtype": "F32", "shape": list(values.shape), "data_offsets": place}
        body += values.tobytes()
    header = json.dumps(table).encode()
    (tmp_path / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + body)
    found = read_weights(tmp_path / "model.safetensors")
    assert {name: value.tolist() for name, value in found.items()} == {k: v.tolist() for k, v in wanted.items()}


def test_a_sentence_has_one_vector_however_far_it_is_filled():
    weights = {name: torch.from_numpy(value) for name, value in drawn_weights().items()}
    ids = torch.tensor([[7, 8, 9, 0, 0]])
    filled = encode(weights, ids, ids.ne(0))
    plain = encode(weights, ids[:, :3], torch.ones(1, 3, dtype=torch.bool))
    assert torch.allclose(filled, plain, atol=1e-5)
    assert torch.allclose(filled.norm(dim=1), torch.ones(1))


def test_scores_become_probabilities():
    scores = np.array([[0, 255, 0], [9, 9, 9]], np.uint8)
    found = probabilities(scores)
    assert np.allclose(found.sum(1), 1)
    assert np.allclose(found[1], 1 / 3)
    assert np.isclose(np.log(found[0, 1] / found[0, 0]), 255 * SCORE_STEP, rtol=1e-3)
