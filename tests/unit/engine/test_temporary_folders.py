"""Folders of runs go with them, or with a later run; those of others and of runs that live stay."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from lookalike.engine.temporary_folders import PREFIX, YOUNG_S, temporary_folder

DYING = """
import os, tempfile
from lookalike.engine.temporary_folders import temporary_folder
with temporary_folder() as folder:
    (folder / "vectors").write_bytes(b"x")
    print(folder, flush=True)
    os._exit(9)
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """The system's folder for temporary files."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("TEMP", str(tmp_path))
    return tmp_path


def aged(folder) -> None:
    long_ago = time.time() - 2 * YOUNG_S
    os.utime(folder, (long_ago, long_ago))


def test_a_folder_goes_with_its_run(place):
    with temporary_folder() as folder:
        (folder / "deep").mkdir()
    assert list(place.iterdir()) == []


def test_what_a_killed_run_left_goes_with_the_next_one(place):
    subprocess.run([sys.executable, "-c", DYING], check=False)
    (left,) = place.iterdir()
    with temporary_folder():
        assert left.exists(), "it is young: its run may be about to lock it"
    aged(left)
    with temporary_folder() as folder:
        assert list(place.iterdir()) == [folder]


def test_the_folder_of_a_run_that_lives_stays(place):
    with temporary_folder() as living:
        aged(living)
        with temporary_folder():
            assert living.exists()


def test_what_a_link_leads_to_stays(place, tmp_path_factory):
    kept = tmp_path_factory.mktemp("kept")
    (kept / "file").touch()
    (place / f"{PREFIX}link").symlink_to(kept, target_is_directory=True)
    aged(kept)
    with temporary_folder():
        assert (kept / "file").exists()
