"""Shipped fakes for tests of programs that use lookalike: a toy encoder and small drawn pictures.

`ToyEncoder` keeps the whole contract of `core.protocols.Encoder` with a few lines of numpy: it sees which named colours
and which shape a picture shows, and its words are those colours and shapes, so "red circle" finds red circles
without any model. `draw_pictures` writes pictures it can tell apart. Neither needs ONNX Runtime or a network.
"""

from __future__ import annotations

import hashlib
import random
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray
    from PIL import ImageDraw

    from lookalike.core.arrays import Pixels, Vectors

COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (215, 30, 30),
    "orange": (245, 140, 20),
    "yellow": (240, 225, 30),
    "green": (30, 160, 50),
    "blue": (30, 70, 215),
    "purple": (140, 40, 170),
    "black": (15, 15, 15),
    "white": (245, 245, 245),
}
SHAPES: dict[str, float] = {"triangle": 0.5, "circle": 0.785, "square": 1.0}
"""Each shape with the share of its bounding box that it fills."""

_GRID = 4  # the picture's layout is seen as mean colours of 4 x 4 cells
_SIDE = 32  # pixels; what the toy looks at
_WORDS = 5  # slots for words that are neither colour nor shape
_DIM = len(COLOURS) + len(SHAPES) + 3 * _GRID * _GRID + _WORDS  # 64: a power of two, for the Hadamard mixing
_GREY = 0.05  # weight of a pixel without colour, against 1 for a saturated one: a background must not decide


class ToyEncoder:
    """A deterministic encoder of 64 dimensions that knows eight colours and three shapes.

    `name` makes several incomparable toys: the id, and the vectors, differ by it. With `text=False` it has no words.
    """

    def __init__(self, name: str = "toy", *, text: bool = True) -> None:
        self._name = name
        self._text = text
        self._signs = random.Random(name).choices((-1.0, 1.0), k=_DIM)  # noqa: S311 - a fake, not a secret

    @property
    def id(self) -> str:
        return f"{self._name}-{hashlib.sha256(self._name.encode()).hexdigest()[:12]}"

    @property
    def name(self) -> str:
        return self._name

    @property
    def dim(self) -> int:
        return _DIM

    @property
    def modalities(self) -> frozenset[str]:
        return frozenset({"image", "text"} if self._text else {"image"})

    @property
    def image_side(self) -> int:
        return _SIDE

    @property
    def tolerance(self) -> float:
        return 1e-6

    def encode_images(self, pictures: Sequence[Pixels]) -> Vectors:
        """(n, 64) in input order."""
        return self._mixed(_picture_features(pixels) for pixels in pictures)

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """(n, 64) in input order. Raises NoTextTower when made with `text=False`."""
        from lookalike.core.errors import NoTextTower

        if not self._text:
            raise NoTextTower(f"{self._name} only understands pictures", hint="search with a picture")
        return self._mixed(_text_features(text) for text in texts)

    def _mixed(self, features: Iterable[NDArray[np.float32]]) -> Vectors:
        """Rotate the features, so that every component of a vector means a bit of everything, as a real encoder's."""
        import numpy as np

        from lookalike.core.arrays import unit_vectors

        hadamard = np.ones((1, 1), np.float32)
        while len(hadamard) < _DIM:
            hadamard = np.block([[hadamard, hadamard], [hadamard, -hadamard]])
        rows = [hadamard @ (feature * np.asarray(self._signs, np.float32)) for feature in features]
        return unit_vectors(rows, _DIM) if rows else np.empty((0, _DIM), np.float32)


def _picture_features(pixels: Pixels) -> NDArray[np.float32]:
    """Share of each named colour, the shape that the coloured part fills, and the layout of the picture."""
    import numpy as np

    rows = np.linspace(0, pixels.shape[0] - 1, _SIDE).round().astype(int)
    columns = np.linspace(0, pixels.shape[1] - 1, _SIDE).round().astype(int)
    small = pixels[rows][:, columns].astype(np.float32)
    weight = _GREY + (small.max(-1) - small.min(-1)) / 255
    palette = np.asarray(list(COLOURS.values()), np.float32)
    nearest = ((small[:, :, None] - palette) ** 2).sum(-1).argmin(-1)
    colours = np.bincount(nearest.ravel(), weight.ravel(), len(COLOURS)) / weight.sum()
    cells = small.reshape(_GRID, _SIDE // _GRID, _GRID, _SIDE // _GRID, 3).mean((1, 3)).ravel() / 255
    layout = 0.1 * (cells - cells.mean())
    return np.concatenate([colours, _shape_features(weight > 0.4), layout, np.zeros(_WORDS)]).astype(np.float32)


def _shape_features(figure: NDArray[np.bool_]) -> NDArray[np.float32]:
    """0.5 at the shape whose share of its bounding box is nearest to the figure's; zeros without a figure."""
    import numpy as np

    found = np.zeros(len(SHAPES), np.float32)
    if figure.any():
        height, width = (int(np.ptp(np.nonzero(figure)[axis])) + 1 for axis in (0, 1))
        filled = figure.sum() / (height * width)
        found[min(range(len(SHAPES)), key=lambda i: abs(list(SHAPES.values())[i] - filled))] = 0.5
    return found


def _text_features(text: str) -> NDArray[np.float32]:
    """1 at each known colour, 0.5 at each known shape; other words fall into slots no picture uses."""
    import numpy as np

    slots = [*COLOURS, *SHAPES]
    features = np.zeros(_DIM, np.float32)
    for word in re.findall(r"\w+", text.lower()) or [""]:
        if word in slots:
            features[slots.index(word)] = 0.5 if word in SHAPES else 1.0
        else:
            features[-1 - hashlib.sha256(word.encode()).digest()[0] % _WORDS] += 0.1
    return features


def draw_pictures(folder: Path, n: int, seed: int = 0) -> list[Path]:
    """Write `n` pictures of 96 x 72 pixels into `folder` (made when missing) and return their paths, in order.

    Each shows one coloured shape on a light ground and says so in its name: `0007-red-circle.jpg`; every third is a
    PNG, the others are JPEG. Colours and shapes take turns, so each kind occurs from n = 24 on. Equal arguments draw
    equal pixels; no two pictures of a call are alike.
    """
    from PIL import Image, ImageDraw

    folder.mkdir(parents=True, exist_ok=True)
    draw = random.Random(seed)  # noqa: S311 - drawing, not a secret
    paths = []
    for number in range(n):
        colour = list(COLOURS)[number % len(COLOURS)]
        shape = list(SHAPES)[number // len(COLOURS) % len(SHAPES)]
        ground = tuple(draw.randrange(190, 225) for _ in range(3))
        picture = Image.new("RGB", (96, 72), ground)
        side = draw.randrange(28, 60)
        left, top = draw.randrange(2, 94 - side), draw.randrange(2, 70 - side)
        _draw_shape(ImageDraw.Draw(picture), shape, (left, top, left + side, top + side), COLOURS[colour])
        for bit in range(16):  # the number in faint pixels of the edge: no two pictures are alike
            picture.putpixel((bit * 6, 0), (230, 230, 230) if number >> bit & 1 else (185, 185, 185))
        path = folder / f"{number:04d}-{colour}-{shape}.{'png' if number % 3 == 2 else 'jpg'}"
        picture.save(path, quality=92)
        paths.append(path)
    return paths


def _draw_shape(
    canvas: ImageDraw.ImageDraw, shape: str, box: tuple[int, int, int, int], colour: tuple[int, int, int]
) -> None:
    left, top, right, bottom = box
    if shape == "circle":
        canvas.ellipse(box, fill=colour)
    elif shape == "square":
        canvas.rectangle(box, fill=colour)
    else:
        canvas.polygon([(left, bottom), (right, bottom), ((left + right) // 2, top)], fill=colour)
