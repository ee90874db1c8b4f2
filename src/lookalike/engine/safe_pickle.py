"""Pickles of vectors, read without running anything in them.

A pickle is a program: whoever loads one with `pickle.load` runs it. Here only the few names that arrays, tables and
plain values are made of have a meaning, and each of them means a stand-in of our own that keeps what it is given; any
other name is an error. Arrays are made from their bytes with `numpy.frombuffer`, never by numpy's own unpickling,
which trusts its input.

Understood: numbers, texts, lists, tuples, dicts, paths; numpy arrays and numbers of numpy 1 and 2; DataFrames of pandas
1.3 to 2 whose columns are numpy's. A pickle that torch wrote is not.
"""

from __future__ import annotations

import pickle
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lookalike.core.causes import cause_of
from lookalike.core.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

_PLAIN_TYPE = re.compile(r"[<>|=]?(?:[fiu][1248]|b1)")
_TEXT_TYPE = re.compile(r"[<>|=]?[US]\d{1,6}")
_LONGEST_PATH = 32_767
"""Characters: the most that Windows takes; other systems take less."""
_AS_NUMPY = "np.save(FILE, vectors), or a table: frame.to_parquet(FILE)"
HINT = f"write it in a form that holds no program: {_AS_NUMPY}"


@dataclass(slots=True)
class PickledArray:
    """An array: `values` an ndarray; of an array of objects a list, in C order. `shape` as in numpy."""

    values: Any = None
    shape: tuple[int, ...] = ()

    def __setstate__(self, state: Any) -> None:
        shape, kind, is_fortran, content = state[-4:]
        self.fill(shape, kind, "F" if is_fortran else "C", content)

    def fill(self, shape: Any, kind: Any, order: str, content: Any) -> None:
        """Take what a pickle says of an array. Raises ValueError, TypeError for what makes none."""
        import numpy as np

        self.shape = tuple(int(each) for each in shape)
        if isinstance(content, list):
            if len(content) != np.prod(self.shape, dtype=object):
                raise ValueError("an array of objects lacks some")
            self.values = content
            return
        data = content.encode("latin1") if isinstance(content, str) else content  # so Python 2 wrote them
        self.values = np.frombuffer(data, _described(kind)).reshape(self.shape, order="F" if order == "F" else "C")


@dataclass(slots=True)
class PickledTable:
    """A DataFrame: its columns by name, each a PickledArray's values of one dimension."""

    columns: dict[str, Any]

    def __setstate__(self, state: Any) -> None:
        self.columns = {}
        blocks, names = state["_mgr"].parts
        for block in blocks:
            for at, row in zip(block.places(), block.rows(), strict=True):
                self.columns[_name(names[at])] = row


def read_pickle(path: Path) -> Any:
    """The value in a pickle: plain values, `PickledArray` and `PickledTable`. Raises SourceError."""
    try:
        with path.open("rb") as stream:
            return _Reader(stream, encoding="latin1").load()
    except _Foreign as error:
        raise SourceError(f"{path} holds more than vectors: {error}; nothing of it was run", hint=HINT) from error
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {cause_of(error)}", hint="check the path") from error
    except Exception as error:  # a damaged or hostile pickle can fail in any way
        raise SourceError(f"{path} is no whole pickle of vectors: {error}", hint=HINT) from error


class _Foreign(Exception):
    """A name that no vectors need."""


# stubs leave the Python reader out, and there is no public name for it
class _Reader(pickle._Unpickler):  # type: ignore[misc,name-defined,unused-ignore] # noqa: SLF001
    """The reader that is written in Python: that in C makes room for as many values as a file says it has."""

    def find_class(self, module: str, name: str) -> Any:
        """The stand-in for a name. Raises _Foreign."""
        known = _KNOWN.get((_renamed(module), name))
        if known is None:
            raise _Foreign(f"it asks for {module}.{name}")
        return known

    def persistent_load(self, _pid: Any) -> Any:
        """Values that lie outside the file, as torch keeps them. Raises _Foreign."""
        raise _Foreign("it asks for values outside of itself")

    def get_extension(self, code: int) -> None:
        """Raises _Foreign: what a program registered has no meaning here."""
        raise _Foreign(f"it asks for the extension {code}")


@dataclass(frozen=True, slots=True)
class _Call:
    """A function that a pickle may call; unlike a plain one it cannot be changed by the pickle."""

    does: Callable[..., Any]

    def __call__(self, *args: Any) -> Any:
        return self.does(*args)

    def __setstate__(self, _state: Any) -> None:
        raise _Foreign("it changes a function")


@dataclass(slots=True)
class _Dtype:
    """`numpy.dtype`: a name such as "f4", and the order of bytes."""

    name: str = ""
    order: str = "<"

    def __setstate__(self, state: Any) -> None:
        if state[2:5] != (None, None, None):
            raise ValueError("an array has fields")
        self.order = state[1]


@dataclass(slots=True)
class _Manager:
    """The blocks of a DataFrame and the names of its columns."""

    blocks: Sequence[_Block]
    axes: Sequence[_Index]

    @property
    def parts(self) -> tuple[Sequence[_Block], Sequence[Any]]:
        return self.blocks, self.axes[0].names()

    def __setstate__(self, _state: Any) -> None:
        raise ValueError("a table was written by a pandas that is too old")


@dataclass(slots=True)
class _Block:
    """Columns of one type: an array (columns, rows), and which columns they are."""

    values: PickledArray
    placement: Any

    def places(self) -> Sequence[int]:
        if isinstance(self.placement, slice):
            return range(self.placement.start, self.placement.stop, self.placement.step or 1)
        return [int(each) for each in self.placement.values]

    def rows(self) -> list[Any]:
        count, length = self.values.shape
        if not length:  # then nothing in the file bounds how many columns it says
            raise ValueError("a table has no rows")
        values = self.values.values
        if isinstance(values, list):
            return [values[at * length : (at + 1) * length] for at in range(count)]
        return list(values)

    def __setstate__(self, _state: Any) -> None:
        raise ValueError("a block of a table is changed")


@dataclass(slots=True)
class _Index:
    """The labels of an axis."""

    labels: dict[str, Any]

    def names(self) -> Sequence[Any]:
        if "data" in self.labels:
            named: Sequence[Any] = self.labels["data"].values
            return named
        return range(*(int(self.labels[each]) for each in ("start", "stop", "step")))

    def __setstate__(self, _state: Any) -> None:
        raise ValueError("an index of a table is changed")


def _described(kind: Any) -> str:
    """A type of numpy by its name, if it is one of numbers or texts. Raises ValueError."""
    if not isinstance(kind, _Dtype):
        raise TypeError("an array has no type")
    name = kind.order.replace("|", "") + kind.name
    if not (_PLAIN_TYPE.fullmatch(name) or _TEXT_TYPE.fullmatch(name)):
        raise ValueError(f"an array holds {kind.name}")
    return name


def _array(*_args: Any) -> PickledArray:
    """`numpy.core.multiarray._reconstruct`: an array that is filled later."""
    return PickledArray()


def _from_buffer(data: Any, kind: Any, shape: Any, order: str) -> PickledArray:
    """`numpy.core.numeric._frombuffer`, as protocol 5 has it."""
    made = PickledArray()
    made.fill(shape, kind, order, _bytes(data))
    return made


def _scalar(kind: Any, data: Any) -> Any:
    """`numpy.core.multiarray.scalar`."""
    return _from_buffer(data.encode("latin1") if isinstance(data, str) else data, kind, (1,), "C").values[0].item()


def _dtype(name: Any, *_args: Any) -> _Dtype:
    return _Dtype(_name(name))


def _block(values: Any, placement: Any, _ndim: int) -> _Block:
    """`pandas._libs.internals._unpickle_block`."""
    if not isinstance(values, PickledArray):
        raise TypeError("a column is of a type of pandas' own")
    return _Block(values, placement)


def _index(_kind: Any, labels: dict[str, Any]) -> _Index:
    """`pandas.core.indexes.base._new_Index`."""
    return _Index(labels)


def _encode(text: str, encoding: str) -> bytes:
    """`_codecs.encode`: bytes, as protocol 2 writes them."""
    if encoding != "latin1":
        raise ValueError(f"bytes are written in {encoding}")
    return text.encode("latin1")


def _bytes(content: bytes | bytearray = b"") -> bytes:
    """Bytes of bytes; a number would make room for as many."""
    if not isinstance(content, bytes | bytearray):
        raise TypeError("bytes are made of something else")
    return bytes(content)


def _path(*parts: Any) -> str:
    """A path; of paths that are joined again and again the length would double each time."""
    if not all(isinstance(each, str) for each in parts) or sum(map(len, parts)) > _LONGEST_PATH:
        raise ValueError("a path is too long, or made of something else")
    return "/".join(parts).replace("//", "/")


def _name(value: Any) -> str:
    """A text or a number as a text; that of lists that share their parts would have no end."""
    if not isinstance(value, str | int | float):
        raise TypeError("a name is neither a text nor a number")
    return str(value)


def _renamed(module: str) -> str:
    """A module as numpy 1 and pandas 2 called it."""
    return _RENAMED.get(module, module)


_RENAMED = {
    "__builtin__": "builtins",
    "numpy._core.multiarray": "numpy.core.multiarray",
    "numpy._core.numeric": "numpy.core.numeric",
    "pandas": "pandas.core.frame",
}


_KNOWN: dict[tuple[str, str], Any] = {
    ("numpy.core.multiarray", "_reconstruct"): _Call(_array),
    ("numpy.core.multiarray", "scalar"): _Call(_scalar),
    ("numpy.core.numeric", "_frombuffer"): _Call(_from_buffer),
    ("numpy", "ndarray"): _Call(_array),
    ("numpy", "dtype"): _Call(_dtype),
    ("_codecs", "encode"): _Call(_encode),
    ("builtins", "slice"): _Call(slice),
    ("builtins", "bytes"): _Call(_bytes),
    ("builtins", "bytearray"): _Call(_bytes),
    ("collections", "OrderedDict"): _Call(dict),
    **{("pathlib", name): _Call(_path) for name in ("PosixPath", "WindowsPath", "PurePosixPath", "Path")},
    **{("pathlib._local", name): _Call(_path) for name in ("PosixPath", "WindowsPath", "PurePosixPath", "Path")},
    ("pandas.core.frame", "DataFrame"): PickledTable,
    ("pandas.core.internals.managers", "BlockManager"): _Call(_Manager),
    ("pandas._libs.internals", "_unpickle_block"): _Call(_block),
    ("pandas.core.indexes.base", "_new_Index"): _Call(_index),
    ("pandas.core.indexes.base", "Index"): _Call(_index),
    ("pandas.core.indexes.range", "RangeIndex"): _Call(_index),
}
