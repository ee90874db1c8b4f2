"""Vectors to and from other programs: what an export is made of, and the note that says whose vectors it holds.

Three layouts, each in a folder of its own (docs/format.md): `faiss`, a flat FAISS index with a list of paths; `npy`,
that of clip-retrieval (github.com/rom1504/clip-retrieval, clip_inference/writer.py); `parquet`, one table. `exporting`
writes them, `vector_files` reads them, `importing` takes what was read into a collection.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from lookalike.core.causes import cause_of
from lookalike.core.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path
    from typing import BinaryIO

Layout = Literal["faiss", "npy", "parquet"]
LAYOUTS: tuple[Layout, ...] = ("faiss", "npy", "parquet")

NOTE = "lookalike.json"
FAISS_FILE, PATHS_FILE = "pictures.faiss", "pictures.paths"
TABLE_FILE, VECTOR_COLUMN = "pictures.parquet", "vector"
VECTORS_FOLDER, TABLES_FOLDER = "img_emb", "metadata"
FORMAT = 1
"""Of the note and the columns that are ours."""
IMPORTED = "imported"
"""Name of the encoder of vectors that nobody said it of; its id is `imported:DIGEST`."""

_CODES = {b"\n": b"\0n", b"\r": b"\0r"}
"""What would end a line inside a path; no path holds a NUL."""


@dataclass(frozen=True, slots=True)
class ExportNote:
    """What `lookalike.json` says. `roots`: path and whether it is a file, of each place the pictures were found in."""

    layout: Layout
    encoder_id: str
    encoder_name: str
    dim: int
    count: int
    dtype: str
    roots: tuple[tuple[str, bool], ...]
    lookalike: str
    format: int = FORMAT

    def write(self, folder: Path) -> None:
        """Put the note into `folder`; paths that are not text survive as escapes."""
        (folder / NOTE).write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="ascii")

    @classmethod
    def read(cls, folder: Path) -> ExportNote | None:
        """The note in `folder`, None when there is none. Raises SourceError for one that makes no sense."""
        file = folder / NOTE
        try:
            values = json.loads(file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise SourceError(f"{file} cannot be read: {cause_of(error)}") from error
        if isinstance(values, dict) and isinstance(values.get("format"), int) and values["format"] > FORMAT:
            raise SourceError(
                f"{folder} was written by a later version of lookalike", hint="pip install --upgrade lookalike"
            )
        try:
            roots = tuple((str(path), bool(is_file)) for path, is_file in values.pop("roots"))
            note = cls(roots=roots, **values)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise SourceError(f"{file} is no note of an export: {error}") from error
        return note


@dataclass(frozen=True, slots=True)
class Described:
    """What came with one vector. `address`: a path in bytes, or any other name; None without one.

    `size`, `modified_ns` and the digests stand only in exports of ours: the file as it was when it was encoded.
    """

    address: bytes | None = None
    url: str | None = None
    id: str | None = None
    width: int | None = None
    height: int | None = None
    format: str = ""
    size: int | None = None
    modified_ns: int | None = None
    bytes_digest: bytes | None = None
    pixels_digest: bytes | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)


def write_paths(stream: BinaryIO, uris: Iterable[str]) -> None:
    """One path a line, in the bytes it has on disk; line ends inside a name are written as NUL and n, or NUL and r."""
    for uri in uris:
        line = os.fsencode(uri)
        for mark, code in _CODES.items():
            line = line.replace(mark, code)
        stream.write(line + b"\n")


def read_paths(stream: BinaryIO) -> Iterator[bytes]:
    """The paths that `write_paths` wrote."""
    for line in stream:
        path = line.removesuffix(b"\n")
        for mark, code in _CODES.items():
            path = path.replace(code, mark)
        yield path
