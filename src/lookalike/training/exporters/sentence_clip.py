"""CLIP as sentence-transformers keep it on disk (clip-ViT-B-32, clip-ViT-L-14), or transformers: towers and vocabulary.

    modules.json                  which folder holds the CLIP: mostly 0_CLIPModel; without it, the folder itself does
    0_CLIPModel/config.json       what the weights do not say: activations, heads, the closing token
    0_CLIPModel/model.safetensors or pytorch_model.bin
    0_CLIPModel/preprocessor_config.json
    0_CLIPModel/tokenizer.json or vocab.json and merges.txt

Neither library is needed. What is left out of config.json has the value that transformers leave out (`CLIPTextConfig`,
`CLIPVisionConfig`).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lookalike.core.errors import EncoderBroken
from lookalike.encoders.onnx_encoder import read_json
from lookalike.training.exporters.clip_towers import Details, open_towers, renamed
from lookalike.training.exporters.clip_vocabulary import from_folder
from lookalike.training.exporters.exported_folder import Pictures, Towers, Words
from lookalike.training.exporters.weights import read_weights

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FILES = ("modules.json", *(f"0_CLIPModel/{name}" for name in ("*.json", "merges.txt", "model.safetensors", "*.bin")))
_WEIGHTS = ("model.safetensors", "pytorch_model.bin")
_TEXT_HEADS, _IMAGE_HEADS, _EPSILON = 8, 12, 1e-5  # what transformers leave out
_OLD_CLOSING = 2  # what old configurations say of the closing token; its id is the highest (transformers, CLIP)
_ACTIVATIONS = {"quick_gelu": True, "gelu": False}
_BICUBIC = 3  # Pillow's number
_FILTERS = {_BICUBIC: "bicubic", 2: "bilinear"}


def open_sentence_clip(folder: Path, name: str | None = None) -> Towers:
    """The towers in `folder`. `name`: what to call it in the encoder's config. Raises EncoderBroken, MissingExtra."""
    inner = folder / _clip_module(folder)
    config = read_json(inner / "config.json")
    path = next((inner / each for each in _WEIGHTS if (inner / each).is_file()), None)
    if path is None:
        raise EncoderBroken(f"{inner} holds neither {' nor '.join(_WEIGHTS)}")
    weights = renamed({name: each for name, each in read_weights(path).items() if name != "logit_scale"})
    if "token_embedding.weight" not in weights:
        raise EncoderBroken(f"{path} does not hold the weights of a CLIP")
    vocabulary = len(weights["token_embedding.weight"])
    seeing, reading = open_towers(weights, _details(config, vocabulary, inner))
    words = {"context_length": reading.length, "vocab_size": vocabulary}
    about = {"made_from": f"sentence-transformers:{name or folder.name}"}
    rules = _preparing(read_json(inner / "preprocessor_config.json"), seeing.side, inner)
    return Towers(Pictures(seeing, rules), Words(reading, from_folder(inner), words), about)


def _clip_module(folder: Path) -> str:
    """The sub-folder of the CLIP, "" for the folder itself. Raises EncoderBroken where there is another model."""
    listing = folder / "modules.json"
    if not listing.is_file():
        return ""
    try:
        modules = json.loads(listing.read_text(encoding="utf-8"))
        found = [str(each["path"]) for each in modules if str(each["type"]).endswith("CLIPModel")]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise EncoderBroken(f"{listing} cannot be read: {error}") from error
    if len(found) != 1 or len(modules) != 1:
        raise EncoderBroken(f"{folder} is not a CLIP of sentence-transformers alone: modules.json names other parts")
    return found[0]


def _details(config: Mapping[str, Any], vocabulary: int, folder: Path) -> Details:
    text, vision = config.get("text_config") or {}, config.get("vision_config") or {}
    activation = text.get("hidden_act", "quick_gelu")
    if activation not in _ACTIVATIONS or vision.get("hidden_act", "quick_gelu") != activation:
        raise EncoderBroken(f"{folder}: config.json asks for activations that are not known here: {activation}")
    closing = text.get("eos_token_id", vocabulary - 1)
    return Details(
        closing=vocabulary - 1 if closing == _OLD_CLOSING else closing,
        quick=_ACTIVATIONS[activation],
        heads=(vision.get("num_attention_heads", _IMAGE_HEADS), text.get("num_attention_heads", _TEXT_HEADS)),
        epsilon=text.get("layer_norm_eps", _EPSILON),
    )


def _preparing(values: Mapping[str, Any], side: int, folder: Path) -> dict[str, Any]:
    """preprocessor_config.json in open_clip's keys: the shortest side to `side`, the middle cut out."""
    size, crop = values.get("size", side), values.get("crop_size", side)
    shortest = size.get("shortest_edge") if isinstance(size, dict) else size
    cropped = crop.get("height") if isinstance(crop, dict) else crop
    resample = values.get("resample", _BICUBIC)
    if cropped != side or shortest is None or resample not in _FILTERS:
        raise EncoderBroken(f"{folder}: preprocessor_config.json asks for what is not known here: {dict(values)}")
    rules = {
        "size": [side, side],
        "mode": "RGB",
        "mean": list(values["image_mean"]),
        "std": list(values["image_std"]),
        "interpolation": _FILTERS[resample],
        "resize_mode": "shortest",
    }
    return rules | ({"resize_size": shortest} if shortest != side else {})
