"""The recipe `classifier`: from labelled pictures to an encoder folder that says what the network says."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from tests.unit.training.drawn_material import draw_material
from torch import nn

from lookalike.core.errors import SourceError
from lookalike.encoders.load import load_encoder
from lookalike.training.classifier import ClassifierSettings
from lookalike.training.classifier_recipe import Settings, feature_of, learn, tune
from lookalike.training.labelled_pixels import LabelledPixels
from lookalike.training.recipe_settings import read_settings

COLOURS = np.array([(220, 40, 40), (40, 200, 40), (40, 40, 220), (200, 200, 30)])


class Network(nn.Module):
    """Shaped as timm's networks are: `reset_classifier(0)` leaves the feature."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.stem = nn.Sequential(nn.Conv2d(3, 16, 3, 2), nn.BatchNorm2d(16), nn.ReLU())
        self.stages = nn.Sequential(nn.Conv2d(16, 12, 3, padding=1), nn.ReLU())
        self.head = nn.Linear(12, 4)

    def forward(self, pictures):
        return self.head(self.stages(self.stem(pictures)).mean((2, 3)))

    def reset_classifier(self, classes):
        self.head = nn.Linear(12, classes) if classes else nn.Identity()


@pytest.fixture(scope="module")
def material():
    return draw_material(2.0, classes=4, per_class=20)


@pytest.fixture(scope="module")
def photos(material):
    draw = np.random.default_rng(0)
    pixels = COLOURS[material.labels][:, None, None] + draw.integers(-40, 40, (80, 20, 20, 3))
    return LabelledPixels(pixels.clip(0, 255).astype(np.uint8), material.labels, material.split)


@pytest.fixture
def settings(tmp_path):
    return Settings(side=16, epochs=12, batch=8, lr=0.02, smallest_area=0.8, work=str(tmp_path))


def test_a_feature_that_tells_more_than_the_base_is_better(material, photos, settings, tmp_path):
    told = []
    tuned = learn(material, photos, Network(), settings, told.append)
    assert tuned.better
    assert tuned.about["right on test"] > 0.9
    assert len(tuned.curve) == 12
    assert "photos of 4 classes" in told[0]
    tuned.write(tmp_path / "colours", ())
    encoder = load_encoder(str(tmp_path / "colours"), models_dir=tmp_path / "models")
    assert (encoder.dim, encoder.modalities, encoder.image_side) == (12, {"image"}, 16)
    vectors = encoder.encode_images(list(photos.pixels[photos.rows(2)]))
    right = material.labels[photos.rows(2)]
    nearest = (vectors @ vectors.T - 2 * np.eye(len(vectors))).argmax(1)
    assert (right[nearest] == right).mean() > 0.9


def test_the_feature_is_what_the_classes_are_told_by():
    network, pictures = Network().eval(), torch.randn(2, 3, 16, 16)
    with torch.no_grad():
        feature = feature_of(network)(pictures)
        assert torch.allclose(network.head(feature), network(pictures))
    assert feature.shape == (2, 12)


def test_a_run_set_otherwise_begins_anew(material, photos, settings):
    first = learn(material, photos, Network(), dataclasses.replace(settings, epochs=1), lambda _: None)
    again = learn(material, photos, Network(), dataclasses.replace(settings, epochs=2), lambda _: None)
    other = learn(material, photos, Network(), dataclasses.replace(settings, epochs=1, lr=0.01), lambda _: None)
    assert [len(each.curve) for each in (first, again, other)] == [1, 2, 1]
    assert again.curve[0] == first.curve[0] != other.curve[0]


def test_corrected_labels_are_learned_anew(material, photos, settings):
    short = dataclasses.replace(settings, epochs=1)
    learn(material, photos, Network(), short, lambda _: None)
    other = (photos.labels + 1) % 4
    again = learn(
        dataclasses.replace(material, labels=other),
        dataclasses.replace(photos, labels=other),
        Network(),
        short,
        lambda _: None,
    )
    assert again.curve[0]["loss"] != learn(material, photos, Network(), short, lambda _: None).curve[0]["loss"]


def test_settings_are_said_as_text():
    said = read_settings(Settings, {"architecture": "resnetv2_50", "frozen": "2", "options": '{"stem_chs": 32}'})
    assert (said.architecture, said.frozen, said.epochs) == ("resnetv2_50", 2, ClassifierSettings().epochs)


@pytest.mark.parametrize("options", ["stem", "[1]", "3"])
def test_options_that_are_no_object_are_refused(options):
    with pytest.raises(ValueError, match="not a JSON object"):
        Settings(options=options)


def test_without_labels_there_is_nothing_to_learn(material, settings):
    with pytest.raises(SourceError, match="label"):
        tune((dataclasses.replace(material, labels=None),), settings, lambda _: None)
