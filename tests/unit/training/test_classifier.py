"""A classifier learns, keeps what is frozen, and goes on from where it was stopped as if nothing had been."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from lookalike.training.classifier import CHECKPOINT, LOG, ClassifierRun, ClassifierSettings, freeze, outputs
from lookalike.training.labelled_pixels import LabelledPixels
from lookalike.training.splits import TEST, TRAIN, VALIDATION

SETTINGS = ClassifierSettings(side=16, epochs=4, batch=8, lr=0.02, smallest_area=0.8)
COLOURS = np.array([(220, 40, 40), (40, 200, 40), (40, 40, 220)])


@pytest.fixture(scope="module")
def photos():
    """60 photos of three colours, and one that nobody named."""
    draw = np.random.default_rng(0)
    labels = np.append(np.tile(np.arange(3), 20), -1)
    pixels = COLOURS[labels][:, None, None] + draw.integers(-30, 30, (61, 20, 20, 3))
    return LabelledPixels(pixels.clip(0, 255).astype(np.uint8), labels, np.append(np.repeat([0, 1, 2], 20), 0))


def a_network():
    """Stem, a chain of two stages with a batch norm each, head."""
    torch.manual_seed(0)
    stages = [nn.Sequential(nn.Conv2d(8, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU()) for _ in range(2)]
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 3))
    return nn.Sequential(nn.Sequential(nn.Conv2d(3, 8, 3, 2), nn.ReLU()), nn.Sequential(*stages), head)


def same(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


def test_it_learns_to_tell_the_classes_apart(photos, tmp_path):
    lines = []
    network = ClassifierRun(a_network(), photos, SETTINGS, tmp_path).train(lines.append)
    rows = photos.rows(TEST)
    assert (outputs(network, photos.pixels, rows, 16).argmax(1) == photos.labels[rows]).mean() > 0.9
    assert lines[-1]["loss"] < lines[0]["loss"]
    assert [line["epoch"] for line in lines] == [1, 2, 3, 4]
    assert len((tmp_path / LOG).read_text(encoding="utf-8").splitlines()) == 4


def test_a_photo_without_a_label_is_not_learned_from(photos):
    assert 60 not in photos.rows(TRAIN)
    assert photos.classes == 3


def test_a_stopped_run_ends_as_if_it_had_not_been(photos, tmp_path):
    whole = ClassifierRun(a_network(), photos, SETTINGS, tmp_path / "whole").train()
    first = ClassifierRun(a_network(), photos, SETTINGS, tmp_path / "parts")
    first.train(stopped=lambda: first.step == 3)
    second = ClassifierRun(a_network(), photos, SETTINGS, tmp_path / "parts")
    assert second.step == 3
    assert same(whole.state_dict(), second.train().state_dict())


def test_a_run_may_end_sooner_than_was_planned(photos, tmp_path):
    first = ClassifierRun(a_network(), photos, replace(SETTINGS, epochs=100), tmp_path)
    first.train(stopped=lambda: first.step == 3)
    second = ClassifierRun(a_network(), photos, SETTINGS, tmp_path)
    second.train()
    assert second.step == second.steps == 8


def test_the_best_epoch_is_kept(photos, tmp_path):
    """With the labels of validation moved on by one, what it learns makes it worse there."""
    turned = np.where((photos.split == VALIDATION) & (photos.labels >= 0), (photos.labels + 1) % 3, photos.labels)
    run = ClassifierRun(a_network(), replace(photos, labels=turned), SETTINGS, tmp_path)
    network = run.train()
    rows = photos.rows(VALIDATION)
    right = (outputs(network, photos.pixels, rows, 16).argmax(1) == turned[rows]).mean()
    assert run.best == pytest.approx(right)
    assert run.best == max(line["right"] for line in run.curve)


def test_frozen_parts_keep_weights_and_statistics(photos, tmp_path):
    network = a_network()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    after = ClassifierRun(network, photos, replace(SETTINGS, frozen=2), tmp_path).train().state_dict()
    kept = [name for name in before if name.startswith(("0.", "1.0."))]
    assert all(torch.equal(before[name], after[name]) for name in kept)
    assert any(name.endswith("running_mean") for name in kept)
    assert not torch.equal(before["1.1.0.weight"], after["1.1.0.weight"])


def test_all_parts_cannot_be_frozen():
    with pytest.raises(ValueError, match="the network has 4"):
        freeze(a_network(), 4)


def planned(run, what):
    """What `run` would do at each of its steps, and behind the last."""
    found = []
    for step in range(run.steps + 1):
        run.step = step
        found.append(what())
    return found


def test_the_rate_rises_stays_and_falls_to_nothing(photos, tmp_path):
    run = ClassifierRun(a_network(), photos, replace(SETTINGS, epochs=50), tmp_path)
    rates = planned(run, run.rate)
    assert rates[0] < rates[3] < SETTINGS.lr
    assert rates[10] == rates[60] == SETTINGS.lr
    assert rates[80] > rates[90] > rates[100] == 0


def test_pictures_are_small_until_the_rate_falls(photos, tmp_path):
    run = ClassifierRun(a_network(), photos, replace(SETTINGS, early_side=8, epochs=50), tmp_path)
    assert planned(run, run.side) == [8] * 65 + [16] * 36


def test_a_checkpoint_is_plain_numbers(photos, tmp_path):
    """It opens without running anything, and the curve is JSON."""
    run = ClassifierRun(a_network(), photos, replace(SETTINGS, epochs=1), tmp_path)
    run.train()
    state = torch.load(tmp_path / CHECKPOINT, weights_only=True)
    assert json.loads(json.dumps(state["curve"])) == run.curve
