"""From decoded pixels to what an image tower eats.

The rules are those of open_clip's evaluation transform (`open_clip/transform.py`, `image_transform`), as they stand
in a model's `preprocess_cfg.json`: resize (shortest, longest or squash) with Pillow's antialiased bicubic or bilinear
filter on uint8, crop or pad to the size, then (x / 255 - mean) / std. "middle" is ruCLIP's: the square in the middle is
cut out at full size, then made small. Equal to it within 1e-3 per value; pictures
already of the right size cost no resize. Decoding, orientation and colour profiles are done before, in `images`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from lookalike.core.errors import EncoderBroken

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

    from lookalike.core.arrays import Pixels

ResizeMode = Literal["shortest", "longest", "squash", "middle"]
_OPENAI_MEAN = (0.48145466, 0.4578275, 0.40821073)  # CLIP's own; open_clip's default
_OPENAI_STD = (0.26862954, 0.26130258, 0.27577711)
_FILTERS = {"bicubic": 3, "bilinear": 2, "random": 3}  # Pillow's numbers; open_clip reads "random" as bicubic


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How one image tower wants its pictures. Picklable; `batch` is a pure function of it and the pixels.

    `size`: (height, width) in pixels. `mean`, `std`: per channel, in units of the [0, 1] picture.
    `interpolation`: "bicubic" or "bilinear". `fill`: grey value 0-255 around a picture fitted by "longest".
    `resize_to`: the side in pixels that a picture is resized to before its middle is cut out, at least that of `size`;
    None for that of `size`. Networks trained on ImageNet mostly want it larger (timm's `crop_pct`).
    """

    size: tuple[int, int] = (224, 224)
    mean: tuple[float, float, float] = _OPENAI_MEAN
    std: tuple[float, float, float] = _OPENAI_STD
    interpolation: str = "bicubic"
    resize_mode: ResizeMode = "shortest"
    fill: int = 0
    resize_to: int | None = None

    def batch(self, pictures: Sequence[Pixels]) -> NDArray[np.float32]:
        """float32 (n, 3, height, width), normalised."""
        import numpy as np

        pixels = self.fitted(pictures)
        scale = (1 / (255 * np.asarray(self.std, np.float64))).astype(np.float32)
        offset = (np.asarray(self.mean, np.float64) / self.std).astype(np.float32)
        batch = np.empty((len(pictures), 3, *self.size), np.float32)
        np.multiply(pixels.transpose(0, 3, 1, 2), scale[:, None, None], out=batch)
        batch -= offset[:, None, None]
        return batch

    def fitted(self, pictures: Sequence[Pixels]) -> Pixels:
        """uint8 (n, height, width, 3): resized and cropped or padded, not normalised."""
        import numpy as np
        from PIL import Image

        height, width = self.size
        fitted = np.empty((len(pictures), height, width, 3), np.uint8)
        for row, pixels in zip(fitted, pictures, strict=True):
            if pixels.shape == row.shape:
                row[...] = pixels
            else:
                row[...] = np.asarray(self.fit(Image.fromarray(pixels)))
        return fitted

    def fit(self, picture: Image.Image) -> Image.Image:
        """A picture in mode RGB as `fitted` would have it: done once, it is not done again.

        So a picture that is of `size` is taken as it is, also where `resize_to` would enlarge it first.
        """
        from PIL import Image

        height, width = self.size
        if picture.size == (width, height):
            return picture
        if self.resize_mode == "middle":
            picture = _middle(picture)
        target = self._resized(picture.width, picture.height)
        if target != picture.size:
            picture = picture.resize(target, Image.Resampling(_FILTERS[self.interpolation]))
        if picture.size == (width, height):
            return picture
        if self.resize_mode == "longest":
            ground = Image.new("RGB", (width, height), (self.fill,) * 3)
            ground.paste(picture, ((width - picture.width) // 2, (height - picture.height) // 2))
            return ground
        left, top = round((picture.width - width) / 2), round((picture.height - height) / 2)
        return picture.crop((left, top, left + width, top + height))

    def _resized(self, width: int, height: int) -> tuple[int, int]:
        """(width, height) after the resize, rounded as open_clip's: torchvision cuts off for square sizes, the
        others round to even.
        """
        to_height, to_width = (self.resize_to,) * 2 if self.resize_to else self.size
        if self.resize_mode in {"squash", "middle"}:
            return to_width, to_height
        if self.resize_mode == "shortest" and to_height == to_width:
            long = int(to_width * max(width, height) / min(width, height))
            return (to_width, long) if width <= height else (long, to_width)
        choose = max if self.resize_mode == "longest" else min
        ratio = choose(width / to_width, height / to_height)
        return max(1, round(width / ratio)), max(1, round(height / ratio))


def _middle(picture: Image.Image) -> Image.Image:
    """The largest square in the middle."""
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    return picture.crop((left, top, left + side, top + side))


def read_preprocessing(values: Mapping[str, Any], source: str) -> Preprocessing:
    """The rules in a model's `preprocess_cfg.json`, given as its values; missing keys mean open_clip's defaults.

    `source` is named in the error. Raises EncoderBroken for values this program does not know how to follow.
    """
    try:
        size = values.get("size", 224)
        height, width = (size, size) if isinstance(size, int) else (size * 2)[:2] if len(size) == 1 else size
        rules = Preprocessing(
            size=(int(height), int(width)),
            mean=_triple(values.get("mean", _OPENAI_MEAN)),
            std=_triple(values.get("std", _OPENAI_STD)),
            interpolation=str(values.get("interpolation", "bicubic")),
            resize_mode=values.get("resize_mode", "shortest"),
            fill=int(values.get("fill_color", 0)),
            resize_to=int(values["resize_size"]) if values.get("resize_size") else None,
        )
    except (TypeError, ValueError) as error:
        raise EncoderBroken(f"{source} does not say how to prepare pictures: {error}") from error
    known = rules.interpolation in _FILTERS and rules.resize_mode in get_args(ResizeMode)
    known = known and (rules.resize_mode != "middle" or rules.size[0] == rules.size[1])
    if rules.resize_to is not None:
        known = known and rules.resize_mode in {"shortest", "squash"} and rules.resize_to >= max(rules.size)
    if not known or values.get("mode", "RGB") != "RGB" or min(rules.size) < 1 or min(rules.std) <= 0:
        raise EncoderBroken(f"{source} asks for a way of preparing pictures that is not known here: {dict(values)}")
    return rules


def _triple(value: Any) -> tuple[float, float, float]:
    red, green, blue = (value,) * 3 if isinstance(value, int | float) else value
    return float(red), float(green), float(blue)
