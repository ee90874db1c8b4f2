"""Small upright pictures and clean words: what a contact sheet and a page of results are made of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from lookalike.core.errors import CannotDecode
from lookalike.images.decode import decode_picture

if TYPE_CHECKING:
    from PIL.Image import Image

Row: TypeAlias = tuple[str, Sequence[tuple[str | Path, str]]]
"""The title of a query, and the path and caption of each answer, best first."""


def thumbnail(path: str | Path, box: tuple[int, int]) -> Image | None:
    """The picture at `path`, upright, in sRGB, no larger than `box` (width, height); None when it cannot be shown."""
    from PIL import Image

    try:
        picture = decode_picture(Path(path).read_bytes(), side=min(box))
    except (OSError, CannotDecode):
        return None
    image = Image.fromarray(picture.pixels)
    image.thumbnail(box, Image.Resampling.LANCZOS)
    return image


def one_line(text: str) -> str:
    """`text` without line breaks and without bytes that are not text, fit to be drawn or written."""
    return " ".join(text.encode("utf-8", "replace").decode().split())
