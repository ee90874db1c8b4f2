"""torch never shares a process with FAISS: these tests run in a process of their own, by `test_in_own_process`.

Run them directly with LOOKALIKE_TRAINING_TESTS=1. The material is drawn: six colours, packed small.
"""

from __future__ import annotations

import importlib.util
import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

ALONE = "LOOKALIKE_TRAINING_TESTS"
COLOURS = {"red": (220, 30, 30), "green": (30, 200, 30), "blue": (30, 30, 220)}

if importlib.util.find_spec("torch") is None:
    collect_ignore_glob = ["test_*.py"]
elif os.environ.get(ALONE) == "1":
    collect_ignore = ["test_in_own_process.py"]
else:
    collect_ignore_glob = ["test_[!i]*.py", "test_im*.py"]


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Tiny tensors on many threads only make threads wait for one another."""
    if os.environ.get(ALONE) == "1":
        import torch

        torch.set_num_threads(1)


@pytest.fixture
def sizes():
    """Towers small enough to train in a second."""
    from lookalike.training.towers import TowerSizes

    return TowerSizes(
        dim=16,
        widths=(8, 8),
        blocks=(1, 1),
        top=16,
        vocabulary=300,
        text_width=16,
        text_layers=1,
        text_heads=2,
        context=12,
    )


@pytest.fixture
def packs(tmp_path: Path) -> Path:
    """Packs as `pack` writes them: labelled "colours" (30), captioned "shots" (12 smaller ones, not asked), and
    "oddments" (6 without words: the teacher is sure of the first three)."""
    import json

    import numpy as np

    folder = tmp_path / "packs"
    folder.mkdir()
    draw = np.random.default_rng(0)
    for name, count, side in (("colours", 30, 32), ("shots", 12, 24), ("oddments", 6, 32)):
        labels = [list(COLOURS)[row % 3] for row in range(count)]
        plain = np.array([COLOURS[label] for label in labels])[:, None, None]
        pictures = np.clip(plain + draw.normal(0, 25, (count, side, side, 3)), 0, 255).astype(np.uint8)
        np.save(folder / f"{name}.npy", pictures)
        listing = {"repository": "a/b", "paths": [f"{row}.png" for row in range(count)], "blobs": [""] * count}
        listing |= {"labels": labels if name == "colours" else [""] * count, "bad": [5] if name == "colours" else []}
        (folder / f"{name}.json").write_text(json.dumps(listing), encoding="utf-8")
    for name, count in (("colours", 30), ("oddments", 6)):
        features = np.zeros((count, 1280), np.uint8)
        features[:, :3] = np.eye(3, dtype=np.uint8)[np.arange(count) % 3] * 50
        features[:, 3:9] = draw.integers(1, 20, (count, 6))
        scores = np.zeros((count, 1001), np.uint8)
        scores[:3, 7] = 255 * (name == "oddments")
        np.save(folder / f"{name}.feature.npy", features)
        np.save(folder / f"{name}.score.npy", scores)
        (folder / f"{name}.asked").touch()
    return folder


@pytest.fixture
def words():
    """A concept for each colour, one that the teacher knows, and a caption for each shot."""
    from lookalike.training.words import Words

    made = Words(teacher=[-1] * 1001)
    rows = [made.concept([colour], ["{}", "a {} thing"], colour) for colour in COLOURS]
    made.rows["colours"] = [rows[row % 3] for row in range(30)]
    made.rows["oddments"] = [-1] * 6
    made.teacher[7] = made.concept(["crayon"], ["{}"], "crayon")
    made.captions["shots"] = [[made.number(f"shot {row} is {list(COLOURS)[row % 3]}")] for row in range(12)]
    return made


@pytest.fixture
def photos(packs, words):
    from lookalike.training.photos import Photos

    return Photos.open(packs, words, {"colours": 0.7, "shots": 0.2, "oddments": 0.1})


@pytest.fixture
def translations(words):
    """Colours and a caption in Russian and German."""
    from lookalike.training.parallel import Saying, Translations

    made = Translations()
    for russian, german, english in (
        ("красный", "rot", "red"),
        ("зелёный", "grün", "green"),
        ("синий", "blau", "blue"),
    ):
        made.add(Saying("ru", "word", russian, (english,)), words.number)
        made.add(Saying("de", "word", german, (english,)), words.number)
    made.add(Saying("ru", "caption", "снимок 3 красный", ("shot 3 is red",), "3"), words.number)
    return made


@pytest.fixture
def sentences(words):
    """Stand-ins for sentence vectors: bags of words, float16 (texts, 384)."""
    import numpy as np

    draw = np.random.default_rng(1)
    vectors: dict[str, np.ndarray] = {}
    rows = [sum(vectors.setdefault(word, draw.normal(size=384)) for word in text.split()) for text in words.texts]
    return np.array([row / np.linalg.norm(row) for row in rows], np.float16)
