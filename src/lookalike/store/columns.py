"""Columns: what is known about every item as mapped arrays, so that a condition over all items takes milliseconds.

A set of columns belongs to one moment of a collection and to one epoch of one space; `column_sets.py` says which set
serves, `column_making.py` writes it. SQLite stays the truth: whatever a set does not hold is asked there.

A set has *entries*, in the order of their rows: one for each item and row of its picture (a picture has one row today).
The columns are `number` (of the item), `id`, `root`, `folder`, `name`, `extension`, `size`, `modified`, `width`,
`height` and `format`; a key of the metadata becomes the column `metadata.KEY` when no item has an object there, nor a
list of anything but text. Kinds:

- "int", "date" (UTC nanoseconds since 1970): int64, `NO_NUMBER` where there is none;
- "float": float64, NaN where there is none; a key with whole and broken numbers is one;
- "bool": int8, -1 where there is none;
- "text", "bytes": int32 codes into sorted distinct values, -1 where there is none. Text is UTF-8, and surrogates
  that JSON lets through are kept as they are. A key whose values are of several kinds is text: true, false, and
  numbers as JSON writes them, 5 and not 5.0. The distinct values are there once more as `folded_texts.py` has them;
- "texts": lists of text, each the same as a text alone: int32 pairs of an entry and a code, in the order of entries;
- "plain": text too various for codes, only as `folded_texts.py` has it, one for each entry.

`folder` is the absolute native path of the folder with a separator at its end; `extension` is in lower case, without
its dot. What lies below a folder is therefore one range of codes.
"""

from __future__ import annotations

import hashlib
import json
import os
from bisect import bisect_left, bisect_right
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from lookalike.store.folded_texts import FoldedTexts
from lookalike.store.places import SEPARATOR

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from lookalike.core.arrays import RowMask, Rows

    Chosen: TypeAlias = NDArray[np.bool_]
    """bool (entries,): what a condition is true for."""

MANIFEST = "manifest.json"
FORMAT_VERSION = 2
ROWS = "row"
"""The column of row numbers: ascending."""
NO_NUMBER = -(2**63)
DIGEST_BYTES = 16
_READ = 1 << 20


@dataclass(frozen=True, slots=True)
class ColumnFiles:
    """A column as its manifest describes it: kind, distinct values of words, and its files with (bytes, digest)."""

    kind: str
    distinct: int
    files: Mapping[str, tuple[int, str]]


@dataclass(frozen=True, slots=True)
class ColumnManifest:
    """`rows`: of the space, at that moment. `aligned`: entry and row are the same number.

    `left_out`: names whose values a set does not hold, because they are objects or lists of other things than text,
    or lists of too many different texts; with `more_left_out` there are others that were not even noted.
    """

    entries: int
    rows: int
    aligned: bool
    columns: Mapping[str, ColumnFiles]
    left_out: frozenset[str] = field(default_factory=frozenset)
    more_left_out: bool = False

    def as_json(self) -> str:
        """The text of the manifest file."""
        values = {"version": FORMAT_VERSION, **asdict(self), "left_out": sorted(self.left_out)}
        return json.dumps(values, indent=1)

    @classmethod
    def from_json(cls, text: bytes) -> ColumnManifest:
        """Raises ValueError for a manifest of another version, TypeError or KeyError for something else."""
        values = json.loads(text)
        if values.pop("version") != FORMAT_VERSION:
            raise ValueError("columns of another version")
        columns = {
            name: ColumnFiles(each["kind"], each["distinct"], {file: tuple(is_) for file, is_ in each["files"].items()})
            for name, each in values.pop("columns").items()
        }
        return cls(columns=columns, left_out=frozenset(values.pop("left_out")), **values)


class Words:
    """A column of words. `codes`: int32, -1 for none; a value's code is its place in sorted order.

    Of the kind "texts" a code belongs to the entry of the same place in `owners`, int32; else to the entry of its own.
    `folded`: the distinct values without capitals, in the order of their codes.
    """

    def __init__(
        self,
        codes: NDArray[np.int32],
        starts: NDArray[np.int64],
        content: NDArray[np.uint8],
        folded: FoldedTexts,
        owners: NDArray[np.int32] | None = None,
    ) -> None:
        self.codes = codes
        self.folded = folded
        self.owners = owners
        self._starts = starts
        self._content = content

    def __len__(self) -> int:
        return len(self._starts) - 1

    def __getitem__(self, code: int) -> bytes:
        if not 0 <= code < len(self):  # also what ends an iteration
            raise IndexError(code)
        return bytes(self._content[self._starts[code] : self._starts[code + 1]])

    def place(self, value: bytes) -> int:
        """The code it has, or would have if it were among them."""
        return bisect_left(self, value)

    def code(self, value: bytes) -> int | None:
        """The code of exactly that value."""
        code = self.place(value)
        return code if code < len(self) and self[code] == value else None

    def beginning_with(self, prefix: bytes) -> tuple[int, int]:
        """First code, and the one after the last, of values that begin with `prefix`."""
        return bisect_left(self, prefix), bisect_right(self, prefix, key=lambda value: value[: len(prefix)])

    def within(self, first: int, behind: int) -> Chosen:
        """Entries whose code is from `first` up to, not including, `behind`."""
        chosen: Chosen = self.codes >= first
        chosen &= self.codes < behind
        return chosen


class Columns:
    """One set, opened. Arrays are mapped when they are asked for and cannot be changed.

    Raises OSError or ValueError where files are missing or are not what the manifest says: ask SQL then.
    """

    def __init__(self, folder: Path, digest: bytes) -> None:
        """`digest`: of the manifest, as the collection's database has it."""
        text = (folder / MANIFEST).read_bytes()
        if hashlib.blake2b(text, digest_size=DIGEST_BYTES).digest() != digest:
            raise ValueError(f"{folder / MANIFEST} was changed")
        self._folder = folder
        self._opened: dict[str, NDArray[Any]] = {}
        self.manifest = ColumnManifest.from_json(text)

    def __len__(self) -> int:
        return self.manifest.entries

    def __contains__(self, name: str) -> bool:
        return name in self.manifest.columns

    def knows(self, name: str) -> bool:
        """Whether the set says all about a name: it is a column, or no item has such a value at all."""
        return name in self or not (name in self.manifest.left_out or self.manifest.more_left_out)

    def kind(self, name: str) -> str:
        """The kind of a column."""
        return self.manifest.columns[name].kind

    def numbers(self, name: str) -> NDArray[Any]:
        """The values of a column of kind int, date, float or bool: (entries,)."""
        (values,) = self.arrays(name)
        return values

    def words(self, name: str) -> Words:
        """The values of a column of kind text, texts or bytes."""
        *owners, codes, starts, content, folded_starts, folded = self.arrays(name)
        return Words(codes, starts, content, FoldedTexts(folded_starts, folded), *owners)

    def plain(self, name: str) -> FoldedTexts:
        """The values of a column of kind plain: a text for each entry."""
        starts, content = self.arrays(name)
        return FoldedTexts(starts, content)

    def rows(self) -> Rows:
        """int64 (entries,): the row of each entry, ascending; entries of one row are its items."""
        return self.numbers(ROWS)

    def below(self, path: bytes) -> Chosen:
        """Entries of files inside the folder with the absolute native `path`, however deep."""
        folders = self.words("folder")
        return folders.within(*folders.beginning_with(path.rstrip(SEPARATOR) + SEPARATOR))

    def row_mask(self, chosen: Chosen) -> RowMask:
        """Rows with a chosen entry: (rows,). It may be `chosen` itself."""
        import numpy as np

        if self.manifest.aligned:
            return chosen
        mask = np.zeros(self.manifest.rows, dtype=np.bool_)
        mask[self.rows()[chosen]] = True
        return mask

    def problems(self) -> Iterator[str]:
        """Reads everything and tells what is not as it was written."""
        for column in self.manifest.columns.values():
            for name, (size, digest) in column.files.items():
                file = self._folder / name
                try:
                    whole = file.stat().st_size == size and digest_of(file) == digest
                except OSError:
                    whole = False
                if not whole:
                    yield f"the columns are damaged: {file} is not what was written; delete its folder"

    def is_there(self) -> bool:
        """Whether all files are there in their sizes."""
        files = [each for column in self.manifest.columns.values() for each in column.files.items()]
        try:
            return all((self._folder / name).stat().st_size == size for name, (size, _) in files)
        except OSError:
            return False

    def arrays(self, name: str) -> list[NDArray[Any]]:
        """All arrays of a column, in the order of its manifest."""
        return [self._mapped(name, file) for file in self.manifest.columns[name].files]

    def _mapped(self, name: str, file: str) -> NDArray[Any]:
        import numpy as np

        opened = self._opened.get(file)
        if opened is not None:
            return opened
        path, column = self._folder / file, self.manifest.columns[name]
        if path.stat().st_size != column.files[file][0]:
            raise ValueError(f"{path} was changed")
        mapped: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False).view(np.ndarray)
        self._opened[file] = mapped  # a race maps it twice, which harms nobody
        return mapped


def digest_of(file: Path) -> str:
    """BLAKE2b-128 of a file's bytes, as 32 hexadecimal digits."""
    state = hashlib.blake2b(digest_size=DIGEST_BYTES)
    with file.open("rb") as stream:
        while some := stream.read(_READ):
            state.update(some)
    return state.hexdigest()


def folder_of(native: bytes) -> bytes:
    """The folder of a file in the column `folder`, from the absolute native path of the file, or its address."""
    return native[: max(native.rfind(SEPARATOR), native.rfind(b"/")) + 1]


def name_of(native: bytes) -> bytes:
    """The name of a file in its folder, from its absolute native path, or its address."""
    return native[max(native.rfind(SEPARATOR), native.rfind(b"/")) + 1 :]


def extension_of(key: bytes) -> bytes:
    """The ending of a file name in lower case, without its dot; b"" for none."""
    return os.path.splitext(key)[1][1:].lower()
