"""Builds in a process of their own: killed, stopped, failing, and always to be gone on with."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

from lookalike.core.errors import CollectionError, LookalikeError
from lookalike.index.building import BuildProgress
from lookalike.index.building_process import RowsFile, build_in_process
from lookalike.index.kinds import IndexSpec
from lookalike.index.manifest import check
from lookalike.index.opening import open_index

SPEC = IndexSpec("hnsw", m=8, ef_construction=100)
"""So that a build goes on for half a second or more after the first block, where it is stopped or killed."""
HEADER = 64
COPIES = 10
"""Of the rows, so that a build takes several blocks."""


@pytest.fixture
def rows_file(rows, tmp_path) -> RowsFile:
    path = tmp_path / "rows"
    path.write_bytes(bytes(HEADER) + rows.tobytes() * COPIES)
    return RowsFile(path, HEADER, len(rows) * COPIES)


def test_it_builds_what_a_build_here_does_and_tells_about_it(rows, rows_file, identity, tmp_path):
    told: list[BuildProgress] = []
    path = tmp_path / "a.faiss"
    manifest = build_in_process(SPEC, rows_file, path, identity=identity, told=told.append)
    assert manifest == check(path, identity, full=True)
    assert manifest.count == rows_file.count
    assert told[-1] == BuildProgress("write", rows_file.count, rows_file.count)


def test_stopping_ends_it_and_the_next_one_goes_on(rows_file, identity, tmp_path):
    stop, path = threading.Event(), tmp_path / "a.faiss"

    def told(progress: BuildProgress) -> None:
        if progress.done > 0:
            stop.set()

    order = {"identity": identity, "checkpoint_s": 0}
    assert build_in_process(SPEC, rows_file, path, told=told, stop=stop, **order) is None
    assert not path.exists()
    seen: list[BuildProgress] = []
    assert build_in_process(SPEC, rows_file, path, told=seen.append, **order) is not None
    assert seen[0].done > 0


def test_an_error_over_there_is_raised_here(rows_file, identity, tmp_path):
    with pytest.raises(CollectionError) as caught:
        build_in_process(SPEC, rows_file, tmp_path / "none" / "a", identity=identity)
    assert "none" in str(caught.value)


def test_rows_that_are_not_there_are_an_error(identity, tmp_path):
    with pytest.raises((OSError, LookalikeError)):
        build_in_process(SPEC, RowsFile(tmp_path / "none", 0, 10), tmp_path / "a", identity=identity)


PROGRAM = """
import os, sys
from pathlib import Path
from lookalike.index.building import BuildProgress
from lookalike.index.building_process import RowsFile, build_in_process
from lookalike.index.kinds import IndexSpec
from lookalike.index.manifest import Identity
folder, count = Path(sys.argv[1]), int(sys.argv[2])
def told(progress):
    print(progress.stage, progress.done, flush=True)
build_in_process(IndexSpec("hnsw", m=8, ef_construction=100), RowsFile(folder / "rows", 64, count), folder / "a.faiss",
                 identity=Identity("toy:1", 32, 1, 4), told=told, checkpoint_s=0)
"""


def test_both_killed_in_the_middle_the_next_build_goes_on(rows, rows_file, identity, tmp_path):
    """The ordering process dies without a chance to clean up; the building one notices and ends."""
    arguments = [sys.executable, "-c", PROGRAM, str(tmp_path), str(rows_file.count)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            stage, done = line.split()
            if stage == "add" and int(done) > 0:
                os.kill(process.pid, signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
                break
    path = tmp_path / "a.faiss"
    seen: list[BuildProgress] = []
    manifest = build_in_process(SPEC, rows_file, path, identity=identity, told=seen.append)
    assert manifest is not None
    assert seen[0].stage in {"add", "write"}
    assert seen[0].done > 0
    import numpy as np

    every = np.tile(rows, (COPIES, 1))
    found, scores = open_index(path, every, identity=identity, full=True).search(rows[:3].astype(np.float32), 1)
    assert found.ravel().tolist() == [0, 1, 2]
    np.testing.assert_allclose(scores, 1, atol=1e-3)
