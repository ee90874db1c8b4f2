"""What is written as ONNX computes what the towers compute."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
import torch

from lookalike.training.graphs import image_graph, text_graph
from lookalike.training.towers import ImageTower, TextTower, TowerSizes


def shaken(tower):
    """The tower with norms that have seen something: fresh ones would hide a wrong folding."""
    draw = torch.Generator().manual_seed(1)
    for name, value in tower.state_dict().items():
        if "running" in name or name.endswith("1.weight"):
            value.copy_(torch.rand(value.shape, generator=draw) + 0.5)
    return tower.eval()


def run(model, name, values):
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {name: values})[0]


@pytest.mark.parametrize("side", [32, 40, 52], ids=lambda side: f"{side}px")
@pytest.mark.parametrize(("storage", "cosine"), [("float32", 0.999999), ("float16", 0.9999), ("int8", 0.9999)])
def test_the_image_graph_gives_the_towers_vectors(side, storage, cosine, sizes):
    """Also where a map has an odd side, which a stride of two cuts differently in a pooling and in a convolution."""
    tower = shaken(ImageTower(sizes))
    pixels = torch.randn(5, 3, side, side)
    with torch.inference_mode():
        wanted = tower(pixels)[0].numpy()
    found = run(image_graph(tower, side, storage), "image", pixels.numpy())
    assert (found * wanted).sum(1).min() >= cosine


@pytest.mark.parametrize(("storage", "cosine"), [("float32", 0.999999), ("float16", 0.9999), ("int8", 0.999)])
def test_the_text_graph_gives_the_towers_vectors(storage, cosine, sizes):
    tower = TextTower(sizes).eval()
    ids = torch.randint(3, 300, (6, 12))
    ids[2, 4:] = 0
    ids[3, 1:] = 0
    with torch.inference_mode():
        wanted = tower(ids).numpy()
    found = run(text_graph(tower, storage), "text", ids.numpy())
    assert (found * wanted).sum(1).min() >= cosine


def test_filling_changes_nothing(sizes):
    """A text alone and the same text filled to the context have one vector."""
    tower = TextTower(sizes).eval()
    ids = torch.randint(3, 300, (1, 5))
    with torch.inference_mode():
        alone = tower(ids).numpy()
    padded = np.zeros((1, 12), np.int64)
    padded[:, :5] = ids.numpy()
    assert np.allclose(run(text_graph(tower, "float32"), "text", padded), alone, atol=1e-5)


def test_smaller_storage_makes_smaller_files():
    tower, words = ImageTower(TowerSizes()), TextTower(TowerSizes())
    full, half = (image_graph(tower, 64, storage).ByteSize() for storage in ("float32", "float16"))
    assert half < 0.52 * full
    full, half, byte = (text_graph(words, storage).ByteSize() for storage in ("float32", "float16", "int8"))
    assert half < 0.52 * full
    assert byte < 0.28 * full


def test_a_subword_without_a_vector_is_stored_all_the_same(sizes):
    """A row of zeros has no largest weight to measure its steps by."""
    tower = TextTower(sizes).eval()
    with torch.no_grad():
        tower.tokens.weight[5] = 0
    ids = np.full((1, 12), 5, np.int64)
    assert np.isfinite(run(text_graph(tower, "int8"), "text", ids)).all()
