"""Catalogues on the command line: the options that say how one is read, and the table of what was found out."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any, TypeVar

import click

from lookalike.cli import printing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lookalike.engine.reports import CatalogueRead
    from lookalike.images.catalogue_plan import CatalogueOptions

    Decorated = TypeVar("Decorated", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--id-column", metavar="NAME", help="A catalogue's column of ids."),
    click.option("--image-column", metavar="NAME", help="A catalogue's column that names the pictures."),
    click.option("--title-column", metavar="NAME", help="A catalogue's column of titles."),
    click.option("--text-columns", metavar="NAMES", help="A catalogue's columns that are read for words: title,brand"),
    click.option(
        "--type", "types", multiple=True, metavar="NAME=KIND", help="What a column is: price=float; repeatable."
    ),
    click.option("--group-by", metavar="NAME", help="The field that says which pictures belong together."),
    click.option("--encoding", metavar="NAME", help="The encoding of a catalogue's text, such as cp1251."),
    click.option("--allow-url", is_flag=True, help="Fetch pictures that a catalogue names on the web."),
)
_LEAST_EXAMPLE = 8
_FIELD_WIDTH = 24


def catalogue_options(function: Decorated) -> Decorated:
    """The options that `read_options` takes."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def read_options(
    *,
    id_column: str | None,
    image_column: str | None,
    title_column: str | None,
    text_columns: str | None,
    types: Sequence[str],
    group_by: str | None,
    encoding: str | None,
    allow_url: bool,
) -> CatalogueOptions:
    """What the options say. Raises click.UsageError for a kind there is not."""
    from lookalike.images.catalogue_plan import KINDS, CatalogueOptions, field_name

    said = []
    for each in types:
        name, _, word = each.rpartition("=")
        kind = next((kind for kind in KINDS if kind == word.strip()), None)
        if not name or kind is None:
            raise click.UsageError(f"--type {each}: say NAME=KIND, with a KIND of {', '.join(KINDS)}")
        said.append((name.strip(), kind))
    return CatalogueOptions(
        id_column=id_column,
        image_column=image_column,
        title_column=title_column,
        text_columns=tuple(name.strip() for name in (text_columns or "").split(",") if name.strip()),
        types=tuple(said),
        group_by=field_name(group_by) if group_by else None,
        allow_url=allow_url,
        encoding=encoding,
    )


def show_catalogue(read: CatalogueRead) -> None:
    """What a catalogue is taken for: a line about the table, and one for each column."""
    about = [read.format, read.encoding, f"parted by {_mark(read.delimiter)}" if read.delimiter else ""]
    name = printing.printable(os.path.basename(read.path))
    printing.note(f"{name}: {printing.count(read.rows, 'row')} ({', '.join(part for part in about if part)})")
    shown = [("field", "kind", "is", "filled", "example")]
    for column in read.columns:
        filled = f"{column.filled:,}" if column.filled else ""
        example = f"{column.unread:,} unread, such as {column.example}" if column.unread else column.example
        shown.append((column.field, column.kind, column.role, filled, printing.printable(example)))
    widths = [min(max(len(row[at]) for row in shown), _FIELD_WIDTH) for at in range(4)]
    room = max(shutil.get_terminal_size((printing.WIDTH, 0)).columns - sum(widths) - 10, _LEAST_EXAMPLE)
    for field, kind, role, filled, example in shown:
        cells = (f"{field:{widths[0]}}", f"{kind:{widths[1]}}", f"{role:{widths[2]}}", f"{filled:>{widths[3]}}")
        printing.note(f"  {'  '.join(cells)}  {_cut(example, room)}".rstrip(), dim=field == "field" and kind == "kind")
    if any(column.unread for column in read.columns):
        printing.note("Cells that are not of the kind that was said are left empty: --type NAME=text keeps them.")


def _mark(delimiter: str) -> str:
    return {"\t": "tabs", ",": "commas", ";": "semicolons"}.get(delimiter, delimiter)


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else text[: room - 1] + "…"
