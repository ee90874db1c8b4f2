"""The flat FAISS file that is written and read without FAISS."""

from __future__ import annotations

import struct

import faiss
import numpy as np
import pytest

from lookalike.core.errors import SourceError
from lookalike.index.flat_file import flat_bytes, flat_header, map_flat

VECTORS = np.random.default_rng(0).standard_normal((50, 12)).astype(np.float32)


def written_by_faiss(path, index):
    index.add(VECTORS)
    faiss.write_index(index, str(path))
    return path


def test_the_bytes_are_those_that_faiss_itself_writes(tmp_path):
    theirs = written_by_faiss(tmp_path / "a.faiss", faiss.IndexFlatIP(12)).read_bytes()
    assert flat_header(12, 50) + flat_bytes(VECTORS[:20]) + flat_bytes(VECTORS[20:]) == theirs


@pytest.mark.parametrize("kind", [faiss.IndexFlatIP, faiss.IndexFlatL2])
def test_flat_indexes_of_faiss_are_read(tmp_path, kind):
    np.testing.assert_array_equal(map_flat(written_by_faiss(tmp_path / "a.faiss", kind(12))), VECTORS)


def test_an_empty_one_has_its_width(tmp_path):
    path = tmp_path / "empty.faiss"
    path.write_bytes(flat_header(12, 0))
    assert map_flat(path).shape == (0, 12)
    assert faiss.read_index(str(path)).ntotal == 0


def test_other_kinds_are_refused_kindly(tmp_path):
    path = written_by_faiss(tmp_path / "a.faiss", faiss.index_factory(12, "HNSW8", faiss.METRIC_INNER_PRODUCT))
    with pytest.raises(SourceError, match="no flat FAISS index"):
        map_flat(path)


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: whole[:-1],
        lambda whole: whole[:20],
        lambda whole: b"",
        lambda whole: whole + b"more",
        lambda whole: whole[:8] + struct.pack("<q", 1 << 60) + whole[16:],
        lambda whole: whole[:4] + struct.pack("<i", -12) + whole[8:],
    ],
)
def test_a_cut_or_changed_file_is_an_error_and_no_crash(tmp_path, damage):
    path = written_by_faiss(tmp_path / "a.faiss", faiss.IndexFlatIP(12))
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(SourceError):
        map_flat(path)
