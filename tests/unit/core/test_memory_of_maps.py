"""Mapped files that are read from end to end do not stay in a process's memory."""

from __future__ import annotations

import numpy as np

from lookalike.core.memory import let_go, resident_memory

MB = 1 << 20


def test_pages_that_were_read_are_given_back_and_read_again(tmp_path):
    values = np.arange(32 * MB, dtype=np.uint8)
    np.save(tmp_path / "values.npy", values)
    mapped = np.load(tmp_path / "values.npy", mmap_mode="r")
    part = mapped[10:]
    assert int(part.sum(dtype=np.int64)) == int(values[10:].sum(dtype=np.int64))
    before = resident_memory()
    let_go(part)
    assert resident_memory() <= before
    assert np.array_equal(part, values[10:])


def test_an_array_that_is_not_mapped_is_left_alone():
    values = np.ones(5)
    let_go(values)
    assert values.sum() == 5
