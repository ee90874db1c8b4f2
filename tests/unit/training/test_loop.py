"""Any phase: a run learns, writes its curve, stops when asked, and goes on where it stopped."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from lookalike.training.loop import CHECKPOINT, LOG, Run, read_checkpoint, tower_of
from lookalike.training.recipes import Schedule

SCHEDULE = Schedule(minutes=60, batch=8, seed=3, learning_rate=0.05, warmup_steps=2)


class Line:
    """The least phase there is: a straight line through points."""

    tower = "image"

    def __init__(self, schedule=SCHEDULE):
        torch.manual_seed(0)
        self.schedule = schedule
        self.learner = nn.ModuleDict({"image": nn.Linear(1, 1), "other": nn.Linear(1, 1)})

    def begin(self, seed):
        self.random = np.random.default_rng(seed)

    def draw(self, progress):
        return torch.from_numpy(self.random.normal(size=(self.schedule.batch, 1)).astype(np.float32))

    def parts(self, batch):
        missed = self.learner["image"](batch) - (3 * batch + 1)
        return {"missed": (2.0, missed.square().mean()), "large": (0.0, self.learner["image"].weight.norm())}


def test_a_run_learns(tmp_path):
    run = Run(Line(), tmp_path)
    losses = [run.one_step()["missed"] for _ in range(120)]
    assert np.mean(losses[-5:]) < 0.1 * np.mean(losses[:5])
    assert (run.step, run.seen) == (120, 960)


def test_the_average_follows_the_weights(tmp_path):
    run = Run(Line(), tmp_path)
    before = run.average["image"].weight.clone()
    for _ in range(8):
        run.one_step()
    after, learned = run.average["image"].weight, run.phase.learner["image"].weight
    assert 0 < torch.norm(after - learned) < torch.norm(before - learned)


def test_a_run_goes_on_from_its_checkpoint(tmp_path):
    run = Run(Line(), tmp_path)
    for _ in range(5):
        run.one_step()
    run.spent_s = 123.0
    run.save()
    again = Run(Line(), tmp_path)
    assert (again.step, again.seen, again.spent_s) == (5, 40, 123.0)
    for name, value in run.phase.learner.state_dict().items():
        assert torch.equal(value, again.phase.learner.state_dict()[name])
    assert again.optimiser.state_dict()["state"].keys() == run.optimiser.state_dict()["state"].keys()
    assert not (tmp_path / f"{CHECKPOINT}.partial").exists()
    shipped = tower_of(read_checkpoint(tmp_path)["average"], "image")
    assert shipped.keys() == {"weight", "bias"}


def test_training_ends_with_its_time(tmp_path):
    """And leaves a checkpoint, and the lines of its log."""
    told = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lookalike.training.loop._LOG_EVERY_S", 0.1)
        Run(Line(replace(SCHEDULE, minutes=0.01)), tmp_path).train(told.append)
    lines = [json.loads(line) for line in (tmp_path / LOG).read_text().splitlines()]
    assert told == lines
    assert lines[0]["step"] > 0
    assert (tmp_path / CHECKPOINT).exists()


def test_a_run_that_is_asked_to_stop_keeps_what_it_has(tmp_path):
    run = Run(Line(), tmp_path)
    run.train(stopped=lambda: run.step >= 3)
    assert read_checkpoint(tmp_path)["step"] == 3


def test_the_rate_rises_falls_and_ends_small():
    rates = [SCHEDULE.rate(0, 0), SCHEDULE.rate(1, 0), SCHEDULE.rate(99, 0.5), SCHEDULE.rate(99, 1.0)]
    assert rates[0] < rates[1] > rates[2] > rates[3] > 0
    assert SCHEDULE.rate(99, 1.5) == rates[3]
