"""Pictures shown inside the terminal, in coloured half cells: any terminal with colours can."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from lookalike.cli import printing
from lookalike.core.causes import cause_of
from lookalike.core.errors import LookalikeError, MissingExtra
from lookalike.engine.sources import open_uri

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lookalike.core.records import Hit

COLUMNS = 40
"""Largest width and height of a picture in cells' widths; a cell shows two pixels, one above the other."""


def show_pictures(hits: Iterable[Hit]) -> None:
    """Draw each hit under its path. Says so where the terminal cannot. Raises MissingExtra."""
    if not sys.stdout.isatty():
        printing.note("--preview needs a terminal; the output is a file or a pipe")
        return
    try:
        from rich_pixels import Pixels
    except ImportError as error:
        raise MissingExtra("showing pictures in the terminal", "preview") from error
    from PIL import Image
    from rich.console import Console

    from lookalike.images.decode import decode_picture

    console = Console()
    for hit in hits:
        printing.out(f"{hit.rank}  {printing.printable(hit.uri)}")
        try:
            with open_uri(hit.uri) as file:
                picture = decode_picture(file.read(), side=COLUMNS)
        except (OSError, LookalikeError) as error:
            printing.note(f"   cannot be shown: {cause_of(error)}")
            continue
        image = Image.fromarray(picture.pixels)
        image.thumbnail((COLUMNS, COLUMNS))
        console.print(Pixels.from_image(image))
