"""Pickles of vectors, read without running anything in them."""

from __future__ import annotations

import os
import pickle
from pathlib import Path, PurePosixPath

import numpy as np
import pytest

from lookalike.core.errors import SourceError
from lookalike.engine.safe_pickle import PickledArray, PickledTable, read_pickle

PROTOCOLS = [2, 3, 4, 5]


@pytest.fixture
def written(tmp_path):
    """Write bytes, or pickle a value, into a file."""

    def write(value, protocol=4):
        path = tmp_path / "vectors.pkl"
        path.write_bytes(value if isinstance(value, bytes) else pickle.dumps(value, protocol=protocol))
        return path

    return write


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_arrays_come_back_as_they_were(written, protocol):
    for array in (
        np.arange(6, dtype=np.float32).reshape(2, 3),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.arange(4, dtype=">f8").reshape(2, 2),
        np.arange(4, dtype=np.float16).reshape(2, 2),
        np.array(["ab", "c"]),
        np.zeros((0, 3), np.float32),
    ):
        found = read_pickle(written(array, protocol))
        assert isinstance(found, PickledArray)
        assert found.values.dtype == array.dtype
        assert np.array_equal(found.values, array)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_plain_values_paths_and_arrays_inside_come_back(written, protocol):
    objects = np.array([np.float32([1, 2]), None], dtype=object)
    value = {"ids": ["a", 7, b"c", PurePosixPath("x/y.jpg")], "number": np.float32(3), "objects": objects}
    found = read_pickle(written(value, protocol))
    assert found["ids"] == ["a", 7, b"c", "x/y.jpg"]
    assert found["number"] == 3.0
    assert found["objects"].values[0].values.tolist() == [1, 2]
    assert found["objects"].values[1] is None


class Runs:
    """What a hostile pickle is made of: loading it calls a function."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize(
    "value",
    [
        Runs(os.system, "touch {}"),
        Runs(eval, "open('{}', 'w')"),
        Runs(exec, "open('{}', 'w')"),
        Runs(getattr, os, "system"),
        [1.0, {"deep": (Runs(os.system, "touch {}"),)}],
        Runs(np.load, "{}"),
    ],
    ids=["system", "eval", "exec", "getattr", "nested", "numpy function"],
)
def test_a_hostile_pickle_runs_nothing_and_is_refused_by_what_it_asks_for(written, tmp_path, value):
    trace = tmp_path / "trace"
    for each in (value, *(value if isinstance(value, list) else ())):
        if isinstance(each, Runs):
            function, arguments = each.call
            each.call = function, tuple(str(one).format(trace) if isinstance(one, str) else one for one in arguments)
    try:
        content = pickle.dumps(value)
    except TypeError:  # a module cannot be pickled: by name then
        content = b"cbuiltins\ngetattr\n(cos\nsystem\nS'x'\ntR."
    with pytest.raises(SourceError, match="nothing of it was run"):
        read_pickle(written(content))
    assert not trace.exists()


HOSTILE = {
    "a name of numpy that is no array": b"cnumpy\nload\n.",
    "an attribute of an attribute": b"\x80\x04\x8c\x05numpy\x8c\x0endarray.tofile\x93.",
    "a module of the system": b"cos\nsystem\n(S'true'\ntR.",
    "an instance by its class": b"(S'true'\nios\nsystem\n.",
    "a value outside of the file": b"Ptorch\n.",
    "an extension": b"\x80\x02\x82\x01.",
    "a function that is changed": b"\x80\x04\x8c\x05numpy\x8c\x07ndarray\x93}\x8c\x04does\x8c\x01xsb.",
    "an array that is longer than its bytes": pickle.dumps(np.zeros(4)).replace(b"K\x04\x85", b"K\x7f\x85"),
    "an array of an unknown type": pickle.dumps(np.zeros(4)).replace(b"\x8c\x02f8", b"\x8c\x02g9"),
    "an array of python objects as bytes": pickle.dumps(np.zeros(4)).replace(b"\x8c\x02f8", b"\x8c\x02O8"),
    "a number of values that no memory holds": b"\x80\x04r\xff\xff\xff\xff]" + b"r\xff\xff\xff\x7f.",
    "an array of as many bytes as a number says": b"\x80\x04\x8c\x12numpy.core.numeric\x8c\x0b_frombuffer\x93"
    b"(J\xff\xff\xff\x7f\x8c\x05numpy\x8c\x05dtype\x93\x8c\x02i1\x85RJ\xff\xff\xff\x7f\x85\x8c\x01CtR.",
    "a number of as many bytes as a number says": b"\x80\x04\x8c\x15numpy.core.multiarray\x8c\x06scalar\x93"
    b"\x8c\x05numpy\x8c\x05dtype\x93\x8c\x02i1\x85RJ\xff\xff\xff\x7f\x86R.",
    "a path that doubles": b"\x80\x04\x8c\x07pathlib\x8c\tPosixPath\x93\x94\x8c\x04abcd\x94"
    + b"".join(b"h\x00h%ch%c\x86R\x94" % (at, at) for at in range(1, 28))
    + b".",
    "a type whose name doubles": b"\x80\x04]\x94"
    + b"".join(b"h%ch%c\x86\x94" % (at, at) for at in range(30))
    + b"0\x8c\x05numpy\x8c\x05dtype\x93h\x1e\x85R.",
    "a value outside of the file whose name doubles": b"\x80\x04]\x94"
    + b"".join(b"h%ch%c\x86\x94" % (at, at) for at in range(30))
    + b"Q.",
    "as many bytes as a number says": b"\x80\x04\x8c\x08builtins\x8c\x05bytes\x93J\xff\xff\xff\x7f\x85R.",
    "an endless length": b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7fx.",
    "the half of a pickle": pickle.dumps(np.zeros(400))[:200],
    "no pickle": b"\x89PNG\r\n\x1a\n",
    "nothing": b"",
    "a table of nothing": b"\x80\x04\x8c\x11pandas.core.frame\x8c\tDataFrame\x93)\x81}b.",
    "a class that is changed": b"\x80\x04\x8c\x11pandas.core.frame\x8c\tDataFrame\x93}\x8c\x04_mgrNsb.",
}


@pytest.mark.parametrize("what", HOSTILE)
def test_what_is_hostile_or_damaged_is_an_error_with_a_way_out(written, what):
    before = dict(vars(PickledTable)), dict(vars(PickledArray))
    with pytest.raises(SourceError) as caught:
        read_pickle(written(HOSTILE[what]))
    assert "np.save" in caught.value.hint
    assert (dict(vars(PickledTable)), dict(vars(PickledArray))) == before


def test_a_missing_file_is_told_as_such(tmp_path):
    with pytest.raises(SourceError, match="cannot be read: No such file"):
        read_pickle(tmp_path / "missing.pkl")


def test_a_table_of_pandas_2_is_read_without_pandas():
    found = read_pickle(Path(__file__).with_name("pandas-2.3.pkl"))
    assert isinstance(found, PickledTable)
    assert set(found.columns) == {"id", "n", "x", "embedding", "m"}
    assert found.columns["id"] == ["a", "b"]
    assert found.columns["m"].tolist() == [1, 4]
    assert [each.values.tolist() for each in found.columns["embedding"]] == [[1, 1, 1], [0, 0, 0]]
