"""An encoder is fetched whole, checked and only once, from a hub that may fail in every way."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys

import numpy as np
import pytest
from local_hub import COMMIT, LocalHub, files_of

from lookalike.core.errors import EncoderUnavailable
from lookalike.encoders.catalogue import find_entry
from lookalike.encoders.load import load_encoder, load_encoder_by_id
from tiny_encoder import write_tiny_encoder

ENTRY = find_entry("clip-vit-b-32")
WEIGHTS = "textual/weights.data"  # as large models keep them: beside model.onnx, under any name
MEBI = 1 << 20


@pytest.fixture
def files(tmp_path):
    """A repository: an encoder with 4 MiB of weights, and things that are none of ours."""
    folder = write_tiny_encoder(tmp_path / "published")
    (folder / WEIGHTS).write_bytes(random.Random(0).randbytes(4 * MEBI))
    (folder / "visual" / "model.rknn").write_bytes(b"for phones")
    (folder / "README.md").write_text("about", encoding="utf-8")
    return files_of(folder)


@pytest.fixture
def hub(files):
    with LocalHub(files, ENTRY.repository) as hub:
        yield hub


@pytest.fixture
def models(tmp_path):
    return tmp_path / "models"


def fetch(hub, models, **settings):
    return load_encoder("clip-ViT-B-32", models_dir=models, endpoint=hub.address, **settings)


def test_a_download_brings_the_whole_encoder_and_nothing_else(hub, models, files):
    encoder = fetch(hub, models)
    placed = files_of(models / "clip-vit-b-32")
    manifest = json.loads(placed.pop("manifest.json"))
    assert placed == {name: files[name] for name in files if name not in {"README.md", "visual/model.rknn"}}
    assert manifest["commit"] == COMMIT
    assert manifest["repository"] == ENTRY.repository
    assert set(manifest["files"]) == set(placed)
    assert encoder.encode_texts(["a dog"]).shape == (1, 16)
    assert not (models / "clip-vit-b-32.partial").exists()


def test_afterwards_the_hub_is_never_asked_again(hub, models):
    first = fetch(hub, models)
    asked = len(hub.requests)
    again = fetch(hub, models)
    assert load_encoder_by_id(first.id, models_dir=models).id == again.id == first.id
    np.testing.assert_array_equal(first.encode_texts(["a dog"]), again.encode_texts(["a dog"]))
    assert len(hub.requests) == asked


def test_nobody_but_the_endpoint_is_asked_and_no_token_is_sent(hub, models, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    fetch(hub, models)  # any other host is refused by the tests' socket guard
    assert {path.split("/")[1] for _, path, _ in hub.requests} == {"api", "immich-app", "cdn"}


def test_progress_counts_the_whole_encoder_up_to_its_end(hub, models, files):
    seen = []
    fetch(hub, models, progress=lambda *step: seen.append(step))
    done = [step[1] for step in seen]
    total = sum(len(files[name]) for name in files if name not in {"README.md", "visual/model.rknn"})
    assert done == sorted(done)
    assert {step[2] for step in seen} == {total} == {done[-1]}
    assert {step[0] for step in seen} >= {"config.json", WEIGHTS}


def test_a_connection_that_breaks_again_and_again_goes_on_where_it_broke(hub, models, files):
    hub.drop_after = MEBI
    fetch(hub, models)
    assert hub.asked("GET", "cdn/" + WEIGHTS) == ["", *(f"bytes={part * MEBI}-" for part in (1, 2, 3))]
    assert files_of(models / "clip-vit-b-32")[WEIGHTS] == files[WEIGHTS]


def test_a_process_killed_half_way_leaves_no_encoder_and_the_next_goes_on(hub, models, files):
    hub.stall_after = 3 * MEBI
    program = f"""
from pathlib import Path
from lookalike.encoders.load import load_encoder
load_encoder("clip-vit-b-32", models_dir=Path({str(models)!r}), endpoint={hub.address!r})
"""
    with subprocess.Popen([sys.executable, "-c", program]) as killed:
        partial = models / "clip-vit-b-32.partial" / WEIGHTS
        assert hub.stalled.wait(300)
        while not partial.exists() or partial.stat().st_size < 2 * MEBI:
            assert killed.poll() is None
        killed.kill()
    assert not ENTRY.installed(models)
    have = partial.stat().st_size
    hub.stall_after = None
    hub.sent = 0
    fetch(hub, models)
    assert hub.asked("GET", "cdn/" + WEIGHTS)[-1] == f"bytes={have}-"
    assert hub.sent < len(files[WEIGHTS]) - have + MEBI  # the rest, and the small files
    assert files_of(models / "clip-vit-b-32")[WEIGHTS] == files[WEIGHTS]


@pytest.mark.parametrize("name", [WEIGHTS, "config.json"])
def test_bytes_other_than_declared_are_refused_and_the_next_try_starts_afresh(hub, models, name):
    hub.corrupt = name
    with pytest.raises(EncoderUnavailable, match=f"{name} arrived damaged") as caught:
        fetch(hub, models)
    assert "builtin" in caught.value.hint
    assert not ENTRY.installed(models)
    hub.corrupt = ""
    assert fetch(hub, models).encode_texts(["a dog"]).shape == (1, 16)


@pytest.mark.parametrize("name", [WEIGHTS, "config.json"])
@pytest.mark.parametrize("left", [b"of another version", bytes(5 * MEBI)])
def test_what_an_earlier_try_left_of_another_version_is_replaced(hub, models, files, name, left):
    partial = models / "clip-vit-b-32.partial" / name
    partial.parent.mkdir(parents=True)
    partial.write_bytes(left)
    fetch(hub, models)
    assert files_of(models / "clip-vit-b-32")[name] == files[name]


def test_a_file_the_hub_lost_is_said(hub, models):
    hub.lost = "visual/model.onnx"
    with pytest.raises(EncoderUnavailable, match="clip-vit-b-32 could not be fetched: the hub answered 404"):
        fetch(hub, models)
    assert not ENTRY.installed(models)


def test_a_repository_the_hub_does_not_know_is_said(models):
    with LocalHub({}, "someone/else") as hub, pytest.raises(EncoderUnavailable, match="the hub answered 404"):
        fetch(hub, models)


def test_a_repository_of_another_layout_is_said(models):
    published = {"pytorch_model.bin": b"x"}
    with LocalHub(published, ENTRY.repository) as hub, pytest.raises(EncoderUnavailable, match="does not hold an enc"):
        fetch(hub, models)


def test_without_a_hub_the_error_names_builtin_and_the_way_by_hand(models, files):
    with LocalHub(files, ENTRY.repository) as hub:
        address = hub.address
    with pytest.raises(EncoderUnavailable, match="clip-vit-b-32 could not be fetched") as caught:
        load_encoder("clip-vit-b-32", models_dir=models, endpoint=address)
    for way_out in ("builtin", "by hand", str(models / "clip-vit-b-32"), ENTRY.repository):
        assert way_out in caught.value.hint


def test_a_folder_that_is_no_whole_encoder_is_not_overwritten(hub, models):
    mine = models / "clip-vit-b-32" / "notes.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine", encoding="utf-8")
    with pytest.raises(EncoderUnavailable, match="no whole encoder"):
        fetch(hub, models)
    assert mine.read_text(encoding="utf-8") == "mine"
    assert hub.sent == 0


def test_the_hubs_own_library_takes_this_hub_for_one(hub, tmp_path, files):
    """What the tests stand on: the local hub answers the real client as the real hub does."""
    program = f"""
from pathlib import Path
from huggingface_hub import hf_hub_download
for name in ("config.json", {WEIGHTS!r}):
    where = dict(endpoint={hub.address!r}, cache_dir={str(tmp_path)!r})
    print(Path(hf_hub_download({ENTRY.repository!r}, name, token=False, **where)).stat().st_size)
"""
    environment = os.environ | {"HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    told = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, check=True, env=environment)
    assert told.stdout.split() == [str(len(files[name])).encode() for name in ("config.json", WEIGHTS)]
