"""int8 that is right on every processor: no weight so large that sums of two products overflow 16 bits."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from onnx import numpy_helper

from lookalike.training.graphs import image_graph
from lookalike.training.quantise import quantised
from lookalike.training.towers import ImageTower

LARGEST_U8, LARGEST_I16 = 255, 32767


@pytest.fixture
def model(sizes):
    torch.manual_seed(0)
    pictures = np.random.default_rng(0).standard_normal((20, 3, 32, 32), np.float32)
    return quantised(image_graph(ImageTower(sizes).eval(), 32, "int8"), pictures)


def test_two_products_of_the_largest_numbers_fit_in_16_bits(model):
    weights = {node.input[0] for node in model.graph.node if node.op_type == "DequantizeLinear"}
    stored = {each.name: numpy_helper.to_array(each) for each in model.graph.initializer}
    filters = [stored[name] for name in weights if name in stored and stored[name].ndim == 4]
    assert len(filters) == 2 + 2 + 3 + 1  # stem, the first block, the second with its shortcut, top
    assert {each.dtype for each in filters} == {np.dtype(np.int8)}
    assert max(2 * LARGEST_U8 * int(np.abs(each.astype(int)).max()) for each in filters) <= LARGEST_I16


def test_every_convolution_reads_and_writes_bytes(model):
    made_by = {name: node.op_type for node in model.graph.node for name in node.output}
    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    assert {made_by[name] for node in convolutions for name in node.input} == {"DequantizeLinear"}


def test_channels_have_steps_of_their_own(model):
    stored = {each.name: numpy_helper.to_array(each) for each in model.graph.initializer}
    filters = {node.input[0]: node.input[1] for node in model.graph.node if node.op_type == "DequantizeLinear"}
    steps = [stored[step] for name, step in filters.items() if name in stored and stored[name].ndim == 4]
    assert all(len(np.unique(each)) > 1 for each in steps)
