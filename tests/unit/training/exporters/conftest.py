"""Models as others publish them, made here with random weights. As in all the room: in a process of its own."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
from pathlib import Path

import pytest

if importlib.util.find_spec("torch") is None or os.environ.get("LOOKALIKE_TRAINING_TESTS") != "1":
    collect_ignore_glob = ["test_*.py"]

REFERENCE = Path(__file__).with_name("youtokentome")
SIDE, PATCH, LENGTH, VOCABULARY = 64, 16, 77, 1500


@pytest.fixture(scope="session")
def published():
    """A CLIP as its makers wrote it, random weights: ruCLIP's when its closing token is 3."""
    import torch
    from published_clip import Clip

    torch.manual_seed(0)
    return Clip(
        dim=32, side=SIDE, patch=PATCH, widths=(128, 64), layers=(2, 3), vocabulary=VOCABULARY, closing=3
    ).eval()


@pytest.fixture
def ruclip_folder(published, tmp_path):
    """The folder in which ruCLIP is published."""
    import torch

    folder = tmp_path / "ruclip-tiny"
    folder.mkdir()
    config = {"embed_dim": 32, "image_resolution": SIDE, "vision_layers": 2, "vision_width": 128}
    config |= {"vision_patch_size": PATCH, "context_length": LENGTH, "vocab_size": VOCABULARY}
    config |= {"transformer_width": 64, "transformer_heads": 1, "transformer_layers": 3}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    torch.save(published.state_dict(), folder / "pytorch_model.bin")
    shutil.copy(REFERENCE / "bpe.model", folder)
    return folder
