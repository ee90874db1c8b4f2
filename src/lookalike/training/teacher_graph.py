"""The picture teacher's feature as an ONNX graph: an encoder of pictures that needs no TensorFlow Lite.

The file's layers are read through its interpreter and written as float32 convolutions with the weights that its uint8
steps stand for. What a layer cannot hold is cut off as the file does: at the ends of the range its 256 steps reach,
which is also where its ReLU is. Values between the steps are not rounded: so the graph says nearly what the file says,
not exactly (`docs/training.md` has the figure), and what it says is the less coarse.
"""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from lookalike.core.errors import EncoderBroken, MissingExtra
from lookalike.encoders.writing import replacing
from lookalike.training.picture_teacher import FEATURE_DIM, FEATURE_TENSOR, SIDE

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from onnx import ModelProto

_OPSET, _IR_VERSION = 17, 8
_MEAN, _STD = 128 / 255, 1 / (0.007874015718698502 * 255)
"""The file's input: (x - 128) x 0.007874, of x in 0-255."""


def write_teacher(folder: Path, model: bytes) -> None:
    """Write the teacher in the TensorFlow Lite file `model` as an encoder of pictures into `folder`.

    Raises MissingExtra without ai-edge-litert, EncoderBroken for a file with layers that are not the teacher's.
    """
    graph = feature_graph(open_file(model))
    config = {"embed_dim": FEATURE_DIM, "about": {"made_from": "MobileNetEdgeTPU 1.0 of mlcommons/mobile_models"}}
    rules = {"size": SIDE, "mean": [_MEAN] * 3, "std": [_STD] * 3, "interpolation": "bicubic", "resize_mode": "squash"}
    with replacing(folder, config) as partial:
        (partial / "visual").mkdir()
        (partial / "visual" / "model.onnx").write_bytes(graph.SerializeToString())
        (partial / "visual" / "preprocess_cfg.json").write_text(json.dumps(rules), encoding="utf-8")


def feature_graph(file: Any) -> ModelProto:
    """The graph: "image" float32 (batch, 3, side, side), normalised -> "embedding" float32 (batch, dim).

    `file`: a TensorFlow Lite interpreter of it, its tensors allocated and none of its layers given to a delegate.
    Raises EncoderBroken for layers that are not the teacher's.
    """
    layers = _Layers(file)
    dim = layers.write_until(FEATURE_TENSOR)
    side = int(file.get_input_details()[0]["shape"][1])
    given = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 3, side, side])
    out = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", dim])
    graph = helper.make_graph(layers.nodes, "picture teacher", [given], [out], layers.weights)
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION, producer_name="lookalike"
    )


def open_file(model: bytes) -> Any:
    """A TensorFlow Lite file as `feature_graph` wants it. Raises MissingExtra without ai-edge-litert."""
    try:
        from ai_edge_litert.interpreter import Interpreter, OpResolverType
    except ImportError as error:
        raise MissingExtra("reading the picture teacher", "train") from error
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that keeping inner tensors is for debugging: the weights are such
        file = Interpreter(
            model_content=model,
            experimental_preserve_all_tensors=True,
            experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        )
    file.allocate_tensors()
    return file


class _Layers:
    """The layers of a file, written one after the other. A tensor is called by its number in the file."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._tensors = {tensor["index"]: tensor for tensor in file.get_tensor_details()}
        self._input = file.get_input_details()[0]["index"]
        self.nodes: list[Any] = []
        self.weights: list[Any] = []

    def write_until(self, name: str) -> int:
        """Write layers up to the mean over all places called `name`, which is the graph's output; its width."""
        kinds = {"CONV_2D": self._convolution, "DEPTHWISE_CONV_2D": self._convolution, "ADD": self._sum}
        for layer in self._file._get_ops_details():  # noqa: SLF001 - the only way to the layers but the file's own format
            (out,) = layer["outputs"]
            if self._tensors[out]["name"] == name:
                pooled = self._apply("GlobalAveragePool", self._name(layer["inputs"][0]))
                self._apply("Flatten", pooled, to="embedding")
                return int(self._tensors[out]["shape"][-1])
            if layer["op_name"] not in kinds:
                break
            self._clipped(kinds[layer["op_name"]](layer, depthwise="DEPTHWISE" in layer["op_name"]), out)
        raise EncoderBroken(f"the file has no layer {name} behind convolutions and sums: it is not the picture teacher")

    def _convolution(self, layer: Any, *, depthwise: bool) -> str:
        given, kernel, bias = layer["inputs"]
        weight = self._values(kernel)  # (out, h, w, in), of a depthwise one (1, h, w, channels)
        weight = weight.transpose((3, 0, 1, 2) if depthwise else (0, 3, 1, 2))
        (before, after), size = (
            (int(self._tensors[each]["shape"][1]) for each in (given, layer["outputs"][0])),
            weight.shape[2],
        )
        stride = round(before / after)
        missing = max(0, (after - 1) * stride + size - before)
        pads = [missing // 2, missing // 2, missing - missing // 2, missing - missing // 2]
        return self._apply(
            "Conv",
            self._name(given),
            self._store(weight),
            self._store(self._values(bias)),
            strides=[stride, stride],
            pads=pads,
            group=len(weight) if depthwise else 1,
        )

    def _sum(self, layer: Any, *, depthwise: bool) -> str:  # noqa: ARG002 - called like the other
        return self._apply("Add", *(self._name(each) for each in layer["inputs"]))

    def _clipped(self, value: str, out: int) -> None:
        """`value` within what the 256 steps of the tensor `out` reach, called as that."""
        step, zero = self._tensors[out]["quantization"]
        ends = [self._store(np.array(step * (end - zero))) for end in (0, 255)]
        self._apply("Clip", value, *ends, to=f"t{out}")

    def _values(self, tensor: int) -> NDArray[np.float32]:
        """The numbers a stored tensor stands for."""
        step, zero = self._tensors[tensor]["quantization"]
        return np.asarray((self._file.get_tensor(tensor).astype(np.float64) - zero) * step, np.float32)

    def _name(self, tensor: int) -> str:
        return "image" if tensor == self._input else f"t{tensor}"

    def _apply(self, operation: str, *inputs: str, to: str = "", **attributes: Any) -> str:
        name = to or f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(operation, list(inputs), [name], **attributes))
        return name

    def _store(self, values: NDArray[Any]) -> str:
        name = f"w{len(self.weights)}"
        self.weights.append(
            numpy_helper.from_array(np.ascontiguousarray(values, np.float32).reshape(values.shape), name)
        )
        return name
