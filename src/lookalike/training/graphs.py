"""The towers as ONNX graphs, written node by node: no tracer, no surprises, and half-precision storage under control.

Weights of two or more dimensions are stored as float16 and cast to float32 inside the graph (ONNX Runtime folds the
casts once, when it loads the model); biases, norms and all arithmetic stay float32. Batch norms are folded into their
convolutions in float64 before. The graphs give vectors as the towers do: of unit length.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto
    from torch import Tensor, nn

    from lookalike.training.towers import ConvBlock, ConvNorm, ImageTower, TextBlock, TextTower

_OPSET = 17  # the first with LayerNormalization; every ONNX Runtime since 1.13 reads it
_IR_VERSION = 8
_MASKED = -1e4  # added to an attention score where there is no token: its softmax is exactly 0 in float32


@dataclass
class _Graph:
    """Nodes and stored weights, growing. Methods return the name of the value they made."""

    half: bool
    nodes: list[NodeProto] = field(default_factory=list)
    weights: list[Any] = field(default_factory=list)

    def apply(self, operation: str, *inputs: str, **attributes: Any) -> str:
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(operation, list(inputs), [name], **attributes))
        return name

    def store(self, values: Any, kind: type = np.float32) -> str:
        """A constant; float weights of two or more dimensions are kept in float16 where the graph is `half`."""
        array = np.asarray(values)
        name = f"w{len(self.weights)}"
        small = self.half and array.ndim > 1 and kind is np.float32
        stored: Any = np.asarray(array, np.float16 if small else kind, order="C")
        self.weights.append(numpy_helper.from_array(stored, name))
        return self.apply("Cast", name, to=TensorProto.FLOAT) if small else name

    def integers(self, *values: int) -> str:
        return self.store(values, np.int64)

    def linear(self, value: str, layer: nn.Linear) -> str:
        """X W' + b over the last axis."""
        out = self.apply("MatMul", value, self.store(_numbers(layer.weight).T))
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


def image_graph(tower: ImageTower, side: int, *, half: bool = True) -> ModelProto:
    """The image tower: "image" float32 (batch, 3, side, side), normalised -> "embedding" float32 (batch, dim)."""
    graph = _Graph(half)
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


def text_graph(tower: TextTower, *, half: bool = True) -> ModelProto:
    """The text tower: "text" int64 (batch, context), 0 = filling -> "embedding" float32 (batch, dim)."""
    graph = _Graph(half)
    context = tower.positions.shape[0]
    present = graph.apply("Cast", graph.apply("Sign", "text"), to=TensorProto.FLOAT)
    missing = graph.apply("Sub", graph.store(np.array(1.0)), present)
    bias = graph.apply("Mul", missing, graph.store(np.array(_MASKED)))
    bias = graph.apply("Unsqueeze", bias, graph.integers(1, 2))
    value = graph.apply("Gather", graph.store(_numbers(tower.tokens.weight)), "text")
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
    return graph.apply("Conv", value, graph.store(weight), graph.store(bias), pads=[pad] * 4, strides=[stride, stride])


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


def _numbers(tensor: Tensor) -> Any:
    """A parameter or buffer as float64."""
    return tensor.detach().cpu().double().numpy()
