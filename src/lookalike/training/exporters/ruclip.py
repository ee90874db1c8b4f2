"""ruCLIP as its makers publish it: a folder with config.json, pytorch_model.bin and bpe.model.

Opened without their package, which wants a huggingface-hub of 2021 and YouTokenToMe, whose build needs a compiler. Of
pytorch_model.bin nothing but numbers is read. Pictures are prepared as ai-forever/ru-clip `ruclip/processor.py` does:
the square in the middle, bilinear. Sizes published: B/32 and B/16 at 224 and 384 px, L/14 at 224 and 336 px.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lookalike.core.errors import EncoderBroken
from lookalike.encoders.onnx_encoder import read_json
from lookalike.training.exporters.clip_towers import Details, open_towers
from lookalike.training.exporters.exported_folder import Pictures, Towers, Words
from lookalike.training.exporters.subwords import read_subwords, tokeniser_json
from lookalike.training.exporters.weights import read_weights

if TYPE_CHECKING:
    from pathlib import Path

FILES = ("config.json", "pytorch_model.bin", "bpe.model")
_MEAN = (0.48145466, 0.4578275, 0.40821073)  # where config.json has none, as the makers' processor does
_STD = (0.26862954, 0.26130258, 0.27577711)


def open_ruclip(folder: Path, name: str | None = None) -> Towers:
    """The towers in `folder`. `name`: what to call it in the encoder's config. Raises EncoderBroken."""
    config = read_json(folder / "config.json")
    subwords = read_subwords(folder / "bpe.model")
    details = Details(subwords.closing, heads=(None, config.get("transformer_heads")))
    seeing, reading = open_towers(read_weights(folder / "pytorch_model.bin"), details)
    _check(folder, config, side=seeing.side, length=reading.length, vocabulary=reading.token_embedding.num_embeddings)
    if max(subwords.pieces) >= reading.token_embedding.num_embeddings:
        raise EncoderBroken(f"{folder}: bpe.model has more ids than the text tower has vectors")
    pictures = {
        "size": [seeing.side, seeing.side],
        "mode": "RGB",
        "mean": list(config.get("mean") or _MEAN),
        "std": list(config.get("std") or _STD),
        "interpolation": "bilinear",
        "resize_mode": "middle",
    }
    words = {"clean": "none", "context_length": reading.length, "pad_id": subwords.filling}
    words["vocab_size"] = reading.token_embedding.num_embeddings
    about = {"made_from": f"ruclip:{name or folder.name}", "languages": ["ru"]}
    return Towers(Pictures(seeing, pictures), Words(reading, tokeniser_json(subwords), words), about)


def _check(folder: Path, config: dict[str, Any], *, side: int, length: int, vocabulary: int) -> None:
    """That config.json says what the weights say: two that differ are of two models."""
    for key, found in (("image_resolution", side), ("context_length", length), ("vocab_size", vocabulary)):
        if config.get(key) != found:
            raise EncoderBroken(f"{folder}: config.json says {key} {config.get(key)}, the weights say {found}")
