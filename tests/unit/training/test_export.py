"""An exported encoder is one the library opens, and is scored by the library's own metrics."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from lookalike.encoders.onnx_encoder import OnnxEncoder
from lookalike.training.export import Shipping, check, write_encoder
from lookalike.training.scoring import score_captions, score_labels
from lookalike.training.towers import ImageTower, TextTower
from lookalike.training.vocabulary import train_tokeniser

SHOTS = list(np.random.default_rng(0).integers(0, 256, (70, 40, 48, 3), np.uint8))


@pytest.fixture
def exported(sizes, words, tmp_path):
    """The folder, and the towers it was made from."""
    torch.manual_seed(0)
    image, text = ImageTower(sizes), TextTower(sizes)
    tokeniser = train_tokeniser(words.texts, sizes.vocabulary, sizes.context)
    folder = tmp_path / "encoder"
    written = write_encoder(folder, image, text, tokeniser, Shipping(side=32), training={"steps": 3})
    assert written["visual/model.onnx"] == (folder / "visual" / "model.onnx").stat().st_size
    return folder, image, text


def test_the_library_opens_it(exported):
    encoder = OnnxEncoder(exported[0], name="made", id="made-1")
    assert (encoder.dim, encoder.image_side, encoder.modalities) == (16, 32, {"image", "text"})
    pictures = [np.full((50, 70, 3), value, np.uint8) for value in (10, 90, 200)]
    vectors = encoder.encode_images(pictures)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    singles = np.concatenate([encoder.encode_images([picture]) for picture in pictures])
    assert np.abs(vectors - singles).max() <= encoder.tolerance
    assert np.allclose(encoder.encode_texts(["Red_Thing"]), encoder.encode_texts(["red thing"]))


def test_it_agrees_with_the_towers(exported):
    folder, image, text = exported
    found = check(folder, image, text, SHOTS, 32)
    assert min(found.values()) >= 0.9999


def test_its_config_says_what_it_is(exported):
    config = json.loads((exported[0] / "config.json").read_text())
    assert config["name"] == "builtin-1"
    assert config["languages"] == ["en"]
    assert config["training"] == {"steps": 3}
    assert len(config["training_digest"]) == 16


def test_scores_have_means_and_intervals(exported, packs, words):
    encoder = OnnxEncoder(exported[0], name="made", id="made-1")
    captions = score_captions(encoder, packs, words, "shots")
    assert set(captions) == {"hit@1", "hit@5", "hit@10"}
    assert captions["hit@1"]["mean"] <= captions["hit@10"]["mean"] <= 1
    labels = score_labels(encoder, packs, "colours")
    low, high = labels["picture"]["precision@10"]["interval"]
    assert low <= labels["picture"]["precision@10"]["mean"] <= high


def test_in_int8_it_is_smaller_and_nearly_the_same(exported, sizes, words, tmp_path):
    _, image, text = exported
    tokeniser = train_tokeniser(words.texts, sizes.vocabulary, sizes.context)
    written = write_encoder(
        tmp_path / "int8", image, text, tokeniser, Shipping(side=32), training={}, storage="int8", calibration=SHOTS
    )
    assert written["textual/model.onnx"] < (exported[0] / "textual" / "model.onnx").stat().st_size
    assert min(check(tmp_path / "int8", image, text, SHOTS, 32).values()) >= 0.98
    encoder = OnnxEncoder(tmp_path / "int8", name="made", id="made-1")
    singles = np.concatenate([encoder.encode_images([picture]) for picture in SHOTS[:9]])
    assert np.abs(encoder.encode_images(SHOTS[:9]) - singles).max() <= encoder.tolerance


def test_int8_wants_pictures_to_measure_by(exported, tmp_path):
    with pytest.raises(ValueError, match="calibration"):
        write_encoder(tmp_path, *exported[1:], "", Shipping(), training={}, storage="int8")
