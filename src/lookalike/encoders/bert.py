"""BERT from a safetensors file, in numpy: what sentence encoders of a few million weights need, without torch.

The network is that of Devlin et al. (2019), as Hugging Face's `BertModel` writes it down: learned positions, layers of
attention and of a wide GELU, normalised after each. Held against torch in tests. A sentence takes about 2 ms a core
with the six layers of MiniLM; larger networks are better exported to ONNX.
"""

from __future__ import annotations

import json
import math
import struct
from typing import TYPE_CHECKING, Any

from lookalike.core.errors import EncoderBroken

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

_NEVER = -1e9  # added to what is filling before the softmax
# Abramowitz and Stegun (1964), 7.1.26: the error function within 1.5e-7
_ERF = (0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429)
_ERF_SCALE = 0.3275911


class Bert:
    """The network in `folder`: config.json and model.safetensors. Thread-safe. Raises EncoderBroken."""

    def __init__(self, folder: Path) -> None:
        config = _object(folder / "config.json")
        if config.get("model_type") != "bert" or config.get("hidden_act", "gelu") != "gelu":
            raise EncoderBroken(
                f"{folder} holds a network of the kind {config.get('model_type')}, not BERT",
                hint="export it to ONNX: model.onnx beside tokenizer.json",
            )
        self._weights = read_safetensors(folder / "model.safetensors")
        self._layers = int(config["num_hidden_layers"])
        self._heads = int(config["num_attention_heads"])
        self._epsilon = float(config.get("layer_norm_eps", 1e-12))
        self.positions = int(config["max_position_embeddings"])
        try:
            self.dim = int(self._weight("embeddings.word_embeddings.weight").shape[1])
        except KeyError as error:
            raise EncoderBroken(f"{folder / 'model.safetensors'} lacks {error}") from error

    def __call__(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        """Token ids and mask (1 = token), int64 (n, length) -> the last layer, float32 (n, length, dim)."""
        import numpy as np

        values = self._weight("embeddings.word_embeddings.weight")[ids]
        values = values + self._weight("embeddings.position_embeddings.weight")[: ids.shape[1]]
        values = self._norm(values + self._weight("embeddings.token_type_embeddings.weight")[0], "embeddings.LayerNorm")
        barred = np.where(mask[:, None, None, :] > 0, np.float32(0), np.float32(_NEVER))
        for number in range(self._layers):
            layer = f"encoder.layer.{number}"
            mixed = self._linear(self._attend(values, barred, layer), f"{layer}.attention.output.dense")
            values = self._norm(values + mixed, f"{layer}.attention.output.LayerNorm")
            wide = _gelu(self._linear(values, f"{layer}.intermediate.dense"))
            values = self._norm(values + self._linear(wide, f"{layer}.output.dense"), f"{layer}.output.LayerNorm")
        return values

    def _attend(self, values: NDArray[np.float32], barred: NDArray[np.float32], layer: str) -> NDArray[np.float32]:
        import numpy as np

        count, length, dim = values.shape
        query, key, value = (
            self._linear(values, f"{layer}.attention.self.{part}")
            .reshape(count, length, self._heads, dim // self._heads)
            .transpose(0, 2, 1, 3)
            for part in ("query", "key", "value")
        )
        scores = query @ key.transpose(0, 1, 3, 2) / np.float32(math.sqrt(dim // self._heads)) + barred
        shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
        shares /= shares.sum(axis=-1, keepdims=True)
        joined: NDArray[np.float32] = (shares @ value).transpose(0, 2, 1, 3).reshape(count, length, dim)
        return joined

    def _linear(self, values: NDArray[np.float32], name: str) -> NDArray[np.float32]:
        changed: NDArray[np.float32] = values @ self._weight(f"{name}.weight").T + self._weight(f"{name}.bias")
        return changed

    def _norm(self, values: NDArray[np.float32], name: str) -> NDArray[np.float32]:
        import numpy as np

        centred = values - values.mean(axis=-1, keepdims=True)
        spread = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + np.float32(self._epsilon))
        normal: NDArray[np.float32] = centred / spread * self._weight(f"{name}.weight") + self._weight(f"{name}.bias")
        return normal

    def _weight(self, name: str) -> NDArray[np.float32]:
        """By its name; some files have "bert." before it."""
        return self._weights[name] if name in self._weights else self._weights[f"bert.{name}"]


def read_safetensors(path: Path) -> Mapping[str, NDArray[np.float32]]:
    """The float32 and float16 arrays of a safetensors file, as float32. Raises EncoderBroken."""
    import numpy as np

    weights = {}
    try:
        content = path.read_bytes()
        (length,) = struct.unpack("<Q", content[:8])
        table = json.loads(content[8 : 8 + length])
        for name, entry in table.items():
            kind = {"F32": "<f4", "F16": "<f2"}.get(entry["dtype"]) if name != "__metadata__" else None
            if kind is not None:
                low, high = entry["data_offsets"]
                numbers = np.frombuffer(content[8 + length + low : 8 + length + high], kind)
                weights[name] = numbers.reshape(entry["shape"]).astype(np.float32, copy=False)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, struct.error) as error:
        raise EncoderBroken(f"{path} cannot be read: {error}", hint="copy or install the encoder again") from error
    return weights


def _object(path: Path) -> dict[str, Any]:
    try:
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EncoderBroken(f"{path} cannot be read: {error}", hint="copy or install the encoder again") from error
    return values


def _gelu(values: NDArray[np.float32]) -> NDArray[np.float32]:
    import numpy as np

    size = np.abs(values) / np.float32(math.sqrt(2))
    share = 1 / (1 + np.float32(_ERF_SCALE) * size)
    power = np.zeros_like(share)
    for factor in reversed(_ERF):
        power = (power + np.float32(factor)) * share
    erf = np.sign(values) * (1 - power * np.exp(-(size**2)))
    return np.asarray(values * (1 + erf) / 2, np.float32)
