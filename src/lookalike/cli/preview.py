"""Pictures shown inside the terminal: by its own graphics where it has some, in coloured half cells elsewhere."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from lookalike.cli import printing
from lookalike.core.errors import CannotDecode, MissingExtra

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lookalike.core.records import Hit

COLUMNS = 40
"""Width of a picture in a terminal; two thirds of it are the height in rows for an upright photograph."""
PIXELS = 400
"""Side to decode to: ten pixels a column, more than terminals show."""


def show_pictures(hits: Iterable[Hit]) -> None:
    """Draw each hit under its path. Says so where the terminal cannot. Raises MissingExtra."""
    if not sys.stdout.isatty():
        printing.note("--preview needs a terminal; the output is a file or a pipe")
        return
    try:
        from textual_image.renderable import Image
    except ImportError as error:
        raise MissingExtra("showing pictures in the terminal", "preview") from error
    from PIL import Image as Pillow
    from rich.console import Console

    from lookalike.images.decode import decode_picture

    console = Console()
    for hit in hits:
        printing.out(f"{hit.rank}  {printing.printable(hit.uri)}")
        try:
            with open(hit.uri, "rb") as file:
                picture = decode_picture(file.read(), side=PIXELS)
        except (OSError, CannotDecode) as error:
            printing.note(f"   cannot be shown: {error}")
            continue
        console.print(Image(Pillow.fromarray(picture.pixels), width=COLUMNS, height="auto"))
