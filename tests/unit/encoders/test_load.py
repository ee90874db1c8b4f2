"""An encoder is found by name, folder or id, and without a network."""

from __future__ import annotations

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from lookalike.core.errors import EncoderBroken, EncoderUnavailable, UnknownEncoder
from lookalike.encoders import load
from lookalike.encoders.load import load_encoder, load_encoder_by_id
from tiny_encoder import write_tiny_encoder


@pytest.fixture
def models(tmp_path):
    return tmp_path / "models"


@pytest.fixture
def builtin(tmp_path, monkeypatch):
    """A packaged encoder of our own making, as the wheel would carry one."""
    folder = write_tiny_encoder(tmp_path / "package" / "builtin")
    monkeypatch.setattr(load, "BUILTIN_FOLDER", folder)
    return folder


def answer(encoder):
    return encoder.encode_texts(["a red dog"])


def test_the_built_in_is_the_default_and_is_kept_by_its_digest(builtin, models):
    encoder = load_encoder(models_dir=models)
    assert encoder.name == "builtin"
    kept = models / "builtin" / encoder.id.removeprefix("builtin-")
    for name in ("config.json", "visual/model.onnx", "textual/tokenizer.json"):
        assert (kept / name).read_bytes() == (builtin / name).read_bytes()
    assert sorted(path.name for path in kept.parent.iterdir()) == sorted([kept.name, "lock"])


def test_vectors_of_an_older_built_in_are_still_understood_after_an_upgrade(builtin, models):
    old = load_encoder(models_dir=models)
    expected = answer(old)
    write_tiny_encoder(builtin, seed=1)
    new = load_encoder(models_dir=models)
    assert new.id != old.id
    again = load_encoder_by_id(old.id, models_dir=models)
    assert again.id == old.id
    np.testing.assert_array_equal(answer(again), expected)
    np.testing.assert_array_equal(answer(load_encoder_by_id(new.id, models_dir=models)), answer(new))


def test_a_collection_that_is_only_searched_keeps_its_built_in_too(builtin, models, tmp_path):
    made_elsewhere = load_encoder(models_dir=tmp_path / "another computer").id
    load_encoder_by_id(made_elsewhere, models_dir=models)
    assert (models / "builtin" / made_elsewhere.removeprefix("builtin-") / "config.json").is_file()


def test_with_an_older_built_in_the_newer_is_offered_once_and_with_the_newest_nothing_is_said(builtin, models):
    old = load_encoder(models_dir=models).id
    write_tiny_encoder(builtin, seed=1)
    said = []
    load_encoder_by_id(load_encoder(models_dir=models).id, models_dir=models, notice=said.append)
    assert said == []
    load_encoder_by_id(old, models_dir=models, notice=said.append)
    (sentence,) = said
    assert "lookalike migrate --encoder builtin" in sentence


def test_a_built_in_that_is_kept_nowhere_is_named_with_both_ways_out(builtin, models):
    old = load_encoder(models_dir=models).id
    write_tiny_encoder(builtin, seed=1)
    shutil.rmtree(models)
    with pytest.raises(EncoderUnavailable, match=f"built-in encoder of another lookalike, {old}") as caught:
        load_encoder_by_id(old, models_dir=models)
    assert "lookalike migrate --encoder builtin" in caught.value.hint
    assert str(models / "builtin" / old.removeprefix("builtin-")) in caught.value.hint


def test_a_kept_copy_with_a_wrong_byte_is_not_used(builtin, models):
    old = load_encoder(models_dir=models).id
    write_tiny_encoder(builtin, seed=1)
    with (models / "builtin" / old.removeprefix("builtin-") / "visual" / "model.onnx").open("ab") as stream:
        stream.write(b" ")
    with pytest.raises(EncoderUnavailable):
        load_encoder_by_id(old, models_dir=models)


def test_a_copy_of_the_built_in_that_broke_off_is_made_anew(builtin, models):
    digest = load_encoder(models_dir=models).id.removeprefix("builtin-")
    shutil.move(models / "builtin" / digest, models / "builtin" / f"{digest}.partial")
    (models / "builtin" / f"{digest}.partial" / "visual" / "model.onnx").write_bytes(b"half")
    load_encoder(models_dir=models)
    assert (models / "builtin" / digest / "visual" / "model.onnx").stat().st_size > 4
    assert not (models / "builtin" / f"{digest}.partial").exists()


def test_many_first_uses_at_once_keep_one_copy(builtin, models):
    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(lambda _: load_encoder(models_dir=models).id, range(16)))
    assert len(ids) == 1
    assert len([path for path in (models / "builtin").iterdir() if path.is_dir()]) == 1


def test_a_home_that_cannot_be_written_costs_only_the_copy(builtin, tmp_path):
    (tmp_path / "occupied").write_text("a file", encoding="utf-8")
    assert load_encoder(models_dir=tmp_path / "occupied" / "models").name == "builtin"


def test_an_installation_without_a_built_in_says_so(builtin, models):
    shutil.rmtree(builtin)
    with pytest.raises(EncoderBroken, match="no built-in encoder"):
        load_encoder(models_dir=models)


def test_a_local_folder_is_an_encoder_and_is_found_again_by_id(tmp_path, models):
    folder = write_tiny_encoder(tmp_path / "my encoder")
    encoder = load_encoder(str(folder), models_dir=models)
    assert encoder.name == "my encoder"
    np.testing.assert_array_equal(answer(load_encoder_by_id(encoder.id, models_dir=models)), answer(encoder))


def test_a_local_folder_that_changed_no_longer_answers_to_its_old_id(tmp_path, models):
    folder = write_tiny_encoder(tmp_path / "mine")
    encoder = load_encoder(str(folder), models_dir=models)
    write_tiny_encoder(folder, seed=1)
    with pytest.raises(EncoderUnavailable, match=encoder.id) as caught:
        load_encoder_by_id(encoder.id, models_dir=models)
    assert "builtin" in caught.value.hint


def test_files_copied_by_hand_are_found_by_name_alias_and_id(models):
    write_tiny_encoder(models / "clip-vit-b-32")
    encoder = load_encoder("clip-ViT-B-32", models_dir=models, download=False)
    assert encoder.name == "clip-vit-b-32"
    assert load_encoder_by_id(encoder.id, models_dir=models).id == encoder.id


def test_an_unknown_name_is_answered_with_the_nearest(models):
    with pytest.raises(UnknownEncoder, match="clip-vit-b-23") as caught:
        load_encoder("clip-vit-b-23", models_dir=models)
    assert "clip-vit-b-32" in caught.value.hint.casefold()


def test_nonsense_is_answered_with_where_the_names_are(models):
    with pytest.raises(UnknownEncoder) as caught:
        load_encoder("/no/such/xyzzy 99", models_dir=models)
    assert "lookalike encoders" in caught.value.hint


def test_what_is_not_here_and_may_not_be_fetched_names_the_builtin_and_the_folder(models):
    with pytest.raises(EncoderUnavailable, match="siglip2-b-16 is not on this computer") as caught:
        load_encoder("siglip2-b-16", models_dir=models, download=False)
    assert "builtin" in caught.value.hint
    assert str(models / "siglip2-b-16") in caught.value.hint


def test_loading_and_asking_open_no_socket_and_import_no_hub(tmp_path, models):
    folder = write_tiny_encoder(tmp_path / "tiny")
    program = f"""
import socket, sys
def refused(*args, **kwargs): raise AssertionError("a socket was opened")
socket.socket = socket.create_connection = socket.getaddrinfo = refused
from pathlib import Path
from lookalike.encoders.load import load_encoder
encoder = load_encoder({str(folder)!r}, models_dir=Path({str(models)!r}))
assert encoder.encode_texts(["a dog"]).shape == (1, 16)
assert not {{"huggingface_hub", "torch", "PIL"}} & set(sys.modules), "a question in words needs none of them"
"""
    subprocess.run([sys.executable, "-c", program], check=True)
