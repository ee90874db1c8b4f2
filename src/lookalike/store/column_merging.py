"""A set of columns brought up to date: the one before, without the entries of items that changed, and theirs anew.

A run that touches a thousand items of a million reads a thousand from SQLite; what is known about the others is copied
from file to file. Promises: the set means what one written from nothing would mean; files of the one before are only
read, and a damaged one ends the merging instead of being copied. Two things may stand otherwise than in a set written
from nothing: words that no item has any more are still among the distinct ones, and a key of the metadata keeps its
kind when the values are gone that made it a wider one. Memory: some arrays of 8 bytes an entry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from lookalike.core.conditions import EXACT
from lookalike.store.column_values import storage, write_array
from lookalike.store.columns import NO_NUMBER, ColumnFiles, ColumnManifest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import TypeAlias

    import numpy as np
    from numpy.typing import NDArray

    from lookalike.store.columns import Columns, Words

    _Ints: TypeAlias = NDArray[np.int64]
    _Array: TypeAlias = NDArray[Any]
    _Texts: TypeAlias = tuple[_Array, _Array]
    """Where each text begins, and the end; and all texts one after another."""
    _File: TypeAlias = tuple[str, tuple[int, str]]


def merge_columns(before: Columns, changes: Columns, changed: _Ints, folder: Path) -> ColumnManifest | None:
    """Write the files of a set into the empty `folder`: `before` without the items `changed`, and `changes`.

    `changes` was written over `before`: it has all its columns, of the same kinds or wider ones. None, and no file,
    when a column became wider than can be copied, or `before` is damaged. Raises OSError, ValueError for missing files.
    """
    if not all(_fits(before, changes, name) for name in changes.manifest.columns) or any(before.problems()):
        return None
    merging = _Merging(before, changes, changed, folder)
    columns = {name: merging.column(name, place) for place, name in enumerate(changes.manifest.columns)}
    return ColumnManifest(
        entries=merging.entries,
        rows=changes.manifest.rows,
        aligned=merging.aligned,
        columns=columns,
        left_out=changes.manifest.left_out,
        more_left_out=changes.manifest.more_left_out,
    )


def _fits(before: Columns, changes: Columns, name: str) -> bool:
    """Whether the values before can be brought to the kind they have now."""
    import numpy as np

    if name not in before or before.kind(name) == changes.kind(name):
        return True
    if (before.kind(name), changes.kind(name)) != ("int", "float"):
        return False
    values = before.numbers(name)
    return bool((np.abs(values[values != NO_NUMBER]) <= EXACT).all())


class _Merging:
    """Where each entry of the new set comes from. Entries of both sets are counted on: those of `changes` come last."""

    def __init__(self, before: Columns, changes: Columns, changed: _Ints, folder: Path) -> None:
        import numpy as np

        self._before, self._changes, self._folder = before, changes, folder
        numbers = np.concatenate([before.numbers("number"), changes.numbers("number")])
        rows = np.concatenate([before.rows(), changes.rows()])
        there = np.ones(len(rows), dtype=np.bool_)
        there[: len(before)] = ~np.isin(numbers[: len(before)], changed)
        kept = np.flatnonzero(there)
        self._sources: _Ints = kept[np.lexsort((numbers[kept], rows[kept]))]
        self.entries = len(self._sources)
        each = np.arange(self.entries)
        self.aligned = self.entries == changes.manifest.rows and bool((rows[self._sources] == each).all())

    def column(self, name: str, place: int) -> ColumnFiles:
        """Write one column. `place`: among all of them."""
        kind = self._changes.kind(name)
        stem = name if name.isidentifier() else f"metadata-{place}"
        if kind == "plain":
            return ColumnFiles(kind, 0, dict(self._plain(name, stem)))
        if kind in {"text", "bytes", "texts"}:
            files, distinct = self._words(name, stem, kind)
            return ColumnFiles(kind, distinct, dict(files))
        return ColumnFiles(kind, 0, dict([self._numbers(name, stem, kind)]))

    def _numbers(self, name: str, stem: str, kind: str) -> _File:
        import numpy as np

        dtype, none = storage(kind)
        if name not in self._before:
            before = np.full(len(self._before), none, dtype=dtype)
        else:
            before = self._before.numbers(name)
            if kind == "float" and self._before.kind(name) == "int":
                before = np.where(before == NO_NUMBER, np.nan, before)
        values = np.concatenate([before, self._changes.numbers(name)])[self._sources].astype(dtype, copy=False)
        return write_array(self._folder, f"{stem}.values.npy", dtype, self.entries, [values.tobytes()])

    def _plain(self, name: str, stem: str) -> list[_File]:
        before = _texts(*self._before.arrays(name)) if name in self._before else _no_texts(len(self._before))
        changes = _texts(*self._changes.arrays(name))
        return self._write_texts(stem, ("starts", "folded"), (before, changes), self._sources)

    def _words(self, name: str, stem: str, kind: str) -> tuple[list[_File], int]:
        """Codes become places among the words of both sets."""
        import numpy as np

        owned = kind == "texts"
        new = _Coded.of(self._changes, name)
        if name in self._before:
            old, joined = _Coded.of(self._before, name), _Joined.of(self._before.words(name), self._changes.words(name))
        else:
            old, joined = _Coded.none(0 if owned else len(self._before)), _Joined.of(None, self._changes.words(name))
        codes = np.concatenate([joined.old[old.codes], joined.new[new.codes]])
        if owned:
            files = self._write_owned(stem, np.concatenate([old.owners, new.owners + len(self._before)]), codes)
        else:
            content = [codes[self._sources].tobytes()]
            files = [write_array(self._folder, f"{stem}.codes.npy", "<i4", self.entries, content)]
        files += self._write_texts(stem, ("starts", "words"), (old.words, new.words), joined.order)
        files += self._write_texts(stem, ("folded-starts", "folded"), (old.folded, new.folded), joined.order)
        return files, len(joined.order)

    def _write_owned(self, stem: str, owners: _Array, codes: _Array) -> list[_File]:
        """Lists of words: pairs of an entry and a code, in the order of entries."""
        import numpy as np

        place = np.full(len(self._before) + len(self._changes), -1, dtype="<i4")
        place[self._sources] = np.arange(self.entries, dtype="<i4")
        owners = place[owners]
        order = np.argsort(owners, kind="stable")
        order = order[np.searchsorted(owners[order], 0) :]  # -1: an entry that is gone
        return [
            write_array(self._folder, f"{stem}.owners.npy", "<i4", len(order), [owners[order].tobytes()]),
            write_array(self._folder, f"{stem}.codes.npy", "<i4", len(order), [codes[order].tobytes()]),
        ]

    def _write_texts(
        self, stem: str, names: tuple[str, str], both: tuple[_Texts, _Texts], picked: _Ints
    ) -> list[_File]:
        """The texts `picked` of both sets, one after another; those of `changes` are counted on."""
        import numpy as np

        lengths = np.concatenate([np.diff(both[0][0]), np.diff(both[1][0])])[picked]
        starts = np.zeros(len(picked) + 1, dtype="<i8")
        np.cumsum(lengths, out=starts[1:])
        return [
            write_array(self._folder, f"{stem}.{names[0]}.npy", "<i8", len(starts), [starts.tobytes()]),
            write_array(self._folder, f"{stem}.{names[1]}.npy", "|u1", int(starts[-1]), _pieces(*both, picked)),
        ]


class _Coded(NamedTuple):
    """The arrays of a column of words; no owners unless it is of lists."""

    owners: _Array
    codes: _Array
    words: _Texts
    folded: _Texts

    @classmethod
    def of(cls, columns: Columns, name: str) -> _Coded:
        import numpy as np

        *owners, codes, starts, words, folded_starts, folded = columns.arrays(name)
        its_owners = owners[0] if owners else np.empty(0, dtype="<i4")
        return cls(its_owners, codes, (starts, words), (folded_starts, folded))

    @classmethod
    def none(cls, entries: int) -> _Coded:
        """No words at all, for so many codes."""
        import numpy as np

        return cls(np.empty(0, dtype="<i4"), np.full(entries, -1, dtype="<i4"), _no_texts(0), _no_texts(0))


class _Joined(NamedTuple):
    """The words of two sets in one order. `order`: where each is from, those of the second counted on.

    `old`, `new`: what the codes of each became; the last place is for -1, no word.
    """

    order: _Ints
    old: _Array
    new: _Array

    @classmethod
    def of(cls, old: Words | None, new: Words) -> _Joined:
        import numpy as np

        count = 0 if old is None else len(old)
        words = [new[code] for code in range(len(new))]
        known = [None if old is None else old.code(word) for word in words]
        added = [code for code, same in enumerate(known) if same is None]
        places = [0 if old is None else old.place(words[code]) for code in added]
        order = np.insert(np.arange(count), np.array(places, dtype=np.int64), np.array(added, dtype=np.int64) + count)
        became = np.full(count + len(new) + 1, -1, dtype="<i4")
        became[order] = np.arange(len(order), dtype="<i4")
        same_as = [count + code if same is None else same for code, same in enumerate(known)]
        return cls(order, np.append(became[:count], became[-1]), became[[*same_as, -1]])


def _texts(starts: _Array, content: _Array) -> _Texts:
    return starts, content


def _no_texts(count: int) -> _Texts:
    import numpy as np

    return np.zeros(count + 1, dtype="<i8"), np.empty(0, dtype="|u1")


def _pieces(before: _Texts, changes: _Texts, picked: _Ints) -> Iterator[bytes]:
    """The bytes of picked texts: those that follow each other in a file are one piece."""
    import numpy as np

    count = len(before[0]) - 1
    ends = np.flatnonzero((np.diff(picked) != 1) | (picked[1:] == count)) + 1
    for some in np.split(picked, ends):
        if len(some):
            (starts, content), first = (before, 0) if some[0] < count else (changes, count)
            yield content[starts[some[0] - first] : starts[some[-1] - first + 1]].tobytes()
