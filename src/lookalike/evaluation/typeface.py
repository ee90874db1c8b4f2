"""The type of everything drawn: Inter, shipped with the package, so that it looks the same on every computer.

It has Latin, Greek and Cyrillic; letters of other scripts show as boxes.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import cache
from importlib.resources import files
from io import BytesIO

from PIL import ImageFont


@cache
def typeface(size: int) -> ImageFont.FreeTypeFont:
    """Inter, `size` pixels high."""
    data = (files("lookalike.evaluation") / "fonts" / "Inter-Regular.otf").read_bytes()
    return ImageFont.truetype(BytesIO(data), size)


def fitted(text: str, size: int, width: float) -> str:
    """`text`, cut with an ellipsis where it is wider than `width` pixels."""
    font = typeface(size)
    if font.getlength(text) <= width:
        return text
    kept = bisect_right(range(1, len(text)), width, key=lambda count: font.getlength(text[:count] + "…"))
    return text[:kept].rstrip() + "…"
