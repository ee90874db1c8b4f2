"""Towers exported from torch give torch's embeddings: preprocessing, tokens, types and batches included."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lookalike.encoders.load import load_encoder
from lookalike.encoders.preprocess import read_preprocessing
from lookalike.encoders.tokenise import open_tokeniser, read_rules

SIDE = 64  # pixels, as torch_towers.py has it
RULES = {"size": SIDE, "mean": [0.5] * 3, "std": [0.5] * 3, "resize_mode": "squash"}
CONFIG = {"embed_dim": 32, "text_cfg": {"context_length": 77, "vocab_size": 49408}}
LINES = (Path(__file__).parent / "queries.txt").read_text(encoding="utf-8").splitlines()


@pytest.fixture(scope="module")
def pictures():
    random = np.random.default_rng(5)
    return [random.integers(0, 256, (*random.integers(40, 200, 2), 3), np.uint8) for _ in range(40)]


@pytest.fixture(scope="module")
def exported(clip_tokenizer, pictures, tmp_path_factory):
    """The folder of an encoder exported from torch, with torch's embeddings in expected.npz."""
    folder = tmp_path_factory.mktemp("exported")
    (folder / "textual").mkdir()
    (folder / "visual").mkdir()
    shutil.copy(clip_tokenizer / "tokenizer.json", folder / "textual")
    (folder / "visual" / "preprocess_cfg.json").write_text(json.dumps(RULES), encoding="utf-8")
    (folder / "config.json").write_text(json.dumps(CONFIG), encoding="utf-8")
    tokens, _ = open_tokeniser(clip_tokenizer, read_rules(CONFIG))(LINES)
    np.savez(folder / "inputs.npz", pixels=read_preprocessing(RULES, "rules").batch(pictures), tokens=tokens)
    subprocess.run([sys.executable, Path(__file__).with_name("torch_towers.py"), folder], check=True)
    return folder


def test_the_image_tower_agrees_with_torch(exported, pictures, tmp_path):
    encoder = load_encoder(str(exported), device="cpu", models_dir=tmp_path, threads=1)
    expected = np.load(exported / "expected.npz")["image"]
    assert (encoder.encode_images(pictures) * expected).sum(1).min() >= 0.9999


def test_the_text_tower_agrees_with_torch(exported, tmp_path):
    encoder = load_encoder(str(exported), device="cpu", models_dir=tmp_path, threads=1)
    expected = np.load(exported / "expected.npz")["text"]
    assert (encoder.encode_texts(LINES) * expected).sum(1).min() >= 0.9999


def test_the_towers_of_torch_tell_pictures_apart(exported):
    """Guards the two tests above: embeddings that are all alike would agree with anything."""
    expected = np.load(exported / "expected.npz")
    for rows in (expected["image"], expected["text"]):
        cosines = rows @ rows.T - 2 * np.eye(len(rows))
        assert cosines.max() < 0.9999
