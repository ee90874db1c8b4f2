"""Bytes of a file -> upright sRGB pixels, or `CannotDecode` with a reason. Nothing else comes out.

The content decides what a file is, never its name. Only the formats in `_OPENERS` are opened (nothing that
runs programs, follows references or needs outside tools), each by its own Pillow plugin, so that Pillow's
registry and its global settings are neither asked nor changed.

A picture is decoded once, no larger than needed: JPEG in the DCT domain (1/2, 1/4, 1/8), then a box filter
by a whole number, so that the shorter side stays at or above what was asked for. `pixels_digest` is taken
from the picture reduced by a rule that knows only the picture, so every encoder sees the same digest.

Leaves to others: time limits and crashes of codecs (`decoding_pool`), reading files (`folder`).
"""

from __future__ import annotations

import hashlib
import importlib
import math
import struct
import threading
import warnings
from dataclasses import dataclass, replace
from io import BytesIO
from typing import TYPE_CHECKING, Any

from lookalike.core.errors import CannotDecode
from lookalike.core.records import DecodeLimits, Picture
from lookalike.core.wording import Wording
from lookalike.images.colour import to_8_bit, to_srgb
from lookalike.images.colour_names import dominant_colours
from lookalike.images.dicom import middle_frame
from lookalike.images.embedded import metadata_of_raw, read_metadata
from lookalike.images.exif import read_orientation
from lookalike.images.fingerprint import fingerprint_of_greys, greys
from lookalike.images.sniff import is_camera_raw, picture_format

if TYPE_CHECKING:
    from PIL.Image import Image

    from lookalike.core.arrays import Pixels

DIGEST_BYTES = 16
BASE_SIDE = 448
"""Shorter side, in pixels, that the one shared decode keeps: twice the 224 that most encoders look at."""
DIGEST_SIDE = 256
"""Shorter side, in pixels, that `pixels_digest` keeps: any edit an encoder can see changes it, and hashing stays
below a tenth of decoding."""
_LARGEST_RATIO = 64
"""A reduced picture has at most this many times the square of the side asked for: bounds ribbons (1 : 1000)."""
_JPEG_SCALES = (8, 4, 2)
_SIDEWAYS = 5  # from this EXIF orientation on, width and height change places
_LONGEST_CAUSE = 160  # characters of a codec's own message

_OPENERS: dict[str, tuple[str, str]] = {
    "JPEG": ("PIL.JpegImagePlugin", "JpegImageFile"),
    "PNG": ("PIL.PngImagePlugin", "PngImageFile"),
    "WEBP": ("PIL.WebPImagePlugin", "WebPImageFile"),
    "AVIF": ("PIL.AvifImagePlugin", "AvifImageFile"),
    "HEIF": ("pi_heif", "HeifImageFile"),
    "TIFF": ("PIL.TiffImagePlugin", "TiffImageFile"),
    "GIF": ("PIL.GifImagePlugin", "GifImageFile"),
    "BMP": ("PIL.BmpImagePlugin", "BmpImageFile"),
    "JPEG2000": ("PIL.Jpeg2KImagePlugin", "Jpeg2KImageFile"),
    "PPM": ("PIL.PpmImagePlugin", "PpmImageFile"),
    "ICO": ("PIL.IcoImagePlugin", "IcoImageFile"),
    "ICNS": ("PIL.IcnsImagePlugin", "IcnsImageFile"),
    "PSD": ("PIL.PsdImagePlugin", "PsdImageFile"),
    "DDS": ("PIL.DdsImagePlugin", "DdsImageFile"),
    "QOI": ("PIL.QoiImagePlugin", "QoiImageFile"),
}
_TURNS = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}
"""EXIF orientation -> PIL's Transpose: mirror, 180, flip, transpose, 270, transverse, 90."""

_pillow_warnings = threading.Lock()
"""Python's warning filters are one list per process: decodes of one process take turns at changing it."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """A `Picture` whose pixels are still a PIL image in mode RGB: worker processes need no numpy."""

    image: Image
    width: int
    height: int
    format: str
    pixels_digest: bytes
    metadata: dict[str, Any]
    greys: bytes
    """What `fingerprint_of_greys` takes."""


def decode_picture(data: bytes, *, side: int | None = None, limits: DecodeLimits | None = None) -> Picture:
    """Decode one file.

    `side`: what the encoder looks at; the pixels come reduced with their shorter side at least twice that
    (smaller only where the picture itself is, or is longer than 1 : 16). None: full size.
    Raises CannotDecode with code "empty", "too-big" (bytes), "too-large" (pixels), "unsupported",
    "needs-extra", "damaged" or "out-of-memory".
    """
    import numpy as np

    decoded = decode_image(data, side=side, limits=limits)
    return Picture(
        pixels=np.array(decoded.image, dtype=np.uint8),
        width=decoded.width,
        height=decoded.height,
        format=decoded.format,
        bytes_digest=digest(data),
        pixels_digest=decoded.pixels_digest,
        metadata=decoded.metadata,
        fingerprint=fingerprint_of_greys(decoded.greys, decoded.width, decoded.height),
    )


def decode_image(data: bytes, *, side: int | None = None, limits: DecodeLimits | None = None) -> Decoded:
    """`decode_picture` without numpy and without the digest of the bytes."""
    limits = limits or DecodeLimits()
    if not data:
        raise CannotDecode("empty", Wording("file_empty"))
    if len(data) > limits.max_bytes:
        raise CannotDecode("too-big", Wording("file_too_big", size=len(data), most=limits.max_bytes))
    name = picture_format(data)
    if name == "TIFF" and is_camera_raw(data):
        name = "RAW"
    with _pillow_warnings, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _decode(data, name, _least(side), limits)


def pixels_of_image(image: Image, *, side: int | None = None) -> Pixels:
    """Pixels of a PIL image that a program opened itself: upright, in sRGB, reduced as `decode_picture` does."""
    import numpy as np
    from PIL import Image as PILImage

    flat = to_8_bit(image)
    turn = _TURNS.get(read_orientation(image) or 1)
    upright = flat if turn is None else flat.transpose(PILImage.Transpose(turn))
    shortest = _least(side)
    base = _reduced(upright, None if shortest is None else max(shortest, BASE_SIDE))
    return np.array(_reduced(to_srgb(base, image.info.get("icc_profile")), shortest), dtype=np.uint8)


def _least(side: int | None) -> int | None:
    """What the shorter side keeps: twice what the encoder looks at, and for small encoders up to four times, which the
    shared decode has anyway. A box filter down to twice 96 pixels moves embeddings to a median cosine of 0.9994 from
    those of the full decode, to four times to 0.99995 (205 camera files, `tools/bench/reduced_decode.py`).
    """
    return None if side is None else max(2 * side, min(4 * side, BASE_SIDE))


def digest(data: bytes) -> bytes:
    """BLAKE2b of 16 bytes: the identity of bytes throughout lookalike."""
    return hashlib.blake2b(data, digest_size=DIGEST_BYTES).digest()


@dataclass(frozen=True, slots=True)
class _Loaded:
    """Decoded and upright, in mode L, RGB or CMYK, at 1/`scale` of the size the file declares."""

    image: Image
    scale: int
    width: int
    height: int
    profile: Any
    metadata: dict[str, Any]


def _decode(data: bytes, name: str | None, shortest: int | None, limits: DecodeLimits) -> Decoded:
    if name not in ("RAW", "DICOM") and name not in _OPENERS:
        raise CannotDecode("unsupported", Wording("no_jpeg_xl" if name == "JXL" else "no_picture"))
    try:
        return _from_raw(data, shortest, limits) if name == "RAW" else _from_file(data, name, shortest, limits)
    except CannotDecode:
        raise
    except MemoryError:
        raise CannotDecode("out-of-memory", Wording("no_memory")) from None
    except Exception as error:  # Pillow's plugins raise almost anything on bad input; all of it means one thing
        if type(error).__name__ == "DecompressionBombError":
            raise CannotDecode("too-large", Wording("too_many_for_pillow", told=str(error))) from error
        raise CannotDecode("damaged", Wording("data_damaged", format=name, told=_in_short(error))) from error


def _from_raw(data: bytes, shortest: int | None, limits: DecodeLimits) -> Decoded:
    """A camera RAW file by the preview that the camera put into it."""
    from lookalike.images.raw import embedded_preview

    preview = embedded_preview(data)
    name = picture_format(preview.data)
    if name not in ("JPEG", "PPM"):
        raise CannotDecode("damaged", Wording("no_raw_preview"))
    decoded = _from_file(preview.data, name, shortest, limits, orientation=preview.orientation)
    metadata = {**decoded.metadata, **metadata_of_raw(data)}
    return replace(decoded, format="RAW", width=preview.width, height=preview.height, metadata=metadata)


def _from_file(data: bytes, name: str, shortest: int | None, limits: DecodeLimits, *, orientation: int = 1) -> Decoded:
    """`orientation` counts when the file names none of its own. `shortest`: what the shorter side must keep."""
    loaded = _load(data, name, BASE_SIDE, limits, orientation)
    base = _rendered(loaded, BASE_SIDE)
    small = _reduced(base, DIGEST_SIDE)
    if shortest is not None and shortest <= BASE_SIDE:
        image = _reduced(base, shortest)
    else:
        if loaded.scale != _draft_scale(name, loaded.width, loaded.height, shortest):
            loaded = _load(data, name, shortest, limits, orientation)
        image = _rendered(loaded, shortest)
    width, height = loaded.width, loaded.height
    pixels_digest = digest(struct.pack("<II", width, height) + small.tobytes())
    seen = {"orientation": _shape(width, height), "colours": dominant_colours(small)}
    return Decoded(image, width, height, name, pixels_digest, {**loaded.metadata, **seen}, greys(small))


def _load(data: bytes, name: str, shortest: int | None, limits: DecodeLimits, orientation: int) -> _Loaded:
    from PIL import Image as PILImage

    if name == "DICOM":
        frame = middle_frame(data, max_pixels=limits.max_pixels)
        return _Loaded(frame.image, 1, *frame.image.size, None, frame.metadata)
    module, opener = _OPENERS[name]
    image: Image = getattr(importlib.import_module(module), opener)(BytesIO(data))
    width, height = image.size
    if width * height > limits.max_pixels:
        what = Wording("too_many_pixels", width=str(width), height=str(height), most=limits.max_pixels)
        raise CannotDecode("too-large", what)
    scale = _draft_scale(name, width, height, shortest)
    if scale > 1:
        image.draft(None, (width // scale, height // scale))
    image.load()
    if scale == 1:
        width, height = image.size  # a TIFF is turned by Pillow while it loads
    metadata = read_metadata(image)
    # After loading: only then Pillow has seen a PNG's late chunks, and has dropped the tag of what it turned itself.
    orientation = read_orientation(image) or orientation
    profile = image.info.get("icc_profile")
    flat = to_8_bit(image)
    if orientation in _TURNS:
        flat = flat.transpose(PILImage.Transpose(_TURNS[orientation]))
        if orientation >= _SIDEWAYS:
            width, height = height, width
    return _Loaded(flat, scale, width, height, profile, metadata)


def _shape(width: int, height: int) -> str:
    """How the upright picture lies."""
    if width == height:
        return "square"
    return "landscape" if width > height else "portrait"


def _draft_scale(name: str, width: int, height: int, shortest: int | None) -> int:
    """By how much a JPEG's own decoder may reduce; 1 for every other format."""
    if name != "JPEG" or shortest is None:
        return 1
    return next((scale for scale in _JPEG_SCALES if min(width, height) // scale >= shortest), 1)


def _rendered(loaded: _Loaded, shortest: int | None) -> Image:
    return to_srgb(_reduced(loaded.image, shortest), loaded.profile)


def _reduced(image: Image, shortest: int | None) -> Image:
    """The image, box-filtered by the largest whole number that leaves its shorter side at `shortest` or above."""
    if shortest is None:
        return image
    width, height = image.size
    too_many = math.isqrt(width * height // (_LARGEST_RATIO * shortest * shortest))
    factor = max(min(width, height) // shortest, too_many)
    return image.reduce(factor) if factor > 1 else image


def _in_short(error: Exception) -> str:
    """One line of what Pillow said."""
    return " ".join(str(error).split())[:_LONGEST_CAUSE] or type(error).__name__
