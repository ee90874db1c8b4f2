"""Networks of timm and torchvision; with the libraries themselves: `make check-exporters`."""

from __future__ import annotations

import sys

import pytest
import torch
from torch import nn

from lookalike.core.errors import EncoderBroken, EncoderUnavailable, MissingExtra
from lookalike.training.exporters.image_models import fetched, open_timm, open_torchvision, unknown, without_classes
from lookalike.training.exporters.open_clip_models import open_open_clip


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(6, 5)
        self.head = nn.Sequential(nn.LayerNorm(5), nn.Linear(5, 10))

    def forward(self, values):
        return self.head(self.first(values))


def test_without_its_classes_a_network_gives_what_its_last_layer_is_fed_with():
    network = Classifier().eval()
    values = torch.ones(2, 6)
    wanted = network.head[0](network.first(values))
    without_classes(network, 10)
    assert torch.equal(network(values), wanted)


def test_a_network_that_does_not_end_in_its_classes_is_refused():
    for network in (Classifier(), nn.Conv2d(3, 1000, 1)):
        with pytest.raises(EncoderBroken, match="does not end in a linear layer for 1000 classes"):
            without_classes(network, 1000)


def test_weights_that_cannot_be_had_are_told_from_wrong_ones():
    def offline():
        raise ConnectionError("no route\nto the hub")

    with pytest.raises(EncoderUnavailable, match=r"weights of resnet could not be had: no route to the hub$") as raised:
        fetched("resnet", "published", offline)
    assert "--weights" in raised.value.hint
    with pytest.raises(EncoderBroken, match=r"mine\.pt does not hold weights of resnet: no route"):
        fetched("resnet", "mine.pt", offline)


def test_a_misspelt_name_is_told_the_nearest_ones():
    error = unknown("timm", "convnext_tinny", ["convnext_tiny", "convnext_atto", "resnet50"])
    assert "convnext_tinny" in str(error)
    assert "convnext_tiny" in error.hint


@pytest.mark.parametrize(
    ("library", "opened", "name"),
    [
        ("timm", open_timm, "convnext_atto"),
        ("torchvision", open_torchvision, "resnet18"),
        ("open_clip", open_open_clip, "ViT-B-32"),
    ],
)
def test_without_the_library_the_extra_is_named(library, opened, name, monkeypatch):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingExtra) as raised:
        opened(name, "random")
    assert raised.value.extra == "export"
