"""One column while it is written: values come in pieces, their kind is found out, and at last the files are made.

Promises: memory does not grow with the number of entries, only with distinct words, which the caller limits; the
outcome does not depend on the order of the values or on the size of the pieces.
"""

from __future__ import annotations

import hashlib
import io
from itertools import chain
from typing import TYPE_CHECKING, Any

from lookalike.core.conditions import EXACT, text_of
from lookalike.store.columns import DIGEST_BYTES, NO_NUMBER, ColumnFiles
from lookalike.store.database import chunks
from lookalike.store.folded_texts import END, folded_word
from lookalike.store.rows import to_disk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

WORD_COST = 120
"""Bytes that a distinct word takes beside its characters: an object, and its place in a dict."""
_NUMBERS = {"int": ("<i8", NO_NUMBER), "date": ("<i8", NO_NUMBER), "float": ("<f8", float("nan")), "bool": ("|i1", -1)}
_CODES = ("<i4", -1)
_OWNED = "<i4, <i4"
"""A word of an entry: the entry, and the code of the word."""
_LENGTHS = "<i4"
_KINDS = {int: "int", float: "float", bool: "bool", str: "text", list: "texts"}
_STEP = 1 << 18
"""Values brought from the unfinished to the finished file at once."""


class ColumnValues:
    """Values of one column, in order. `kind` is given, or found out from values as JSON has them.

    Until `finish` they lie in `folder` as a bare file; codes of words are numbered as they came. Of the kind "plain" it
    is the texts, and their lengths are in a second file.
    """

    def __init__(self, folder: Path, stem: str, kind: str | None = None, *, over: str | None = None) -> None:
        """`kind`: what it is whatever the values. `over`: the kind of values that are elsewhere and go before these."""
        self.word_bytes = 0
        """About the memory that the distinct words take."""
        self._folder = folder
        self._stem = stem
        self._raw = folder / f"{stem}.raw"
        self._lengths = folder / f"{stem}.lengths.raw"
        self._given = kind
        self.kind = over
        self._large = False
        """Whether a whole number came that no float64 is equal to."""
        self._codes: dict[str | bytes, int] = {}
        if over is not None:
            self._raw.touch()
            self._lengths.touch()

    def add(self, start: int, size: int, places: Any, values: Sequence[Any]) -> None:
        """The entries from `start` to `start + size`: `values` at the indices `places` in them, none elsewhere.

        Every piece is added, also one without values. Values are never None.
        """
        kind = self._given or self._kind_with(values)
        if kind is None:
            return
        if kind != self.kind:
            self._turn_into(kind, start)
        self._append(kind, start, size, places, values)

    def turn_plain(self, entries: int) -> None:
        """There are too many distinct words: keep each text as it comes, without them. `entries`: added so far."""
        self._turn_into("plain", entries)
        self._codes.clear()
        self.word_bytes = 0

    def forget(self) -> None:
        """The column is not wanted any more."""
        self._codes.clear()
        self.word_bytes = 0
        self._raw.unlink(missing_ok=True)
        self._lengths.unlink(missing_ok=True)

    def finish(self, entries: int) -> ColumnFiles | None:
        """Write the files, safe on disk; None when no entry had a value."""
        if self.kind is None:
            return None
        distinct = len(self._codes)
        if self.kind in _NUMBERS:
            pieces = (piece.tobytes() for piece in self._pieces(self.kind))
            files = [self._write("values", _NUMBERS[self.kind][0], entries, pieces)]
        elif self.kind == "plain":
            files = [self._write_starts("starts", entries), self._write_content("folded")]
        else:
            files = self._finish_words(entries)
        self.forget()
        return ColumnFiles(self.kind, distinct, dict(files))

    def _kind_with(self, values: Sequence[Any]) -> str | None:
        """The kind that holds what is there and `values`."""
        if self.kind in {"texts", "plain"}:
            return self.kind
        types = {type(value) for value in values}
        if list in types:
            return "texts"
        if self.kind == "text":
            return "text"
        if int in types:
            whole = [value for value in values if type(value) is int]
            low, high = min(whole), max(whole)
            self._large |= low < -EXACT or high > EXACT
            if low <= NO_NUMBER or high >= -NO_NUMBER:
                return "text"
        kinds = {_KINDS.get(each, "text") for each in types} | ({self.kind} if self.kind else set())
        if kinds == {"int", "float"} and not self._large:
            return "float"
        if len(kinds) > 1 or (self._large and kinds == {"float"}):
            return "text"
        return kinds.pop() if kinds else None

    def _append(self, kind: str, start: int, size: int, places: Any, values: Sequence[Any]) -> None:
        import numpy as np

        if kind == "plain":
            self._append_plain(size, places, [folded_word(_word(value)) + END for value in values])
        elif kind == "texts":
            at = range(start, start + size)[places] if isinstance(places, slice) else [start + each for each in places]
            each_of = [_each(value) for value in values]
            owners = np.repeat(np.array(at, dtype="<i4"), [len(some) for some in each_of])
            self._append_bytes(_owned(owners, self._coded(list(chain.from_iterable(each_of)))).tobytes())
        else:
            dtype, none = storage(kind)
            piece = np.full(size, none, dtype=dtype)
            piece[places] = values if kind in _NUMBERS else self._coded(values)
            self._append_bytes(piece.tobytes())

    def _append_plain(self, size: int, places: Any, texts: Sequence[bytes]) -> None:
        import numpy as np

        lengths = np.zeros(size, dtype=_LENGTHS)
        lengths[places] = [len(text) for text in texts]
        self._append_bytes(b"".join(texts))
        with self._lengths.open("ab") as stream:
            stream.write(lengths.tobytes())

    def _append_bytes(self, content: bytes) -> None:
        with self._raw.open("ab") as stream:
            stream.write(content)

    def _coded(self, values: Sequence[Any]) -> list[int]:
        codes = self._codes
        found = []
        for value in values:
            word = _word(value)
            code = codes.get(word)
            if code is None:
                code = codes[word] = len(codes)
                self.word_bytes += len(word) + WORD_COST
            found.append(code)
        return found

    def _turn_into(self, kind: str, start: int) -> None:
        """Write the `start` values there are anew, as another kind."""
        former, self.kind = self.kind, kind
        before = self._raw.with_suffix(".former")
        self._raw.touch()
        self._raw.replace(before)
        if former is None:
            for first in range(0, start, _STEP):
                self._append(kind, first, min(_STEP, start - first), [], [])
        else:
            words = list(self._codes)
            first = 0
            for piece in self._read(before, storage(former)[0]):
                self._append_turned(piece, first, former, kind, words)
                first += len(piece)
        before.unlink()

    def _append_turned(
        self, piece: NDArray[Any], first: int, former: str, kind: str, words: Sequence[str | bytes]
    ) -> None:
        """A piece of another kind: of codes for `words`, or of numbers."""
        import numpy as np

        none = np.isnan(piece) if former == "float" else piece == storage(former)[1]
        if former == "text" and kind == "texts":
            self._append_bytes(_owned(first + np.flatnonzero(~none), piece[~none]).tobytes())
        elif kind == "float":
            self._append_bytes(np.where(none, np.nan, piece).astype("<f8").tobytes())
        else:
            values = piece[~none].tolist()
            if former in {"text", "bytes"}:
                values = [words[code] for code in values]
            elif former == "bool":
                values = [bool(value) for value in values]
            self._append(kind, first, len(piece), np.flatnonzero(~none), values)

    def _finish_words(self, entries: int) -> list[tuple[str, tuple[int, str]]]:
        """Codes become places in the sorted words."""
        import numpy as np

        words = sorted((_encoded(word), code, word) for word, code in self._codes.items())
        new = np.full(len(words) + 1, -1, dtype="<i4")  # the last place answers for -1, no word
        new[[code for _, code, _ in words]] = np.arange(len(words), dtype="<i4")
        files = []
        if self.kind == "texts":
            count = self._raw.stat().st_size // np.dtype(_OWNED).itemsize
            owners = (piece["f0"].tobytes() for piece in self._pieces("texts"))
            files.append(self._write("owners", "<i4", count, owners))
            codes = (new[piece["f1"]].tobytes() for piece in self._pieces("texts"))
            files.append(self._write("codes", "<i4", count, codes))
        else:
            codes = (new[piece].tobytes() for piece in self._pieces("text"))
            files.append(self._write("codes", _CODES[0], entries, codes))
        files += self._write_texts("starts", "words", [encoded for encoded, _, _ in words])
        return files + self._write_texts("folded-starts", "folded", [folded_word(word) + END for _, _, word in words])

    def _write_texts(self, starts: str, content: str, texts: Sequence[bytes]) -> list[tuple[str, tuple[int, str]]]:
        import numpy as np

        ends = np.zeros(len(texts) + 1, dtype="<i8")
        np.cumsum([len(text) for text in texts], out=ends[1:])
        joined = (b"".join(some) for some in chunks(texts, _STEP))
        return [
            self._write(starts, "<i8", len(ends), [ends.tobytes()]),
            self._write(content, "|u1", int(ends[-1]), joined),
        ]

    def _write_starts(self, what: str, entries: int) -> tuple[str, tuple[int, str]]:
        """Where each plain text begins, and the end."""
        import numpy as np

        def starts() -> Iterator[bytes]:
            yield bytes(8)
            end = 0
            for lengths in self._read(self._lengths, _LENGTHS):
                ends = end + np.cumsum(lengths, dtype="<i8")
                end = int(ends[-1])
                yield ends.tobytes()

        return self._write(what, "<i8", entries + 1, starts())

    def _write_content(self, what: str) -> tuple[str, tuple[int, str]]:
        content = (piece.tobytes() for piece in self._read(self._raw, "|u1"))
        return self._write(what, "|u1", self._raw.stat().st_size, content)

    def _pieces(self, kind: str) -> Iterator[NDArray[Any]]:
        return self._read(self._raw, storage(kind)[0])

    def _read(self, file: Path, dtype: str) -> Iterator[NDArray[Any]]:
        import numpy as np

        with file.open("rb") as stream:
            while content := stream.read(_STEP * np.dtype(dtype).itemsize):
                yield np.frombuffer(content, dtype=dtype)

    def _write(self, what: str, dtype: str, count: int, content: Iterable[bytes]) -> tuple[str, tuple[int, str]]:
        return write_array(self._folder, f"{self._stem}.{what}.npy", dtype, count, content)


def write_array(
    folder: Path, name: str, dtype: str, count: int, content: Iterable[bytes]
) -> tuple[str, tuple[int, str]]:
    """One array file of numpy, safe on disk; returns its name with size and digest."""
    import numpy as np

    header = io.BytesIO()
    shape = {"descr": dtype, "fortran_order": False, "shape": (count,)}
    np.lib.format.write_array_header_1_0(header, shape)
    size, state = 0, hashlib.blake2b(digest_size=DIGEST_BYTES)
    with (folder / name).open("wb") as stream:
        for some in chain([header.getvalue()], content):
            size += stream.write(some)
            state.update(some)
        to_disk(stream)
    return name, (size, state.hexdigest())


def storage(kind: str) -> tuple[str, Any]:
    """The type of the values in the bare file, and the value for none."""
    return (_OWNED, None) if kind == "texts" else _NUMBERS.get(kind, _CODES)


def _owned(owners: Any, codes: Any) -> NDArray[Any]:
    import numpy as np

    pairs = np.empty(len(owners), dtype=_OWNED)
    pairs["f0"], pairs["f1"] = owners, codes
    return pairs


def _word(value: Any) -> str | bytes:
    return value if isinstance(value, bytes) else text_of(value)


def _each(value: Any) -> list[Any]:
    return [each for each in value if each is not None] if type(value) is list else [value]


def _encoded(word: str | bytes) -> bytes:
    return word if isinstance(word, bytes) else word.encode("utf-8", "surrogatepass")
