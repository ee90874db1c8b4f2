"""An encoder's id follows its files, and costs no second reading."""

from __future__ import annotations

import json
import os
import shutil

import pytest

from lookalike.core.errors import EncoderBroken
from lookalike.encoders.identity import identify, known_folders
from tiny_encoder import write_tiny_encoder


@pytest.fixture
def folder(tmp_path):
    return write_tiny_encoder(tmp_path / "tiny")


def test_equal_files_have_equal_ids_wherever_they_lie(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "elsewhere")
    assert identify(folder, "tiny", tmp_path) == identify(copy, "tiny", tmp_path / "other models")


@pytest.mark.parametrize(
    "name",
    ["config.json", "visual/model.onnx", "visual/preprocess_cfg.json", "textual/model.onnx", "textual/tokenizer.json"],
)
def test_a_change_in_any_file_changes_the_id(folder, tmp_path, name):
    before = identify(folder, "tiny", tmp_path)
    with (folder / name).open("ab") as stream:
        stream.write(b" ")
    assert identify(folder, "tiny", tmp_path) != before


def test_a_note_beside_the_files_changes_nothing(folder, tmp_path):
    before = identify(folder, "tiny", tmp_path)
    (folder / "README.md").write_text("mine", encoding="utf-8")
    assert identify(folder, "tiny", tmp_path) == before


def test_files_of_known_size_and_time_are_not_read_again(folder, tmp_path):
    before = identify(folder, "tiny", tmp_path)
    weights = folder / "visual" / "model.onnx"
    stat = weights.stat()
    weights.write_bytes(bytes(stat.st_size))
    os.utime(weights, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert identify(folder, "tiny", tmp_path) == before
    (tmp_path / "known.json").unlink()
    assert identify(folder, "tiny", tmp_path) != before


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"x": 3}'])
def test_a_damaged_memory_is_only_forgotten(folder, tmp_path, content):
    before = identify(folder, "tiny", tmp_path)
    (tmp_path / "known.json").write_text(content, encoding="utf-8")
    assert identify(folder, "tiny", tmp_path) == before
    assert json.loads((tmp_path / "known.json").read_text(encoding="utf-8"))[str(folder)]["name"] == "tiny"


def test_a_memory_that_cannot_be_kept_is_no_error(folder, tmp_path):
    (tmp_path / "models").write_text("a file where the folder should be", encoding="utf-8")
    assert identify(folder, "tiny", tmp_path / "models").startswith("tiny-")


def test_folders_are_remembered_with_name_and_digest_also_when_they_are_gone(folder, tmp_path):
    encoder_id = identify(folder, "tiny", tmp_path)
    shutil.rmtree(folder)
    (known,) = known_folders(tmp_path)
    assert known.folder == folder
    assert f"{known.name}-{known.digest}" == encoder_id


def test_a_folder_without_configuration_is_said(tmp_path):
    with pytest.raises(EncoderBroken, match=r"config\.json"):
        identify(tmp_path, "tiny", tmp_path)
