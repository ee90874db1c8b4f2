"""One ONNX model: opened at first use, fed by the names and types it declares, in batches it can take.

Thread-safe: opening is locked, ONNX Runtime runs one session from many threads.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from lookalike.core.errors import EncoderBroken
from lookalike.encoders.providers import CPU, choose_provider, open_session

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

_CPU_SIZES = (4, 8, 16)  # inputs in a run: below, calls cost; above, memory grows and nothing is gained
_GPU_SIZES = (16, 32, 64, 128)
_TRIALS = 2  # runs of each size that are timed; the better one counts
_WORTH = 0.95  # a larger batch must take less than this share of the time per input: small batches spare memory


class Tower:
    """The model at `path`. `run` gives its embeddings as they come: not normalised, not checked."""

    def __init__(self, path: Path, *, device: str, threads: int, notice: Callable[[str], None]) -> None:
        self.path = path
        self.batch = BatchSize(_CPU_SIZES)
        self._device = device
        self._threads = threads
        self._notice = notice
        self._opening = threading.Lock()
        self._session: Any = None

    @property
    def opened(self) -> bool:
        return self._session is not None

    @property
    def session(self) -> Any:
        """The `onnxruntime.InferenceSession`, opened by whoever asks first. Raises EncoderBroken."""
        with self._opening:
            if self._session is None:
                provider = choose_provider(self._device, self._notice)
                session = open_session(self.path, provider, self._threads, self._notice)
                self.batch = BatchSize(_CPU_SIZES if session.get_providers()[0] == CPU else _GPU_SIZES)
                self._session = session
        return self._session

    @cached_property
    def fixed_batch(self) -> int | None:
        """How many inputs the model takes in a run, where it was exported for one number only (immich's: 1)."""
        size = self.session.get_inputs()[0].shape[0]
        return size if isinstance(size, int) else None

    @cached_property
    def width(self) -> int | None:
        """Components of an embedding as the model declares them, None where it does not."""
        width = self._output.shape[-1]
        return width if isinstance(width, int) else None

    def run(self, values: NDArray[Any], mask: NDArray[np.int64] | None = None) -> NDArray[np.float32]:
        """Embeddings float32 (n, dim) of n inputs; `mask` goes to inputs whose name says so (`attention_mask`)."""
        import numpy as np

        count = self.fixed_batch or len(values)
        feeds = {}
        for wanted in self.session.get_inputs():
            given = mask if mask is not None and "mask" in wanted.name else values
            feeds[wanted.name] = _filled(given, count).astype(_NUMPY_TYPES.get(wanted.type, "float32"), copy=False)
        try:
            (out,) = self.session.run([self._output.name], feeds)
        except Exception as error:  # the library's own exceptions share no base class
            raise EncoderBroken(f"{self.path} could not be run: {error}") from error
        return np.asarray(out, np.float32)[: len(values)].reshape(len(values), -1)

    @cached_property
    def _output(self) -> Any:
        """The embedding among the outputs: by name, else the first that is one vector an input."""
        outputs = self.session.get_outputs()
        named = [one for one in outputs if one.name in {"embedding", "image_embeds", "text_embeds"}]
        flat = [one for one in outputs if len(one.shape) == 2]
        return (named or flat or outputs)[0]


_NUMPY_TYPES = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(double)": "float64",
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
    "tensor(uint8)": "uint8",
}


def _filled(values: NDArray[Any], count: int) -> NDArray[Any]:
    """`values` with the last one repeated up to `count` rows, for models that take one number of inputs only."""
    import numpy as np

    missing = count - len(values)
    return values if missing <= 0 else np.concatenate([values, np.repeat(values[-1:], missing, axis=0)])


@dataclass(slots=True)
class BatchSize:
    """Finds the batch size by timing the first real batches: no picture is encoded twice for it.

    Sizes are tried from small to large; the smallest wins whose time per input no larger one clearly beats. Two
    threads may time at once: the worst that happens is a neighbouring size.
    """

    sizes: tuple[int, ...]
    best: dict[int, float] = field(default_factory=dict)
    trials: dict[int, int] = field(default_factory=dict)

    def next(self, waiting: int) -> int:
        """How many of `waiting` inputs to run now."""
        untried = (size for size in self.sizes if self.trials.get(size, 0) < _TRIALS and size <= waiting)
        return next(untried, min(self.chosen, waiting))

    @property
    def chosen(self) -> int:
        """The size found so far."""
        chosen = self.sizes[0]
        for size in self.sizes[1:]:
            if size in self.best and self.best[size] < _WORTH * self.best.get(chosen, float("inf")):
                chosen = size
        return chosen

    def took(self, size: int, started: float) -> None:
        """Note that a batch of `size`, begun at `time.perf_counter() == started`, has just ended."""
        if size in self.sizes:
            each = (time.perf_counter() - started) / size
            self.best[size] = min(each, self.best.get(size, each))
            self.trials[size] = self.trials.get(size, 0) + 1
