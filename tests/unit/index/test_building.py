"""A build streams, tells where it stands, stops when asked, and goes on where it was stopped or killed."""

from __future__ import annotations

import dataclasses
import errno
import json
import threading
import tracemalloc

import numpy as np
import pytest

from lookalike.core.errors import CollectionError, OutOfSpace
from lookalike.index import building, files
from lookalike.index.building import BuildProgress, build, unit_block
from lookalike.index.kinds import IndexSpec, default_spec
from lookalike.index.manifest import check
from lookalike.index.opening import open_index

SPEC = IndexSpec("ivf-sq8", nlist=8)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(building, "_BLOCK_BYTES", 4 * 32 * 100)
    monkeypatch.setattr(building, "_GRAPH_BLOCK_ROWS", 100)


def stop_after(count):
    """A `told` and its `stop`, set once so many rows are in."""
    stop = threading.Event()

    def told(progress: BuildProgress) -> None:
        if progress.stage == "add" and progress.done >= count:
            stop.set()

    return told, stop


def names(folder):
    return sorted(file.name for file in folder.iterdir())


def test_it_tells_where_it_stands(rows, identity, tmp_path):
    told: list[BuildProgress] = []
    manifest = build(SPEC, rows, tmp_path / "a.faiss", identity=identity, told=told.append, threads=1)
    assert manifest == check(tmp_path / "a.faiss", identity, full=True)
    assert [progress.stage for progress in told] == ["train"] * 2 + ["add"] * 12 + ["write"]
    assert [progress.done for progress in told if progress.stage == "add"] == [*range(0, 1200, 100)]
    assert names(tmp_path) == ["a.faiss", "a.faiss.checked", "a.faiss.json"]


@pytest.mark.parametrize("kind", ["flat", "ivf-sq8", "ivf-pq", "ivf-rabitq", "hnsw-sq8"])
def test_a_stopped_build_goes_on_and_ends_in_the_same_file(rows, identity, tmp_path, kind):
    spec = default_spec(kind, 1200, 32)
    whole, path = tmp_path / "whole.faiss", tmp_path / "parts.faiss"
    assert build(spec, rows, whole, identity=identity, threads=1) is not None
    for count in (300, 700):
        told, stop = stop_after(count)
        assert build(spec, rows, path, identity=identity, told=told, stop=stop, threads=1) is None
        assert not path.exists()
    seen: list[BuildProgress] = []
    later = dataclasses.replace(identity, generation=9)
    assert build(spec, rows, path, identity=later, told=seen.append, threads=1) is not None
    assert "train" not in {progress.stage for progress in seen}
    assert seen[0].done >= 700
    if "hnsw" not in kind:  # a graph's levels are drawn anew
        assert path.read_bytes() == whole.read_bytes()
    assert open_index(path, rows, identity=later).count == 1200
    assert not [name for name in names(tmp_path) if "partial" in name]


def test_rows_that_came_meanwhile_join_a_build_that_goes_on(rows, identity, tmp_path):
    told, stop = stop_after(300)
    build(SPEC, rows[:800], tmp_path / "a", identity=identity, told=told, stop=stop, threads=1)
    manifest = build(SPEC, rows, tmp_path / "a", identity=identity, threads=1)
    assert manifest is not None
    assert manifest.count == 1200


def test_what_a_build_holds_beside_the_index_does_not_grow_with_the_rows(rows, identity, tmp_path, monkeypatch):
    monkeypatch.setattr(building, "_SAMPLE_LEAST", 500)
    monkeypatch.setattr(building, "_BLOCK_BYTES", 4 * 32 * 1000)
    every = np.tile(rows, (80, 1))
    tracemalloc.start()
    try:
        build(SPEC, every, tmp_path / "a", identity=identity, threads=1)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < every.nbytes / 2


@pytest.mark.parametrize(
    "other",
    [
        lambda spec, identity: (dataclasses.replace(spec, nlist=9), identity),
        lambda spec, identity: (spec, dataclasses.replace(identity, epoch=2)),
        lambda spec, identity: (spec, dataclasses.replace(identity, encoder_id="toy:2")),
    ],
)
def test_a_build_of_something_else_starts_anew(rows, identity, tmp_path, other):
    told, stop = stop_after(300)
    build(SPEC, rows, tmp_path / "a", identity=identity, told=told, stop=stop, threads=1)
    seen: list[BuildProgress] = []
    spec, whose = other(SPEC, identity)
    build(spec, rows, tmp_path / "a", identity=whose, told=seen.append, threads=1)
    assert seen[0].stage == "train"


@pytest.mark.parametrize("spoil", ["cut", "flip", "gone", "pointer", "empty-pointer"])
def test_a_spoilt_checkpoint_is_not_gone_on_with(rows, identity, tmp_path, spoil):
    path = tmp_path / "a"
    told, stop = stop_after(300)
    build(SPEC, rows, path, identity=identity, told=told, stop=stop, threads=1)
    pointer = tmp_path / "a.partial.json"
    part = tmp_path / json.loads(pointer.read_text())["file"]
    if spoil == "cut":
        part.write_bytes(part.read_bytes()[:-10])
    elif spoil == "flip":
        part.write_bytes(part.read_bytes()[:-10] + b"0123456789")
    elif spoil == "gone":
        part.unlink()
    else:
        pointer.write_text("" if spoil == "empty-pointer" else "[3]")
    assert build(SPEC, rows, path, identity=identity, threads=1) is not None
    assert open_index(path, rows, identity=identity, full=True).count == 1200
    assert not [name for name in names(tmp_path) if "partial" in name]


def test_checkpoints_are_written_while_it_runs(rows, identity, tmp_path):
    parts: set[str] = set()

    def told(progress: BuildProgress) -> None:
        parts.update(name for name in names(tmp_path) if "partial-" in name)

    build(SPEC, rows, tmp_path / "a", identity=identity, told=told, threads=1, checkpoint_s=0)
    assert parts
    assert all(name.startswith("a.partial-") for name in parts)


def test_rows_without_direction_are_built_over_and_never_found(rows, identity, tmp_path):
    spoilt = rows.copy()
    spoilt[3], spoilt[500], spoilt[501, 4] = 0, np.nan, np.inf
    for kind in ("ivf-rabitq", "ivf-pq", "hnsw", "sq8"):
        path = tmp_path / kind
        build(default_spec(kind, 1200, 32), spoilt, path, identity=identity, threads=1)
        index = open_index(path, spoilt, identity=identity)
        found, scores = index.search(rows[[3, 500, 501]].astype(np.float32), 50)
        assert np.isfinite(scores).all()
        assert not {3, 500, 501} & set(found.ravel().tolist())


@pytest.mark.parametrize("kind", ["ivf-pq", "ivf-rabitq", "ivf-sq8", "hnsw", "sq8", "annoy"])
@pytest.mark.parametrize("count", [1, 3])
def test_an_index_of_very_few_rows(rows, identity, tmp_path, kind, count):
    path = tmp_path / "few"
    build(default_spec(kind, count, 32), rows[:count], path, identity=identity, threads=1)
    found, _ = open_index(path, rows, identity=identity).search(rows[:1].astype(np.float32), 2)
    assert found[0].tolist() == ([0, -1] if count == 1 else [0, found[0, 1]])


def test_rows_that_make_no_index_are_value_errors(rows, identity, tmp_path):
    for wrong in (rows[:0], rows[:, :5]):
        with pytest.raises(ValueError):
            build(SPEC, wrong, tmp_path / "a", identity=identity)


def test_a_folder_that_is_not_there_is_an_error_of_ours(rows, identity, tmp_path):
    for kind in ("flat", "annoy"):
        with pytest.raises(CollectionError):
            build(default_spec(kind, 1200, 32), rows, tmp_path / "none" / "a", identity=identity, threads=1)


def test_a_full_disk_is_said_and_leaves_nothing(rows, identity, tmp_path, monkeypatch):
    def full(*_arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(OutOfSpace) as caught:
        build(IndexSpec("flat"), rows, tmp_path / "a", identity=identity, threads=1)
    assert caught.value.hint
    assert names(tmp_path) == []


def test_unit_blocks_are_of_unit_length_or_zero():
    block = unit_block(np.array([[3, 4], [0, 0], [np.inf, 1], [6e-8, 0]], dtype=np.float16))
    np.testing.assert_allclose(block, [[0.6, 0.8], [0, 0], [0, 0], [1, 0]], atol=1e-6)
