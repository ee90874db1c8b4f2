"""The pictures of a query: read from where they are, cut to the part that is meant, decoded as when they are indexed.

A part is cut out of the picture as it stands upright; what of it lies outside is left off.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lookalike.core.causes import cause_of
from lookalike.core.errors import CannotDecode, QueryError
from lookalike.core.records import PictureAt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lookalike.core.arrays import Pixels
    from lookalike.core.records import Crop, Picture, Term


def read_pictures(terms: Iterable[Term], side: Callable[[], int]) -> tuple[Term, ...]:
    """The terms, with pixels where a PIL image or a picture still to be read was; `side`: what the encoder looks at.

    Raises QueryError for a file that cannot be read and for a part outside of its picture, CannotDecode.
    """
    return tuple(replace(term, value=_pixels(term.value, side)) if term.kind == "picture" else term for term in terms)


def is_image(given: Any) -> bool:
    """Whether that is a PIL image: known without importing PIL."""
    return hasattr(given, "convert") and hasattr(given, "getexif")


def _pixels(value: Any, side: Callable[[], int]) -> Pixels:
    if isinstance(value, PictureAt):
        if isinstance(value.source, Path):
            return _pixels_of_file(value.source, value.crop, side())
        return _pixels_of_bytes(value.source, value.crop, side())
    if is_image(value):
        from lookalike.images.decode import pixels_of_image

        return pixels_of_image(value, side=side())
    pixels: Pixels = value
    return pixels


def _pixels_of_file(path: Path, crop: Crop | None, side: int) -> Pixels:
    path = path.expanduser()
    try:
        if path.exists() and not path.is_file():
            raise QueryError(
                f"{path} is no file", hint="a picture query is one picture; folders go to: lookalike index"
            )
        return _pixels_of_bytes(path.read_bytes(), crop, side)
    except OSError as error:
        raise QueryError(f"cannot read the picture {path}: {cause_of(error)}") from error
    except CannotDecode as error:
        raise CannotDecode(error.code, f"{path}: {error}", hint=error.hint) from error


def _pixels_of_bytes(data: bytes, crop: Crop | None, side: int) -> Pixels:
    from lookalike.images.decode import decode_picture

    picture = decode_picture(data, side=side)
    if crop is None:
        return picture.pixels
    part = _part(picture, crop)
    if min(part.shape[:2]) < side and picture.pixels.shape[0] < picture.height:  # reducing took what the part needs
        part = _part(decode_picture(data), crop)
    return part


def _part(picture: Picture, crop: Crop) -> Pixels:
    """The part of the pixels, at least one of them: where a coordinate falls into a pixel, the whole of it is in."""
    import numpy as np

    height, width = picture.pixels.shape[:2]
    x, y = (100.0, 100.0) if crop.percent else (float(picture.width), float(picture.height))
    if crop.left >= x or crop.top >= y:
        raise QueryError(
            f"the part begins outside of the picture, which is {picture.width} x {picture.height} pixels",
            hint="a part is [x,y,width,height] from the left upper corner",
        )
    left, right = int(crop.left / x * width), np.ceil(min(crop.left + crop.width, x) / x * width)
    top, bottom = int(crop.top / y * height), np.ceil(min(crop.top + crop.height, y) / y * height)
    return np.ascontiguousarray(picture.pixels[top : max(int(bottom), top + 1), left : max(int(right), left + 1)])
