"""CSV files of judgements: the wanted columns of each row, by any of their usual names.

Read by a real CSV reader: quotes, newlines inside quotes, a byte order mark (UTF-8 or UTF-16), and commas, semicolons
or tabs, whichever gives the wanted columns. Names of columns are matched without regard to case and surrounding
spaces; other columns are passed over. What the cells mean is up to `judgements` and `qrels`.
"""

from __future__ import annotations

import csv
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lookalike.core.causes import cause_of
from lookalike.core.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import TextIO

SEPARATORS = (",", ";", "\t")
ALIASES = {
    "image": ("image", "picture", "file", "path"),
    "label": ("label", "class", "category"),
    "caption": ("caption", "text"),
    "query": ("query", "question", "words"),
    "query_image": ("query_image", "query_picture"),
    "item": ("item", "item_id", "id", "image", "picture", "file", "path"),
    "grade": ("grade", "relevance", "relevant", "rel"),
    "source": ("source",),
}
"""The columns there may be, and what each may be called."""
_PLACES = frozenset({"image", "query_image", "item"})
"""Columns of paths, whose names need not be UTF-8; words have to be."""


def columns_of(path: str) -> set[str]:
    """Which of the keys of `ALIASES` the file has a column for. Raises SourceError when it cannot be read."""
    with _opened(path) as text:
        header = text.readline()
    names = max((_names(header, separator) for separator in SEPARATORS), key=len)
    return {column for column in ALIASES if _place(names, column) is not None}


def read_rows(path: str, wanted: Sequence[str], also: Sequence[str] = ()) -> Iterator[tuple[int, Mapping[str, str]]]:
    """The number of the last line and the cells of each row, without surrounding white space.

    The columns `wanted` have to be there, those of `also` are "" where they are not. Raises SourceError, also for what
    is no CSV file.
    """
    with _opened(path) as text:
        separator, columns = _layout(path, text.readline(), wanted, also)
        reader = csv.reader(text, delimiter=separator)
        for cells in reader:
            if cells:
                found = {name: cells[at].strip() if at < len(cells) else "" for name, at in columns.items()}
                for name in found.keys() - _PLACES:
                    found[name].encode()  # raises UnicodeError
                yield reader.line_num + 1, dict.fromkeys((*wanted, *also), "") | found


@contextmanager
def _opened(path: str) -> Iterator[TextIO]:
    try:
        with open(path, "rb") as file:
            start = file.read(2)
        is_utf16 = start in (BOM_UTF16_LE, BOM_UTF16_BE)
        encoding, errors = ("utf-16", "strict") if is_utf16 else ("utf-8-sig", "surrogateescape")
        with open(path, encoding=encoding, errors=errors, newline="") as text:
            yield text
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {cause_of(error)}") from error
    except (UnicodeError, csv.Error) as error:
        raise SourceError(
            f"{path} cannot be read: {cause_of(error)}", hint="it must be a CSV file in UTF-8 with a line of headings"
        ) from error


def _layout(path: str, header: str, wanted: Sequence[str], also: Sequence[str]) -> tuple[str, dict[str, int]]:
    """The separator and where the columns stand. Raises SourceError that lists the columns there are."""
    readings = {separator: _names(header, separator) for separator in SEPARATORS}
    for separator, names in readings.items():
        if all(_place(names, column) is not None for column in wanted):
            places = {column: _place(names, column) for column in (*wanted, *also)}
            return separator, {column: at for column, at in places.items() if at is not None}
    found = max(readings.values(), key=len)
    raise SourceError(
        f"{path} has the columns {', '.join(map(repr, found)) or '(none)'}; wanted {' and '.join(map(repr, wanted))}",
        hint="the first line names the columns; separators are commas, semicolons or tabs",
    )


def _place(names: Sequence[str], column: str) -> int | None:
    return next((names.index(alias) for alias in ALIASES[column] if alias in names), None)


def _names(header: str, separator: str) -> list[str]:
    cells: list[str] = next(csv.reader([header], delimiter=separator), [])
    return [cell.strip().casefold() for cell in cells]
