"""Writes a ViT-B-32-256 dual encoder with random weights as ONNX, for speed comparisons without a download.

    python tools/random_vit.py FOLDER [--tokenizer tokenizer.json] [--rclip DATADIR --vocabulary VOCABULARY]

FOLDER gets the layout that lookalike loads. With --rclip, DATADIR gets the very same model files where rclip 3.3 looks
for them (`RCLIP_DATADIR=DATADIR rclip ...`), so both programs run one network. VOCABULARY is open_clip's
`bpe_simple_vocab_16e6.txt.gz`. The graphs are those of open_clip's ViT-B-32-256: 87.9 M and 63.4 M parameters.
"""

from __future__ import annotations

import argparse
import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIDE, PATCH, DIM = 256, 32, 512
IMAGE_WIDTH, IMAGE_HEADS = 768, 12
TEXT_WIDTH, TEXT_HEADS, VOCABULARY, LENGTH = 512, 8, 49408, 77
LAYERS = 12
PREPROCESSING = {
    "size": SIDE,
    "mode": "RGB",
    "mean": [0.48145466, 0.4578275, 0.40821073],
    "std": [0.26862954, 0.26130258, 0.27577711],
    "interpolation": "bicubic",
    "resize_mode": "shortest",
}
CONFIG = {
    "embed_dim": DIM,
    "vision_cfg": {"image_size": SIDE, "layers": LAYERS, "width": IMAGE_WIDTH, "patch_size": PATCH},
    "text_cfg": {"context_length": LENGTH, "vocab_size": VOCABULARY, "width": TEXT_WIDTH, "layers": LAYERS},
}
RCLIP_MODEL = "ViT-B-32-256-datacomp_s34b_b86k"
RCLIP_NOTICES = ("LICENSE", "OPENAI-CLIP-MIT.txt", "README.md", "THIRD_PARTY_NOTICES.md")


@dataclass
class Graph:
    """Nodes and weights of a model being written; every method returns the name of its result."""

    random: np.random.Generator
    nodes: list = field(default_factory=list)
    weights: list = field(default_factory=list)

    def op(self, kind: str, *inputs: str, outputs: int = 1, **attributes) -> str | list[str]:
        names = [f"{kind.lower()}_{len(self.nodes)}_{number}" for number in range(outputs)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, **attributes))
        return names if outputs > 1 else names[0]

    def constant(self, values, dtype=np.int64) -> str:
        name = f"constant_{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(values, dtype), name))
        return name

    def normal(self, *shape: int, scale: float = 0.02) -> str:
        return self.constant(self.random.standard_normal(shape, np.float32) * np.float32(scale), np.float32)

    def linear(self, x: str, wide: int, narrow: int) -> str:
        return self.op("Add", self.op("MatMul", x, self.normal(wide, narrow)), self.normal(narrow))

    def norm(self, x: str, width: int) -> str:
        scale, bias = self.constant(np.ones(width), np.float32), self.constant(np.zeros(width), np.float32)
        return self.op("LayerNormalization", x, scale, bias, axis=-1, epsilon=1e-5)

    def gelu(self, x: str) -> str:
        erf = self.op("Erf", self.op("Div", x, self.constant(np.sqrt(2), np.float32)))
        one, half = self.constant(1, np.float32), self.constant(0.5, np.float32)
        return self.op("Mul", self.op("Mul", x, self.op("Add", erf, one)), half)

    def attention(self, x: str, width: int, heads: int, mask: str | None) -> str:
        parts = self.op("Split", self.linear(x, width, 3 * width), outputs=3, axis=-1, num_outputs=3)
        split = self.constant([0, 0, heads, width // heads])
        q, k, v = (self.op("Reshape", part, split) for part in parts)
        q, v = (self.op("Transpose", part, perm=[0, 2, 1, 3]) for part in (q, v))
        scores = self.op("MatMul", q, self.op("Transpose", k, perm=[0, 2, 3, 1]))
        scores = self.op("Mul", scores, self.constant((width // heads) ** -0.5, np.float32))
        if mask:
            scores = self.op("Add", scores, mask)
        mixed = self.op("MatMul", self.op("Softmax", scores, axis=-1), v)
        joined = self.op("Reshape", self.op("Transpose", mixed, perm=[0, 2, 1, 3]), self.constant([0, 0, width]))
        return self.linear(joined, width, width)

    def transformer(self, x: str, width: int, heads: int, mask: str | None = None) -> str:
        for _ in range(LAYERS):
            x = self.op("Add", x, self.attention(self.norm(x, width), width, heads, mask))
            hidden = self.gelu(self.linear(self.norm(x, width), width, 4 * width))
            x = self.op("Add", x, self.linear(hidden, 4 * width, width))
        return x

    def save(self, path: Path, kind: int, shape: list, result: str) -> None:
        self.nodes.append(helper.make_node("Identity", [result], ["output"]))
        inputs = [helper.make_tensor_value_info("input", kind, shape)]
        outputs = [helper.make_tensor_value_info("output", TensorProto.FLOAT, ["batch", DIM])]
        graph = helper.make_graph(self.nodes, path.parent.name, inputs, outputs, self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
        path.parent.mkdir(parents=True, exist_ok=True)
        onnx.save(model, path)


def write_image_tower(path: Path, random: np.random.Generator, side: int = SIDE) -> None:
    graph = Graph(random)
    patches = graph.op("Conv", "input", graph.normal(IMAGE_WIDTH, 3, PATCH, PATCH), strides=[PATCH, PATCH])
    patches = graph.op("Reshape", patches, graph.constant([0, IMAGE_WIDTH, -1]))
    patches = graph.op("Transpose", patches, perm=[0, 2, 1])
    batch = graph.op("Slice", graph.op("Shape", "input"), graph.constant([0]), graph.constant([1]))
    one = graph.op("Concat", batch, graph.constant([1, IMAGE_WIDTH]), axis=0)
    token = graph.op("Expand", graph.normal(1, 1, IMAGE_WIDTH), one)
    x = graph.op("Concat", token, patches, axis=1)
    x = graph.op("Add", x, graph.normal((side // PATCH) ** 2 + 1, IMAGE_WIDTH))
    x = graph.transformer(graph.norm(x, IMAGE_WIDTH), IMAGE_WIDTH, IMAGE_HEADS)
    first = graph.op("Gather", x, graph.constant(0), axis=1)
    result = graph.op("MatMul", graph.norm(first, IMAGE_WIDTH), graph.normal(IMAGE_WIDTH, DIM))
    graph.save(path, TensorProto.FLOAT, ["batch", 3, side, side], result)


def write_text_tower(path: Path, random: np.random.Generator) -> None:
    graph = Graph(random)
    x = graph.op("Gather", graph.normal(VOCABULARY, TEXT_WIDTH), "input")
    x = graph.op("Add", x, graph.normal(LENGTH, TEXT_WIDTH))
    mask = graph.constant(np.triu(np.full((LENGTH, LENGTH), -1e9), 1), np.float32)
    x = graph.norm(graph.transformer(x, TEXT_WIDTH, TEXT_HEADS, mask), TEXT_WIDTH)
    closing = graph.op("ArgMax", "input", axis=1, keepdims=1)
    last = graph.op("GatherND", x, closing, batch_dims=1)
    result = graph.op("MatMul", last, graph.normal(TEXT_WIDTH, DIM))
    graph.save(path, TensorProto.INT64, ["batch", LENGTH], result)


def write_folder(folder: Path, tokenizer: Path | None, seed: int = 0) -> None:
    """The layout that lookalike loads; without `tokenizer` the encoder has pictures only."""
    random = np.random.default_rng(seed)
    write_image_tower(folder / "visual" / "model.onnx", random)
    (folder / "visual" / "preprocess_cfg.json").write_text(json.dumps(PREPROCESSING), encoding="utf-8")
    (folder / "config.json").write_text(json.dumps(CONFIG), encoding="utf-8")
    write_text_tower(folder / "textual.onnx", random)
    if tokenizer:
        (folder / "textual").mkdir(exist_ok=True)
        shutil.copy(tokenizer, folder / "textual" / "tokenizer.json")
        (folder / "textual.onnx").replace(folder / "textual" / "model.onnx")


def lay_out_for_rclip(folder: Path, datadir: Path, vocabulary: Path) -> None:
    """The same files where rclip 3.3 looks for them (`rclip/model_download.py`)."""
    model = datadir / RCLIP_MODEL
    model.mkdir(parents=True, exist_ok=True)
    (datadir / "tokenizer").mkdir(exist_ok=True)
    textual = folder / "textual" / "model.onnx"
    shutil.copyfile(folder / "visual" / "model.onnx", model / "visual.onnx")
    shutil.copyfile(textual if textual.is_file() else folder / "textual.onnx", model / "textual.onnx")
    shutil.copyfile(vocabulary, datadir / "tokenizer" / "bpe_simple_vocab_16e6.txt.gz")
    for notice in RCLIP_NOTICES:  # rclip fetches them from its hub when one is missing
        (datadir / notice).write_text("random weights for a speed comparison\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tokenizer", type=Path, help="a tokenizer.json with CLIP's vocabulary")
    parser.add_argument("--rclip", type=Path, metavar="DATADIR")
    parser.add_argument("--vocabulary", type=Path, help="open_clip's bpe_simple_vocab_16e6.txt.gz")
    asked = parser.parse_args()
    write_folder(asked.folder, asked.tokenizer)
    if asked.rclip:
        lay_out_for_rclip(asked.folder, asked.rclip, asked.vocabulary)


if __name__ == "__main__":
    main()
