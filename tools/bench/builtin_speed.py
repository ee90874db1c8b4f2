"""How fast an encoder is: pictures against a ViT-B/32 in int8, queries in words, the first query of a process.

The peer has random weights, which cost what trained ones do: OpenAI's ViT-B/32 at 224 px (`tools/random_vit.py`), made
int8 by ONNX Runtime's own quantiser as is usual for transformers (static QDQ, MatMul and Conv, a step for each channel,
7-bit weights as ours). Both image towers run with the same session options on the same threads, in turns, each at the
batch size it is best at. Preparing and decoding pictures is in neither.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from measuring import LOOKALIKE, clean_environment, in_turns, medians
from startup import split_of_a_search

from lookalike.encoders.towers import Tower

sys.path.insert(0, str(Path(__file__).parent.parent))
from random_vit import write_image_tower

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lookalike.core.protocols import Encoder

PEER_SIDE = 224
THREADS = (1, 2)
BATCHES = (1, 8)
PICTURES = 32  # in a turn
ROUNDS = 7
QUERIES = 200
COLD_ROUNDS = 7


def write_peer(folder: Path) -> Path:
    """The ViT-B/32 in int8, written once."""
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static

    path, whole = folder / "vit-b-32-int8.onnx", folder / "vit-b-32.onnx"
    if not path.exists():
        draw = np.random.default_rng(0)
        write_image_tower(whole, draw, PEER_SIDE)
        quantize_static(
            whole,
            path,
            _Drawn(draw),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["MatMul", "Conv"],
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
        whole.unlink()
    return path


class _Drawn:
    """Pictures of noise for the quantiser: the speed does not depend on them."""

    def __init__(self, draw: np.random.Generator) -> None:
        shape = (1, 3, PEER_SIDE, PEER_SIDE)
        self._left: Iterator[Any] = iter([{"input": draw.standard_normal(shape, np.float32)} for _ in range(4)])

    def get_next(self) -> Any:
        return next(self._left, None)


def picture_rates(towers: dict[str, tuple[Path, int, int]]) -> dict[str, dict[str, float]]:
    """Pictures/s by threads and name. `towers`: (model, side, how often it looks at a picture) by name."""
    told = {}
    for threads in THREADS:
        opened = {
            (name, batch): (Tower(path, device="cpu", threads=threads, notice=print), side, batch, looks)
            for name, (path, side, looks) in towers.items()
            for batch in BATCHES
        }
        for tower, side, batch, looks in opened.values():
            _seconds(tower, side, batch, looks, batch)
        took = medians(
            in_turns({str(key): lambda of=each: _seconds(*of, PICTURES) for key, each in opened.items()}, ROUNDS)
        )
        told[f"{threads} threads" if threads > 1 else "1 thread"] = {
            name: round(PICTURES / min(took[str((name, batch))] for batch in BATCHES)) for name in towers
        }
    return told


def _seconds(tower: Tower, side: int, batch: int, looks: int, pictures: int) -> float:
    values = np.zeros((batch, 3, side, side), np.float32)
    started = time.perf_counter()
    for _ in range(looks * (pictures // batch)):
        tower.run(values)
    return time.perf_counter() - started


def text_ms(encoder: Encoder, texts: Sequence[str]) -> float:
    """Median milliseconds of one query, tokenising included, after the first."""
    encoder.encode_texts(texts[:1])
    took = []
    for text in texts[:QUERIES]:
        started = time.perf_counter()
        encoder.encode_texts([text])
        took.append(time.perf_counter() - started)
    return round(1000 * statistics.median(took), 2)


def cold_query(photos: Path, encoder: str) -> dict[str, float]:
    """Median milliseconds of each part of the first query of a process, over a collection of `photos`."""
    with tempfile.TemporaryDirectory() as place:
        env = clean_environment(Path(place))
        collection = Path(place) / "test.lookalike"
        command = [LOOKALIKE, "index", str(photos), "--encoder", encoder, "--collection", str(collection)]
        subprocess.run(command, env=env, check=True, capture_output=True, stdin=subprocess.DEVNULL)
        return split_of_a_search(collection, env, COLD_ROUNDS)
