"""The image tower in int8: weights and arithmetic of its convolutions, by a static QDQ graph.

Weights have a step for each output channel; each map has one fixed step, found on training pictures, so a picture's
vector does not depend on the batch it is in. Weights use 7 of the 8 bits: processors without VNNI (all AVX2 before it)
add two products of an unsigned and a signed byte in 16 bits and cut off what is larger, and 2 x 255 x 64 = 32,640 still
fits. (builtin-1 gave the same vectors to the last bit with VNNI and on an emulated Haswell.) The projection to the
embedding stays in float32, as stored by `graphs`. The work is ONNX Runtime's own (`onnxruntime.quantization`).
"""

from __future__ import annotations

import contextlib
import io
import logging
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import onnx

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray
    from onnx import ModelProto

_OPERATIONS = ["Conv", "Relu", "Add", "AveragePool", "GlobalAveragePool"]
_PERCENTILE = 99.999
"""Of a map's values that fit its steps; the few beyond are cut off. With room for every value the cosine to float32
fell from 0.9981 to 0.9978 (builtin-1), and the few outliers are others in other pictures."""


def quantised(model: ModelProto, pictures: NDArray[np.float32]) -> ModelProto:
    """`model`, an image graph with float32 convolutions, as static QDQ int8.

    `pictures`: normalised training pictures, float32 (n, 3, side, side). All their maps are held at once: about 3 MB
    a picture. Two or three hundred are enough.
    """
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static

    with tempfile.TemporaryDirectory() as place, _silence():
        before, after = Path(place, "float.onnx"), Path(place, "int8.onnx")
        onnx.save(model, before)
        quantize_static(
            before,
            after,
            _Pictures(model.graph.input[0].name, pictures),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=_OPERATIONS,
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.Percentile,
            extra_options={"CalibPercentile": _PERCENTILE},
        )
        return onnx.load(after)


class _Pictures:
    """The pictures one by one, as the quantiser asks for them (the form of its `CalibrationDataReader`)."""

    def __init__(self, name: str, pictures: NDArray[np.float32]) -> None:
        self._feeds = ({name: picture[None]} for picture in pictures)

    def get_next(self) -> dict[str, Any] | None:
        return next(self._feeds, None)


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """The quantiser prints its progress and warns that the graph could be simplified before; neither is news."""
    level = logging.root.level
    logging.root.setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        logging.root.setLevel(level)
