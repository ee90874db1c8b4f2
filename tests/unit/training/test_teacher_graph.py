"""A quantised file's layers as a float graph: the same numbers, but for the file's own rounding."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest

from lookalike.core.errors import EncoderBroken
from lookalike.training.picture_teacher import FEATURE_TENSOR
from lookalike.training.teacher_graph import feature_graph

SIDE = 8


class File:
    """As much of a TensorFlow Lite interpreter as is read: layers with uint8 weights, drawn at random."""

    def __init__(self):
        self.random = np.random.default_rng(0)
        self.tensors, self.values, self.layers = [], {}, []
        self.given = self.tensor((1, SIDE, SIDE, 3), 0.01, 128)

    def tensor(self, shape, step, zero, name="", values=None):
        index = len(self.tensors)
        self.tensors.append({"index": index, "shape": np.array(shape), "quantization": (step, zero), "name": name})
        self.values[index] = values
        return index

    def add(self, kind, inputs, shape, *, step=0.02, zero=0, name=""):
        out = self.tensor(shape, step, zero, name)
        self.layers.append({"op_name": kind, "inputs": inputs, "outputs": [out]})
        return out

    def convolution(self, given, shape, kernel, *, kind="CONV_2D", **ends):
        weight = self.tensor(kernel, 0.02, 120, values=self.random.integers(0, 256, kernel, np.uint8))
        bias = self.random.integers(-900, 900, shape[-1], np.int32)
        return self.add(kind, [given, weight, self.tensor(bias.shape, 2e-4, 0, values=bias)], shape, **ends)

    def get_tensor(self, index):
        return self.values[index]

    def get_tensor_details(self):
        return self.tensors

    def get_input_details(self):
        return [self.tensors[self.given]]

    def _get_ops_details(self):
        return self.layers

    def number(self, index):
        step, zero = self.tensors[index]["quantization"]
        return (self.values[index].astype(np.float64) - zero) * step

    def convolved(self, maps, layer):
        """What the layer makes of float (h, w, channels), by the definition of padding SAME."""
        weight, bias = (self.number(index) for index in layer["inputs"][1:])
        height, channels = self.tensors[layer["outputs"][0]]["shape"][[1, 3]]
        stride, size = len(maps) // height, weight.shape[1]
        missing = max(0, (height - 1) * stride + size - len(maps))
        maps = np.pad(maps, ((missing // 2, missing - missing // 2),) * 2 + ((0, 0),))
        found = np.empty((height, height, channels))
        for row in range(height):
            for column in range(height):
                seen = maps[row * stride : row * stride + size, column * stride : column * stride + size]
                whole = layer["op_name"] == "CONV_2D"
                found[row, column] = np.einsum("hwi,ohwi->o", seen, weight) if whole else (seen * weight[0]).sum((0, 1))
        return self.cut(found + bias, layer)

    def cut(self, maps, layer):
        step, zero = self.tensors[layer["outputs"][0]]["quantization"]
        return maps.clip(-zero * step, (255 - zero) * step)


@pytest.fixture
def file():
    made = File()
    stem = made.convolution(made.given, (1, 4, 4, 6), (6, 3, 3, 3))
    deep = made.convolution(stem, (1, 4, 4, 6), (1, 3, 3, 6), kind="DEPTHWISE_CONV_2D", zero=128)
    made.add("ADD", [stem, deep], (1, 4, 4, 6), zero=100)
    made.add("AVERAGE_POOL_2D", [made.layers[-1]["outputs"][0]], (1, 1, 1, 6), name=FEATURE_TENSOR)
    return made


def test_the_graph_says_what_the_layers_mean(file):
    picture = np.random.default_rng(1).normal(size=(SIDE, SIDE, 3)).astype(np.float32)
    stem = file.convolved(picture.astype(np.float64), file.layers[0])
    both = file.cut(stem + file.convolved(stem, file.layers[1]), file.layers[2])
    session = onnxruntime.InferenceSession(feature_graph(file).SerializeToString(), providers=["CPUExecutionProvider"])
    batch = np.stack([picture.transpose(2, 0, 1), np.zeros((3, SIDE, SIDE), np.float32)])
    (found,) = session.run(None, {"image": batch})
    assert found.shape == (2, 6)
    np.testing.assert_allclose(found[0], both.mean((0, 1)), rtol=1e-4, atol=1e-4)


def test_another_file_is_not_the_teacher(file):
    file.layers[1]["op_name"] = "SOFTMAX"
    with pytest.raises(EncoderBroken, match="not the picture teacher"):
        feature_graph(file)
