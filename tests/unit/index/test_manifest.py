"""Whatever happened to an index file or its manifest is an IndexUnusable with its reason, and never reaches FAISS."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys

import pytest

from lookalike.core.errors import IndexUnusable
from lookalike.index.kinds import KINDS
from lookalike.index.manifest import check, companions, file_checksum, manifest_path, read_manifest
from lookalike.index.opening import open_index


def flip_byte(path, position, *, keep_time=False):
    before = path.stat()
    data = bytearray(path.read_bytes())
    data[position] ^= 0x40
    path.write_bytes(data)
    if keep_time:
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def change_manifest(path, **changes):
    manifest = manifest_path(path)
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), **changes}))


def reason(path, identity, **how):
    with pytest.raises(IndexUnusable) as caught:
        check(path, identity, **how)
    assert str(path) in str(caught.value)
    assert caught.value.hint
    return caught.value.reason


def test_a_sound_file_passes_and_says_what_it_is(made, identity):
    path = made("ivf-sq8")
    for full in (False, True):
        manifest = check(path, identity, full=full)
        assert (manifest.identity, manifest.count, manifest.spec.kind) == (identity, 1200, "ivf-sq8")
        assert manifest.bytes == path.stat().st_size
        assert manifest.checksum == file_checksum(path)
    assert read_manifest(path) == manifest


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("kept", [0, 1, 100, -1])
def test_a_cut_file(made, identity, rows, kind, kept):
    path = made(kind)
    path.write_bytes(path.read_bytes()[:kept])
    assert reason(path, identity) == "cut"
    with pytest.raises(IndexUnusable):
        open_index(path, rows, identity=identity)


@pytest.mark.parametrize("position", [0, 3, 40, 2000, -1])
def test_one_changed_bit(made, identity, position):
    path = made()
    flip_byte(path, position)
    assert reason(path, identity) == "changed"


def test_a_change_that_hides_its_time_is_found_by_a_full_check(made, identity):
    path = made()
    flip_byte(path, 500, keep_time=True)
    assert reason(path, identity, full=True) == "changed"


def test_a_file_of_another_name_is_read_whole_once(made, identity):
    path = made()
    flip_byte(path, 500)
    note = path.with_name(path.name + ".checked")
    note.unlink()
    assert reason(path, identity) == "changed"
    flip_byte(path, 500)
    check(path, identity)
    assert json.loads(note.read_text())[3] == file_checksum(path)


@pytest.mark.parametrize("note", ["", "{}", "[1, 2]", "\0"])
def test_a_spoilt_note_only_costs_a_reading(made, identity, note):
    path = made()
    path.with_name(path.name + ".checked").write_text(note)
    assert check(path, identity).count == 1200


@pytest.mark.parametrize(
    "changes",
    [{"encoder_id": "toy:2"}, {"dim": 33}, {"epoch": 2}, {"generation": 5}],
    ids=lambda changes: next(iter(changes)),
)
def test_an_index_of_other_rows(made, identity, changes):
    assert reason(made(), dataclasses.replace(identity, **changes)) == "foreign"


@pytest.mark.parametrize(
    "changes", [{"format": 2}, {"library": "faiss 99.0.0"}, {"library": "annoy 1.0"}, {"format": None}]
)
def test_an_index_of_another_version(made, identity, changes):
    path = made()
    change_manifest(path, **changes)
    assert reason(path, identity) == "version"


def test_an_index_of_an_older_faiss_is_taken(made, identity):
    path = made()
    change_manifest(path, library="faiss 1.10.0")
    assert check(path, identity).library == "faiss 1.10.0"


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "{}", '{"format": 1}', '{"format": 1, "spec": 3}', "\udcff"],
)
def test_a_manifest_that_is_none(made, identity, text):
    path = made()
    manifest_path(path).write_bytes(text.encode("utf-8", "surrogateescape"))
    assert reason(path, identity) in {"manifest", "version"}


@pytest.mark.parametrize("changes", [{"spec": {"kind": "magic"}}, {"count": "many"}, {"identity": {}}, {"more": 1}])
def test_a_manifest_with_other_contents(made, identity, changes):
    path = made()
    change_manifest(path, **changes)
    assert reason(path, identity) == "manifest"


@pytest.mark.parametrize("which", [0, 1])
def test_a_file_without_manifest_and_a_manifest_without_file(made, identity, which):
    path = made()
    companions(path)[which].unlink()
    assert reason(path, identity) == "missing"


def test_an_index_that_never_was(tmp_path, identity):
    assert reason(tmp_path / "none.faiss", identity) == "missing"


def test_a_folder_in_its_place(made, identity):
    path = made()
    path.unlink()
    path.mkdir()
    assert reason(path, identity) in {"cut", "missing"}


def lie(path, foreign):
    """Put a foreign file in place, with everything the manifest can say about its bytes made to fit."""
    path.write_bytes(foreign)
    change_manifest(path, bytes=len(foreign), checksum=file_checksum(path))


@pytest.mark.parametrize("kind", KINDS)
def test_a_foreign_file_with_a_fitting_manifest(made, identity, rows, kind):
    foreign = made("hnsw" if kind != "hnsw" else "flat", count=700).read_bytes()
    path = made(kind)
    lie(path, foreign)
    with pytest.raises(IndexUnusable) as caught:
        open_index(path, rows, identity=identity)
    assert caught.value.reason == "foreign"


@pytest.mark.parametrize(
    "changes", [{"count": 1199}, {"spec": {"kind": "ivf-sq8", "nlist": 9}}, {"spec": {"kind": "sq8"}}]
)
def test_a_manifest_that_tells_something_else_than_the_file(made, identity, rows, changes):
    path = made("ivf-sq8")
    change_manifest(path, **changes)
    with pytest.raises(IndexUnusable) as caught:
        open_index(path, rows, identity=identity)
    assert caught.value.reason == "foreign"


def test_more_rows_in_the_index_than_there_are(made, identity, rows):
    with pytest.raises(IndexUnusable):
        open_index(made(), rows[:1000], identity=identity)


def test_garbage_does_not_end_the_process(made, identity, rows, tmp_path):
    """In a process of its own: every beginning of a file, all with fitting manifests, and the process lives to tell."""
    path = made("hnsw")
    program = (
        "import sys, dataclasses, numpy as np\n"
        "from pathlib import Path\n"
        "from lookalike.core.errors import IndexUnusable\n"
        "from lookalike.index.manifest import *\n"
        "from lookalike.index.opening import open_index\n"
        "path, rows = Path(sys.argv[1]), np.zeros((1200, 32), np.float16)\n"
        "manifest, whole = read_manifest(path), path.read_bytes()\n"
        "refused = 0\n"
        "for size in [0, 4, 30, 61, 500, 4000, len(whole) // 2, len(whole) - 9]:\n"
        "    path.write_bytes(whole[:size])\n"
        "    publish(path, dataclasses.replace(manifest, bytes=size, checksum=file_checksum(path)))\n"
        "    try: open_index(path, rows, identity=manifest.identity)\n"
        "    except IndexUnusable: refused += 1\n"
        "print(refused)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout.strip()) == (0, "8"), ended.stderr
