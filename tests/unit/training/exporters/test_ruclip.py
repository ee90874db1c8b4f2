"""ruCLIP in its published layout becomes an encoder that says what the makers' network says."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from PIL import Image
from published_clip import Clip

from lookalike.core.errors import EncoderBroken
from lookalike.encoders.load import load_encoder
from lookalike.encoders.tokenise import open_tokeniser, read_rules
from lookalike.training.exporters.exported_folder import drawn_pictures, write_exported
from lookalike.training.exporters.ruclip import open_ruclip

TEXTS = ["Кошка на снегу", "две собаки", "", "слово " * 90]
MEAN, STD = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]


@pytest.fixture
def exported(ruclip_folder, tmp_path):
    folder = tmp_path / "encoder"
    parity = write_exported(folder, open_ruclip(ruclip_folder))
    assert min(parity.image, parity.text) >= 0.9999
    return folder


def cosines(found, wanted):
    wanted = torch.nn.functional.normalize(wanted, dim=-1).detach().numpy()
    return np.sum(found * wanted, axis=1)


def test_pictures_give_the_vectors_of_the_makers_network(exported, published):
    """Prepared as their processor does: the square in the middle is cut out, then made small, bilinear."""
    pictures = drawn_pictures()
    prepared = []
    for picture in map(Image.fromarray, pictures):
        side = min(picture.size)
        left, top = (picture.width - side) // 2, (picture.height - side) // 2
        small = picture.crop((left, top, left + side, top + side)).resize((64, 64), Image.Resampling.BILINEAR)
        prepared.append((np.asarray(small) / 255.0 - MEAN) / STD)
    wanted = published.encode_image(torch.tensor(np.stack(prepared).transpose(0, 3, 1, 2), dtype=torch.float32))
    assert cosines(load_encoder(str(exported)).encode_images(pictures), wanted).min() >= 0.9999


def test_texts_give_the_vectors_of_the_makers_network(exported, published):
    rules = read_rules(json.loads((exported / "config.json").read_text()))
    ids, _ = open_tokeniser(exported / "textual", rules)(TEXTS)
    assert (ids == 3).sum(axis=1).tolist() == [1] * len(TEXTS)
    wanted = published.encode_text(torch.from_numpy(ids))
    found = load_encoder(str(exported)).encode_texts(TEXTS)
    assert cosines(found, wanted).min() >= 0.9999
    assert np.allclose(found[0], load_encoder(str(exported)).encode_texts(["кошка НА снегу"])[0])


def test_weights_in_half_precision_are_taken(ruclip_folder, published, tmp_path):
    halves = {name: values.half() for name, values in published.state_dict().items()}
    torch.save(halves, ruclip_folder / "pytorch_model.bin")
    assert write_exported(tmp_path / "encoder", open_ruclip(ruclip_folder)).text >= 0.9999


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"image_resolution": 96}, "image_resolution 96, the weights say 64"),
        ({"vocab_size": 1499}, "vocab_size 1499, the weights say 1500"),
        ({"context_length": None}, "context_length None"),
    ],
)
def test_a_configuration_of_another_model_is_refused(ruclip_folder, change, said):
    config = json.loads((ruclip_folder / "config.json").read_text())
    (ruclip_folder / "config.json").write_text(json.dumps(config | change))
    with pytest.raises(EncoderBroken, match=said):
        open_ruclip(ruclip_folder)


def test_a_vocabulary_larger_than_the_text_tower_is_refused(ruclip_folder):
    small = Clip(dim=32, side=64, patch=16, widths=(128, 64), layers=(2, 3), vocabulary=900, closing=3)
    torch.save(small.state_dict(), ruclip_folder / "pytorch_model.bin")
    config = json.loads((ruclip_folder / "config.json").read_text())
    (ruclip_folder / "config.json").write_text(json.dumps(config | {"vocab_size": 900}))
    with pytest.raises(EncoderBroken, match="more ids than"):
        open_ruclip(ruclip_folder)


@pytest.mark.parametrize("missing", ["config.json", "pytorch_model.bin", "bpe.model"])
def test_a_file_that_is_missing_is_named(ruclip_folder, missing):
    (ruclip_folder / missing).unlink()
    with pytest.raises(EncoderBroken, match=missing.replace(".", r"\.")):
        open_ruclip(ruclip_folder)


def test_weights_that_lack_a_layer_are_refused(ruclip_folder, published):
    weights = dict(published.state_dict())
    del weights["visual.ln_post.weight"]
    torch.save(weights, ruclip_folder / "pytorch_model.bin")
    with pytest.raises(EncoderBroken, match="not the weights of a CLIP"):
        open_ruclip(ruclip_folder)
