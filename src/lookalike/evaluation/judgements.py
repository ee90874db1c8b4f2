"""What people said about pictures: labels or captions, read from a folder of classes or from a CSV file.

`read_labels(DIR)`: the class of a picture is the name of the folder it lies in, at any depth.
`read_labels(CSV)`: columns `image` and `label`; a picture in several lines has several labels.
`read_captions(CSV)`: columns `image` and `caption`; a picture in several lines has several captions.

A CSV file is read by a real CSV reader: quotes, newlines inside quotes, a byte order mark (UTF-8 or UTF-16), and
commas, semicolons or tabs, whichever gives the wanted columns. Header names are matched without regard to case and
surrounding spaces; other columns are passed over. Image paths are relative to the CSV file's folder, or to `images`.

Promises: nothing listed is lost silently: what cannot be used is a `Skipped` with its reason. No picture is opened
here: whether a file can be decoded, `evaluate` finds out.
"""

from __future__ import annotations

import csv
import os
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from lookalike.core.errors import SourceError
from lookalike.core.records import Asset, Skipped
from lookalike.images.folder import folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from lookalike.core.protocols import Source

SEPARATORS = (",", ";", "\t")


@dataclass(frozen=True, slots=True)
class JudgedPicture:
    """One picture and what was said about it: labels or captions, in the order met, each once."""

    source: Source
    asset: Asset
    sayings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Judgements:
    """Judged pictures in a stable order. `kind` says what their `sayings` are."""

    kind: Literal["labels", "captions"]
    pictures: tuple[JudgedPicture, ...]
    skipped: tuple[Skipped, ...]


def read_labels(path: str | Path, images: str | Path | None = None) -> Judgements:
    """Labelled pictures: of a folder of class folders, or of a CSV file whose image paths are relative to `images`.

    A picture directly in the folder lies in no class and is skipped. Raises SourceError when `path` cannot be read or
    no labelled picture is there.
    """
    path = os.path.expanduser(path)
    if os.path.isdir(path):
        return _class_folders(path)
    return _judged_file(path, images, "labels", "label")


def read_captions(path: str | Path, images: str | Path | None = None) -> Judgements:
    """The captioned pictures of a CSV file. Raises SourceError when it cannot be read or names no picture there is."""
    return _judged_file(os.path.expanduser(path), images, "captions", "caption")


def _class_folders(root: str) -> Judgements:
    source = folder(root)
    pictures: list[JudgedPicture] = []
    skipped: list[Skipped] = []
    for entry in source.assets():
        if isinstance(entry, Skipped):
            skipped.append(entry)
            continue
        parent, _, _ = entry.key.rpartition(b"/")
        if parent:
            label = os.fsdecode(parent.rpartition(b"/")[2])
            pictures.append(JudgedPicture(source, entry, (label,)))
        else:
            skipped.append(Skipped(entry.uri, "lies in no class folder", "no-class", entry.key))
    if not pictures:
        raise SourceError(
            f"{root} holds no pictures in class folders",
            hint="put the pictures of each class into a folder named after the class",
        )
    return Judgements("labels", tuple(pictures), tuple(skipped))


def _judged_file(path: str, images: str | Path | None, kind: Literal["labels", "captions"], column: str) -> Judgements:
    base = os.path.dirname(path) if images is None else os.path.expanduser(os.fspath(images))
    sayings: dict[str, list[str]] = {}
    skipped: list[Skipped] = []
    for line, row in _rows(path, ("image", column)):
        empty = [name for name, value in row.items() if not value]
        if empty:
            skipped.append(Skipped(f"{path}:{line}", f"no {' and no '.join(empty)} in this line", "empty"))
            continue
        of_picture = sayings.setdefault(os.path.abspath(os.path.join(base, row["image"])), [])
        if row[column] not in of_picture:
            of_picture.append(row[column])
    found = [_picture(uri, tuple(said)) for uri, said in sayings.items()]
    pictures = tuple(each for each in found if isinstance(each, JudgedPicture))
    if not pictures:
        raise SourceError(
            f"none of the {len(sayings)} pictures named in {path} is there",
            hint=f"paths were taken relative to {os.path.abspath(base)}; name another folder with --images DIR",
        )
    return Judgements(kind, pictures, (*skipped, *(each for each in found if isinstance(each, Skipped))))


def _picture(path: str, sayings: tuple[str, ...]) -> JudgedPicture | Skipped:
    """The file at `path`, as a source of one picture."""
    if not os.path.exists(path):
        return Skipped(path, "there is no such file", "missing")
    if os.path.isdir(path):
        return Skipped(path, "a folder, not a picture", "not-a-file")
    try:
        source = folder(path)
        entry = next(iter(source.assets()))
    except SourceError as error:
        return Skipped(path, str(error), "unreadable")
    return JudgedPicture(source, entry, sayings) if isinstance(entry, Asset) else entry


def _rows(path: str, wanted: tuple[str, ...]) -> Iterator[tuple[int, Mapping[str, str]]]:
    """The number of the last line and the wanted cells of each row, without surrounding white space."""
    try:
        with open(path, "rb") as file:
            start = file.read(2)
        encoding = "utf-16" if start in (BOM_UTF16_LE, BOM_UTF16_BE) else "utf-8-sig"
        with open(path, encoding=encoding, newline="") as text:
            separator, columns = _layout(path, text.readline(), wanted)
            reader = csv.reader(text, delimiter=separator)
            for cells in reader:
                if cells:
                    yield (
                        reader.line_num + 1,
                        {name: cells[at].strip() if at < len(cells) else "" for name, at in columns.items()},
                    )
    except (OSError, UnicodeError, csv.Error) as error:
        raise SourceError(
            f"{path} cannot be read: {error}", hint="it must be a CSV file in UTF-8 with a line of headings"
        ) from error


def _layout(path: str, header: str, wanted: tuple[str, ...]) -> tuple[str, dict[str, int]]:
    """The separator and where the wanted columns stand. Raises SourceError that lists the columns there are."""
    readings = {separator: _names(header, separator) for separator in SEPARATORS}
    for separator, names in readings.items():
        if all(name in names for name in wanted):
            return separator, {name: names.index(name) for name in wanted}
    found = max(readings.values(), key=len)
    raise SourceError(
        f"{path} has the columns {', '.join(map(repr, found)) or '(none)'}; wanted {' and '.join(map(repr, wanted))}",
        hint="the first line names the columns; separators are commas, semicolons or tabs",
    )


def _names(header: str, separator: str) -> list[str]:
    cells: list[str] = next(csv.reader([header], delimiter=separator), [])
    return [cell.strip().casefold() for cell in cells]
