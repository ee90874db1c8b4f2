"""A dual encoder of two ONNX models in one folder: pictures and words to unit vectors of the same space.

The folder has the layout of immich's exports: `config.json`, `visual/model.onnx`, `visual/preprocess_cfg.json`,
`textual/model.onnx`, `textual/tokenizer.json`. A tower whose model is missing is a modality the encoder does not have.
Towers open at first use, one by one: a question in words never opens the image tower. What comes out is checked: not
finite, or of another width than promised, is an error that names the encoder, never a stored vector. No network.
"""

from __future__ import annotations

import json
import threading
import time
from functools import cached_property
from typing import TYPE_CHECKING, Any

from lookalike.core.cores import usable_cores
from lookalike.core.errors import EncoderBroken, NoTextTower
from lookalike.core.wording import Wording
from lookalike.encoders.preprocess import read_preprocessing
from lookalike.encoders.tokenise import open_tokeniser, read_rules
from lookalike.encoders.towers import Tower

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

    from lookalike.core.arrays import Pixels, Vectors
    from lookalike.encoders.preprocess import Preprocessing
    from lookalike.encoders.tokenise import Tokeniser

TOLERANCE = 1e-4  # largest difference of a component between a batch and its singles, fp32; config.json may say another
_TEXTS_AT_ONCE = 32  # texts are short: one size serves all text towers


class OnnxEncoder:
    """An encoder from a folder; implements `core.protocols.Encoder`. Thread-safe.

    `id` says which weights these are (`identity.identify`). `device`: auto, cpu, cuda, coreml or directml. `threads`:
    cores for one run, all that are usable by default. `batch`: pictures in a run, found by measuring by default.
    `notice` is told, once each, what the user should know (a device that is not there).
    Raises EncoderBroken when the folder does not make an encoder.
    """

    def __init__(
        self,
        folder: Path,
        *,
        name: str,
        id: str,
        device: str = "auto",
        threads: int | None = None,
        batch: int | None = None,
        notice: Callable[[str], None] | None = None,
    ) -> None:
        self._folder = folder
        self._name = name
        self._id = id
        self._batch = batch
        self._config = read_json(folder / "config.json")
        self._told: set[str] = set()
        self._tokeniser_opening = threading.Lock()
        said = notice or (lambda _: None)

        def tell_once(message: str) -> None:
            if message not in self._told:
                self._told.add(message)
                said(message)

        self._towers = {
            modality: Tower(path, device=device, threads=threads or usable_cores(), notice=tell_once)
            for modality, part in (("image", "visual"), ("text", "textual"))
            if (path := folder / part / "model.onnx").is_file()
        }
        if not self._towers:
            raise EncoderBroken(f"{folder} has neither visual/model.onnx nor textual/model.onnx")

    @property
    def id(self) -> str:
        return self._id

    @property
    def name(self) -> str:
        return self._name

    @property
    def modalities(self) -> frozenset[str]:
        return frozenset(self._towers)

    @property
    def tolerance(self) -> float:
        return float(self._config.get("tolerance", TOLERANCE))

    @cached_property
    def dim(self) -> int:
        """Components of a vector: `embed_dim` of config.json, else what a model declares (opens it)."""
        declared = self._config.get("embed_dim") or next(iter(self._towers.values())).width
        if not isinstance(declared, int) or declared < 1:
            raise EncoderBroken(f"{self._folder / 'config.json'} does not say embed_dim")
        return declared

    @property
    def widths(self) -> tuple[int, ...]:
        """How many of the first components serve alone, by its makers' word; none for most encoders."""
        return tuple(width for width in self._config.get("widths") or () if width < self.dim)

    @property
    def image_side(self) -> int:
        return min(self._preprocessing.size) if "image" in self._towers else 0

    @property
    def fit(self) -> Callable[[Image], Image] | None:
        """The resize and crop that `encode_images` begins with, for whoever decodes to do in its own process."""
        return self._preprocessing.fit if "image" in self._towers else None

    @property
    def opened(self) -> frozenset[str]:
        """The modalities whose model is in memory."""
        return frozenset(modality for modality, tower in self._towers.items() if tower.opened)

    def encode_images(self, pictures: Sequence[Pixels]) -> Vectors:
        """(n, dim) in input order; (0, dim) for none. Raises EncoderBroken, also when a vector is not finite."""
        if "image" not in self._towers:
            raise EncoderBroken(f"{self._name} has no image tower", hint="choose another encoder: lookalike encoders")
        return self._gathered("picture", len(pictures), self._image_batches(pictures))

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """(n, dim) in input order; (0, dim) for none. Raises NoTextTower, EncoderBroken."""
        if "text" not in self._towers:
            raise NoTextTower(Wording("only_pictures", name=self._name), hint=Wording("search_with_picture"))
        return self._gathered("text", len(texts), self._text_batches(texts))

    def _image_batches(self, pictures: Sequence[Pixels]) -> Iterator[NDArray[np.float32]]:
        tower, start = self._towers["image"], 0
        while start < len(pictures):
            size = tower.fixed_batch or self._batch or tower.batch.next(len(pictures) - start)
            values = self._preprocessing.batch(pictures[start : start + size])
            began = time.perf_counter()
            yield self._seen(tower, values)
            tower.batch.took(len(values), began)
            start += size

    def _seen(self, tower: Tower, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """What the image tower makes of normalised pictures, (n, dim).

        With `mirror` in config.json it looks at each and at its mirror image and takes the mean direction: that finds a
        little more for twice the time, and a mirrored picture is the same picture.
        """
        import numpy as np

        vectors = tower.run(values)
        if not self._config.get("mirror"):
            return vectors
        mirrored = tower.run(np.ascontiguousarray(values[..., ::-1]))
        with np.errstate(invalid="ignore", divide="ignore"):  # what is not finite is found where all is gathered
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
            mirrored /= np.linalg.norm(mirrored, axis=1, keepdims=True)
        return vectors + mirrored

    def _text_batches(self, texts: Sequence[str]) -> Iterator[NDArray[np.float32]]:
        tower = self._towers["text"]
        size = tower.fixed_batch or _TEXTS_AT_ONCE
        for start in range(0, len(texts), size):
            yield tower.run(*self._tokeniser(texts[start : start + size]))

    def _gathered(self, what: str, count: int, batches: Iterator[NDArray[np.float32]]) -> Vectors:
        """The batches as unit rows. `what` names an input in the error for numbers that are not finite."""
        import numpy as np

        vectors = np.empty((count, self.dim), np.float32)
        start = 0
        for batch in batches:
            if batch.shape[1] != self.dim:
                raise EncoderBroken(
                    f"{self._name} promises {self.dim} components and its {what} model gives {batch.shape[1]}"
                )
            lengths = np.linalg.norm(batch.astype(np.float64), axis=1, keepdims=True)
            bad = ~(np.isfinite(lengths) & (lengths > 0))[:, 0]
            if bad.any():
                raise EncoderBroken(
                    f"{self._name} gave no finite vector for {what} {start + int(bad.argmax())} of {count}"
                )
            vectors[start : start + len(batch)] = batch / lengths
            start += len(batch)
        return vectors

    @cached_property
    def _preprocessing(self) -> Preprocessing:
        path = self._folder / "visual" / "preprocess_cfg.json"
        return read_preprocessing(read_json(path), str(path))

    @property
    def _tokeniser(self) -> Tokeniser:
        with self._tokeniser_opening:
            return self._tokeniser_once

    @cached_property
    def _tokeniser_once(self) -> Tokeniser:
        return open_tokeniser(self._folder / "textual", read_rules(self._config))


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file of an encoder. Raises EncoderBroken when it is missing or no JSON object."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EncoderBroken(f"{path} cannot be read: {error}", hint="copy or download the encoder again") from error
    if not isinstance(values, dict):
        raise EncoderBroken(f"{path} is not a JSON object")
    return values
