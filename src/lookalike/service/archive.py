"""Several originals as one zip file, made while it is sent: nothing is written here, and memory holds one piece.

Pictures are compressed already, so they are stored as they are. A file that is away is left out and named in
`missing.txt` inside the archive. Two of one name get numbers.
"""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from typing import TYPE_CHECKING

from lookalike.core.errors import LookalikeError
from lookalike.core.languages import ENGLISH
from lookalike.core.wording import said
from lookalike.service.problems import in_short

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from _typeshed import ReadableBuffer as Buffer

    from lookalike.engine.any_collection import AnyCollection

MOST = 500
"""Items in one archive."""
_PIECE = 1 << 18
_EARLIEST = (1980, 1, 1, 0, 0, 0)  # what a zip file can say


def archive(collection: AnyCollection, ids: Sequence[str], language: str = ENGLISH) -> Iterator[bytes]:
    """The bytes of the zip file with the items' files. `language`: of what is said of those that are away."""
    out = _Pieces()
    names: Counter[str] = Counter()
    missing: list[str] = []
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as made:
        for id in ids:
            try:
                item, stream = collection.open_item(id)
            except (OSError, LookalikeError) as error:
                missing.append(f"{id}: {said(in_short(error), language)}")
                continue
            entry = zipfile.ZipInfo(_name(item.uri, names), _EARLIEST)
            entry.external_attr = 0o644 << 16
            with stream, made.open(entry, "w", force_zip64=item.size > zipfile.ZIP64_LIMIT // 2) as part:
                while piece := stream.read(_PIECE):
                    part.write(piece)
                    yield from out.taken()
        if missing:
            made.writestr(zipfile.ZipInfo("missing.txt", _EARLIEST), "\n".join(missing) + "\n")
    yield from out.taken()


def _name(uri: str, names: Counter[str]) -> str:
    """The file's own name, without anything that could lead out of a folder; the second of a name gets a number."""
    name = uri.replace("\\", "/").rpartition("/")[2].encode("utf-8", "replace").decode() or "picture"
    names[name.casefold()] += 1
    count = names[name.casefold()]
    stem, dot, suffix = name.rpartition(".")
    if count == 1:
        return name
    return f"{stem} ({count}).{suffix}" if dot else f"{name} ({count})"


class _Pieces(io.RawIOBase):
    """A stream that only takes; what it took is fetched and gone."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Buffer) -> int:
        """Take all of it."""
        self._pieces.append(bytes(data))
        return len(self._pieces[-1])

    def taken(self) -> list[bytes]:
        """What was written since the last call."""
        pieces, self._pieces = self._pieces, []
        return pieces
