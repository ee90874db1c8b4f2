"""Files of embeddings: every form in which people keep vectors, and what each of them is called."""

from __future__ import annotations

import pickle

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from exported_vectors import vectors
from lookalike.core.errors import SourceError
from lookalike.engine.embedding_files import read_embeddings

ROWS = vectors(3, 4)
NAMES = ("a.jpg", "b.jpg", "7")


@pytest.fixture
def file(tmp_path):
    """Write a value into a file by its ending."""

    def write(name, value):
        path = tmp_path / name
        if path.suffix == ".npy":
            np.save(path, value)
        elif path.suffix == ".parquet":
            pq.write_table(pa.table(value), path)
        else:
            path.write_bytes(pickle.dumps(value))
        return path

    return write


PICKLES = {
    "an array": (ROWS, None),
    "a list of arrays": (list(ROWS), None),
    "a list of arrays of one row": (list(ROWS[:, None]), None),
    "a list of lists": (ROWS.tolist(), None),
    "an array of arrays": (np.array([*ROWS, None], dtype=object)[:3], None),
    "a dict of vectors": (dict(zip(["a.jpg", "b.jpg", 7], ROWS, strict=True)), NAMES),
    "vectors and names": ({"embeddings": ROWS, "filenames": list(NAMES)}, NAMES),
    "vectors alone in a dict": ({"features": ROWS}, None),
    "a pair": ((ROWS, list(NAMES)), NAMES),
    "a pair the other way round": ([np.array(NAMES), ROWS], NAMES),
}


@pytest.mark.parametrize("what", PICKLES)
def test_pickles(file, what):
    value, names = PICKLES[what]
    found = read_embeddings(file("v.pkl", value))
    assert found.names == names
    assert found.vectors.dtype == np.float32
    assert np.array_equal(found.vectors, ROWS)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int8"])
def test_arrays_of_any_numbers(file, dtype):
    found = read_embeddings(file("v.npy", (8 * ROWS).astype(dtype)))
    assert found.names is None
    assert found.vectors.dtype == (np.float16 if dtype == "float16" else np.float32)
    assert np.allclose(found.vectors, (8 * ROWS).astype(dtype))


@pytest.mark.parametrize("column", ["embedding", "vector", "whatever"])
def test_tables_find_their_column_of_vectors(file, column):
    path = file("v.parquet", {"id": list(NAMES), "n": [1, 2, 3], column: list(ROWS)})
    assert read_embeddings(path).names is None
    found = read_embeddings(path, "id")
    assert found.names == NAMES
    assert np.array_equal(found.vectors, ROWS)
    assert read_embeddings(path, "n").names == ("1", "2", "3")


BAD = {
    "no vectors": ("v.pkl", {"title": "x"}, "no list of numbers|no vectors"),
    "vectors of different lengths": ("v.pkl", [[1.0, 2.0], [1.0]], "different lengths: 1 and 2"),
    "texts": ("v.pkl", ["a", "b"], "no list of numbers|no vectors"),
    "one dimension": ("v.npy", np.zeros(4), r"float64 \(4,\)"),
    "texts as an array": ("v.npy", np.array([["a"]]), "<U1"),
    "empty": ("v.npy", np.zeros((0, 4)), "no vectors"),
    "fewer names": ("v.pkl", {"vectors": ROWS, "ids": ["a"]}, "3 vectors and 1 names"),
    "no column of vectors": ("v.parquet", {"id": [1, 2]}, "which column holds the vectors"),
    "two columns of lists": ("v.parquet", {"x": list(ROWS), "y": list(ROWS)}, "which column holds the vectors"),
    "vectors of many lengths in a table": ("v.parquet", {"vector": [[1.0], [1.0, 2.0]]}, "different lengths"),
    "another ending": ("v.txt", ROWS, "no file of embeddings"),
}


@pytest.mark.parametrize("what", BAD)
def test_what_holds_no_vectors_says_why(file, what):
    name, value, why = BAD[what]
    with pytest.raises(SourceError, match=why):
        read_embeddings(file(name, value))


def test_one_vector_said_without_end_is_refused(file):
    """A pickle of 40 kB that would be 4 GB of numbers."""
    row = [1.0] * 1000
    with pytest.raises(SourceError, match="more numbers than it has bytes"):
        read_embeddings(file("v.pkl", [row] * 10_000))


def test_a_column_of_names_that_is_not_there_is_named(file):
    with pytest.raises(SourceError, match="no column sku") as caught:
        read_embeddings(file("v.parquet", {"id": list(NAMES), "vector": list(ROWS)}), "sku")
    assert caught.value.hint == "its columns are: id, vector"
    with pytest.raises(SourceError, match="it is no table"):
        read_embeddings(file("v.npy", ROWS), "id")


def test_a_missing_or_broken_file_is_told_as_such(tmp_path):
    with pytest.raises(SourceError, match="there is no file"):
        read_embeddings(tmp_path / "v.npy")
    for name in ("v.npy", "v.parquet", "v.pkl"):
        (tmp_path / name).write_bytes(b"not this")
        with pytest.raises(SourceError, match=name):
            read_embeddings(tmp_path / name)


def test_a_digest_is_of_the_bytes(file):
    one, other = file("a.npy", ROWS), file("b.npy", ROWS + 1)
    assert (
        read_embeddings(one).digest()
        == read_embeddings(file("c.npy", ROWS)).digest()
        != read_embeddings(other).digest()
    )


def test_names_that_are_lists_which_share_their_parts_are_an_error_at_once(file):
    name = ["x"]
    for _ in range(40):
        name = [name, name]
    with pytest.raises(SourceError, match="a name is no text and no number but a list"):
        read_embeddings(file("v.pkl", {"embeddings": ROWS, "filenames": ["a", "b", name]}))
