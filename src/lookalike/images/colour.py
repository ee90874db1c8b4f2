"""From whatever a codec gives to 8-bit RGB in sRGB.

Promises: transparency lies over white; 16-bit, float and palette pictures keep their tones; an embedded
ICC profile is obeyed and a broken one ignored. Leaves decoding and turning to `decode`.
"""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

_WHITES = (1.0, 255.0, 65535.0)
"""What white is, in pictures of one deep channel: in floats, in eight bits, in sixteen."""
_KEPT_MODES = frozenset({"L", "RGB", "CMYK"})
_PROFILE_SPACES = {"L": "GRAY", "RGB": "RGB ", "CMYK": "CMYK"}
_SRGB_NAMES = frozenset(
    {"sRGB", "sRGB IEC61966-2.1", "sRGB built-in", "sRGB2014", "c2", "sRGB IEC61966-2-1 black scaled"}
)


def to_8_bit(image: Image) -> Image:
    """The picture in mode L, RGB or CMYK, eight bits a channel, transparency laid over white."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return _from_deep_grey(image)
    if image.has_transparency_data:
        return _over_white(image)
    if image.mode in _KEPT_MODES:
        return image
    return image.convert("L" if image.mode == "1" else "RGB")


def to_srgb(image: Image, profile: Any) -> Image:
    """Mode RGB in sRGB. `image`: mode L, RGB or CMYK. `profile`: embedded ICC bytes, or anything else for none."""
    if isinstance(profile, bytes) and profile:
        transform = _transform(profile, image.mode)
        if transform is not None:
            from PIL import ImageCms

            try:
                converted = ImageCms.applyTransform(image, transform)
            except (ImageCms.PyCMSError, ValueError):
                converted = None
            if converted is not None:
                return converted
    return image if image.mode == "RGB" else image.convert("RGB")


def _over_white(image: Image) -> Image:
    from PIL import Image as PILImage

    clear = image.convert("RGBA")
    canvas = PILImage.new("RGB", image.size, (255, 255, 255))
    canvas.paste(clear, mask=clear.getchannel("A"))
    return canvas


def _from_deep_grey(image: Image) -> Image:
    """Mode L of one deep channel: by the nearest white that holds all values, else by their own range."""
    import numpy as np
    from PIL import Image as PILImage

    values = np.asarray(image, dtype=np.float32)
    known = np.isfinite(values)
    values = np.where(known, values, values.min(where=known, initial=np.inf) if known.any() else 0.0)
    low, high = _range(values, image)
    grey = (values - low) * (255.0 / (high - low))
    if isinstance(clear := image.info.get("transparency"), int):
        grey[values == clear] = 255.0
    return PILImage.fromarray(np.clip(np.rint(grey), 0, 255).astype(np.uint8))


def _range(values: NDArray[np.float32], image: Image) -> tuple[float, float]:
    """Which values are black and white."""
    if image.mode.startswith("I;16") or image.format in ("PPM", "PNG"):
        return 0.0, _WHITES[-1]
    low, high = float(values.min()), float(values.max())
    for white in _WHITES if image.mode == "F" else _WHITES[1:]:
        if low >= 0 and high <= white:
            return 0.0, white
    return low, max(high, low + 1.0)


@lru_cache(maxsize=16)
def _transform(profile: bytes, mode: str) -> Any:
    """The way from a profile to sRGB, or None when there is nothing to do or the profile is no use."""
    from PIL import ImageCms

    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        if source.profile.xcolor_space != _PROFILE_SPACES[mode]:
            return None
        if ImageCms.getProfileDescription(source).strip() in _SRGB_NAMES:
            return None
        return ImageCms.buildTransform(
            source,
            ImageCms.createProfile("sRGB"),
            mode,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,  # a perceptual table may be made for another sRGB than ours
            ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
