"""The encoder inside the package is whole, small, and knows a cat from a cup of coffee."""

from __future__ import annotations

import json

import numpy as np
import pytest

from lookalike.encoders.load import BUILTIN_FOLDER, load_encoder

LARGEST = 20_000_000  # bytes, all files together


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    return load_encoder("builtin", device="cpu", threads=1, models_dir=tmp_path_factory.mktemp("models"))


def test_it_is_small_enough_for_a_package():
    assert sum(path.stat().st_size for path in BUILTIN_FOLDER.rglob("*") if path.is_file()) <= LARGEST


def test_its_config_says_what_it_was_trained_on(encoder):
    config = json.loads((BUILTIN_FOLDER / "config.json").read_text(encoding="utf-8"))
    assert config["embed_dim"] == encoder.dim == 256
    assert "en" in config["languages"]
    assert {each["name"] for each in config["training"]["sets"]} >= {"coco", "flickr", "caltech"}
    assert config["training"]["recipe"]["name"] == config["name"]


def test_words_find_their_pictures(encoder):
    data = pytest.importorskip("skimage.data", reason="the extra demo carries the photos")
    pictures = {"a cat": data.chelsea(), "a cup of coffee": data.coffee(), "a woman smiling": data.astronaut()}
    seen = encoder.encode_images([np.ascontiguousarray(picture[..., :3]) for picture in pictures.values()])
    read = encoder.encode_texts(list(pictures))
    assert (read @ seen.T).argmax(1).tolist() == [0, 1, 2]


def test_spelling_does_not_matter(encoder):
    vectors = encoder.encode_texts(["grand piano", "Grand_Piano", "GRAND PIANO"])
    assert np.allclose(vectors[0], vectors, atol=1e-6)


def test_a_batch_gives_what_its_singles_give(encoder):
    draw = np.random.default_rng(0)
    pictures = [draw.integers(0, 256, (*draw.integers(40, 300, 2), 3), np.uint8) for _ in range(5)]
    singles = np.concatenate([encoder.encode_images([picture]) for picture in pictures])
    assert np.abs(encoder.encode_images(pictures) - singles).max() <= encoder.tolerance
