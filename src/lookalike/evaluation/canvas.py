"""A page to draw on that becomes a PNG or an SVG: the same calls, the same places.

Coordinates are in points from the left upper corner; a PNG has `SCALE` pixels a point, enough for print. Text is set in
the type of `typeface`; an SVG names it and lets the reader's program put its own where it lacks a letter.
"""

from __future__ import annotations

import base64
import math
from io import BytesIO
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias
from xml.sax.saxutils import escape, quoteattr

from PIL import Image, ImageDraw

from lookalike.evaluation.thumbnails import one_line
from lookalike.evaluation.typeface import typeface

if TYPE_CHECKING:
    from pathlib import Path

Anchor: TypeAlias = Literal["start", "middle", "end"]
Box: TypeAlias = tuple[float, float, float, float]
"""Left, top, right, bottom."""

SCALE = 2
_MIDDLE = 0.36
"""How far below the middle of a line its letters stand, in parts of the type's size: half the height of a capital."""
_ANCHORS = {"start": 0.0, "middle": 0.5, "end": 1.0}


class Canvas(Protocol):
    """What is drawn on. Later things cover earlier ones."""

    def rectangle(self, box: Box, fill: str) -> None: ...

    def dot(self, at: tuple[float, float], radius: float, fill: str, outline: str) -> None: ...

    def text(
        self, at: tuple[float, float], words: str, size: float, fill: str, *, anchor: Anchor = "start", turn: int = 0
    ) -> None:
        """One line whose middle height is at `at`, turned by so many degrees against the clock around it."""
        ...

    def picture(self, image: Image.Image, box: Box, *, smooth: bool = True) -> None:
        """`image` (RGB) stretched over the box; unless `smooth`, its pixels stay sharp squares."""
        ...

    def save(self, out: Path) -> None:
        """Write the file. Raises OSError."""
        ...


class PngCanvas:
    """A canvas that becomes a PNG."""

    def __init__(self, width: float, height: float, ground: str) -> None:
        self._sheet = Image.new("RGB", (round(width * SCALE), round(height * SCALE)), ground)
        self._draw = ImageDraw.Draw(self._sheet)

    def rectangle(self, box: Box, fill: str) -> None:
        left, top, right, bottom = (round(each * SCALE) for each in box)
        if right > left and bottom > top:
            self._draw.rectangle((left, top, right - 1, bottom - 1), fill)

    def dot(self, at: tuple[float, float], radius: float, fill: str, outline: str) -> None:
        """Drawn larger and reduced: Pillow's own circles have stairs."""
        fine, side = 8, round(2 * radius * SCALE) + 4
        mask, inside = (Image.new("L", (side * fine, side * fine), 0) for _ in range(2))
        for layer, size in ((mask, radius * SCALE), (inside, radius * SCALE * 0.72)):
            low, high = (side / 2 - size) * fine, (side / 2 + size) * fine
            ImageDraw.Draw(layer).ellipse((low, low, high, high), 255)
        corner = round(at[0] * SCALE - side / 2), round(at[1] * SCALE - side / 2)
        for layer, colour in ((mask, outline), (inside, fill)):
            small = layer.resize((side, side), Image.Resampling.BOX)
            self._sheet.paste(Image.new("RGB", (side, side), colour), corner, small)

    def text(
        self, at: tuple[float, float], words: str, size: float, fill: str, *, anchor: Anchor = "start", turn: int = 0
    ) -> None:
        font, words = typeface(round(size * SCALE)), one_line(words)
        x, y = at[0] * SCALE, at[1] * SCALE
        length = font.getlength(words)
        if not turn:
            self._draw.text((x - _ANCHORS[anchor] * length, y + _MIDDLE * size * SCALE), words, fill, font, anchor="ls")
            return
        height = round(2 * size * SCALE)
        layer = Image.new("L", (round(length) + height, height), 0)
        start = height / 2, height / 2 + _MIDDLE * size * SCALE
        ImageDraw.Draw(layer).text(start, words, 255, font, anchor="ls")
        turned = layer.rotate(turn, Image.Resampling.BICUBIC, expand=True)
        aside = (_ANCHORS[anchor] - 0.5) * length  # where the anchor is from the middle of the layer, before the turn
        left = x - turned.width / 2 - aside * math.cos(math.radians(turn))
        top = y - turned.height / 2 + aside * math.sin(math.radians(turn))
        self._sheet.paste(Image.new("RGB", turned.size, fill), (round(left), round(top)), turned)

    def picture(self, image: Image.Image, box: Box, *, smooth: bool = True) -> None:
        left, top, right, bottom = (round(each * SCALE) for each in box)
        how = Image.Resampling.LANCZOS if smooth else Image.Resampling.NEAREST
        self._sheet.paste(image.resize((max(1, right - left), max(1, bottom - top)), how), (left, top))

    def save(self, out: Path) -> None:
        self._sheet.save(out, "PNG", optimize=True, dpi=(72 * SCALE, 72 * SCALE))


class SvgCanvas:
    """A canvas that becomes an SVG, one file without links."""

    def __init__(self, width: float, height: float, ground: str) -> None:
        self._size = width, height
        self._parts: list[str] = []
        self.rectangle((0, 0, width, height), ground)

    def rectangle(self, box: Box, fill: str) -> None:
        self._parts.append(f'<rect {_place(box)} fill="{fill}"/>')

    def dot(self, at: tuple[float, float], radius: float, fill: str, outline: str) -> None:
        line = 0.28 * radius
        self._parts.append(
            f'<circle cx="{at[0]:g}" cy="{at[1]:g}" r="{radius - line / 2:g}" fill="{fill}" stroke="{outline}" '
            f'stroke-width="{line:g}"/>'
        )

    def text(
        self, at: tuple[float, float], words: str, size: float, fill: str, *, anchor: Anchor = "start", turn: int = 0
    ) -> None:
        turned = f' transform="rotate({-turn} {at[0]:g} {at[1]:g})"' if turn else ""
        words = "".join(each for each in one_line(words) if each.isprintable())  # XML has no control characters
        self._parts.append(
            f'<text x="{at[0]:g}" y="{at[1]:g}" dy="{_MIDDLE:g}em" font-size="{size:g}" fill="{fill}" '
            f'text-anchor="{anchor}"{turned}>{escape(words)}</text>'
        )

    def picture(self, image: Image.Image, box: Box, *, smooth: bool = True) -> None:
        data = BytesIO()
        image.save(data, "JPEG" if smooth else "PNG", optimize=True, quality=88)
        kind = "jpeg" if smooth else "png"
        link = quoteattr(f"data:image/{kind};base64,{base64.b64encode(data.getvalue()).decode()}")
        sharp = "" if smooth else ' style="image-rendering:pixelated"'
        self._parts.append(f'<image {_place(box)} preserveAspectRatio="none"{sharp} href={link}/>')

    def save(self, out: Path) -> None:
        width, height = self._size
        root = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" '
            f'height="{height:g}" font-family="Inter, system-ui, sans-serif">'
        )
        out.write_text("\n".join([root, *self._parts, "</svg>", ""]), encoding="utf-8")


def _place(box: Box) -> str:
    left, top, right, bottom = box
    return f'x="{left:g}" y="{top:g}" width="{right - left:g}" height="{bottom - top:g}"'
