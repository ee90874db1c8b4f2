"""Decoding in worker processes: one answer for every job, whatever the file does."""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess
import sys
import threading

import numpy as np
import pytest
from PIL import Image

from lookalike.core.errors import SourceError
from lookalike.core.records import Asset, DecodeLimits, Picture, Skipped
from lookalike.encoders.preprocess import Preprocessing
from lookalike.images.decode import decode_picture
from lookalike.images.decoding_pool import AHEAD, DecodingPool, decode_many, digest_many
from lookalike.images.folder import folder
from odd_files import PICTURE, card, encoded, photo, write_odd_files
from odd_files.sources import HANGS, INTERRUPTS, KILLS, LISTENS, RAISES, BadManners, Restless

LIMITS = DecodeLimits()
SHORT = DecodeLimits(timeout_s=12.0)
"""What a busy machine needs for a small picture, and no longer than a test may idle."""
ENDLESS = DecodeLimits(timeout_s=600.0)
"""Where a test would hang rather than fail if workers were waited for."""
JPEG = encoded(card(), "JPEG")
PATIENCE_S = 180


def jobs(source):
    return [(source, asset) for asset in source.assets() if isinstance(asset, Asset)]


def fates(results):
    return {asset.key: PICTURE if isinstance(r, Picture) else getattr(r, "code", r) for _, asset, r in results}


def test_every_odd_file_gets_the_answer_it_deserves(tmp_path):
    expected = write_odd_files(tmp_path)
    source = folder(tmp_path)
    found = fates(decode_many(jobs(source), side=64, limits=LIMITS, workers=2))
    walked = {entry.key: entry.code for entry in source.assets() if isinstance(entry, Skipped)}
    assert found | walked == expected


def test_a_picture_from_a_worker_equals_one_decoded_here(tmp_path):
    (tmp_path / "1.jpg").write_bytes(encoded(photo(1200, 900), "JPEG"))
    ((_, _, there),) = decode_many(jobs(folder(tmp_path)), side=64, limits=LIMITS, workers=1)
    here = decode_picture((tmp_path / "1.jpg").read_bytes(), side=64)
    assert (there.pixels == here.pixels).all()
    for name in ("width", "height", "format", "bytes_digest", "pixels_digest", "metadata"):
        assert getattr(there, name) == getattr(here, name)


def test_an_encoders_resize_is_done_by_the_workers_and_changes_pixels_only(tmp_path):
    (tmp_path / "a.jpg").write_bytes(JPEG)
    fit = Preprocessing(size=(24, 20)).fit
    ((_, _, plain),) = decode_many(jobs(folder(tmp_path)), side=24, limits=LIMITS, workers=1)
    ((_, _, fitted),) = decode_many(jobs(folder(tmp_path)), side=24, limits=LIMITS, workers=1, fit=fit)
    assert (fitted.pixels == np.asarray(fit(Image.fromarray(plain.pixels)))).all()
    assert fitted.pixels.shape == (24, 20, 3)
    for name in ("width", "height", "format", "bytes_digest", "pixels_digest", "metadata"):
        assert getattr(fitted, name) == getattr(plain, name)


def test_every_answer_carries_its_own_job(tmp_path):
    for number in range(1, 120):
        (tmp_path / f"{number}.png").write_bytes(encoded(card(number, 3), "PNG"))
    source = folder(tmp_path)
    given = jobs(source)
    results = list(decode_many(given, side=64, limits=LIMITS, workers=3))
    assert sorted(asset.key for _, asset, _ in results) == sorted(asset.key for _, asset in given)
    assert all(picture.width == int(asset.key.split(b".")[0]) for _, asset, picture in results)
    assert all(answered is source for answered, _, _ in results)


def test_digests_are_those_of_all_bytes(tmp_path):
    contents = {f"{n}.jpg".encode(): os.urandom(n * 700_000) for n in range(4)}
    for name, content in contents.items():
        (tmp_path / os.fsdecode(name)).write_bytes(content)
    found = {asset.key: d for _, asset, d in digest_many(jobs(folder(tmp_path)), limits=LIMITS, workers=2)}
    assert found == {n: hashlib.blake2b(content, digest_size=16).digest() for n, content in contents.items()}


def test_no_jobs_start_no_process_and_give_no_answers():
    with DecodingPool(2) as pool:
        assert list(pool.decode_many([], side=64, limits=LIMITS)) == []


def test_one_pool_serves_several_calls_and_sources(tmp_path):
    (tmp_path / "1.jpg").write_bytes(JPEG)
    one, other = folder(tmp_path), BadManners(JPEG, (b"polite",))
    with DecodingPool(2) as pool:
        for _ in range(3):
            assert set(fates(pool.decode_many(jobs(one) + jobs(other), side=64, limits=LIMITS))) == {
                b"1.jpg",
                b"polite",
            }
            assert len(list(pool.digest_many(jobs(other) + jobs(one), limits=LIMITS))) == 2


def test_a_worker_that_is_killed_costs_the_file_it_had_and_no_other():
    keys = [b"polite %d" % n for n in range(30)]
    keys[4], keys[5], keys[20] = b"kills 4", b"kills 5", b"kills 20"
    found = fates(decode_many(jobs(BadManners(JPEG, tuple(keys))), side=64, limits=LIMITS, workers=2))
    assert found == {key: "crashed" if key.startswith(KILLS) else PICTURE for key in keys}


def test_a_file_over_its_time_costs_itself_and_no_other():
    keys = (b"polite 1", HANGS, b"polite 2", b"hangs again", b"polite 3")
    results = list(decode_many(jobs(BadManners(JPEG, keys)), side=64, limits=SHORT, workers=2))
    assert fates(results) == {key: "too-slow" if key.startswith(HANGS) else PICTURE for key in keys}
    assert "12 s" in next(r.reason for _, asset, r in results if asset.key == HANGS)


def test_a_source_that_raises_costs_its_file():
    found = fates(decode_many(jobs(BadManners(JPEG, (RAISES, b"polite"))), side=64, limits=LIMITS, workers=1))
    assert found == {RAISES: "unreadable", b"polite": PICTURE}


def test_ctrl_c_in_the_terminal_does_not_end_the_workers():
    found = fates(decode_many(jobs(BadManners(JPEG, (INTERRUPTS, b"polite"))), side=64, limits=LIMITS, workers=1))
    assert found == {INTERRUPTS: PICTURE, b"polite": PICTURE}


def test_a_file_that_never_settles_is_skipped_and_says_so(tmp_path):
    path = tmp_path / "log.jpg"
    path.write_bytes(JPEG)
    source = Restless(str(path))
    for results in (
        decode_many(jobs(source), side=64, limits=LIMITS, workers=1),
        digest_many(jobs(source), limits=LIMITS, workers=1),
    ):
        assert fates(results) == {b"file": "changing"}


def test_a_file_that_is_gone_or_may_not_be_read_is_skipped_with_the_reason(tmp_path):
    (tmp_path / "1.jpg").write_bytes(JPEG)
    source = folder(tmp_path)
    given = [*jobs(source), (source, Asset(b"gone.jpg", "gone.jpg", 0, 0)), (source, Asset(b"", "the folder", 0, 0))]
    assert fates(decode_many(given, side=64, limits=LIMITS, workers=1)) == {
        b"1.jpg": PICTURE,
        b"gone.jpg": "vanished",
        b"": "unreadable",
    }


def test_more_bytes_than_the_limit_are_not_read(tmp_path):
    with open(tmp_path / "huge.jpg", "wb") as file:
        file.truncate(10_000_000_000)  # takes no room on disk
    assert fates(decode_many(jobs(folder(tmp_path)), side=64, limits=LIMITS, workers=1)) == {b"huge.jpg": "too-big"}


def test_jobs_are_taken_only_a_few_ahead_of_the_answers_and_in_the_asking_thread():
    taken = []

    def endless():
        source = BadManners(JPEG, ())
        while True:
            taken.append(threading.get_ident())
            yield source, Asset(b"polite", "polite", len(JPEG), 0)

    with DecodingPool(2) as pool:
        results = pool.decode_many(endless(), side=64, limits=LIMITS)
        for _ in range(100):
            next(results)
        results.close()
    assert len(taken) <= 100 + 4 + AHEAD
    assert set(taken) == {threading.get_ident()}


def test_results_given_up_early_do_not_appear_in_the_next_call():
    source = BadManners(JPEG, tuple(b"polite %d" % n for n in range(40)))
    with DecodingPool(2) as pool:
        next(pool.decode_many(jobs(source), side=64, limits=LIMITS))
        assert fates(pool.digest_many(jobs(source)[:2], limits=LIMITS)).keys() == {b"polite 0", b"polite 1"}


def test_closing_the_pool_ends_workers_in_the_middle_of_a_file():
    with DecodingPool(2) as pool:
        source = BadManners(JPEG, (b"polite", HANGS, b"hangs too"))
        assert fates([next(pool.decode_many(jobs(source), side=64, limits=ENDLESS))]) == {b"polite": PICTURE}


def test_stop_ends_the_results_whatever_the_workers_are_doing():
    stop = threading.Event()
    timer = threading.Timer(1.0, stop.set)
    timer.start()
    with DecodingPool(1, stop=stop) as pool:
        assert list(pool.decode_many(jobs(BadManners(JPEG, (HANGS,))), side=64, limits=ENDLESS)) == []
    timer.join()


def test_a_source_that_no_other_process_can_import_is_an_error_that_says_so():
    class Local:
        def assets(self):
            yield Asset(b"1", "1", 0, 0)

    with pytest.raises(SourceError, match="Local"):
        list(decode_many(jobs(Local()), side=64, limits=LIMITS, workers=1))


def test_a_program_without_a_main_guard_can_use_it(tmp_path):
    """With `multiprocessing`, every worker would run the user's program again."""
    (tmp_path / "1.jpg").write_bytes(JPEG)
    program = tmp_path / "program.py"
    program.write_text(
        "print('started')\n"
        "from lookalike.core.records import DecodeLimits\n"
        "from lookalike.images.decoding_pool import decode_many\n"
        "from lookalike.images.folder import folder\n"
        f"source = folder({str(tmp_path)!r})\n"
        "jobs = [(source, asset) for asset in source.assets()]\n"
        "for _, asset, picture in decode_many(jobs, side=64, limits=DecodeLimits(), workers=2):\n"
        "    print(asset.key, picture.width)\n"
    )
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n") == ["started", "b'1.jpg' 96", ""]
    assert done.stderr == ""


def test_modules_in_the_current_folder_and_warnings_as_errors_do_not_reach_the_workers(tmp_path, monkeypatch):
    (tmp_path / "pickle.py").write_text("raise SystemExit('a foreign module')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONWARNINGS", "error")
    content = encoded(card(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\x7f garbage")
    assert fates(decode_many(jobs(BadManners(content, (b"polite",))), side=64, limits=LIMITS, workers=1)) == {
        b"polite": PICTURE
    }


def test_a_used_up_quota_of_pipe_memory_costs_no_picture(tmp_path):
    if sys.platform != "linux":
        return
    (tmp_path / "1.jpg").write_bytes(JPEG)
    program = (
        "import fcntl, os\n"
        "from contextlib import suppress\n"
        "from lookalike.core.records import DecodeLimits\n"
        "from lookalike.images.decoding_pool import decode_many\n"
        "from lookalike.images.folder import folder\n"
        "with suppress(PermissionError):\n"
        "    held = [fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, 1 << 20) for _ in range(100) for pipe in os.pipe()[:1]]\n"
        f"source = folder({str(tmp_path)!r})\n"
        "jobs = [(source, asset) for asset in source.assets()]\n"
        "for _, asset, picture in decode_many(jobs, side=64, limits=DecodeLimits(), workers=1):\n"
        "    print(asset.key, picture.width)\n"
    )
    as_an_ordinary_user = (  # root's privileges about limits, CAP_SYS_RESOURCE and CAP_SYS_ADMIN, end at the exec
        "import ctypes, os, sys\n"
        "for privilege in (24, 21):\n"
        "    ctypes.CDLL(None).prctl(24, privilege, 0, 0, 0)\n"
        f"os.execv(sys.executable, [sys.executable, '-c', {program!r}])\n"
    )
    done = subprocess.run([sys.executable, "-c", as_an_ordinary_user], capture_output=True, text=True, check=True)
    assert done.stdout == "b'1.jpg' 96\n"


def test_workers_end_when_their_parent_is_killed_in_the_middle_of_a_file():
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE_S)
        program = (
            "from odd_files.sources import BadManners\n"
            "from lookalike.core.records import Asset, DecodeLimits\n"
            "from lookalike.images.decoding_pool import decode_many\n"
            f"source = BadManners(b'', (), {server.getsockname()[1]})\n"
            f"job = (source, Asset({LISTENS!r}, '', 0, 0))\n"
            "list(decode_many([job], side=64, limits=DecodeLimits(timeout_s=600), workers=1))\n"
        )
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        with subprocess.Popen([sys.executable, "-c", program], env=environment) as parent:
            line, _ = server.accept()  # the worker is in the middle of its file
            parent.kill()
        with line:
            line.settimeout(PATIENCE_S)
            assert line.recv(1) == b""  # the worker is gone, and with it its end of the line


def test_a_pool_needs_a_worker():
    with pytest.raises(ValueError, match="at least one"):
        DecodingPool(0)
