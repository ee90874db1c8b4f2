"""A real but tiny dual encoder in immich's layout: random weights, two matrix products, a word-level tokeniser."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

SIDE, DIM, LENGTH = 32, 16, 8
WORDS = ("a", "red", "green", "blue", "dog", "cat", "in", "the", "snow", "кіт", "собака")


def write_tiny_encoder(
    folder: Path,
    *,
    seed: int = 0,
    image: bool = True,
    text: bool = True,
    batch: int | str = "batch",
    half: bool = False,
    token_type: str = "int64",
    overflow: bool = False,
    config: dict[str, Any] | None = None,
) -> Path:
    """Write it and return `folder`. `overflow`: bright pictures get infinite vectors. `half`: fp16 throughout."""
    random = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    settings = {"embed_dim": DIM, "text_cfg": {"clean": "lower", "context_length": LENGTH, "pad_id": 0}}
    (folder / "config.json").write_text(json.dumps(settings | (config or {})), encoding="utf-8")
    if image:
        weights = random.standard_normal((3 * SIDE * SIDE, DIM)) * (5e37 if overflow else 0.1)
        rules = {"size": SIDE, "mean": [0, 0, 0], "std": [1, 1, 1], "resize_mode": "squash"}
        (folder / "visual").mkdir(exist_ok=True)
        (folder / "visual" / "preprocess_cfg.json").write_text(json.dumps(rules), encoding="utf-8")
        _save_image_tower(folder / "visual" / "model.onnx", weights, batch, half=half)
    if text:
        (folder / "textual").mkdir(exist_ok=True)
        _tokeniser().save(str(folder / "textual" / "tokenizer.json"))
        table, weights = random.standard_normal((len(WORDS) + 2, DIM)), random.standard_normal((DIM, DIM))
        _save_text_tower(folder / "textual" / "model.onnx", table, weights, batch, token_type)
    return folder


def quantise(folder: Path) -> Path:
    """Turn both towers into static QDQ int8, calibrated on random inputs, and declare the tolerance of that."""
    from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static

    class Examples(CalibrationDataReader):
        def __init__(self, name: str, examples: list[Any]) -> None:
            self._left = iter([{name: example} for example in examples])

        def get_next(self) -> Any:
            return next(self._left, None)

    random = np.random.default_rng(0)
    pictures = [random.random((1, 3, SIDE, SIDE), np.float32) for _ in range(8)]
    texts = [random.integers(0, len(WORDS) + 2, (1, LENGTH)) * (np.arange(LENGTH) <= n % 4) for n in range(40)]
    for part, name, examples in (("visual", "image", pictures), ("textual", "text", texts)):
        path = folder / part / "model.onnx"
        reader = Examples(name, examples)
        quantize_static(str(path), str(path), reader, activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps(config | {"tolerance": 0.02}), encoding="utf-8")
    return folder


def _tokeniser() -> Any:
    from tokenizers import Tokenizer, models, pre_tokenizers

    vocabulary = {word: number for number, word in enumerate(("<pad>", "<unk>", *WORDS))}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return tokenizer


def _save_image_tower(path: Path, weights: Any, batch: int | str, *, half: bool) -> None:
    from onnx import TensorProto, helper, numpy_helper

    kind = TensorProto.FLOAT16 if half else TensorProto.FLOAT
    nodes = [
        helper.make_node("Flatten", ["image"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["embedding"]),
    ]
    inputs = [helper.make_tensor_value_info("image", kind, [batch, 3, SIDE, SIDE])]
    outputs = [helper.make_tensor_value_info("embedding", kind, [batch, DIM])]
    stored = numpy_helper.from_array(weights.astype("float16" if half else "float32"), "weights")
    _save(path, nodes, inputs, outputs, [stored])


def _save_text_tower(path: Path, table: Any, weights: Any, batch: int | str, token_type: str) -> None:
    from onnx import TensorProto, helper, numpy_helper

    kind = TensorProto.INT32 if token_type == "int32" else TensorProto.INT64
    nodes = [
        helper.make_node("Gather", ["table", "text"], ["words"]),
        helper.make_node("ReduceMean", ["words", "axes"], ["mean"], keepdims=0),
        helper.make_node("MatMul", ["mean", "weights"], ["embedding"]),
    ]
    inputs = [helper.make_tensor_value_info("text", kind, [batch, LENGTH])]
    outputs = [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [batch, DIM])]
    stored = [
        numpy_helper.from_array(table.astype("float32"), "table"),
        numpy_helper.from_array(weights.astype("float32"), "weights"),
        numpy_helper.from_array(np.array([1], np.int64), "axes"),
    ]
    _save(path, nodes, inputs, outputs, stored)


def _save(path: Path, nodes: list[Any], inputs: list[Any], outputs: list[Any], stored: list[Any]) -> None:
    import onnx
    from onnx import helper

    graph = helper.make_graph(nodes, "tiny", inputs, outputs, stored)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
