"""Embeddings that somebody made before: one file of vectors, and what each of them is called, if the file says it.

    .npy      an array, float (n, dim)
    .pkl      an array; a list of vectors; a dict name -> vector; a dict or a pair of vectors and names; a DataFrame
    .parquet  a table with a column of vectors

In a table, the column of vectors is the one called so (embedding, vector, ...), else the only one that holds lists of
numbers; names are in the column that the caller names. Nothing in a file is executed (`safe_pickle`).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lookalike.core.causes import cause_of
from lookalike.core.errors import SourceError
from lookalike.engine.safe_pickle import PickledArray, PickledTable, read_pickle
from lookalike.engine.vector_files import VECTOR_COLUMNS, lists_of_numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

SUFFIXES = (".npy", ".pkl", ".pickle", ".parquet")
_VECTOR_NAMES = (*VECTOR_COLUMNS, "embeddings", "features", "vectors", "feature")
_NAME_NAMES = ("ids", "id", "names", "keys", "paths", "path", "filenames", "files", "images", "image_paths", "labels")
_LARGEST_KINDS = "fiu"


@dataclass(frozen=True, slots=True)
class EmbeddingFile:
    """`vectors`: numbers (n, dim), float32 unless the file has float16. `names`: of each, None where none are said."""

    path: Path
    vectors: NDArray[np.floating]
    names: tuple[str, ...] | None

    def digest(self) -> str:
        """12 hexadecimal digits of all bytes of the file."""
        with self.path.open("rb") as stream:
            return hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=6)).hexdigest()


def read_embeddings(path: Path, names_in: str | None = None) -> EmbeddingFile:
    """Read a file of vectors. `names_in`: the column of a table that says what each is called.

    Raises SourceError where it cannot be read or makes no vectors, MissingExtra for Parquet.
    """
    readers: dict[str, Callable[[Path, str | None], EmbeddingFile]] = {
        ".npy": _of_npy,
        ".pkl": _of_pickle,
        ".pickle": _of_pickle,
        ".parquet": _of_parquet,
    }
    read = readers.get(path.suffix.lower())
    if read is None:
        raise SourceError(f"{path} is no file of embeddings", hint=f"such files end in {', '.join(SUFFIXES)}")
    if not path.is_file():
        raise SourceError(f"there is no file {path}", hint="check the path of the embeddings")
    try:
        found = read(path, names_in)
    except (OSError, ValueError, TypeError, EOFError) as error:  # pyarrow's own errors are these
        raise SourceError(f"{path} cannot be read: {cause_of(error)}", hint=_forms()) from error
    if found.names is not None and len(found.names) != len(found.vectors):
        raise SourceError(f"{path} holds {len(found.vectors):,} vectors and {len(found.names):,} names for them")
    if not found.vectors.size:
        raise SourceError(f"{path} holds no vectors", hint=_forms())
    return found


def _forms() -> str:
    return "an array (n, dim), a dict name -> vector, or a table with a column called embedding"


def _of_npy(path: Path, names_in: str | None) -> EmbeddingFile:
    import numpy as np

    _refuse_names(path, names_in)
    return EmbeddingFile(path, _numbers(np.load(path, mmap_mode="r", allow_pickle=False)), None)


def _of_parquet(path: Path, names_in: str | None) -> EmbeddingFile:
    from lookalike.engine.picture_table import arrow

    table = arrow().parquet.read_table(path)
    columns = table.column_names
    lists = [name for name in columns if hasattr(table.schema.field(name).type, "value_type")]
    column = _vector_column(columns, lists)
    names = None if names_in is None else _texts(table[_said(path, columns, names_in)].to_pylist())
    vectors = lists_of_numbers(table[column].combine_chunks())
    return EmbeddingFile(path, _numbers(vectors), names)


def _of_pickle(path: Path, names_in: str | None) -> EmbeddingFile:
    value = read_pickle(path)
    if isinstance(value, PickledTable):
        columns = list(value.columns)
        column = _vector_column(columns, [name for name in columns if _is_list_of_vectors(value.columns[name])])
        names = None if names_in is None else _texts(value.columns[_said(path, columns, names_in)])
        return EmbeddingFile(path, _matrix(value.columns[column], path), names)
    _refuse_names(path, names_in)
    if isinstance(value, dict):
        return _of_dict(path, value)
    if isinstance(value, list | tuple) and len(value) == 2 and _are_texts(value[0]) != _are_texts(value[1]):
        vectors, said = value if _are_texts(value[1]) else (value[1], value[0])
        return EmbeddingFile(path, _matrix(vectors, path), _texts(_listed(said)))
    return EmbeddingFile(path, _matrix(value, path), None)


def _of_dict(path: Path, value: Mapping[Any, Any]) -> EmbeddingFile:
    """Vectors and names under two keys, or a vector under each."""
    vectors = next((value[name] for name in _VECTOR_NAMES if name in value), None)
    if vectors is None:
        return EmbeddingFile(path, _matrix(list(value.values()), path), _texts(list(value)))
    said = next((value[name] for name in _NAME_NAMES if name in value and _are_texts(value[name])), None)
    return EmbeddingFile(path, _matrix(vectors, path), None if said is None else _texts(_listed(said)))


def _refuse_names(path: Path, names_in: str | None) -> None:
    if names_in is not None:
        raise SourceError(
            f"{path} has no column {names_in}: it is no table", hint="leave out --embeddings-key; the order counts then"
        )


def _said(path: Path, columns: Sequence[str], wanted: str) -> str:
    if wanted not in columns:
        raise SourceError(f"{path} has no column {wanted}", hint=f"its columns are: {', '.join(columns)}")
    return wanted


def _vector_column(columns: Sequence[str], lists: Sequence[str]) -> str:
    """The column that is called so, else the only one of lists. Raises ValueError."""
    column = next((name for name in _VECTOR_NAMES if name in columns), None)
    if column is None and len(lists) == 1:
        column = lists[0]
    if column is None:
        raise ValueError(f"which column holds the vectors? It has {', '.join(columns)}; call it embedding")
    return column


def _listed(value: Any) -> Sequence[Any]:
    """A list, tuple or array of one dimension as a sequence."""
    if isinstance(value, PickledArray):
        value = value.values
    return value if isinstance(value, list | tuple) else list(value)


def _are_texts(value: Any) -> bool:
    if not isinstance(value, list | tuple | PickledArray):
        return False
    listed = _listed(value)
    return bool(len(listed)) and isinstance(listed[0], str | bytes)


def _texts(values: Sequence[Any]) -> tuple[str, ...]:
    """Names as texts. Raises ValueError, TypeError."""
    return tuple(_name(each) for each in values)


def _name(value: Any) -> str:
    """A text or a number as a text, a number as a whole one; nothing is "". Raises ValueError, TypeError.

    Anything else is refused: lists that share their parts are a text without end.
    """
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if value is None:
        return ""
    if not isinstance(value, str | int | float):
        raise TypeError(f"a name is no text and no number but a {type(value).__name__}")
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _is_list_of_vectors(column: Any) -> bool:
    return isinstance(column, list) and bool(column) and isinstance(column[0], PickledArray | list | tuple)


def _matrix(value: Any, path: Path) -> NDArray[np.floating]:
    """Vectors as numbers (n, dim): an array, or a list of arrays or lists of one length. Raises ValueError."""
    import numpy as np

    if isinstance(value, PickledArray) and not isinstance(value.values, list):
        return _numbers(value.values)
    rows = [_row(each) for each in _listed(value)] if isinstance(value, list | tuple | PickledArray) else None
    if not rows:
        raise ValueError(f"it holds {type(value).__name__}, no vectors")
    lengths = sorted({row.size for row in rows})
    if len(lengths) > 1:
        raise ValueError(f"its vectors are of different lengths: {lengths[0]} and {lengths[-1]}")
    if len(rows) * lengths[0] > path.stat().st_size:  # every number takes a byte at least; shared rows could be endless
        raise ValueError("it says one vector so often that there are more numbers than it has bytes")
    return _numbers(np.stack(rows))


def _row(value: Any) -> NDArray[Any]:
    """One vector; an array (1, dim) is one too."""
    import numpy as np

    if isinstance(value, PickledArray):
        value = value.values
    numbers = isinstance(value, list | tuple) and all(isinstance(each, int | float) for each in value)
    if not (numbers or isinstance(value, np.ndarray)):
        raise ValueError("a vector is no list of numbers")
    return np.asarray(value).reshape(-1)


def _numbers(array: NDArray[Any]) -> NDArray[np.floating]:
    """float16 as it is, anything else as float32. Raises ValueError for what is no table of numbers."""
    import numpy as np

    if array.ndim != 2 or array.dtype.kind not in _LARGEST_KINDS:
        raise ValueError(f"it holds {array.dtype} {array.shape}, not numbers (n, dim)")
    vectors: NDArray[np.floating] = array if array.dtype in (np.float16, np.float32) else array.astype(np.float32)
    return vectors
