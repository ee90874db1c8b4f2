"""One column while it is written: values come in pieces, their kind is found out, and at last the files are made.

Promises: memory does not grow with the number of entries, only with distinct words, which the caller limits; the
outcome does not depend on the order of the values or on the size of the pieces.
"""

from __future__ import annotations

import hashlib
import io
from itertools import chain
from typing import TYPE_CHECKING, Any

from lookalike.store.columns import DIGEST_BYTES, NO_NUMBER, ColumnFiles
from lookalike.store.database import chunks
from lookalike.store.rows import to_disk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

WORD_COST = 120
"""Bytes that a distinct word takes beside its characters: an object, and its place in a dict."""
_EXACT = 2**53
"""Whole numbers up to here are themselves as float64."""
_NUMBERS = {"int": ("<i8", NO_NUMBER), "date": ("<i8", NO_NUMBER), "float": ("<f8", float("nan")), "bool": ("|i1", -1)}
_CODES = ("<i4", -1)
_WORDS = frozenset({str, bytes})
_KINDS = {int: "int", float: "float", bool: "bool", str: "text"}
_STEP = 1 << 18
"""Values brought from the unfinished to the finished file at once."""


class ColumnValues:
    """Values of one column, in order. `kind` is given, or found out from values as JSON has them.

    Until `finish` they lie in `folder` as a bare file; codes of words are numbered as they came.
    """

    def __init__(self, folder: Path, stem: str, kind: str | None = None) -> None:
        self.word_bytes = 0
        """About the memory that the distinct words take."""
        self._folder = folder
        self._stem = stem
        self._raw = folder / f"{stem}.raw"
        self._given = kind
        self._kind = kind
        self._large = False
        """Whether a whole number came that no float64 is equal to."""
        self._codes: dict[str | bytes, int] = {}

    def add(self, start: int, size: int, places: Any, values: Sequence[Any]) -> None:
        """The entries from `start` to `start + size`: `values` at the indices `places` in them, none elsewhere.

        Every piece is added, also one without values. Values are never None.
        """
        import numpy as np

        kind = self._given or self._kind_with(values)
        if kind is None:
            return
        if kind != self._kind:
            self._turn_into(kind, start)
        dtype, none = _storage(kind)
        piece = np.full(size, none, dtype=dtype)
        piece[places] = values if kind in _NUMBERS else self._coded(values)
        with self._raw.open("ab") as stream:
            stream.write(piece.tobytes())

    def forget(self) -> None:
        """The column is not wanted any more."""
        self._codes.clear()
        self.word_bytes = 0
        self._raw.unlink(missing_ok=True)

    def finish(self, entries: int) -> ColumnFiles | None:
        """Write the files, safe on disk; None when no entry had a value."""
        import numpy as np

        if self._kind is None:
            return None
        distinct = len(self._codes)
        if self._kind in _NUMBERS:
            pieces = (piece.tobytes() for piece in self._pieces(self._kind))
            files = [self._write("values", _storage(self._kind)[0], entries, pieces)]
        else:
            words = sorted((_encoded(word), code) for word, code in self._codes.items())
            new = np.full(distinct + 1, -1, dtype="<i4")  # the last place answers for -1, no word
            new[[code for _, code in words]] = np.arange(distinct, dtype="<i4")
            starts = np.zeros(distinct + 1, dtype="<i8")
            np.cumsum([len(word) for word, _ in words], out=starts[1:])
            codes = (new[piece].tobytes() for piece in self._pieces(self._kind))
            content = (b"".join(some) for some in chunks((word for word, _ in words), _STEP))
            files = [
                self._write("codes", _CODES[0], entries, codes),
                self._write("starts", "<i8", distinct + 1, [starts.tobytes()]),
                self._write("words", "|u1", int(starts[-1]), content),
            ]
        self.forget()
        return ColumnFiles(self._kind, distinct, dict(files))

    def _kind_with(self, values: Sequence[Any]) -> str | None:
        """The kind that holds what is there and `values`."""
        if self._kind == "text":
            return "text"
        types = {type(value) for value in values}
        if int in types:
            whole = [value for value in values if type(value) is int]
            low, high = min(whole), max(whole)
            self._large |= low < -_EXACT or high > _EXACT
            if low <= NO_NUMBER or high >= -NO_NUMBER:
                return "text"
        kinds = {_KINDS.get(each, "text") for each in types} | ({self._kind} if self._kind else set())
        if kinds == {"int", "float"} and not self._large:
            return "float"
        if len(kinds) > 1 or (self._large and kinds == {"float"}):
            return "text"
        return kinds.pop() if kinds else None

    def _coded(self, values: Sequence[Any]) -> list[int]:
        codes = self._codes
        found = []
        for value in values:
            word = value if type(value) in _WORDS else _as_text(value)
            code = codes.get(word)
            if code is None:
                code = codes[word] = len(codes)
                self.word_bytes += len(word) + WORD_COST
            found.append(code)
        return found

    def _turn_into(self, kind: str, start: int) -> None:
        """Write the `start` values there are anew, as another kind."""
        import numpy as np

        former, dtype = self._kind, _storage(kind)[0]
        self._kind = kind
        fresh = self._raw.with_suffix(".turned")
        with fresh.open("wb") as stream:
            if former is None:
                for first in range(0, start, _STEP):
                    stream.write(np.full(min(_STEP, start - first), _storage(kind)[1], dtype=dtype).tobytes())
            else:
                for piece in self._pieces(former):
                    stream.write(self._turned(piece, former, kind).astype(dtype).tobytes())
        fresh.replace(self._raw)

    def _turned(self, piece: NDArray[Any], former: str, kind: str) -> NDArray[Any]:
        import numpy as np

        none = np.isnan(piece) if former == "float" else piece == _storage(former)[1]
        if kind == "float":
            return np.where(none, np.nan, piece)
        distinct, places = np.unique(piece[~none], return_inverse=True)
        values = [bool(each) for each in distinct] if former == "bool" else distinct.tolist()
        codes = np.full(len(piece), -1, dtype=np.int64)
        codes[~none] = np.array(self._coded(values), dtype=np.int64)[places]
        return codes

    def _pieces(self, kind: str) -> Iterator[NDArray[Any]]:
        import numpy as np

        dtype = np.dtype(_storage(kind)[0])
        with self._raw.open("rb") as stream:
            while content := stream.read(_STEP * dtype.itemsize):
                yield np.frombuffer(content, dtype=dtype)

    def _write(self, what: str, dtype: str, count: int, content: Iterable[bytes]) -> tuple[str, tuple[int, str]]:
        """One array file of numpy; returns its name with size and digest."""
        import numpy as np

        header = io.BytesIO()
        shape = {"descr": dtype, "fortran_order": False, "shape": (count,)}
        np.lib.format.write_array_header_1_0(header, shape)
        name, size, state = f"{self._stem}.{what}.npy", 0, hashlib.blake2b(digest_size=DIGEST_BYTES)
        with (self._folder / name).open("wb") as stream:
            for some in chain([header.getvalue()], content):
                size += stream.write(some)
                state.update(some)
            to_disk(stream)
        return name, (size, state.hexdigest())


def _storage(kind: str) -> tuple[str, Any]:
    """The type of the values in a file, and the value for none."""
    return _NUMBERS.get(kind, _CODES)


def _as_text(value: Any) -> str:
    """A value of JSON that is not text, as text: the same for 5 and 5.0, which JSON does not tell apart."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) <= _EXACT:
        return str(int(value))
    return repr(value)


def _encoded(word: str | bytes) -> bytes:
    return word if isinstance(word, bytes) else word.encode("utf-8", "surrogatepass")
