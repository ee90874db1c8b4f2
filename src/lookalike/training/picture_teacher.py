"""What a network trained on ImageNet sees in each photo: a 1280-d feature and 1001 label scores, once per photo.

The teacher is MobileNetEdgeTPU (Apache-2.0, mlcommons/mobile_models), quantised, run by ai-edge-litert. It only gives
targets: none of its weights are in what we ship. Outputs stay in the file's own uint8 steps; `FEATURE_STEP` and
`SCORE_STEP` turn them into numbers. A photo whose feature is all zero was not asked about.
"""

from __future__ import annotations

import warnings
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np

from lookalike.core.errors import CannotDecode, MissingExtra
from lookalike.images.decode import decode_picture
from lookalike.training.pack import squash

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from lookalike.training.pack import PackList
    from lookalike.training.snapshots import Snapshots

MODEL = ("mlcommons/mobile_models", "1f9963316b81", "v0_7/tflite/mobilenet_edgetpu_224_1.0_uint8.tflite")
FEATURE_DIM, SCORE_DIM, SIDE = 1280, 1001, 224
FEATURE_STEP = 0.17056527733802795  # value of one step of the feature, from the model file
SCORE_STEP = 0.07864745706319809  # of a label score before the softmax
FEATURE_TENSOR, _SCORE_TENSOR = "MobilenetEdgeTPU/Logits/AvgPool", "MobilenetEdgeTPU/Logits/SpatialSqueeze"
_PHOTOS_AT_ONCE = 250


class PictureTeacher:
    """One interpreter, one thread. `look` answers for one picture."""

    def __init__(self, model: bytes) -> None:
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError as error:
            raise MissingExtra("asking the picture teacher", "train") from error
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that keeping inner tensors is for debugging; it is how one gets a feature
            self._run: Any = Interpreter(model_content=model, num_threads=1, experimental_preserve_all_tensors=True)
        self._run.allocate_tensors()
        self._input = self._run.get_input_details()[0]["index"]
        index = {tensor["name"]: tensor["index"] for tensor in self._run.get_tensor_details()}
        self._feature, self._score = index[FEATURE_TENSOR], index[_SCORE_TENSOR]

    def look(self, pixels: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """uint8 (224, 224, 3) -> feature uint8 (1280,) and label scores uint8 (1001,), in steps."""
        self._run.set_tensor(self._input, pixels[None])
        self._run.invoke()
        return self._run.get_tensor(self._feature).reshape(-1), self._run.get_tensor(self._score).reshape(-1)


def ask(name: str, listing: PackList, snapshots: Snapshots, packs: Path, *, workers: int = 1) -> None:
    """Write `NAME.feature.npy` and `NAME.score.npy` beside the pack. Done packs are passed over."""
    done = packs / f"{name}.asked"
    if done.exists():
        return
    shape = len(listing.paths)
    for part, width in (("feature", FEATURE_DIM), ("score", SCORE_DIM)):
        target = packs / f"{name}.{part}.npy"
        np.lib.format.open_memmap(target, mode="w+", dtype=np.uint8, shape=(shape, width)).flush()
    model = snapshots.content(*MODEL)
    starts = range(0, shape, _PHOTOS_AT_ONCE)
    with ProcessPoolExecutor(workers, initializer=_keep_teacher, initargs=(model,)) as pool:
        tasks = [
            pool.submit(
                _ask_part,
                snapshots,
                listing.repository,
                listing.blobs[start : start + _PHOTOS_AT_ONCE],
                packs,
                (name, start),
            )
            for start in starts
        ]
        for task in tasks:
            task.result()
    done.touch()


def probabilities(scores: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Softmax over the labels, float32 (n, 1001)."""
    values = scores.astype(np.float32) * np.float32(SCORE_STEP)
    values = np.exp(values - values.max(axis=1, keepdims=True))
    return np.asarray(values / values.sum(axis=1, keepdims=True), np.float32)


_kept: list[PictureTeacher] = []


def _keep_teacher(model: bytes) -> None:
    """In a worker process: open the teacher once."""
    _kept[:] = [PictureTeacher(model)]


def _ask_part(
    snapshots: Snapshots, repository: str, blobs: list[str], packs: Path, name_and_start: tuple[str, int]
) -> None:
    name, start = name_and_start
    features = np.lib.format.open_memmap(packs / f"{name}.feature.npy", mode="r+")
    scores = np.lib.format.open_memmap(packs / f"{name}.score.npy", mode="r+")
    fitting = squash(SIDE)
    with snapshots.reader(repository) as read:
        for row, blob in enumerate(blobs, start):
            try:
                picture = decode_picture(read(blob), side=SIDE)
            except CannotDecode:
                continue
            features[row], scores[row] = _kept[0].look(fitting.fitted([picture.pixels])[0])
    features.flush()
    scores.flush()
