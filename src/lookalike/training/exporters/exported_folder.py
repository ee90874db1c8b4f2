"""Torch towers to the folder that the library loads, with the proof that nothing was lost on the way.

Promises: the folder appears whole or not at all; before it does, what was written is opened as the library opens it,
and its vectors are compared with torch's, of pictures and texts of several kinds, alone and in batches. Where they
differ (a cosine below `LEAST_COSINE`) there is no folder. Graphs are written by torch's tracing exporter, which needs
no further package and takes a third or less of its successor's time (`docs/dependencies.md`).
"""

from __future__ import annotations

import json
import warnings
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from lookalike.core.errors import EncoderBroken
from lookalike.encoders.onnx_encoder import OnnxEncoder
from lookalike.encoders.preprocess import read_preprocessing
from lookalike.encoders.tokenise import open_tokeniser, read_rules
from lookalike.encoders.writing import replacing
from lookalike.training.exporters.weights import brief

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from lookalike.core.arrays import Pixels, Vectors

LEAST_COSINE = 0.9999
"""Between a vector of torch and the same of the written graph; kernels of fp32 differ by 1e-6."""
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_LARGEST_OFF = 0.01  # of the distance between different inputs' vectors
_OPSET = 17  # has LayerNormalization; ONNX Runtime from 1.13 on reads it
_LARGEST_GRAPH = 1_900_000_000  # bytes of weights in one file: protobuf ends at 2 GiB
_BATCHES = (1, 4)  # pictures or texts in a run when compared: what was traced with two must take any number
_TEXTS = ("a cat", "кошка на снегу", "Two dogs run along the beach at sunset.", "", "розовое платье с длинным рукавом")


@dataclass(frozen=True, slots=True)
class Parity:
    """The smallest cosine between torch's vectors and the written encoder's; None where there is no such tower."""

    image: float | None = None
    text: float | None = None

    def as_dict(self) -> dict[str, float]:
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True, slots=True)
class Pictures:
    """A tower for pictures and how it wants them.

    `module`: float32 (n, 3, side, side), normalised -> (n, dim). `rules`: the values of preprocess_cfg.json.
    """

    module: nn.Module
    rules: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Words:
    """A tower for words and how it wants them.

    `module`: token ids int64 (n, length) -> (n, dim). `tokeniser`: the text of tokenizer.json. `rules`: the values of
    `text_cfg` (`encoders.tokenise.read_rules`).
    """

    module: nn.Module
    tokeniser: str
    rules: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Towers:
    """A model to export: a tower for pictures, one for words, or both; `about`: JSON values, what it was made from."""

    pictures: Pictures | None
    words: Words | None
    about: Mapping[str, Any]


def export_image_model(
    model: nn.Module,
    folder: Path,
    *,
    side: int,
    mean: Sequence[float] = IMAGENET_MEAN,
    std: Sequence[float] = IMAGENET_STD,
    interpolation: str = "bicubic",
    resize_mode: str = "shortest",
    about: Mapping[str, Any] | None = None,
) -> Parity:
    """Write `model`, pictures float32 (n, 3, side, side) -> pooled features (n, dim), as an encoder of pictures only.

    `side`: pixels. `mean`, `std`: per channel, of a picture in [0, 1]. `interpolation`: bicubic or bilinear.
    `resize_mode`: shortest (the centre is seen), longest or squash (all is seen). Raises as `write_exported`.
    """
    rules = {"size": side, "mean": list(mean), "std": list(std)}
    rules |= {"interpolation": interpolation, "resize_mode": resize_mode}
    return write_exported(folder, Towers(Pictures(model, rules), None, about or {}))


def write_exported(folder: Path, towers: Towers) -> Parity:
    """Write the towers into `folder`, and compare. The modules keep their device and mode.

    Raises EncoderBroken where a graph does not say what its tower says, EncoderError where `folder` holds an encoder
    with models of its own, ValueError for no tower at all.
    """
    modules = [part.module for part in (towers.pictures, towers.words) if part]
    if not modules:
        raise ValueError("an encoder has a tower for pictures, for words, or both")
    states = [(module, module.training, _device(module)) for module in modules]
    try:
        for module in modules:
            module.eval().cpu()
        with torch.no_grad():
            return _written(folder, towers)
    finally:
        for module, training, device in states:
            module.train(training).to(device)


def _written(folder: Path, towers: Towers) -> Parity:
    pictures, words = towers.pictures, towers.words
    config: dict[str, Any] = {"embed_dim": _width(towers), "about": dict(towers.about)}
    if words:
        config["text_cfg"] = dict(words.rules)
    with replacing(folder, config) as partial:
        if pictures:
            (partial / "visual").mkdir()
            _write_graph(pictures.module, _blank(pictures), "image", partial / "visual" / "model.onnx")
            rules = json.dumps(dict(pictures.rules), indent=1)
            (partial / "visual" / "preprocess_cfg.json").write_text(rules, encoding="utf-8")
        if words:
            (partial / "textual").mkdir()
            _write_graph(words.module, _no_words(words), "text", partial / "textual" / "model.onnx")
            (partial / "textual" / "tokenizer.json").write_text(words.tokeniser, encoding="utf-8")
        return _compared(partial, towers, config)


def _write_graph(module: nn.Module, example: Tensor, name: str, path: Path) -> None:
    """The graph of `module` at `path`: `name` (batch, ...) -> "embedding" (batch, dim)."""
    if sum(each.numel() * each.element_size() for each in module.state_dict().values()) > _LARGEST_GRAPH:
        raise EncoderBroken(f"{name} tower: more than {_LARGEST_GRAPH / 1e9:.1f} GB of weights do not go into one file")
    axes = {name: {0: "batch"}, "embedding": {0: "batch"}}
    try:
        with _plain_attention(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the tracing exporter announces its successor and names constant shapes
            torch.onnx.export(
                module, (example,), str(path), input_names=[name], output_names=["embedding"], dynamic_axes=axes,
                opset_version=_OPSET, dynamo=False,
            )  # fmt: skip
    except Exception as error:  # what a model can do and ONNX cannot has no one type of error
        raise EncoderBroken(f"the {name} tower cannot be written as ONNX: {brief(error)}") from error


@contextmanager
def _plain_attention() -> Iterator[None]:
    """Let torch's attention run step by step: its kernel for inference has no counterpart in ONNX."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)


def _compared(folder: Path, towers: Towers, config: Mapping[str, Any]) -> Parity:
    """Smallest cosines between torch and the encoder in `folder`. Raises EncoderBroken where the two differ."""
    encoder = OnnxEncoder(folder, name=folder.name, id=folder.name, device="cpu")
    image = text = None
    if towers.pictures:
        shown = drawn_pictures()
        values = read_preprocessing(towers.pictures.rules, str(folder)).batch(shown)
        image = _least_cosine("picture", encoder.encode_images, shown, _vectors(towers.pictures.module, values))
    if towers.words:
        tokens, _ = open_tokeniser(folder / "textual", read_rules(config))(_TEXTS)
        text = _least_cosine("text", encoder.encode_texts, _TEXTS, _vectors(towers.words.module, tokens))
    return Parity(image, text)


def _least_cosine(what: str, encode: Callable[[Any], Vectors], given: Sequence[Any], wanted: Vectors) -> float:
    """The smallest cosine, of all batch sizes, between what `encode` makes of `given` and `wanted`.

    Cosines alone would say little of a network whose vectors are all much alike, as with random weights: what is off
    must also be small beside what lies between different inputs. Raises EncoderBroken.
    """
    apart = float(np.median(np.linalg.norm(wanted[1:] - wanted[:-1], axis=1)))
    least = 1.0
    for size in _BATCHES:
        parts = [encode(given[start : start + size]) for start in range(0, len(given), size)]
        found = np.concatenate(parts)
        cosine = float(np.sum(found.astype(np.float64) * wanted, axis=1).min())
        off = float(np.linalg.norm(found - wanted, axis=1).max())
        if not (cosine >= LEAST_COSINE and off <= _LARGEST_OFF * apart):
            raise EncoderBroken(
                f"the written graph is not the model: a {what} has cosine {cosine:.6f} between the two, and is off by "
                f"{off:.1e} where {what}s lie {apart:.1e} apart",
                hint="nothing was written; another release of torch or ONNX Runtime may export it rightly",
            )
        least = min(least, cosine)
    return least


def drawn_pictures() -> list[Pixels]:
    """Pictures to compare by, uint8, of several sizes: plain, noise, stripes, a coloured slope; always the same."""
    draw = np.random.default_rng(0)
    slope = np.linspace(0, 255, 300 * 400 * 3).reshape(300, 400, 3)
    stripes = np.where(np.arange(256)[:, None, None] // 16 % 2, [250, 240, 20], [10, 30, 120]).repeat(256, axis=1)
    blocks = draw.integers(0, 256, (9, 12, 3)).repeat(32, axis=0).repeat(32, axis=1)
    noise = draw.integers(0, 256, (200, 350, 3))
    return [np.ascontiguousarray(each, np.uint8) for each in (slope, stripes, blocks, noise, np.full((64, 64, 3), 128))]


def _vectors(module: nn.Module, values: NDArray[Any]) -> NDArray[np.float32]:
    """What torch says, (n, dim) of unit length."""
    vectors = module(torch.from_numpy(values)).float()
    return np.asarray(nn.functional.normalize(vectors, dim=-1).numpy(), np.float32)


def _width(towers: Towers) -> int:
    """Components of a vector. Raises EncoderBroken where a tower gives no vectors, or the two different ones."""
    shapes = []
    if towers.pictures:
        shapes.append(tuple(towers.pictures.module(_blank(towers.pictures)).shape))
    if towers.words:
        shapes.append(tuple(towers.words.module(_no_words(towers.words)).shape))
    if any(len(shape) != 2 for shape in shapes) or len({shape[1] for shape in shapes}) != 1:
        raise EncoderBroken(f"towers must give vectors of one width, (n, dim): these give {shapes}")
    return int(shapes[0][1])


def _blank(pictures: Pictures) -> Tensor:
    """Two plain pictures, as the tower eats them. Two, because a batch of one would be written into the graph."""
    height, width = read_preprocessing(pictures.rules, "the export").size
    return torch.zeros(2, 3, height, width)


def _no_words(words: Words) -> Tensor:
    """Tokens of two texts, int64 (2, length)."""
    rules = read_rules({"text_cfg": dict(words.rules)})
    return torch.arange(rules.length).repeat(2, 1) % 4


def _device(module: nn.Module) -> torch.device:
    return next((parameter.device for parameter in module.parameters()), torch.device("cpu"))
