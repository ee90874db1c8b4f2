"""A real ONNX encoder of three dimensions that finds drawn pictures by the name of their colour.

The image tower takes the grey out of every pixel and averages the cubes, so that strong colours outweigh a pale ground;
the text tower knows eight words. It has immich's layout, so the command line takes it as `--encoder FOLDER`, and words
find what they name without any training.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from lookalike.testing import COLOURS

if TYPE_CHECKING:
    from pathlib import Path

SIDE, LENGTH = 16, 8
STRENGTH = 3.0
OTHER_WORDS = np.array([0.0001, -0.0002, 0.0001])
"""What a word that names no colour means: next to nothing, but not nothing, as a vector needs a direction."""


def write_colour_encoder(folder: Path) -> Path:
    """Write the encoder into `folder` (made when missing) and return it."""
    for part in ("visual", "textual"):
        (folder / part).mkdir(parents=True)
    settings = {"embed_dim": 3, "text_cfg": {"clean": "lower", "context_length": LENGTH, "pad_id": 0}}
    (folder / "config.json").write_text(json.dumps(settings), encoding="utf-8")
    rules = {"size": SIDE, "mean": [0, 0, 0], "std": [1, 1, 1], "resize_mode": "squash"}
    (folder / "visual" / "preprocess_cfg.json").write_text(json.dumps(rules), encoding="utf-8")
    _save_image_tower(folder / "visual" / "model.onnx")
    _save_tokeniser(folder / "textual" / "tokenizer.json")
    _save_text_tower(folder / "textual" / "model.onnx")
    return folder


def _without_grey() -> Any:
    """Takes the mean of red, green and blue from each; a trace of it stays, so that grey has a direction too."""
    return (np.eye(3) - 0.99 / 3).astype(np.float32)


def _save_image_tower(path: Path) -> None:
    from onnx import helper, numpy_helper

    nodes = [
        helper.make_node("Conv", ["image", "without_grey"], ["colours"]),
        helper.make_node("Pow", ["colours", "strength"], ["strong"]),
        helper.make_node("ReduceMean", ["strong", "axes"], ["embedding"], keepdims=0),
    ]
    stored = [
        numpy_helper.from_array(np.array([2, 3], np.int64), "axes"),
        numpy_helper.from_array(_without_grey()[:, :, None, None], "without_grey"),
        numpy_helper.from_array(np.array(STRENGTH, np.float32), "strength"),
    ]
    _save(path, nodes, ("image", 1, ["batch", 3, SIDE, SIDE]), stored)


def _save_text_tower(path: Path) -> None:
    from onnx import helper, numpy_helper

    colours = (np.array(list(COLOURS.values())) / 255 @ _without_grey()) ** STRENGTH
    table = np.vstack([np.zeros(3), OTHER_WORDS, colours]).astype(np.float32)
    nodes = [
        helper.make_node("Gather", ["table", "text"], ["words"]),
        helper.make_node("ReduceSum", ["words", "axes"], ["embedding"], keepdims=0),
    ]
    stored = [
        numpy_helper.from_array(table, "table"),
        numpy_helper.from_array(np.array([1], np.int64), "axes"),
    ]
    _save(path, nodes, ("text", 7, ["batch", LENGTH]), stored)


def _save_tokeniser(path: Path) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers

    vocabulary = {word: number for number, word in enumerate(("<pad>", "<unk>", *COLOURS))}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(path))


def _save(path: Path, nodes: list[Any], given: tuple[str, int, list[Any]], stored: list[Any]) -> None:
    """`given`: the name, element type and shape of the input, in ONNX's terms."""
    import onnx
    from onnx import helper

    inputs = [helper.make_tensor_value_info(*given)]
    outputs = [helper.make_tensor_value_info("embedding", 1, ["batch", 3])]
    graph = helper.make_graph(nodes, "colours", inputs, outputs, stored)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
