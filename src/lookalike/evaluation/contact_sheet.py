"""A contact sheet: one PNG with a row of thumbnails for each query.

Letters of scripts that `typeface` lacks show as boxes; the page of `results_page` has them all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageOps

from lookalike.evaluation.thumbnails import one_line, thumbnail
from lookalike.evaluation.typeface import fitted, typeface

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lookalike.evaluation.thumbnails import Row

COLUMNS = 5
CELL = (320, 240)  # pixels; the box a thumbnail fits into
_MARGIN, _GAP = 48, 20
_TITLE_SIZE, _TITLE_HEIGHT = 32, 60
_CAPTION_SIZE, _CAPTION_HEIGHT = 22, 46
_SECTION_GAP = 34
_GROUND, _EMPTY, _INK, _FAINT = "#ffffff", "#eef0f2", "#17181a", "#5f646b"


def contact_sheet(rows: Sequence[Row], out: Path) -> None:
    """Write `rows` to `out` as a PNG, `COLUMNS` pictures to a line; a picture that cannot be shown is a grey box.

    Raises OSError when `out` cannot be written.
    """
    width = 2 * _MARGIN + COLUMNS * CELL[0] + (COLUMNS - 1) * _GAP
    height = 2 * _MARGIN + sum(map(_section_height, rows)) + max(0, len(rows) - 1) * _SECTION_GAP
    sheet = Image.new("RGB", (width, height), _GROUND)
    top = _MARGIN
    for row in rows:
        _draw_section(sheet, row, top)
        top += _section_height(row) + _SECTION_GAP
    sheet.save(out, "PNG", optimize=True)


def _section_height(row: Row) -> int:
    lines = -(-len(row[1]) // COLUMNS)
    return _TITLE_HEIGHT + (lines * (CELL[1] + _CAPTION_HEIGHT) or _CAPTION_SIZE)


def _draw_section(sheet: Image.Image, row: Row, top: int) -> None:
    title, answers = row
    canvas = ImageDraw.Draw(sheet)
    canvas.text(
        (_MARGIN, top), fitted(one_line(title), _TITLE_SIZE, sheet.width - 2 * _MARGIN), _INK, typeface(_TITLE_SIZE)
    )
    if not answers:
        canvas.text((_MARGIN, top + _TITLE_HEIGHT), "no pictures", _FAINT, typeface(_CAPTION_SIZE))
    for place, (path, caption) in enumerate(answers):
        left = _MARGIN + place % COLUMNS * (CELL[0] + _GAP)
        cell_top = top + _TITLE_HEIGHT + place // COLUMNS * (CELL[1] + _CAPTION_HEIGHT)
        _draw_picture(sheet, thumbnail(path, CELL), left, cell_top)
        text = fitted(one_line(caption), _CAPTION_SIZE, CELL[0])
        canvas.text((left, cell_top + CELL[1] + 8), text, _FAINT, typeface(_CAPTION_SIZE))


def _draw_picture(sheet: Image.Image, picture: Image.Image | None, left: int, top: int) -> None:
    """In the middle of a cell of its own, so that wide and tall pictures stand in line."""
    ImageDraw.Draw(sheet).rectangle((left, top, left + CELL[0] - 1, top + CELL[1] - 1), _EMPTY)
    if picture is not None:
        fitted = ImageOps.contain(picture, CELL, Image.Resampling.LANCZOS)
        sheet.paste(fitted, (left + (CELL[0] - fitted.width) // 2, top + (CELL[1] - fitted.height) // 2))
