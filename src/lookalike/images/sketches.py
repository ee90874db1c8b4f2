"""Sketches of pictures: a few hundred bytes each, by which most pairs of different pictures are told apart.

A sketch is what a picture looks like at 32 pixels. Two of them give guesses at how the pictures may lie on each other:
as a whole in any of the eight turns, as a whole without plain borders, or the one as a part of the other, by normalised
cross-correlation over scales (J. P. Lewis, "Fast Normalized Cross-Correlation", 1995). Whoever has the pictures at hand
tries these (`alignment`); pairs without a guess need no further look.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from lookalike.core.turns import TURNS, turn_pixels
from lookalike.images.planes import WHOLE_BOX, content_of, correlation_of, cut, evened, fitted, resized

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from lookalike.images.planes import Plane

Within: TypeAlias = Literal["whole", "content", "second", "first"]
"""How two pictures lie on each other: from edge to edge, so without plain borders, the second as a part of the (turned)
first, or the first, turned, as a part of the second."""

SIDE = 32
_GREYS = 64
"""`fingerprint.SIDE`."""
SCALES = tuple(0.93**step for step in range(11))
"""Sizes of a part within the other picture: down to 48 %, in steps that the coarse grid does not notice."""
_SMALLEST = SIDE // 5
"""Pixels of the shorter side of a part that tells anything."""
_RADIUS = 2
_SQUARE_RADIUS = 3
_WHOLE_GUESS = 0.35
"""Correlation of two squares above which they are tried; copies and edited pictures reach 0.6 and more."""
_PART_GUESS = 0.54
"""Correlation of a part above which it is tried. Of 120 crops 1 in 100 lies below 0.6; of different photos 98 in 100
below 0.49."""


@dataclass(frozen=True, slots=True)
class Sketch:
    """`whole`, `content`: the picture, and what lies within plain borders, squeezed into squares, uint8 (n, n).

    `part`: the content in its shape, uint8 (height, width), the longer of them n.
    """

    whole: NDArray[np.uint8]
    content: NDArray[np.uint8]
    part: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Guess:
    """A way in which two pictures may lie on each other: `turn` of the first (`core.turns`), `scale` of a part."""

    score: float
    within: Within
    turn: int
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class Prepared:
    """What guessing needs of a sketch, made once for several pairs; about 60 kB.

    `squares`: details of the whole and of the content, float32 (2, n, n). Of the content in its shape, `height` and
    `width`: `spectra`, complex64 (2, n, n / 2 + 1), of its details and of their mirror image; `energy`: their squares
    summed from the upper left corner, float32 (2, n + 1, n + 1); `parts`: conjugate spectra of its details at every
    scale, of unit length, complex64 (scales, n, n / 2 + 1); `sizes`: height and width of these, int (scales, 2).
    """

    squares: NDArray[np.float32]
    height: int
    width: int
    spectra: NDArray[np.complex64]
    energy: Plane
    parts: NDArray[np.complex64]
    sizes: NDArray[np.int64]


def sketch_of_greys(greys: bytes, width: int, height: int) -> bytes:
    """The sketch of a picture of that width and height, as it is kept; `greys` is what `fingerprint.greys` gave.

    Width and height of the content at `SIDE`, a byte each; the whole, SIDE x SIDE levels; those of the content within
    plain borders where there are any.
    """
    import numpy as np

    grey = np.frombuffer(greys, np.uint8, _GREYS * _GREYS).reshape(_GREYS, _GREYS)
    box = content_of(grey)
    wide, high = width * (box[2] - box[0]), height * (box[3] - box[1])
    shape = bytes(max(4, round(SIDE * each / max(wide, high))) for each in (wide, high))
    inner = b"" if box == WHOLE_BOX else _small(cut(grey, box), (SIDE, SIDE)).tobytes()
    return shape + _small(grey, (SIDE, SIDE)).tobytes() + inner


def guesses_of(sketches: Sequence[bytes], first: NDArray[np.int64], second: NDArray[np.int64]) -> list[list[Guess]]:
    """The ways worth trying to lay pictures over each other, pair by pair, in the order in which to try them.

    `first`, `second`: places among the sketches, (m,). Whole pictures come first, then the best part.
    """
    ready = [prepared(_unpacked(sketch)) for sketch in sketches]
    return [guesses(ready[one], ready[other]) for one, other in zip(first.tolist(), second.tolist(), strict=True)]


def _unpacked(packed: bytes) -> Sketch:
    import numpy as np

    squares = np.frombuffer(packed, np.uint8)[2:].reshape(-1, SIDE, SIDE)
    return Sketch(squares[0], squares[-1], _small(squares[-1], (packed[0], packed[1])))


def sketch_of(grey: NDArray[np.uint8]) -> Sketch:
    """The sketch of a grey picture."""
    inner = cut(grey, content_of(grey))
    return Sketch(_small(grey, (SIDE, SIDE)), _small(inner, (SIDE, SIDE)), _small(inner, fitted(inner, SIDE)))


def prepared(sketch: Sketch) -> Prepared:
    """What guessing needs."""
    import numpy as np

    squares = np.stack([evened(each.astype(np.float32), _SQUARE_RADIUS) for each in (sketch.whole, sketch.content)])
    image = evened(sketch.part.astype(np.float32), _RADIUS)
    height, width = image.shape
    both = np.zeros((2, SIDE, SIDE), np.float32)
    both[:, :height, :width] = image, image[:, ::-1]
    energy = np.zeros((2, SIDE + 1, SIDE + 1), np.float32)
    energy[:, 1:, 1:] = np.cumsum(np.cumsum(both * both, axis=1), axis=2)
    parts = np.zeros((len(SCALES), SIDE, SIDE), np.float32)
    sizes = np.empty((len(SCALES), 2), np.int64)
    for place, scale in enumerate(SCALES):
        columns, lines = fitted(sketch.part, SIDE * scale)
        part = resized(image, (columns, lines))
        parts[place, :lines, :columns] = part / max(float(np.sqrt((part * part).sum())), 1.0)
        sizes[place] = lines, columns
    spectra, conjugate = np.fft.rfft2(both), np.conj(np.fft.rfft2(parts))
    return Prepared(squares, height, width, spectra.astype(np.complex64), energy, conjugate.astype(np.complex64), sizes)


def guesses(first: Prepared, second: Prepared) -> list[Guess]:
    """The ways worth trying, in the order in which to try them: whole pictures first, then the best part."""
    ways: tuple[tuple[int, Within], ...] = ((0, "whole"), (1, "content"))
    whole = [_turned(first.squares[place], second.squares[place], within) for place, within in ways]
    tried = [guess for guess in whole if guess.score >= _WHOLE_GUESS]
    best = max(_parts(first, second), key=lambda guess: guess.score, default=None)
    return [*tried, best] if best is not None and best.score >= _PART_GUESS else tried


def _turned(first: Plane, second: Plane, within: Within) -> Guess:
    """The turn in which two squares agree best."""
    import numpy as np

    agree = [correlation_of(turn_pixels(first, turn), second) for turn in range(TURNS)]
    turn = int(np.argmax(agree))
    return Guess(agree[turn], within, turn)


def _parts(first: Prepared, second: Prepared) -> Iterator[Guess]:
    """How well each is found in the other, the first mirrored or not."""
    import numpy as np

    ways: tuple[tuple[Prepared, Prepared, Within], ...] = ((first, second, "second"), (second, first, "first"))
    for whole, part, within in ways:
        lines, columns = part.sizes[:, 0], part.sizes[:, 1]
        fits = (lines <= whole.height) & (columns <= whole.width) & (np.minimum(lines, columns) >= _SMALLEST)
        if not fits.any():
            continue
        lines, columns, at = lines[fits], columns[fits], np.arange(SIDE)
        lower, right = np.minimum(at + lines[:, None], SIDE), np.minimum(at + columns[:, None], SIDE)
        allowed = (at <= whole.height - lines[:, None])[:, :, None] & (at <= whole.width - columns[:, None])[:, None, :]
        for turn in (0, 1):  # a part of the mirror image, or the mirror image of a part: the same
            products = np.fft.irfft2(whole.spectra[turn] * part.parts[fits], (SIDE, SIDE))
            rows = whole.energy[turn][lower] - whole.energy[turn][None, :SIDE]
            windows = np.take_along_axis(rows, right[:, None, :], axis=2) - rows[:, :, :SIDE]
            scores = np.where(allowed, products / np.sqrt(np.maximum(windows, 1.0)), -1.0)
            best = int(scores.argmax())
            scale = np.flatnonzero(fits)[best // (SIDE * SIDE)]
            yield Guess(float(scores.flat[best]), within, turn, SCALES[scale])


def _small(grey: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    import numpy as np

    return np.rint(resized(grey, size)).astype(np.uint8)
