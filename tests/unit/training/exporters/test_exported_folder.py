"""What is exported is the model, or nothing is left of it."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from torch import nn

from lookalike.core.errors import EncoderBroken, EncoderError
from lookalike.encoders.load import load_encoder
from lookalike.training.exporters.exported_folder import (
    Pictures,
    Towers,
    Words,
    drawn_pictures,
    export_image_model,
    write_exported,
)

SIDE = 32


class Network(nn.Module):
    """Convolutions, batch norm and a pool: float32 (n, 3, SIDE, SIDE) -> (n, 8)."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.body = nn.Sequential(nn.Conv2d(3, 8, 5, 3), nn.BatchNorm2d(8), nn.GELU(), nn.Dropout(0.5))

    def forward(self, pictures):
        return self.body(pictures).mean((2, 3))


class Unsteady(Network):
    """Depends on the number of pictures in a run when it is traced: the graph holds the number of two."""

    def forward(self, pictures):
        return super().forward(pictures) + torch.linspace(0, 1, 8) * float(len(pictures))


class Unwritable(Network):
    def forward(self, pictures):
        return torch.linalg.eigvals(pictures[:, 0]).real[:, :8]


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "encoder"


def files(folder):
    return sorted(path.relative_to(folder.parent).as_posix() for path in folder.parent.rglob("*") if path.is_file())


def test_a_network_becomes_an_encoder_of_pictures_that_says_the_same(folder):
    network = Network()
    parity = export_image_model(network, folder, side=SIDE, resize_mode="squash", about={"made_from": "a test"})
    assert parity.as_dict().keys() == {"image"}
    assert parity.image >= 0.9999
    encoder = load_encoder(str(folder))
    assert (encoder.dim, encoder.image_side, encoder.modalities) == (8, SIDE, {"image"})
    pixels = np.random.default_rng(0).integers(0, 256, (3, SIDE, SIDE, 3), np.uint8)
    values = (pixels / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    with torch.no_grad():
        wanted = network.eval()(torch.tensor(values.transpose(0, 3, 1, 2), dtype=torch.float32))
    found = encoder.encode_images(list(pixels))
    np.testing.assert_allclose(found, nn.functional.normalize(wanted, dim=-1), atol=1e-5)
    assert json.loads((folder / "config.json").read_text())["about"] == {"made_from": "a test"}


def test_a_network_that_is_being_trained_goes_on_being_trained(folder):
    network = Network().train()
    before = {name: values.clone() for name, values in network.state_dict().items()}
    export_image_model(network, folder, side=SIDE)
    assert network.training
    assert all(module.training for module in network.modules())
    assert all(torch.equal(values, before[name]) for name, values in network.state_dict().items())


def test_a_graph_that_says_something_else_is_not_kept(folder):
    with pytest.raises(EncoderBroken, match="the written graph is not the model: a picture has cosine") as raised:
        export_image_model(Unsteady(), folder, side=SIDE)
    assert "nothing was written" in raised.value.hint
    assert files(folder) == []


def test_what_onnx_cannot_say_is_an_error_and_leaves_nothing(folder):
    with pytest.raises(EncoderBroken, match="image tower cannot be written as ONNX"):
        export_image_model(Unwritable(), folder, side=SIDE)
    assert files(folder) == []


def test_a_network_without_vectors_is_refused(folder):
    with pytest.raises(EncoderBroken, match="vectors of one width"):
        export_image_model(nn.Conv2d(3, 4, 3), folder, side=SIDE)


def test_towers_of_two_widths_are_refused(folder):
    words = Words(nn.Sequential(nn.Embedding(4, 5), nn.Flatten()), "{}", {"context_length": 3})
    towers = Towers(Pictures(Network(), {"size": SIDE}), words, {})
    with pytest.raises(EncoderBroken, match="vectors of one width"):
        write_exported(folder, towers)
    with pytest.raises(ValueError, match="a tower"):
        write_exported(folder, Towers(None, None, {}))


def test_models_that_lie_there_are_not_overwritten(folder):
    export_image_model(Network(), folder, side=SIDE)
    before = files(folder)
    with pytest.raises(EncoderError, match="would be lost"):
        export_image_model(Network(), folder, side=SIDE)
    assert files(folder) == before


def test_the_pictures_to_compare_by_are_always_the_same_and_differ_from_each_other():
    for one, other in zip(drawn_pictures(), drawn_pictures(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert len({picture.shape for picture in drawn_pictures()}) > 2
