"""Small upright pictures and clean words: what a contact sheet and a page of results are made of."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from lookalike.core.errors import CannotDecode
from lookalike.images.decode import decode_picture

if TYPE_CHECKING:
    from PIL.Image import Image

Row: TypeAlias = tuple[str, Sequence[tuple[str | Path, str]]]
"""The title of a query, and the path and caption of each answer, best first."""
TILE = (240, 240)  # pixels; of a picture in a report, sharp at half that size on dense screens
JPEG_QUALITY = 82


def thumbnail(path: str | Path, box: tuple[int, int]) -> Image | None:
    """The picture at `path`, upright, in sRGB, no larger than `box` (width, height); None when it cannot be shown."""
    try:
        return _small(Path(path).read_bytes(), box)
    except (OSError, CannotDecode):
        return None


def tile_jpeg(data: bytes, box: tuple[int, int] = TILE) -> bytes | None:
    """The picture in the bytes of a file as a small JPEG, upright, in sRGB; None when it cannot be shown."""
    try:
        image = _small(data, box)
    except CannotDecode:
        return None
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=JPEG_QUALITY)
    return stream.getvalue()


def _small(data: bytes, box: tuple[int, int]) -> Image:
    from PIL import Image

    image = Image.fromarray(decode_picture(data, side=min(box)).pixels)
    image.thumbnail(box, Image.Resampling.LANCZOS)
    return image


def one_line(text: str) -> str:
    """`text` without line breaks and without bytes that are not text, fit to be drawn or written."""
    return " ".join(text.encode("utf-8", "replace").decode().split())
