"""An encoder that looks at a picture several times: whole, mirrored, parts of it; the vectors are averaged.

    whole    the picture as it is
    flip     mirrored left to right
    centre   the middle, three quarters of each side
    five     the four corners and the middle, each three quarters of each side
    border   without margins of one colour: bars above a film, the white around a product
    salient  the part that stands out, by spectral residual (Hou and Zhang, CVPR 2007)

A view costs the time of a picture, five costs that of five. Words cost nothing more: the base answers them as before.
What each view is worth, and that most are worth nothing for most encoders, is measured in `docs/benchmarks/views.md`.

On disk it is a folder with one file, `config.json`: {"kind": "views", "base": ID, "views": ["whole", "border"]}. The
base is named by its id, so that a later version of it never changes vectors in silence.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from lookalike.core.arrays import unit_vectors
from lookalike.core.errors import EncoderBroken
from lookalike.encoders.writing import replacing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from lookalike.core.arrays import Pixels, Vectors
    from lookalike.core.protocols import Encoder

KIND = "views"
"""As `config.json` says it."""
_PART = 0.75
"""Share of each side that a crop keeps."""
_SMALLEST = 0.5
"""Share of each side that is left at least where the picture itself says what to cut."""
_AT_ONCE = 16
"""Pictures whose views are in memory together: at 450 x 600 pixels and eight views each 100 MB."""


class Views:
    """The mean direction of what `base` sees in several views; implements `core.protocols.Encoder`. Thread-safe.

    `views`: names of the module's list, each once. Raises ValueError for none, for others and for repeated ones.
    """

    def __init__(self, base: Encoder, views: Sequence[str], *, name: str, id: str) -> None:
        unknown = [view for view in views if view not in VIEWS]
        if unknown or not views or len(set(views)) < len(views):
            raise ValueError(f"views are {list(views)}; wanted each once, of {', '.join(VIEWS)}")
        self.base = base
        self.views = tuple(views)
        self._name = name
        self._id = id

    @property
    def id(self) -> str:
        return self._id

    @property
    def name(self) -> str:
        return self._name

    @property
    def dim(self) -> int:
        return self.base.dim

    @property
    def widths(self) -> tuple[int, ...]:
        """How many of the first components serve alone: those of the base."""
        return tuple(getattr(self.base, "widths", ()))

    @property
    def modalities(self) -> frozenset[str]:
        return self.base.modalities

    @property
    def image_side(self) -> int:
        """That of the base, larger by as much as the smallest view is smaller than the picture."""
        return math.ceil(self.base.image_side / min(_LEAST_SHARE.get(view, 1.0) for view in self.views))

    @property
    def tolerance(self) -> float:
        """Twice that of the base: the mean is shorter than its parts, and making it of unit length again lengthens
        the difference; twice where views of a picture lie 120 degrees apart, which they do not.
        """
        return self.base.tolerance * (2 if len(self.views) > 1 or "five" in self.views else 1)

    def encode_images(self, pictures: Sequence[Pixels]) -> Vectors:
        """(n, dim) in input order; (0, dim) for none. Raises what the base raises."""
        import numpy as np

        parts = [self._seen(pictures[start : start + _AT_ONCE]) for start in range(0, len(pictures), _AT_ONCE)]
        return np.concatenate(parts) if parts else self.base.encode_images([])

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """(n, dim) in input order; (0, dim) for none. Raises NoTextTower, and what else the base raises."""
        return self.base.encode_texts(texts)

    def _seen(self, pictures: Sequence[Pixels]) -> Vectors:
        import numpy as np

        seen = [[part for view in self.views for part in VIEWS[view](picture)] for picture in pictures]
        vectors = self.base.encode_images([part for parts in seen for part in parts])
        return unit_vectors(np.mean(vectors.reshape(len(pictures), -1, self.dim), axis=1), self.dim)


def write_views(folder: Path, base: Encoder, views: Sequence[str]) -> None:
    """Make `folder` an encoder of these views of `base`; what lay there of an encoder made here is replaced.

    Raises ValueError as `Views` does, EncoderError for a folder with models of its own, OSError.
    """
    Views(base, views, name=folder.name, id=folder.name)
    with replacing(folder, {"kind": KIND, "base": base.id, "embed_dim": base.dim, "views": list(views)}):
        pass


def open_views(
    folder: Path, config: Mapping[str, Any], load_part: Callable[[str], Encoder], *, name: str, id: str
) -> Views:
    """The encoder in `folder` whose config.json says `config`. `load_part` gives the encoder of an id.

    Raises EncoderBroken when the file does not make one, and what `load_part` raises.
    """
    base, views = config.get("base"), config.get("views")
    if not isinstance(base, str) or not isinstance(views, list):
        raise EncoderBroken(f"{folder / 'config.json'} names no base or no views", hint="it is written by write_views")
    try:
        return Views(load_part(base), views, name=name, id=id)
    except (ValueError, TypeError) as error:
        raise EncoderBroken(f"{folder / 'config.json'} does not make an encoder: {error}") from error


# --- the views ------------------------------------------------------------------------------------


def _whole(pixels: Pixels) -> list[Pixels]:
    return [pixels]


def _flip(pixels: Pixels) -> list[Pixels]:
    return [_own(pixels[:, ::-1])]


def _centre(pixels: Pixels) -> list[Pixels]:
    return [_part(pixels, 0.5, 0.5)]


def _five(pixels: Pixels) -> list[Pixels]:
    return [_part(pixels, down, across) for down, across in ((0, 0), (0, 1), (1, 0), (1, 1), (0.5, 0.5))]


def _part(pixels: Pixels, down: float, across: float) -> Pixels:
    """A crop of `_PART` of each side; `down` and `across` say where, from 0 (top, left) to 1."""
    height, width = (max(1, round(_PART * side)) for side in pixels.shape[:2])
    top, left = round(down * (pixels.shape[0] - height)), round(across * (pixels.shape[1] - width))
    return _own(pixels[top : top + height, left : left + width])


def _own(pixels: Pixels) -> Pixels:
    import numpy as np

    return np.ascontiguousarray(pixels)


_UNIFORM = 12
"""Levels of 255 within which a margin is of one colour: JPEG blurs the edge of a white ground by less."""
_DIRT = 0.01
"""Share of a line's pixels that may be of another colour: dust on a scan."""
_MARGIN = 0.04
"""Share of what is left that stays around it: an object that touches the frame is seen worse."""


def _border(pixels: Pixels) -> list[Pixels]:
    """Without lines of one colour at each side, as far as `_SMALLEST` allows."""
    import numpy as np

    (height, width), values = pixels.shape[:2], pixels.astype(np.int16)
    top, bottom = _uniform_lines(values), _uniform_lines(values[::-1])
    if top == height:
        return [pixels]
    inside = values[top : height - bottom].transpose(1, 0, 2)
    left, right = _uniform_lines(inside), _uniform_lines(inside[::-1])
    rows, columns = _widened(top, height - bottom, height), _widened(left, width - right, width)
    return [_own(pixels[rows, columns])]


def _uniform_lines(lines: NDArray[np.int16]) -> int:
    """How many of the first lines (n, length, 3) are of the colour that the first has most of."""
    import numpy as np

    ground = np.median(lines[0], axis=0)
    for number, line in enumerate(lines):
        if (np.abs(line - ground).max(axis=-1) > _UNIFORM).mean() > _DIRT:
            return number
    return len(lines)


def _widened(start: int, end: int, length: int) -> slice:
    """From `start` to `end` with a margin, and at least `_SMALLEST` of `length`, inside of it."""
    margin = round(_MARGIN * (end - start)) if end - start < length else 0
    lacking = max(0, math.ceil(_SMALLEST * length) - (end - start + 2 * margin))
    first = max(0, start - margin - (lacking + 1) // 2)
    last = min(length, max(end + margin + lacking // 2, first + math.ceil(_SMALLEST * length)))
    return slice(min(first, last - math.ceil(_SMALLEST * length)), last)


_FIELD = 64
"""Side of the small picture whose spectrum tells what stands out, as in the paper."""
_BLUR = 2.5
"""Standard deviation in pixels of that picture; the paper's 8 is for its larger display."""
_KEPT = 0.9
"""Share of what stands out, along each side, that the crop holds."""


def _salient(pixels: Pixels) -> list[Pixels]:
    """The part that holds `_KEPT` of what stands out, along each side."""
    import numpy as np

    standing_out = _saliency(_small(pixels))
    spans = []
    for axis, length in ((1, pixels.shape[0]), (0, pixels.shape[1])):
        share = np.cumsum(standing_out.sum(axis=axis)) / standing_out.sum()
        start, end = np.searchsorted(share, ((1 - _KEPT) / 2, (1 + _KEPT) / 2)) / len(share)
        spans.append(_widened(math.floor(start * length), math.ceil(min(1.0, end + 1 / _FIELD) * length), length))
    return [_own(pixels[spans[0], spans[1]])]


def _small(pixels: Pixels) -> NDArray[np.float64]:
    """Grey, `_FIELD` x `_FIELD`, each the mean of its share of the picture; smaller pictures repeat pixels."""
    import numpy as np

    grey: NDArray[np.float64] = pixels.mean(axis=-1)
    for axis in (0, 1):
        edges = np.linspace(0, grey.shape[axis], _FIELD + 1)
        starts, ends = np.floor(edges[:-1]).astype(int), np.ceil(edges[1:]).astype(int)
        total = np.concatenate([np.zeros_like(np.take(grey, [0], axis)), np.cumsum(grey, axis)], axis)
        sums = np.take(total, ends, axis) - np.take(total, starts, axis)
        grey = sums / (ends - starts)[(slice(None), None) if axis == 0 else (None, slice(None))]
    return grey


def _saliency(grey: NDArray[np.float64]) -> NDArray[np.float64]:
    """What the spectrum of a picture has beyond the even fall-off that all pictures share, back in the picture."""
    import numpy as np

    spectrum = np.fft.fft2(grey)
    amplitude = np.log(np.abs(spectrum) + 1e-9)
    even = sum(np.roll(amplitude, (down, across), (0, 1)) for down in (-1, 0, 1) for across in (-1, 0, 1)) / 9
    standing_out = np.abs(np.fft.ifft2(np.exp(amplitude - even + 1j * np.angle(spectrum)))) ** 2
    frequency = np.fft.fftfreq(_FIELD)
    blur = np.exp(-2 * (np.pi * _BLUR * frequency) ** 2)
    blurred: NDArray[np.float64] = np.fft.ifft2(np.fft.fft2(standing_out) * np.outer(blur, blur)).real
    return np.maximum(blurred, 0) + 1e-12


VIEWS: Mapping[str, Callable[[Pixels], list[Pixels]]] = {
    "whole": _whole,
    "flip": _flip,
    "centre": _centre,
    "five": _five,
    "border": _border,
    "salient": _salient,
}
"""Every view by its name: what it makes of a picture."""
_LEAST_SHARE = {"centre": _PART, "five": _PART, "border": _SMALLEST, "salient": _SMALLEST}
"""How much of each side a view shows at least."""
