"""The towers as ONNX graphs, written node by node: no tracer, no surprises, and the storage of weights under control.

Weights of two or more dimensions are stored as `Storage` says and made float32 inside the graph (ONNX Runtime does that
once, when it loads the model; of the table of sub-words only the rows that a text needs are made so). int8 has a step
for each output, or each sub-word. Biases, norms and all arithmetic stay float32. Convolutions of a graph in int8 are
left in float32 for `quantise`, which also makes their arithmetic int8. Batch norms are folded into their convolutions
in float64 before. The graphs give vectors as the towers do: of unit length.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from onnx import TensorProto, helper, numpy_helper

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto
    from torch import Tensor, nn

    from lookalike.training.towers import ConvBlock, ConvNorm, ImageTower, TextBlock, TextTower

Storage = Literal["float32", "float16", "int8"]
"""How the weights of a graph are stored."""

_OPSET = 17  # the first with LayerNormalization; every ONNX Runtime since 1.13 reads it
_IR_VERSION = 8
_INT8_LARGEST = 127  # symmetric: -128 is not used
_MASKED = -1e4  # added to an attention score where there is no token: its softmax is exactly 0 in float32


@dataclass
class _Graph:
    """Nodes and stored weights, growing. Methods return the name of the value they made."""

    storage: Storage
    nodes: list[NodeProto] = field(default_factory=list)
    weights: list[Any] = field(default_factory=list)

    def apply(self, operation: str, *inputs: str, **attributes: Any) -> str:
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(operation, list(inputs), [name], **attributes))
        return name

    def store(self, values: Any, kind: type = np.float32) -> str:
        """A constant, stored as `kind`."""
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(values, kind, order="C"), name))
        return name

    def convolution_weight(self, values: Any) -> str:
        """A filter bank: float16 at the smallest, see the top of this module."""
        if self.storage != "float16":
            return self.store(values)
        return self.apply("Cast", self.store(values, np.float16), to=TensorProto.FLOAT)

    def matrix(self, values: Any) -> str:
        """A float32 matrix (inputs, outputs) from how it is stored."""
        if self.storage == "float32":
            return self.store(values)
        if self.storage == "float16":
            return self.apply("Cast", self.store(values, np.float16), to=TensorProto.FLOAT)
        steps = _steps(values, axis=0)
        whole = self.apply("Cast", self.store(np.rint(values / steps), np.int8), to=TensorProto.FLOAT)
        return self.apply("Mul", whole, self.store(steps))

    def rows(self, values: Any, chosen: str) -> str:
        """Float32 rows of a table, those numbered by `chosen`, without making the whole table float32."""
        if self.storage == "float32":
            return self.apply("Gather", self.store(values), chosen)
        if self.storage == "float16":
            few = self.apply("Gather", self.store(values, np.float16), chosen)
            return self.apply("Cast", few, to=TensorProto.FLOAT)
        steps = _steps(values, axis=1)
        few = self.apply("Gather", self.store(np.rint(values / steps), np.int8), chosen)
        whole = self.apply("Cast", few, to=TensorProto.FLOAT)
        return self.apply("Mul", whole, self.apply("Gather", self.store(steps), chosen))

    def integers(self, *values: int) -> str:
        return self.store(values, np.int64)

    def linear(self, value: str, layer: nn.Linear) -> str:
        """X W' + b over the last axis."""
        out = self.apply("MatMul", value, self.matrix(_numbers(layer.weight).T))
        return self.apply("Add", out, self.store(_numbers(layer.bias))) if layer.bias is not None else out

    def norm(self, value: str, layer: nn.LayerNorm) -> str:
        scale, shift = self.store(_numbers(layer.weight)), self.store(_numbers(layer.bias))
        return self.apply("LayerNormalization", value, scale, shift, axis=-1, epsilon=layer.eps)

    def unit(self, value: str) -> str:
        """Rows of unit length, named as the graph's output."""
        length = self.apply("ReduceL2", value, axes=[-1], keepdims=1)
        floor = self.apply("Max", length, self.store(np.array(1e-12)))
        self.nodes.append(helper.make_node("Div", [value, floor], ["embedding"]))
        return "embedding"

    def model(self, given: Any, dim: int) -> ModelProto:
        out = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", dim])
        graph = helper.make_graph(self.nodes, "lookalike", [given], [out], self.weights)
        opset = [helper.make_opsetid("", _OPSET)]
        return helper.make_model(graph, opset_imports=opset, ir_version=_IR_VERSION, producer_name="lookalike")


def image_graph(tower: ImageTower, side: int, storage: Storage = "float16") -> ModelProto:
    """The image tower: "image" float32 (batch, 3, side, side), normalised -> "embedding" float32 (batch, dim)."""
    graph = _Graph(storage)
    value = "image"
    for layer in tower.stem:
        value = graph.apply("Relu", _convolution(graph, value, layer))
    for block in tower.blocks:
        value = _block(graph, value, block)
    value = graph.apply("Relu", _convolution(graph, value, tower.top))
    pooled = graph.apply("Flatten", graph.apply("GlobalAveragePool", value))
    graph.unit(graph.linear(pooled, tower.project))
    given = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 3, side, side])
    return graph.model(given, tower.project.out_features)


def text_graph(tower: TextTower, storage: Storage = "float16") -> ModelProto:
    """The text tower: "text" int64 (batch, context), 0 = filling -> "embedding" float32 (batch, dim)."""
    graph = _Graph(storage)
    context = tower.positions.shape[0]
    present = graph.apply("Cast", graph.apply("Sign", "text"), to=TensorProto.FLOAT)
    missing = graph.apply("Sub", graph.store(np.array(1.0)), present)
    bias = graph.apply("Mul", missing, graph.store(np.array(_MASKED)))
    bias = graph.apply("Unsqueeze", bias, graph.integers(1, 2))
    value = graph.rows(_numbers(tower.tokens.weight), "text")
    value = graph.apply("Add", value, graph.store(_numbers(tower.positions)))
    for block in tower.blocks:
        value = _attend(graph, value, bias, block)
        value = _perceive(graph, value, block)
    weight = graph.apply("Unsqueeze", present, graph.integers(2))
    kept = graph.apply("Mul", graph.norm(value, tower.norm), weight)
    total = graph.apply("ReduceSum", kept, graph.integers(1), keepdims=0)
    count = graph.apply(
        "Max", graph.apply("ReduceSum", weight, graph.integers(1), keepdims=0), graph.store(np.array(1.0))
    )
    graph.unit(graph.linear(graph.apply("Div", total, count), tower.project))
    given = helper.make_tensor_value_info("text", TensorProto.INT64, ["batch", context])
    return graph.model(given, tower.project.out_features)


def _convolution(graph: _Graph, value: str, layer: ConvNorm) -> str:
    """A convolution with its batch norm folded in: w' = w g / s, b' = beta - mean g / s, s = sqrt(var + eps)."""
    convolution, norm = layer[0], layer[1]
    scale = _numbers(norm.weight) / np.sqrt(_numbers(norm.running_var) + norm.eps)
    weight = _numbers(convolution.weight) * scale[:, None, None, None]
    bias = _numbers(norm.bias) - _numbers(norm.running_mean) * scale
    pad, stride = convolution.padding[0], convolution.stride[0]
    stored = graph.convolution_weight(weight)
    return graph.apply("Conv", value, stored, graph.store(bias), pads=[pad] * 4, strides=[stride, stride])


def _block(graph: _Graph, value: str, block: ConvBlock) -> str:
    change = graph.apply("Relu", _convolution(graph, value, block.first))
    change = _convolution(graph, change, block.second)
    if block.shortcut is not None:
        if block.stride > 1:
            value = graph.apply("AveragePool", value, kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1)
        value = _convolution(graph, value, block.shortcut)
    return graph.apply("Relu", graph.apply("Add", value, change))


def _attend(graph: _Graph, value: str, bias: str, block: TextBlock) -> str:
    width = block.out.out_features
    head = width // block.heads
    parts = graph.linear(graph.norm(value, block.norm_attention), block.qkv)
    split = graph.apply("Reshape", parts, graph.integers(0, 0, 3, block.heads, head))
    turned = graph.apply("Transpose", split, perm=[2, 0, 3, 1, 4])  # 3, batch, heads, tokens, head
    query, key, mixed = (graph.apply("Gather", turned, graph.store(np.array(i), np.int64), axis=0) for i in range(3))
    scores = graph.apply("MatMul", query, graph.apply("Transpose", key, perm=[0, 1, 3, 2]))
    scaled = graph.apply("Mul", scores, graph.store(np.array(head**-0.5)))
    shares = graph.apply("Softmax", graph.apply("Add", scaled, bias), axis=-1)
    joined = graph.apply("Transpose", graph.apply("MatMul", shares, mixed), perm=[0, 2, 1, 3])
    flat = graph.apply("Reshape", joined, graph.integers(0, 0, width))
    return graph.apply("Add", value, graph.linear(flat, block.out))


def _perceive(graph: _Graph, value: str, block: TextBlock) -> str:
    wide = graph.linear(graph.norm(value, block.norm_mlp), block.widen)
    erf = graph.apply("Erf", graph.apply("Mul", wide, graph.store(np.array(2**-0.5))))
    gate = graph.apply("Mul", graph.apply("Add", erf, graph.store(np.array(1.0))), graph.store(np.array(0.5)))
    return graph.apply("Add", value, graph.linear(graph.apply("Mul", wide, gate), block.narrow))


def _steps(values: Any, axis: int) -> Any:
    """What one unit of int8 is worth where the largest weight along `axis` just fits: float32, that axis kept as 1."""
    largest = np.abs(values).max(axis=axis, keepdims=True)
    return (np.where(largest > 0, largest, 1) / _INT8_LARGEST).astype(np.float32)


def _numbers(tensor: Tensor) -> Any:
    """A parameter or buffer as float64."""
    return tensor.detach().cpu().double().numpy()
